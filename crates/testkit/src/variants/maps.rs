//! Family B: a `Map` that belongs to a module is filled per request and never emptied.

use super::parts::{
    Entry, Step, bounded_cache, entry_text, healthy_process_listeners, start_up_table,
};
use super::{CULPRIT, Dialect, Health, Names, Variant, fill, finish, padding, specifier};
use crate::random::Rng;

/// How the `Map` is held and reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// The module exports the `Map` itself.
    Direct,
    /// A named export, taken by its name.
    Named,
    /// A named export, taken by another name.
    Renamed,
    /// A property of the module's object.
    Property,
    /// A function of the module adds.
    ModuleFunction,
    /// A static field of a class, added to from outside.
    Static,
    /// A static method of the class adds.
    StaticMethod,
    /// A method of the one instance adds.
    Singleton,
    /// The same with a private field.
    PrivateField,
}

const REACHES: [Reach; 9] = [
    Reach::Direct,
    Reach::Named,
    Reach::Renamed,
    Reach::Property,
    Reach::ModuleFunction,
    Reach::Static,
    Reach::StaticMethod,
    Reach::Singleton,
    Reach::PrivateField,
];

/// What keeps a healthy twin small.
const FIXES: [&str; 3] = ["evict", "delete", "few-keys"];

/// Draws the app of that number; the ways to reach the `Map` come in turn.
pub fn map_app(number: u64, health: Health) -> Variant {
    let leaks = health == Health::Leaks;
    let rng = &mut Rng::new(0x00_3a95 ^ (number << 8) ^ u64::from(!leaks));
    let names = &mut Names::new();
    let dialect = if number % 6 == 5 { Dialect::Esm } else { Dialect::CommonJs };
    let reach = match REACHES[number as usize % REACHES.len()] {
        // A default import is one binding; a property of the namespace is CommonJS's way.
        Reach::Property if dialect == Dialect::Esm => Reach::Renamed,
        other => other,
    };
    let fix = if leaks { "" } else { FIXES[number as usize % FIXES.len()] };
    let cache = bounded_cache(rng, names, dialect);
    let table = start_up_table(rng, names, dialect);
    let held = Held::draw(rng, names, dialect, reach, fix);
    let (step, text) = step(rng, names, dialect, &held, fix);

    let file = format!("{}.{}", rng.pick(&["main", "index", "app", "server"]), dialect.extension());
    let start_up = healthy_process_listeners(rng, None);
    let outline = Entry { file, imports: String::new(), start_up };
    let main = entry_text(rng, names, dialect, &outline, &step, [&cache, &table]);
    let files = vec![
        (outline.file, main),
        (step.file, text),
        (held.file, held.text),
        (cache.file, cache.text),
        (table.file, table.text),
    ];
    let kind = if leaks { "map" } else { "map-fixed" };
    let traits = format!("{reach:?} {fix} {}", dialect.extension());
    finish(format!("{kind}-{number:02}"), traits, "collection", files, "/work?n={n}".to_owned())
}

/// The module that holds the `Map`.
struct Held {
    file: String,
    text: String,
    /// What it exports, and how the filling module is to import it.
    export: String,
    reach: Reach,
    /// Where the `Map` is not added to from outside: the function or method that adds.
    adder: String,
    /// The function of the module that takes an entry out; exported beside `adder`.
    dropper: String,
    /// The `Map`'s own name inside the module or class.
    map: String,
}

impl Held {
    fn draw(rng: &mut Rng, names: &mut Names, dialect: Dialect, reach: Reach, fix: &str) -> Self {
        let file = format!("{}.{}", names.file(rng), dialect.extension());
        let (map, adder, class) = (names.value(rng), names.function(rng), names.class(rng));
        let dropper = names.function(rng);
        let limit = rng.between(30, 150).to_string();
        // Inside the module the eviction stands with the adding statement.
        let evict = |this: &str| match fix {
            "evict" => fill(
                "if (@this@.size >= @limit@) @this@.delete(@this@.keys().next().value);\n",
                &[("this", this), ("limit", &limit)],
            ),
            _ => String::new(),
        };
        let mark = if fix.is_empty() { CULPRIT } else { "" };
        let values = [
            ("map", map.as_str()),
            ("adder", &adder),
            ("class", &class),
            ("dropper", &dropper),
            ("mark", mark),
            ("evictMap", &indent(2, &evict(&map))),
            ("evictStatic", &indent(4, &evict(&format!("{class}.{map}")))),
            ("evictThis", &indent(4, &evict(&format!("this.{map}")))),
            ("evictPrivate", &indent(4, &evict(&format!("this.#{map}")))),
        ];
        let (body, export) = match reach {
            Reach::Direct => ("const @map@ = new Map();\n", map.clone()),
            Reach::Named | Reach::Renamed | Reach::Property => {
                ("const @map@ = new Map();\n", map.clone())
            }
            Reach::ModuleFunction => (
                "const @map@ = new Map();\n\nfunction @adder@(key, value) {\n@evictMap@  @mark@@map@.set(key, \
                 value);\n  return value;\n}\n\nfunction @dropper@(key) {\n  return @map@.delete(key);\n}\n",
                adder.clone(),
            ),
            Reach::Static => ("class @class@ {\n  static @map@ = new Map();\n}\n", class.clone()),
            Reach::StaticMethod => (
                "class @class@ {\n  static @map@ = new Map();\n\n  static @adder@(key, value) {\n@evictStatic@    \
                 @mark@@class@.@map@.set(key, value);\n    return value;\n  }\n}\n",
                class.clone(),
            ),
            Reach::Singleton => (
                "class @class@ {\n  constructor() {\n    this.@map@ = new Map();\n    this.added = 0;\n  }\n\n  \
                 @adder@(key, value) {\n    this.added += 1;\n@evictThis@    @mark@this.@map@.set(key, value);\n    \
                 return value;\n  }\n\n  drop(key) {\n    this.@map@.delete(key);\n  }\n}\n",
                class.clone(),
            ),
            Reach::PrivateField => (
                "class @class@ {\n  #@map@ = new Map();\n\n  @adder@(key, value) {\n@evictPrivate@    \
                 @mark@this.#@map@.set(key, value);\n    return this.#@map@.size;\n  }\n\n  drop(key) {\n    \
                 this.#@map@.delete(key);\n  }\n}\n",
                class.clone(),
            ),
        };
        let exporting = match reach {
            Reach::Named | Reach::Renamed | Reach::Property | Reach::Static => {
                dialect.export_named(&[&export])
            }
            Reach::ModuleFunction => dialect.export_named(&[&adder, &dropper]),
            Reach::Singleton | Reach::PrivateField => dialect.export(&format!("new {class}()")),
            Reach::Direct | Reach::StaticMethod => dialect.export(&export),
        };
        let text = [
            dialect.head(),
            &padding(rng, names),
            &fill(body, &values),
            "\n",
            &padding(rng, names),
            &exporting,
        ]
        .concat();
        Self { file, text, export, reach, adder, dropper, map }
    }
}

fn indent(by: usize, line: &str) -> String {
    if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(by)) }
}

/// The step that fills it for every request.
fn step(
    rng: &mut Rng,
    names: &mut Names,
    dialect: Dialect,
    held: &Held,
    fix: &str,
) -> (Step, String) {
    let file = format!("{}.{}", names.file(rng), dialect.extension());
    let (function, other, class) = (names.function(rng), names.value(rng), names.class(rng));
    let from = specifier(&file, &held.file);
    // The expression that is the Map, or the call that adds to it.
    let (import, map, adds) = match held.reach {
        Reach::Direct => {
            let local = if rng.percent(50) { held.export.clone() } else { other.clone() };
            (dialect.import(&local, &from), local, None)
        }
        Reach::Named => {
            (dialect.import_named(&held.export, &held.export, &from), held.export.clone(), None)
        }
        Reach::Renamed => (dialect.import_named(&held.export, &other, &from), other.clone(), None),
        Reach::Property => {
            (dialect.import(&other, &from), format!("{other}.{}", held.export), None)
        }
        Reach::Static => (
            dialect.import_named(&held.export, &held.export, &from),
            format!("{}.{}", held.export, held.map),
            None,
        ),
        Reach::ModuleFunction => (
            dialect.import_named(&held.adder, &held.adder, &from),
            String::new(),
            Some(held.adder.clone()),
        ),
        Reach::StaticMethod => (
            dialect.import(&held.export, &from),
            format!("{}.{}", held.export, held.map),
            Some(format!("{}.{}", held.export, held.adder)),
        ),
        Reach::Singleton | Reach::PrivateField => {
            (dialect.import(&other, &from), String::new(), Some(format!("{other}.{}", held.adder)))
        }
    };
    let import = if fix == "delete" && held.reach == Reach::ModuleFunction {
        import + &dialect.import_named(&held.dropper, &held.dropper, &from)
    } else {
        import
    };
    let value = rng.pick(&[
        "{ requestId, url: req.url, headers: { ...req.headers }, at: Date.now() }",
        "new @class@(requestId, req.url)",
        "[requestId, req.method, req.url, Date.now(), { seen: 1 }]",
        "`${req.method} ${req.url} ${requestId} `.repeat(6)",
    ]);
    let key = match fix {
        "few-keys" => "req.method",
        _ => rng.pick(&[
            "requestId",
            "`${req.socket.remoteAddress}/${requestId}`",
            "`${requestId}:${req.url}`",
        ]),
    };
    let mark = if fix.is_empty() && adds.is_none() { CULPRIT } else { "" };
    let values = [
        ("map", map.as_str()),
        ("class", &class),
        ("function", &function),
        ("mark", mark),
        ("local", &other),
        ("dropper", &held.dropper),
        ("adds", adds.as_deref().unwrap_or_default()),
    ];
    let mut text = [dialect.head(), &import].concat();
    if value.contains("new ") || rng.percent(20) {
        text += &fill(
            "\nclass @class@ {\n  constructor(id, url) {\n    this.id = id;\n    this.url = url;\n    this.hops = [url, \
             id];\n  }\n}\n",
            &values,
        );
    }
    text += "\n";
    text += &padding(rng, names);
    text += &fill("function @function@(req, res, requestId) {\n", &values);
    if rng.percent(60) {
        // A Map of the request's own, and a `.set(` that leaks nothing.
        text += "  const headers = new Map(Object.entries(req.headers));\n  headers.set('x-request-id', \
                 requestId);\n  res.setHeader('x-header-count', headers.size);\n";
    }
    text += &fill("  const key = @key@;\n", &[("key", key)]);
    text += &fill("  const value = @value@;\n", &[("value", &fill(value, &values))]);
    text += &match (&adds, fix) {
        (None, "evict") => fill(
            "  if (@map@.size >= 90) @map@.delete(@map@.keys().next().value);\n  @map@.set(key, value);\n",
            &values,
        ),
        (None, _) if rng.percent(40) => {
            fill("  if (!@map@.has(key)) {\n    @mark@@map@.set(key, value);\n  }\n", &values)
        }
        (None, _) => fill("  @mark@@map@.set(key, value);\n", &values),
        (Some(_), _) => fill("  @adds@(key, value);\n", &values),
    };
    if fix == "delete" {
        text += &match held.reach {
            Reach::Singleton | Reach::PrivateField => {
                fill("  res.on('close', () => @local@.drop(key));\n", &values)
            }
            Reach::ModuleFunction => fill("  res.on('close', () => @dropper@(key));\n", &values),
            _ => fill("  res.on('close', () => @map@.delete(key));\n", &values),
        };
    }
    text += "  return key;\n}\n\n";
    text += &dialect.export(&function);
    (Step { file, function }, text)
}
