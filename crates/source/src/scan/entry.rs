//! Entry points: the functions that a server, a queue or a timer calls.

use std::path::Path;

use crate::facts::{Call, NONE, Value, ValueId};
use crate::link::{FileId, Place};

use super::hot::Every;
use super::lasting::starts_up;
use super::world::{FunctionId, World};

/// Methods by which a router takes handlers.
const ROUTES: [&str; 20] = [
    "get", "post", "put", "delete", "patch", "head", "options", "all", "use", "param", "ws",
    "addHook", "route", "register", "ext", "before", "after", "pre", "del", "on",
];
/// Events that come as often as there is traffic.
const TRAFFIC: [(&str, Every); 12] = [
    ("request", Every::Request),
    ("stream", Every::Request),
    ("checkContinue", Every::Request),
    ("connection", Every::Connection),
    ("secureConnection", Every::Connection),
    ("upgrade", Every::Connection),
    ("connect", Every::Connection),
    ("message", Every::Message),
    ("data", Every::Message),
    ("packet", Every::Message),
    ("job", Every::Message),
    ("notification", Every::Message),
];
/// Decorators of methods that are called for each request or message.
const DECORATORS: [&str; 24] = [
    "Get",
    "Post",
    "Put",
    "Delete",
    "Patch",
    "Options",
    "Head",
    "All",
    "Sse",
    "Query",
    "Mutation",
    "Subscription",
    "ResolveField",
    "MessagePattern",
    "EventPattern",
    "SubscribeMessage",
    "GrpcMethod",
    "GrpcStreamMethod",
    "OnEvent",
    "Process",
    "Cron",
    "Interval",
    "HttpCode",
    "Render",
];
/// Exported names of handlers in file-based routers and functions as a service.
const EXPORTED: [&str; 13] = [
    "handler",
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "loader",
    "action",
    "getServerSideProps",
    "onRequest",
    "lambdaHandler",
];

/// All entry points of the files.
pub(super) fn points(world: &World) -> Vec<(FunctionId, Every)> {
    let mut out = Vec::new();
    for (file, _, item) in world.all_calls() {
        registered(world, file, item, &mut out);
    }
    for file in world.files() {
        by_parameters(world, file, &mut out);
        decorated(world, file, &mut out);
        exported(world, file, &mut out);
    }
    out
}

fn registered(world: &World, file: FileId, item: &Call, out: &mut Vec<(FunctionId, Every)>) {
    let facts = world.facts(file);
    let Some(name) = facts.callee_name(item) else { return };
    let object = facts.callee_object(item);
    let args = facts.parts(item.args);
    let all = |from: usize, every: &Every, out: &mut Vec<(FunctionId, Every)>| {
        for &arg in args.iter().skip(from) {
            out.extend(world.functions(file, arg).into_iter().map(|it| (it, every.clone())));
        }
    };
    match name {
        "createServer" | "createSecureServer" => {
            let net = world.foreign_names(file, item.callee);
            let raw = net.iter().any(|it| it.starts_with("net.") || it.starts_with("tls."));
            all(0, if raw { &Every::Connection } else { &Every::Request }, out);
        }
        "setInterval" => all(0, &Every::Tick, out),
        "schedule" if is_named(world, file, object, &["cron", "schedule", "scheduler"]) => {
            all(1, &Every::Tick, out);
        }
        "consume" if args.len() >= 2 => all(1, &Every::Message, out),
        "process" if is_named(world, file, object, &["queue"]) => all(0, &Every::Message, out),
        "Worker"
            if world.foreign_names(file, item.callee).iter().any(|it| it.starts_with("bullmq")) =>
        {
            all(1, &Every::Message, out);
        }
        "run" => members(world, file, args, &["eachMessage", "eachBatch"], &Every::Message, out),
        "on" | "addListener" if object.is_some() => {
            let event = world.string(file, args.first().copied().unwrap_or(NONE));
            let every = event.and_then(|it| traffic(world, file, object, it, item.range.start));
            if let Some(every) = every {
                all(1, &every, out);
            }
        }
        "route" if object.is_some() => {
            // `{ method, url, handler }` of fastify and hapi.
            let keys = ["handler", "preHandler", "onRequest", "preValidation"];
            members(world, file, args, &keys, &Every::Request, out);
        }
        _ if ROUTES.contains(&name) && is_router(world, file, item) => {
            all(0, &Every::Request, out);
        }
        _ => {}
    }
}

/// The event is one of a server, a queue or a per-connection emitter.
fn traffic(
    world: &World,
    file: FileId,
    object: Option<ValueId>,
    event: &str,
    offset: u32,
) -> Option<Every> {
    let every = TRAFFIC.iter().find(|(name, _)| *name == event).map(|(_, every)| every.clone())?;
    // Streams have these events too, and a stream's data is gathered until it ends. An emitter that
    // is set up at the start is a queue or a feed.
    if every == Every::Message && !starts_up(world, file, offset) {
        return None;
    }
    // A client connects now and then; sockets of a server connect all the time.
    if event == "connect" && !is_named(world, file, object, &["server", "io", "wss"]) {
        return None;
    }
    Some(every)
}

/// Functions under those keys of an object literal among the arguments.
fn members(
    world: &World,
    file: FileId,
    args: &[ValueId],
    keys: &[&str],
    every: &Every,
    out: &mut Vec<(FunctionId, Every)>,
) {
    for &arg in args {
        for &place in world.linked.denotes(file, arg) {
            if !matches!(world.linked.place(place), Some(Place::Object(..))) {
                continue;
            }
            for key in keys {
                let Some(key) = world.linked.name_id(key) else { continue };
                let Some(member) = world.linked.find(Place::Member(place, key)) else { continue };
                for &held in world.linked.contents(member) {
                    if let Some(Place::Function(file, function)) = world.linked.place(held) {
                        out.push(((file, function), every.clone()));
                    }
                }
            }
        }
    }
}

/// The object's name ends in one of the words.
fn is_named(world: &World, file: FileId, object: Option<ValueId>, words: &[&str]) -> bool {
    let Some(object) = object else { return false };
    let name = last_name(world, file, object).to_ascii_lowercase();
    words.iter().any(|word| name.ends_with(word))
}

/// The last identifier of an expression: `app` of `this.app`.
pub(super) fn last_name(world: &World, file: FileId, value: ValueId) -> &str {
    let facts = world.facts(file);
    match facts.value(value) {
        Some(Value::Symbol(symbol)) => {
            facts.symbols.get(symbol as usize).map_or("", |it| facts.name(it.name))
        }
        Some(Value::Member { key, .. }) if key != NONE => facts.name(key),
        Some(Value::Global(name)) => facts.name(name),
        _ => "",
    }
}

/// What makes routers, by package.
const FRAMEWORKS: [&str; 20] = [
    "express",
    "express.Router",
    "fastify",
    "fastify.fastify",
    "koa",
    "@koa/router",
    "koa-router",
    "hono.Hono",
    "polka",
    "restify.createServer",
    "connect",
    "find-my-way",
    "router",
    "express-promise-router",
    "@hapi/hapi.server",
    "@hapi/hapi.Server",
    "itty-router.Router",
    "elysia.Elysia",
    "h3.createRouter",
    "h3.createApp",
];

/// The call registers something on an application or router: it was made by a framework, or is
/// called like one and gets a path or a function.
pub(super) fn is_router(world: &World, file: FileId, item: &Call) -> bool {
    let facts = world.facts(file);
    let Some(object) = facts.callee_object(item) else { return false };
    // `app.route('/x').get(…)`, `router.get(…).post(…)`.
    if let Some(Value::Call(inner)) = facts.value(object)
        && let Some(inner) = facts.calls.get(inner as usize)
        && facts.callee_name(inner).is_some_and(|it| ROUTES.contains(&it))
        && let Some(object) = facts.callee_object(inner)
    {
        return called_like_router(last_name(world, file, object));
    }
    if world.made_from(file, object).iter().any(|it| FRAMEWORKS.contains(&it.as_str())) {
        return true;
    }
    if !called_like_router(last_name(world, file, object)) {
        return false;
    }
    // A Map called `routes` has `get` as well; a router gets a function.
    facts.parts(item.args).iter().any(|&arg| !world.functions(file, arg).is_empty())
}

fn called_like_router(name: &str) -> bool {
    let name = name.trim_start_matches(['_', '#', '$']).to_ascii_lowercase();
    matches!(name.as_str(), "app" | "router" | "server" | "fastify" | "api" | "application")
        || name.ends_with("router")
        || name.ends_with("app")
}

/// Functions whose parameters are those of a request handler by convention.
fn by_parameters(world: &World, file: FileId, out: &mut Vec<(FunctionId, Every)>) {
    for function in 0..world.facts(file).functions.len() as u32 {
        let name = |index| {
            world.param_name(file, function, index).unwrap_or_default().trim_start_matches('_')
        };
        let pair = |from: u32| {
            let (first, second) = (name(from), name(from + 1));
            (matches!(first, "req" | "request")
                && matches!(second, "res" | "response" | "reply" | "resp"))
                || (matches!(first, "ctx") && second == "next")
        };
        if pair(0) || (matches!(name(0), "err" | "error") && pair(1)) {
            out.push(((file, function), Every::Request));
        }
    }
}

fn decorated(world: &World, file: FileId, out: &mut Vec<(FunctionId, Every)>) {
    let facts = world.facts(file);
    for it in &facts.flow.decorators {
        let name = facts.name(it.name);
        if it.function != NONE && DECORATORS.contains(&name) {
            let every = match name {
                "Cron" | "Interval" => Every::Tick,
                "MessagePattern" | "EventPattern" | "SubscribeMessage" | "Process" => {
                    Every::Message
                }
                "OnEvent" => Every::Event("bus".to_owned()),
                _ => Every::Request,
            };
            out.push(((file, it.function), every));
        }
    }
    // Nest's middleware, interceptors, guards, pipes: injectable classes with a known method.
    for (index, function) in facts.functions.iter().enumerate() {
        if let crate::facts::This::Instance(class) = function.this
            && function.name != NONE
            && matches!(facts.name(function.name), "intercept" | "canActivate" | "use")
            && is_injectable(world, file, class)
        {
            out.push(((file, index as u32), Every::Request));
        }
    }
}

/// A container makes one instance of the class and keeps it.
pub(super) fn is_injectable(world: &World, file: FileId, class: u32) -> bool {
    let facts = world.facts(file);
    facts.flow.decorators.iter().any(|it| {
        it.function == NONE
            && it.class == class
            && matches!(
                facts.name(it.name),
                "Injectable" | "Controller" | "Service" | "Resolver" | "WebSocketGateway" | "Catch"
            )
            && !world.text(file, it.range).contains("Scope.")
    })
}

fn exported(world: &World, file: FileId, out: &mut Vec<(FunctionId, Every)>) {
    let Some(exports) = world.linked.find(Place::Exports(file)) else { return };
    let path = world.loaded(file).path.as_path();
    let mut names: Vec<&str> = Vec::new();
    let in_api = has_folder(path, "api");
    let stem = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    for name in EXPORTED {
        let fits = match name {
            "handler" | "lambdaHandler" | "getServerSideProps" => true,
            "loader" | "action" => has_folder(path, "routes"),
            "onRequest" => stem == "middleware" || has_folder(path, "functions"),
            _ => matches!(stem, "route" | "+server") || in_api,
        };
        if fits {
            names.push(name);
        }
    }
    if in_api && (has_folder(path, "pages") || has_folder(path, "server")) {
        names.push("default");
    }
    for name in names {
        let Some(key) = world.linked.name_id(name) else { continue };
        let Some(member) = world.linked.find(Place::Member(exports, key)) else { continue };
        for &place in world.linked.contents(member) {
            if let Some(Place::Function(file, function)) = world.linked.place(place) {
                out.push(((file, function), Every::Request));
            }
        }
    }
}

fn has_folder(path: &Path, name: &str) -> bool {
    path.parent().is_some_and(|it| it.components().any(|part| part.as_os_str() == name))
}
