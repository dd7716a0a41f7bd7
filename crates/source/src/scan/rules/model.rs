//! Models, connection pools and clients that are made while requests are served.

use super::super::cx::Cx;
use super::{ScanRule, calls_named};
use crate::facts::{Call, NONE, Range, Value, ValueId};
use crate::link::FileId;

/// What makes a client that holds connections, by package.
const CLIENTS: [&str; 22] = [
    "@prisma/client.PrismaClient",
    "sequelize.Sequelize",
    "sequelize",
    "typeorm.DataSource",
    "mongoose.createConnection",
    "pg.Pool",
    "pg.Client",
    "mysql.createPool",
    "mysql2.createPool",
    "mysql2/promise.createPool",
    "mysql.createConnection",
    "mysql2.createConnection",
    "mongodb.MongoClient",
    "redis.createClient",
    "ioredis",
    "ioredis.Redis",
    "knex",
    "knex.knex",
    "kafkajs.Kafka",
    "undici.Client",
    "undici.Pool",
    "workerpool.pool",
];
/// What lets it go.
const CLOSERS: [&str; 8] =
    ["close", "end", "destroy", "disconnect", "$disconnect", "quit", "release", "dispose"];

pub(super) fn check(cx: &mut Cx) {
    let names: Vec<&str> =
        CLIENTS.iter().map(|it| it.rsplit(['.', '/']).next().unwrap_or(it)).collect();
    let calls: Vec<(FileId, u32, Call)> = cx
        .world
        .all_calls()
        .filter(|(file, id, call)| {
            let world = &cx.world;
            let facts = world.facts(*file);
            facts
                .callee_name(call)
                .is_some_and(|it| names.contains(&it) || world.is_new(*file, *id))
                && world
                    .foreign_names(*file, call.callee)
                    .iter()
                    .any(|it| CLIENTS.contains(&it.as_str()))
        })
        .map(|(file, id, call)| (file, id, call.clone()))
        .collect();
    for (file, id, call) in calls {
        client(cx, file, id, &call);
    }
    for (file, id, call) in calls_named(cx, &["model", "define"]) {
        model(cx, file, id, &call);
    }
}

/// A client per request that nobody closes.
fn client(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let value = world.value_of_call(file, id);
    let Some(range) = facts.functions.get(repeated.function as usize).map(|it| it.range) else {
        return;
    };
    // Closed anywhere in the function, or handed out of it: somebody else's concern.
    let closed = world.calls_in(file, range).any(|(_, it)| {
        facts.callee_name(it).is_some_and(|name| CLOSERS.contains(&name))
            || facts.callee_name(it) == Some("finally")
    });
    if closed || leaves(cx, file, value) {
        return;
    }
    let made = world.short(file, call.callee_range);
    let unit = repeated.reason.every.unit();
    let explanation = format!(
        "{}, and each time makes a `{made}`, which has connections or threads of its own and is never \
         closed: its sockets, timers and buffers stay for good.",
        repeated.words
    );
    let fix = format!(
        "Make one `{made}` at the top of a module and share it. If a {unit} needs its own, close it in a \
         `finally`."
    );
    cx.report(ScanRule::Model, file, call.range, explanation, fix);
}

/// The value is returned or stored where it can be closed later.
fn leaves(cx: &Cx, file: FileId, value: ValueId) -> bool {
    let facts = cx.world.facts(file);
    let is_it = |it: ValueId| it == value && value != NONE;
    let returned = |it: ValueId| facts.functions.iter().any(|f| f.returns.contains(&it));
    if returned(value) {
        return true;
    }
    facts.assigns.iter().filter(|it| is_it(it.value)).any(|assign| {
        match facts.value(assign.target) {
            Some(Value::Symbol(symbol)) => {
                let local = facts.symbols.get(symbol as usize).is_some_and(|it| !it.top_level);
                let again = facts
                    .values
                    .iter()
                    .enumerate()
                    .any(|(at, it)| *it == Value::Symbol(symbol) && returned(at as ValueId));
                !local || again
            }
            _ => true,
        }
    })
}

/// A model per request under a name that is ever new.
fn model(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    if facts.parts(call.args).len() < 2 {
        return;
    }
    let Some(object) = facts.callee_object(call) else { return };
    let from = [world.foreign_names(file, object), world.made_from(file, object)].concat();
    let orm = from.iter().any(|it| it.starts_with("mongoose") || it.starts_with("sequelize"));
    if !orm || !cx.lives.lasts(world, &cx.hot, file, object) {
        return;
    }
    let Some(name) = world.arg_range(file, id, 0) else { return };
    let schema = facts.value(world.arg(file, call, 1));
    let made_here = matches!(schema, Some(Value::New(_) | Value::Object(_) | Value::Call(_)));
    if !cx.is_unbounded(file, name) && !made_here {
        return;
    }
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let removed = world.all_calls().any(|(other, _, it)| {
        matches!(world.facts(other).callee_name(it), Some("deleteModel" | "removeModel"))
    });
    if removed || world.runs_once(file, repeated.function, call.range.start, true) {
        return;
    }
    let receiver = world.short(file, facts.range(object));
    let shown = world.short(file, name);
    let explanation = format!(
        "{}, and each time defines the model `{shown}` on `{receiver}`. The connection keeps every model \
         with its schema, its compiled functions and its listeners.",
        repeated.words
    );
    let fix = format!(
        "Define models once, at the top of a module, and use them here; for a model per tenant keep a \
         bounded cache and call `{receiver}.deleteModel(name)` for what leaves it."
    );
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::Model, file, range, explanation, fix);
}
