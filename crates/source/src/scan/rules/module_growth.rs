//! `delete require.cache[…]` per request: the module is loaded again and its parent keeps the old.

use super::super::cx::Cx;
use super::super::world::World;
use super::ScanRule;
use crate::facts::{NONE, Range, Value, ValueId};
use crate::link::FileId;

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
            let Some(range) = loaded_again(world, file, start) else { continue };
            let place = world.place_words(file, start);
            let explanation = format!(
                "{}, and each time loads a module anew that was taken out of `require.cache` ({place}). The \
                 module that requires it keeps every loaded copy in its `children`, with all that the \
                 copy holds.",
                repeated.words
            );
            let fix = "Do not reload modules to get new data: read the file (`JSON.parse(readFileSync(…))`). \
                       If code must be reloaded, run it in a worker thread or child process that ends."
                .to_owned();
            cx.report(ScanRule::ModuleGrowth, file, range, explanation, fix);
        }
    }
}

/// The `require` behind the deletion, in the same function; the deletion itself where there is none.
fn loaded_again(world: &World, file: FileId, start: u32) -> Option<Range> {
    let facts = world.facts(file);
    let function = facts.repeated_function_at(start)?;
    let end = facts.functions.get(function as usize)?.range.end;
    let is_require = |value: &ValueId| match facts.value(*value) {
        Some(Value::Module(_)) => true,
        Some(Value::Call(call)) => {
            let callee = facts.calls.get(call as usize).and_then(|it| facts.value(it.callee));
            matches!(callee, Some(Value::Global(name)) if facts.name(name) == "require")
        }
        _ => false,
    };
    let text = &world.loaded(file).text;
    let statement = text.get(start as usize..)?.find([';', '\n']).unwrap_or(0) as u32 + start;
    let found = world.mentions(file, Range { start: statement, end }).find(is_require);
    Some(found.map_or(Range { start, end: statement }, |it| facts.range(it)))
}
