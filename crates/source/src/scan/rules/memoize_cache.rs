//! Caches inside libraries: memoized functions asked with ever new keys, schemas compiled anew.

use super::super::cx::Cx;
use super::ScanRule;
use crate::facts::{Call, Range, Value, ValueId};
use crate::link::{FileId, Place};

/// Functions that give a function with an unbounded cache.
const MEMOIZERS: [&str; 7] = [
    "lodash.memoize",
    "lodash.memoize.memoize",
    "lodash/memoize",
    "ramda.memoizeWith",
    "fast-memoize",
    "underscore.memoize",
    "lodash-es.memoize",
];

pub(super) fn check(cx: &mut Cx) {
    let calls: Vec<(FileId, u32, Call)> =
        cx.world.all_calls().map(|(file, id, call)| (file, id, call.clone())).collect();
    for (file, id, call) in calls {
        if cx.world.facts(file).parts(call.args).is_empty() {
            continue;
        }
        memoized(cx, file, id, &call);
        compiled(cx, file, id, &call);
    }
}

/// A call of a memoized function with a key that is ever new.
fn memoized(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    if !matches!(facts.value(call.callee), Some(Value::Symbol(_) | Value::Member { .. }))
        || cx.hot.at(world, file, call.range.start).is_none()
    {
        return;
    }
    let maker = world.makers(file, call.callee).into_iter().find(|&(other, made)| {
        let Some(item) = world.facts(other).calls.get(made as usize) else { return false };
        // A second argument is a key of the user's own choice, or options with a bound.
        let plain = match world.arg_range(other, made, 1) {
            Some(key) => world.text(other, key).contains("JSON.stringify"),
            None => true,
        };
        plain
            && world
                .foreign_names(other, item.callee)
                .iter()
                .any(|it| MEMOIZERS.contains(&it.as_str()) || it == "_.memoize")
    });
    let Some((made_in, made)) = maker else { return };
    let Some(key) = world.arg_range(file, id, 0) else { return };
    // The cache itself must outlive the request.
    if !cx.lives.lasts(world, &cx.hot, file, call.callee) || !cx.is_unbounded(file, key) {
        return;
    }
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let name = world.short(file, facts.range(call.callee));
    let emptied = world.all_calls().any(|(other, _, it)| {
        matches!(world.facts(other).callee_name(it), Some("clear" | "delete"))
            && world.text(other, it.callee_range).contains(&format!("{name}.cache"))
    });
    let replaced =
        world.files().any(|it| world.loaded(it).text.contains(&format!("{name}.cache =")));
    if emptied || replaced {
        return;
    }
    let Some(made) = world.facts(made_in).calls.get(made as usize).map(|it| it.range) else {
        return;
    };
    let place = world.place_words(file, call.range.start);
    let argument = world.short(file, key);
    let explanation = format!(
        "`{name}` is memoized: its cache keeps one result for every key, without a bound. {}, and calls it \
         with `{argument}`, which takes ever new values ({place}).",
        repeated.words
    );
    let fix = format!(
        "Give `{name}` a bounded cache (`{name}.cache = new LRUCache({{ max: 1000 }})`), or call the plain \
         function where keys do not come again."
    );
    cx.report(ScanRule::MemoizeCache, made_in, made, explanation, fix);
}

/// `ajv.compile(schema)` with a schema that is made on the spot: the instance keeps them all.
fn compiled(cx: &mut Cx, file: FileId, id: u32, call: &Call) {
    let world = &cx.world;
    let facts = world.facts(file);
    let name = facts.callee_name(call).unwrap_or_default();
    if !matches!(name, "compile" | "validate" | "addSchema" | "registerPartial" | "registerHelper")
    {
        return;
    }
    let Some(object) = facts.callee_object(call) else { return };
    let Some(first) = world.arg_range(file, id, 0) else { return };
    let made = world.made_from(file, object);
    let is_ajv = made.iter().any(|it| it == "ajv" || it.starts_with("ajv/") || it == "ajv.Ajv");
    let named = world.foreign_names(file, object);
    let is_handlebars = named.iter().any(|it| it == "handlebars" || it == "hbs");
    let schema = facts.parts(call.args).first().and_then(|&it| facts.value(it));
    let grows = match name {
        "compile" | "validate" | "addSchema" if is_ajv => {
            matches!(schema, Some(Value::Object(_) | Value::Call(_)))
                || made_here(cx, file, world.arg(file, call, 0))
                || request_data(cx, file, first)
        }
        "registerPartial" | "registerHelper" if is_handlebars => cx.is_unbounded(file, first),
        _ => false,
    };
    if !grows || !cx.lives.lasts(world, &cx.hot, file, object) {
        return;
    }
    let Some(repeated) = cx.repeated(file, call.range.start) else { return };
    let receiver = world.short(file, facts.range(object));
    let argument = world.short(file, first);
    let (explanation, fix) = if is_ajv {
        (
            format!(
                "{}, and each time compiles a schema that is a new object. `{receiver}` caches compiled \
                 schemas by object and never drops one, so each call adds a function and its schema.",
                repeated.words
            ),
            format!(
                "Compile once at start-up (`const validate = {receiver}.compile(schema)`) and call \
                 `validate` here. Schemas that really differ per {} need an `Ajv` of their own, or \
                 `{receiver}.removeSchema` afterwards.",
                repeated.reason.every.unit()
            ),
        )
    } else {
        (
            format!(
                "{}, and each time registers `{argument}`, which takes ever new values, in `{receiver}`. The \
                 registry is global and keeps every one.",
                repeated.words
            ),
            "Register under constant names at start-up, and pass what differs as data to the template.".to_owned(),
        )
    };
    let range = Range { start: world.anchor(file, call), end: call.range.end };
    cx.report(ScanRule::MemoizeCache, file, range, explanation, fix);
}

/// A variable that holds an object which this code makes anew each time.
fn made_here(cx: &Cx, file: FileId, value: ValueId) -> bool {
    let world = &cx.world;
    let mut objects = world.linked.denotes(file, value).iter().filter_map(|&place| {
        match world.linked.place(place)? {
            Place::Object(file, object) => Some((file, world.object_range(file, object).start)),
            _ => None,
        }
    });
    objects.any(|(file, start)| cx.hot.at(world, file, start).is_some())
}

/// The range names something of the request directly: `req.body.schema`.
fn request_data(cx: &Cx, file: FileId, range: Range) -> bool {
    let text = cx.world.text(file, range);
    ["req.", "request.", "ctx."].iter().any(|it| text.starts_with(it))
}
