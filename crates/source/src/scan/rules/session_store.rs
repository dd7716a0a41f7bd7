//! `express-session` without a store: its default keeps every session in memory.

use super::super::cx::Cx;
use super::ScanRule;
use crate::facts::{Call, Value};
use crate::link::FileId;

pub(super) fn check(cx: &mut Cx) {
    let calls: Vec<(FileId, u32, Call)> = cx
        .world
        .all_calls()
        .filter(|(file, id, call)| {
            !cx.world.is_new(*file, *id)
                && cx
                    .world
                    .foreign_names(*file, call.callee)
                    .iter()
                    .any(|it| it == "express-session")
        })
        .map(|(file, id, call)| (file, id, call.clone()))
        .collect();
    for (file, id, call) in calls {
        let world = &cx.world;
        let facts = world.facts(file);
        // Options from elsewhere, or spread into these, may hold a store.
        let Some(options) = facts.parts(call.args).first() else { continue };
        let Some(Value::Object(literal)) = facts.value(*options) else { continue };
        let Some(object) = facts.objects.get(literal as usize) else { continue };
        let has = |name: &str| object.keys.iter().any(|&key| facts.name(key) == name);
        if has("store") || !object.spreads.is_empty() || world.arg_range(file, id, 0).is_none() {
            continue;
        }
        let name = world.short(file, call.callee_range);
        let explanation = format!(
            "`{name}({{ … }})` names no `store`, so sessions are kept by `MemoryStore`, in memory. It drops \
             an expired session only when that very session is asked for again: every visitor without a \
             cookie, every crawler and health check adds one that stays."
        );
        let mut fix =
            "Configure a store that expires sessions: `store: new RedisStore({ client })` \
                       (connect-redis), or `memorystore` with `checkPeriod` for a single process."
                .to_owned();
        if !has("saveUninitialized") {
            fix.push_str(" Set `saveUninitialized: false`, so that only sessions in use are kept.");
        }
        cx.report(ScanRule::SessionStore, file, call.range, explanation, fix);
    }
}
