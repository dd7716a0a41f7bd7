//! `delete require.cache[…]` per request: the module is loaded again and its parent keeps the old.

use super::super::cx::Cx;
use super::ScanRule;
use crate::facts::{NONE, Range, Value};

pub(super) fn check(cx: &mut Cx) {
    for file in cx.world.files() {
        for at in 0..cx.world.facts(file).deletes.len() {
            let world = &cx.world;
            let facts = world.facts(file);
            let (object, start) = facts.deletes[at];
            let Some(Value::Member { object: owner, key }) = facts.value(object) else { continue };
            let is_require = matches!(facts.value(owner), Some(Value::Global(name)) if facts.name(name) == "require");
            if key == NONE || !is_require || facts.name(key) != "cache" {
                continue;
            }
            let Some(repeated) = cx.repeated(file, start) else { continue };
            // Those who take the module out of its parent's children as well know what they do.
            if world.loaded(file).text.contains(".children") {
                continue;
            }
            let text = &world.loaded(file).text;
            let end = text.get(start as usize..).and_then(|it| it.find([';', '\n']));
            let end = end.map_or(start, |it| start + it as u32);
            let explanation = format!(
                "{}, and each time takes a module out of `require.cache` so that it is loaded anew. The module \
                 that requires it keeps every loaded copy in its `children`, with all that the copy holds.",
                repeated.words
            );
            let fix = "Do not reload modules to get new data: read the file (`JSON.parse(readFileSync(…))`). \
                       If code must be reloaded, run it in a worker thread or child process that ends."
                .to_owned();
            let range = Range { start, end };
            cx.report(ScanRule::ModuleGrowth, file, range, explanation, fix);
        }
    }
}
