//! Ways to add that hide the collection: nested, defaulted, rebuilt, destructured, aliased.

mod common;

use common::{Service, source};
use leakline_source::{AdderHint, CollectionKind, Holder, Question, answer};

use CollectionKind::{Array, Map, Object, Set};

struct Case {
    name: &'static str,
    holder: fn(&Service) -> Holder,
    kind: CollectionKind,
    files: &'static [(&'static str, &'static str)],
}

fn cache(service: &Service) -> Holder {
    Holder::Variable { file: service.path("a.js"), name: "cache".into(), near: None }
}

fn inside(service: &Service) -> Holder {
    Holder::Element { of: Box::new(cache(service)) }
}

fn property(service: &Service) -> Holder {
    let file = Some(service.path("a.js"));
    Holder::Property { name: "cache".into(), owner_class: None, file }
}

const CASES: &[Case] = &[
    Case {
        name: "a set inside the map grows",
        holder: cache,
        kind: Set,
        files: &[(
            "a.js",
            "const cache = new Map();\nexports.open = (t) => { if (!cache.has(t)) cache.set(t, new Set()); };\nexports.f = (t, x) => {\n  cache.get(t).add(x); //=>\n};\n",
        )],
    },
    Case {
        name: "a set that is made before it goes into the map",
        holder: inside,
        kind: Set,
        files: &[(
            "a.js",
            "const cache = new Map();\nexports.f = (t, x) => {\n  const mine = new Set();\n  cache.set(t, mine);\n  x.on('y', (z) => {\n    mine.add(z); //=>\n  });\n};\n",
        )],
    },
    Case {
        name: "two collections deep",
        holder: |service| Holder::Element { of: Box::new(inside(service)) },
        kind: Array,
        files: &[(
            "a.js",
            "const cache = new Map();\nexports.f = (t, k, x) => {\n  cache.get(t).get(k).push(x); //=>\n};\n",
        )],
    },
    Case {
        name: "an array inside the map grows",
        holder: cache,
        kind: Array,
        files: &[(
            "a.js",
            "const cache = new Map();\nexports.f = (t, x) => {\n  if (!cache.has(t)) cache.set(t, []);\n  cache.get(t).push(x); //=>\n};\n",
        )],
    },
    Case {
        name: "a map inside the map, through a variable",
        holder: inside,
        kind: Map,
        files: &[(
            "a.js",
            "const cache = new Map();\nexports.f = (t, x) => {\n  let inner = cache.get(t);\n  if (!inner) cache.set(t, (inner = new Map()));\n  inner.set(x.id, x); //=>\n};\n",
        )],
    },
    Case {
        name: "the map itself grows, though it holds maps",
        holder: cache,
        kind: Map,
        files: &[(
            "a.js",
            "const cache = new Map();\nexports.f = (t) => {\n  cache.set(t, new Map([['start', 1]])); //=>\n};\n",
        )],
    },
    Case {
        name: "an array in a dictionary, defaulted in place",
        holder: inside,
        kind: Array,
        files: &[(
            "a.js",
            "const cache = {};\nexports.f = (k, x) => {\n  (cache[k] ||= []).push(x); //=>\n};\n",
        )],
    },
    Case {
        name: "an array in a dictionary, defaulted in the older way",
        holder: inside,
        kind: Array,
        files: &[(
            "a.js",
            "var cache = {};\nexports.f = function (k, x) {\n  (cache[k] || (cache[k] = [])).push(x); //=>\n};\n",
        )],
    },
    Case {
        name: "a chain of defaults",
        holder: inside,
        kind: Array,
        files: &[(
            "a.js",
            "const cache = {};\nexports.f = (k, x) => {\n  cache[k] = cache[k] || [];\n  cache[k].push(x); //=>\n};\n",
        )],
    },
    Case {
        name: "a dictionary with defaults",
        holder: cache,
        kind: Object,
        files: &[(
            "a.js",
            "const cache = {};\nexports.f = (k) => {\n  cache[k] ??= { k }; //=>\n};\n",
        )],
    },
    Case {
        name: "rebuilt with a spread",
        holder: cache,
        kind: Array,
        files: &[(
            "a.js",
            "let cache = [];\nexports.reset = () => { cache = []; };\nexports.f = (x) => {\n  cache = [...cache, x]; //=>\n};\n",
        )],
    },
    Case {
        name: "an object rebuilt with a spread",
        holder: cache,
        kind: Object,
        files: &[(
            "a.js",
            "let cache = {};\nexports.f = (k, v) => {\n  cache = { ...cache, [k]: v }; //=>\n};\n",
        )],
    },
    Case {
        name: "rebuilt with concat",
        holder: cache,
        kind: Array,
        files: &[(
            "a.js",
            "let cache = [];\nexports.f = (x) => {\n  cache = cache.concat(x); //=>\n};\n",
        )],
    },
    Case {
        name: "through Reflect",
        holder: cache,
        kind: Object,
        files: &[(
            "a.js",
            "const cache = {};\nexports.f = (k, v) => {\n  Reflect.set(cache, k, v); //=>\n};\n",
        )],
    },
    Case {
        name: "a bound method",
        holder: cache,
        kind: Map,
        files: &[(
            "a.js",
            "const cache = new Map();\nconst put = cache.set.bind(cache);\nexports.f = (k) => {\n  put(k, { k }); //=>\n};\n",
        )],
    },
    Case {
        name: "a destructured method, called on the map",
        holder: cache,
        kind: Map,
        files: &[(
            "a.js",
            "const cache = new Map();\nconst { set } = Map.prototype;\nexports.f = (k) => {\n  set.call(cache, k, { k }); //=>\n};\n",
        )],
    },
    Case {
        name: "a prototype's method, called on the array",
        holder: cache,
        kind: Array,
        files: &[(
            "a.js",
            "const cache = [];\nexports.f = (x) => {\n  Array.prototype.push.call(cache, x); //=>\n};\n",
        )],
    },
    Case {
        name: "a static field",
        holder: property,
        kind: Map,
        files: &[(
            "a.js",
            "class Store {\n  static cache = new Map();\n  static put(k) {\n    Store.cache.set(k, {}); //=>\n  }\n}\nmodule.exports = Store;\n",
        )],
    },
    Case {
        name: "a private field",
        holder: |service| Holder::Property {
            name: "#cache".into(),
            owner_class: Some("Store".into()),
            file: Some(service.path("a.js")),
        },
        kind: Array,
        files: &[(
            "a.js",
            "class Store {\n  #cache = [];\n  put(x) {\n    this.#cache.push(x); //=>\n  }\n}\nexports.store = new Store();\n",
        )],
    },
    Case {
        name: "a global",
        holder: |_| Holder::Property {
            name: "cache".into(),
            owner_class: Some("global".into()),
            file: None,
        },
        kind: Map,
        files: &[
            ("a.js", "globalThis.cache = new Map();\n"),
            ("b.js", "exports.f = (k) => {\n  cache.set(k, {}); //=>\n};\n"),
        ],
    },
    Case {
        name: "made by a factory",
        holder: cache,
        kind: Map,
        files: &[
            (
                "store.js",
                "exports.create = () => {\n  const items = new Map();\n  return items;\n};\n",
            ),
            (
                "a.js",
                "const { create } = require('./store');\nconst cache = create();\nconst other = create();\nother.set('x', 1);\nexports.f = (k) => {\n  cache.set(k, {}); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "a factory with methods over a variable",
        holder: cache,
        kind: Map,
        files: &[(
            "a.js",
            "module.exports = function create() {\n  const cache = new Map();\n  return {\n    put(k) {\n      cache.set(k, {}); //=>\n    },\n  };\n};\n",
        )],
    },
    Case {
        name: "an alias of an alias",
        holder: cache,
        kind: Map,
        files: &[(
            "a.js",
            "const cache = new Map();\nconst again = cache;\nconst box = { again };\nexports.f = (k) => {\n  const { again: mine } = box;\n  mine.set(k, {}); //=>\n};\n",
        )],
    },
    Case {
        name: "an ES module's export, through a namespace",
        holder: cache,
        kind: Map,
        files: &[
            ("a.js", "export const cache = new Map();\n"),
            (
                "b.js",
                "import * as store from './a.js';\nexport const f = (k) => {\n  store.cache.set(k, {}); //=>\n};\n",
            ),
        ],
    },
    Case {
        name: "filled by a helper",
        holder: cache,
        kind: Array,
        files: &[(
            "a.js",
            "const cache = [];\nfunction keep(list, x) {\n  list.push(x); //=>\n}\nexports.f = (x) => keep(cache, x);\n",
        )],
    },
    Case {
        name: "the length as an index",
        holder: cache,
        kind: Array,
        files: &[(
            "a.js",
            "const cache = [];\nexports.f = (x) => {\n  cache[cache.length] = x; //=>\n};\n",
        )],
    },
];

#[test]
fn table() {
    let mut failed = Vec::new();
    for case in CASES {
        let service = Service::write(case.files);
        let question = Question::Adders {
            holders: vec![(case.holder)(&service)],
            kind: case.kind,
            hint: AdderHint::default(),
        };
        let found = answer(&source(), &question, &service.files).expect(case.name);
        let best = found.best.as_ref().map(|it| (it.location.file.clone(), it.location.line));
        if best.as_ref() != service.expected.first() {
            failed.push(format!("{}: {best:?} by {}", case.name, found.how));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
