//! Modules imported under ever new names: the loader keeps each of them for good.

use super::super::cx::Cx;
use super::ScanRule;
use crate::facts::Value;

pub(super) fn check(cx: &mut Cx) {
    for file in cx.world.files() {
        for at in 0..cx.world.facts(file).flow.imports.len() {
            let world = &cx.world;
            let (whole, source) = world.facts(file).flow.imports[at];
            // A variable stands for what it was declared with.
            let source = world
                .mentions(file, source)
                .find(|&it| world.facts(file).range(it) == source)
                .and_then(|it| match world.facts(file).value(it) {
                    Some(Value::Symbol(symbol)) => {
                        world.facts(file).flow.declared.get(&symbol).copied()
                    }
                    _ => None,
                })
                .unwrap_or(source);
            let text = world.text(file, source);
            // Only a query or a data address makes a new module of a known file.
            let changes = text.contains('?') && (text.contains("${") || text.contains('+'))
                || text.contains("data:text/javascript");
            if !changes {
                continue;
            }
            let Some(repeated) = cx.repeated(file, whole.start) else { continue };
            if !cx.is_unbounded(file, source) {
                continue;
            }
            let shown = world.short(file, source);
            let explanation = format!(
                "{}, and each time imports {shown}, an address that was never imported before. Node keeps \
                 every ES module under its address until the program ends; there is no way to unload one.",
                repeated.words
            );
            let fix = "Import under a constant name. If the module's data changes, read the data \
                       (`JSON.parse(await readFile(…))`); if its code changes, run it in a worker thread or \
                       child process that ends."
                .to_owned();
            cx.report(ScanRule::CodeGrowth, file, whole, explanation, fix);
        }
    }
}
