//! Variables, properties and exports to the statements that fill them.

mod common;

use common::{Service, source};
use leakline_source::{AdderHint, CollectionKind, Holder, adders};

use CollectionKind::{Array, Map, Object, Set};

enum By {
    Variable(&'static str, &'static str),
    /// The variable that the marked closure sees.
    Near(&'static str, &'static str),
    Property(&'static str, Option<&'static str>, Option<&'static str>),
    Export(&'static str, Option<&'static str>),
}
use By::{Export, Near, Property, Variable};

struct Case {
    name: &'static str,
    by: By,
    kind: CollectionKind,
    keys: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
}

const CACHE: (&str, &str) =
    ("lib/cache.js", "const cache = new Map();\nmodule.exports = { cache };\n");

const CASES: &[Case] = &[
    Case {
        name: "module-level map, bounded cache of the same name in another scope",
        by: Variable("a.js", "cache"),
        kind: Map,
        keys: &["id", "body"],
        files: &[(
            "a.js",
            "const cache = new Map();\n// cache.set(id, { id, body });\nfunction bounded() {\n  const cache = new Map();\n  return (id, body) => {\n    if (cache.size > 10) cache.delete(cache.keys().next().value);\n    cache.set(id, { id, body });\n  };\n}\ncache.set('start', { id: 0, body: '' });\nexports.handle = (id, body) => {\n  cache.set(id, { id, body }); //=>\n};\n",
        )],
    },
    Case {
        name: "the variable in the scope of the closure",
        by: Near("a.js", "cache"),
        kind: Map,
        keys: &[],
        files: &[(
            "a.js",
            "const cache = new Map();\nexports.put = (k) => cache.set(k, 1);\nexports.make = () => {\n  const cache = new Map();\n  return §(k) => {\n    cache.set(k, 2); //=>\n  };\n};\n",
        )],
    },
    Case {
        name: "filled from another file: destructured",
        by: Variable("lib/cache.js", "cache"),
        kind: Map,
        keys: &[],
        files: &[
            CACHE,
            ("routes/other.js", "const cache = new Map();\nexports.f = (k) => cache.set(k, 1);\n"),
            (
                "routes/v1/users.js",
                "const { cache } = require('../../lib/cache');\nmodule.exports = (req) => {\n  cache.set(req.id, req); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "the variable of an importing file, filled by another importer",
        by: Variable("b.js", "mine"),
        kind: Map,
        keys: &[],
        files: &[
            CACHE,
            (
                "a.js",
                "const { cache } = require('./lib/cache');\nexports.f = (k) => {\n  cache.set(k, 1); //=>\n};\n",
            ),
            (
                "b.js",
                "const { cache: mine } = require('./lib/cache');\nexports.size = () => mine.size;\n",
            ),
        ],
    },
    Case {
        name: "filled from another file: renamed",
        by: Variable("lib/cache.js", "cache"),
        kind: Map,
        keys: &[],
        files: &[
            CACHE,
            (
                "a.js",
                "const { cache: seen } = require('./lib/cache.js');\nmodule.exports = (req) => seen.set(req.id, req); //=>\n",
            ),
        ],
    },
    Case {
        name: "filled from another file: through the module object",
        by: Variable("lib/cache.js", "cache"),
        kind: Map,
        keys: &[],
        files: &[
            CACHE,
            (
                "a.js",
                "const lib = require('./lib/cache');\nmodule.exports = (req) => {\n  lib.cache.set(req.id, req); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "filled from another file: require in place",
        by: Variable("lib/cache.js", "cache"),
        kind: Map,
        keys: &[],
        files: &[
            CACHE,
            (
                "a.js",
                "module.exports = (req) => {\n  require('./lib/cache').cache.set(req.id, req); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "module.exports is the map",
        by: Export("store.js", None),
        kind: Map,
        keys: &[],
        files: &[
            ("store.js", "module.exports = new Map();\n"),
            (
                "a.js",
                "const store = require('./store');\nexports.f = (k) => { store.set(k, 1); }; //=>\n",
            ),
        ],
    },
    Case {
        name: "exports.name, filled at home",
        by: Property("items", Some("Object"), Some("store.js")),
        kind: Set,
        keys: &[],
        files: &[
            (
                "store.js",
                "exports.items = new Set();\nexports.f = (k) => { exports.items.add(k); }; //=>\n",
            ),
            ("b.js", "exports.items = new Set();\nexports.f = (k) => { exports.items.add(k); };\n"),
        ],
    },
    Case {
        name: "module.exports.name = variable, index file, package main",
        by: Variable("pkg/src/main.js", "hits"),
        kind: Array,
        keys: &[],
        files: &[
            ("pkg/package.json", "{\"main\": \"src/main\"}"),
            ("pkg/src/main.js", "const hits = [];\nmodule.exports.hits = hits;\n"),
            ("util/index.js", "module.exports = require('../pkg');\n"),
            (
                "app/a.js",
                "const util = require('../util');\nexports.f = (k) => {\n  util.hits.push(k); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "ES modules: named, renamed on both sides",
        by: Variable("cache.mjs", "cache"),
        kind: Map,
        keys: &[],
        files: &[
            ("cache.mjs", "const cache = new Map();\nexport { cache as shared };\n"),
            (
                "a.mjs",
                "import { shared as c } from './cache.mjs';\nexport function f(k) {\n  c.set(k, k); //=>\n}\n",
            ),
        ],
    },
    Case {
        name: "ES modules: default and namespace, through export *",
        by: Export("cache.mjs", Some("cache")),
        kind: Map,
        keys: &[],
        files: &[
            ("cache.mjs", "export const cache = new Map();\n"),
            (
                "index.mjs",
                "export * from './cache.mjs';\nexport { cache as default } from './cache.mjs';\n",
            ),
            (
                "a.mjs",
                "import * as ns from './index.mjs';\nimport other from './index.mjs';\nns.cache.set('a', 1);\nexport const f = (k) => other.set(k, 1); //=>\n",
            ),
        ],
    },
    Case {
        name: "TypeScript: import without extension, type arguments, non-null",
        by: Variable("src/cache.ts", "cache"),
        kind: Map,
        keys: &["at"],
        files: &[
            (
                "src/cache.ts",
                "export const cache: Map<string, { at: number }> = new Map<string, { at: number }>();\n",
            ),
            (
                "src/a.ts",
                "import { cache } from './cache.js';\nexport class R {\n  async get(id: string): Promise<void> {\n    cache!.set(id, { at: Date.now() } as const); //=>\n  }\n}\n",
            ),
        ],
    },
    Case {
        name: "class singleton, filled in its method",
        by: Property("items", Some("Store"), None),
        kind: Map,
        keys: &[],
        files: &[(
            "store.js",
            "class Lru {\n  constructor() { this.items = new Map(); }\n  add(k, v) { this.items.set(k, v); if (this.items.size > 9) this.items.delete(k); }\n}\nclass Store {\n  items = new Map();\n  add(k, v) {\n    this.items.set(k, v); //=>\n  }\n}\nmodule.exports = new Store();\nmodule.exports.Lru = Lru;\n",
        )],
    },
    Case {
        name: "class singleton, filled from outside",
        by: Property("items", Some("Store"), Some("store.mjs")),
        kind: Array,
        keys: &[],
        files: &[
            ("store.mjs", "class Store {\n  items = [];\n}\nexport const store = new Store();\n"),
            (
                "decoy.mjs",
                "class Box { items = []; put(x) { this.items.push(x); } }\nexport const box = new Box();\n",
            ),
            (
                "a.mjs",
                "import { store } from './store.mjs';\nexport const f = (k) => {\n  store.items.push(k); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "private field, inherited method",
        by: Property("#seen", Some("Base"), None),
        kind: Set,
        keys: &[],
        files: &[(
            "a.js",
            "class Base {\n  #seen = new Set();\n  mark(x) { this.#seen.add(x); } //=>\n}\nclass Derived extends Base {}\nmodule.exports = new Derived();\n",
        )],
    },
    Case {
        name: "field of a base class, owner is the derived class",
        by: Property("seen", Some("Derived"), None),
        kind: Set,
        keys: &[],
        files: &[(
            "a.js",
            "class Base {\n  constructor() { this.seen = new Set(); }\n}\nclass Derived extends Base {\n  mark(x) { this.seen.add(x); } //=>\n}\nmodule.exports = new Derived();\n",
        )],
    },
    Case {
        name: "prototype methods",
        by: Property("queue", Some("Worker"), None),
        kind: Array,
        keys: &[],
        files: &[(
            "a.js",
            "function Worker() { this.queue = []; }\nfunction Other() { this.queue = []; }\nOther.prototype.add = function (x) { this.queue.push(x); };\nWorker.prototype.add = function (x) {\n  const self = this;\n  later(() => self.queue.push(x)); //=>\n};\n",
        )],
    },
    Case {
        name: "global property",
        by: Property("sessions", None, None),
        kind: Object,
        keys: &[],
        files: &[
            ("a.js", "global.sessions = {};\n"),
            ("b.js", "exports.f = (id, s) => {\n  globalThis.sessions[id] = s; //=>\n};\n"),
        ],
    },
    Case {
        name: "alias and optional chaining and a default",
        by: Variable("a.js", "cache"),
        kind: Map,
        keys: &[],
        files: &[(
            "a.js",
            "let cache = new Map();\nconst c = cache;\nexports.f = (k, other) => {\n  (c ?? other)?.set?.(k, 1); //=>\n};\n",
        )],
    },
    Case {
        name: "array by index, length and spread",
        by: Variable("a.js", "log"),
        kind: Array,
        keys: &[],
        files: &[(
            "a.js",
            "const log = [];\nexports.f = (x) => {\n  log[log.length] = x; //=>\n};\nlog[0] = 1;\n",
        )],
    },
    Case {
        name: "array reassigned with concat",
        by: Variable("a.js", "log"),
        kind: Array,
        keys: &[],
        files: &[(
            "a.js",
            "let log = [];\nexports.g = () => { log = []; };\nexports.h = () => { log = log.filter(Boolean); };\nexports.f = (x) => {\n  log = log.concat([x]); //=>\n};\n",
        )],
    },
    Case {
        name: "array reassigned with a spread, property holder",
        by: Property("rows", Some("Table"), None),
        kind: Array,
        keys: &[],
        files: &[(
            "a.js",
            "class Table {\n  rows = [];\n  add(r) { this.rows = [...this.rows, r]; } //=>\n}\n",
        )],
    },
    Case {
        name: "dictionary",
        by: Variable("a.js", "byId"),
        kind: Object,
        keys: &["user"],
        files: &[(
            "a.js",
            "const byId = Object.create(null);\nbyId.root = { user: 0 };\nbyId['x'] = 1;\nexports.f = (id, user) => {\n  byId[id] = { user }; //=>\n};\nexports.g = (id) => { byId[id] = 1; };\n",
        )],
    },
    Case {
        name: "dictionary by Object.assign and by spread",
        by: Variable("a.js", "state"),
        kind: Object,
        keys: &[],
        files: &[(
            "a.js",
            "let state = {};\nObject.assign(state, { a: 1 });\nexports.f = (id, user) => {\n  state = { ...state, [id]: user }; //=>\n};\n",
        )],
    },
    Case {
        name: "values decide: object keys",
        by: Variable("a.js", "m"),
        kind: Map,
        keys: &["id", "headers", "at"],
        files: &[(
            "a.js",
            "const m = new Map();\nexports.a = (k) => m.set(k, { count: 1 });\nexports.b = (k) => m.set(k, 5);\nexports.c = (id, headers) => {\n  const entry = { id, headers, at: 1 };\n  m.set(id, entry); //=>\n};\n",
        )],
    },
    Case {
        name: "a size-bounded branch ranks lower",
        by: Variable("a.js", "m"),
        kind: Map,
        keys: &[],
        files: &[(
            "a.js",
            "const m = new Map();\nexports.a = (k, v) => {\n  if (m.size >= 100) m.delete(m.keys().next().value);\n  m.set(k, v);\n};\nexports.c = (k, v) => {\n  m.set(k, v); //=>\n};\n",
        )],
    },
    Case {
        name: "through a helper's parameter",
        by: Variable("a.js", "m"),
        kind: Map,
        keys: &[],
        files: &[(
            "a.js",
            "const m = new Map();\nconst n = new Map();\nfunction put(map, k) {\n  map.set(k, 1); //=>\n}\nexports.f = (k) => put(m, k);\nexports.g = (k) => n.set(k, 1);\n",
        )],
    },
    Case {
        name: "through a getter function in another file",
        by: Variable("a.js", "m"),
        kind: Map,
        keys: &[],
        files: &[
            ("a.js", "const m = new Map();\nexports.getMap = () => m;\n"),
            (
                "b.js",
                "const { getMap } = require('./a');\nexports.f = (k) => {\n  getMap().set(k, 1); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "chained set over several lines",
        by: Variable("a.js", "m"),
        kind: Map,
        keys: &[],
        files: &[(
            "a.js",
            "const m = new Map();\nexports.f = (k) => {\n  m\n    .set(k, 1); //=>\n};\n",
        )],
    },
    Case {
        name: "a file in one function called in place",
        by: Variable("a.js", "m"),
        kind: Map,
        keys: &[],
        files: &[(
            "a.js",
            "(function () {\n  const m = new Map();\n  m.set('a', 1);\n  module.exports = function (k) {\n    m.set(k, 1); //=>\n  };\n})();\n",
        )],
    },
    Case {
        name: "the owner cannot be told",
        by: Property("items", Some("Gone"), None),
        kind: Map,
        keys: &[],
        files: &[("a.js", "exports.f = (ctx, k) => {\n  ctx.items.set(k, 1); //=>\n};\n")],
    },
    Case {
        name: "nothing adds",
        by: Variable("a.js", "m"),
        kind: Map,
        keys: &[],
        files: &[(
            "a.js",
            "const m = new Map();\nexports.f = (k) => m.get(k);\nexports.g = (n) => n.set(1, 2);\n",
        )],
    },
];

fn holder(service: &Service, by: &By) -> Holder {
    match *by {
        Variable(file, name) => {
            Holder::Variable { file: service.path(file), name: name.into(), near: None }
        }
        Near(file, name) => Holder::Variable {
            file: service.path(file),
            name: name.into(),
            near: service.closure.clone(),
        },
        Property(name, owner, file) => Holder::Property {
            name: name.into(),
            owner_class: owner.map(str::to_owned),
            file: file.map(|file| service.path(file)),
        },
        Export(file, name) => {
            Holder::ModuleExport { file: service.path(file), name: name.map(str::to_owned) }
        }
    }
}

#[test]
fn table() {
    for case in CASES {
        let service = Service::write(case.files);
        let hint = AdderHint {
            value_keys: case.keys.iter().map(|&key| key.to_owned()).collect(),
            ..AdderHint::default()
        };
        let holders = [holder(&service, &case.by)];
        let found = adders(&source(), &holders, case.kind, &hint, &service.files).expect(case.name);
        service.check(case.name, &found);
        assert_eq!(found.notes, Vec::<String>::new(), "{}", case.name);
    }
}

#[test]
fn file_order_does_not_matter() {
    for case in CASES {
        let mut service = Service::write(case.files);
        service.files.reverse();
        let hint = AdderHint {
            value_keys: case.keys.iter().map(|&key| key.to_owned()).collect(),
            ..AdderHint::default()
        };
        let holders = [holder(&service, &case.by)];
        let found = adders(&source(), &holders, case.kind, &hint, &service.files).expect(case.name);
        service.check(case.name, &found);
    }
}

#[test]
fn the_class_of_the_values_decides() {
    let service = Service::write(&[(
        "a.js",
        "const { Ext } = require('ext');\nclass Entry { constructor(k) { this.k = k; } }\nclass Stub {}\nconst list = [];\nexports.a = (k) => list.push(new Stub(k));\nexports.b = (k) => {\n  const e = new Entry(k);\n  list.push(e); //=>\n};\nexports.c = (k) => list.push(new Ext(k));\n",
    )]);
    let holders = [holder(&service, &Variable("a.js", "list"))];
    let hint = AdderHint { value_class: Some("Entry".into()), ..AdderHint::default() };
    let found = adders(&source(), &holders, Array, &hint, &service.files).unwrap();
    service.check("class", &found);
    assert_eq!(found.others.len(), 2);
    let hint = AdderHint { value_class: Some("Ext".into()), ..AdderHint::default() };
    let found = adders(&source(), &holders, Array, &hint, &service.files).unwrap();
    assert_eq!(found.best.unwrap().location.line, 10);
}

#[test]
fn ties_are_kept() {
    let service = Service::write(&[(
        "a.js",
        "const m = new Set();\nexports.a = (k) => m.add(k); //=>\nexports.b = (k) => m.add(k); //=>\nm.add(0); //=>\n",
    )]);
    let holders = [holder(&service, &Variable("a.js", "m"))];
    let found = adders(&source(), &holders, Set, &AdderHint::default(), &service.files).unwrap();
    service.check("ties", &found);
    let others: Vec<u32> = found.others.iter().map(|it| it.location.line).collect();
    assert_eq!(others, [3, 4]);
}

#[test]
fn degradations_say_so() {
    let service = Service::write(&[(
        "a.js",
        "const m = new Map();\nexports.f = (k) => {\n  m.set(k, 1); //=>\n  ]]] ((\n",
    )]);
    let holders = [holder(&service, &Variable("a.js", "m"))];
    let ask =
        |holders: &[Holder]| adders(&source(), holders, Map, &AdderHint::default(), &service.files);
    let found = ask(&holders).unwrap();
    service.check("broken", &found);
    assert!(found.how.contains("by text"), "{}", found.how);
    assert!(found.notes[0].contains("cannot be parsed"), "{:?}", found.notes);

    let other = Service::write(&[("a.js", "const n = new Map();\n")]);
    let holders = [holder(&other, &Variable("a.js", "m"))];
    let found = ask(&holders).unwrap();
    assert!(found.notes.iter().any(|it| it.contains("declares no variable `m`")), "{found:?}");

    let holders = [holder(&service, &Variable("gone.js", "m"))];
    let source = source();
    let error = adders(&source, &holders, Map, &AdderHint::default(), &[]).unwrap_err();
    assert!(error.to_string().contains("cannot find the source file"));
}
