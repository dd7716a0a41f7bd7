'use strict';

// One of everything that a JavaScript heap can hold, for the parity tests: what a snapshot writer treats in a special
// way, and what a reader can get wrong. Runs unchanged on Node 12 to 26, on Deno and in a browser (where `require` is a
// stand-in), so no syntax younger than ES2017; what a runtime lacks is left out.
//
//   const zoo = build({ require, chain });   the state of the first snapshot
//   work(zoo, { require });                  what happens before the second: some go, some come, some change

// Parts of a class of functions that only make sense together are grouped by what they show in a heap.

/* eslint no-new-wrappers: "off" */

/** Strings: every representation V8 has, and every character that a JSON writer must escape. */
function strings() {
  let rope = 'seed';
  for (let i = 0; i < 40; i++) rope = `${rope}${i}-` + rope.slice(0, 9);
  const parent = 'a parent string that is long enough to be cut into slices '.repeat(40);
  return {
    rope: rope + parent,
    slice: parent.slice(13, 77),
    parent,
    // Longer than the 1024 characters that V8 writes of a string.
    long: 'x'.repeat(5000) + Math.random(),
    twoByte: 'Привет, мир — 世界 '.repeat(30),
    emoji: 'smile \u{1F600} and \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}',
    loneHigh: 'high \ud83d alone',
    loneLow: 'low \ude00 alone',
    swapped: '\ude00\ud83d',
    quotes: 'say "hello" to \'you\' \\ and back',
    controls: 'line\nnext\r\n\ttab\b\f\v nul \0 bell \u0007 del \u007f',
    separators: 'line\u2028paragraph\u2029end',
    empty: '',
    number: '12345678901234567890',
    json: '{"a":[1,2,{"b":"]}"}]}',
    looksLikeWeakMap: '1 / part of key (K @1) -> value (V @3) pair in WeakMap (table @5)',
  };
}

/** Property names that confuse whoever joins them with commas. */
function oddNames() {
  const make = (i) => ({
    'a,b': i,
    "it's": i + 0.5,
    'say "x"': [i],
    '{brace}': { i },
    'new\nline': i,
    '': i,
    __proto__: null,
    '\ud800': i,
    '\udfff': String(i),
    ключ: i,
    '\u{1F600}': i,
  });
  return Array.from({ length: 12 }, (_, i) => make(i));
}

/** Plain objects of several shapes, rare and frequent, alike and nested in each other. */
function shapes() {
  const list = [];
  for (let i = 0; i < 700; i++) {
    list.push({ id: i, name: `n${i}` });
    if (i % 2) list.push({ name: `m${i}`, id: i });
    if (i % 3 === 0) list.push({ id: i, name: `o${i}`, tags: ['t', i] });
    if (i % 7 === 0) list.push({ id: i, name: 'p', tags: [], owner: { id: i }, when: new Date(i) });
    if (i % 50 === 0) list.push({ only: i });
    if (i % 99 === 0) list.push({});
  }
  const wide = {};
  for (let i = 0; i < 300; i++) wide[`a_property_with_a_long_name_${i}`] = { i };
  const numbered = { 0: 'zero', 7: 'seven', 100000: 'far', name: 'mixed' };
  const deleted = { a: 1, b: 2, c: 3 };
  delete deleted.b;
  const symbols = { [Symbol('same')]: {}, [Symbol('same')]: {}, [Symbol('')]: [], [Symbol.for('registered')]: 1 };
  const longNames = Array.from({ length: 5 }, (_, i) => ({ [`${'very'.repeat(40)}long`]: i, short: i, [`${'also'.repeat(20)}`]: i }));
  return { list, wide, numbered, deleted, symbols, longNames, bare: Object.create(null) };
}

/** Functions of every kind, with scopes that are shared, nested and half used. */
function functions(host) {
  function makePair(size) {
    const kept = new Array(size).fill('kept by the sibling');
    const used = { size };
    return { reads: () => used, holds: () => kept };
  }
  const pairs = Array.from({ length: 30 }, (_, i) => makePair(i + 10));
  function* numbers(limit) {
    const local = { limit };
    for (let i = 0; i < limit; i++) yield [i, local];
  }
  const generators = Array.from({ length: 10 }, (_, i) => {
    const generator = numbers(100 + i);
    generator.next();
    return generator;
  });
  const never = new Promise(() => {});
  async function waits(payload) {
    const before = { payload };
    await never;
    return before;
  }
  const suspended = Array.from({ length: 10 }, (_, i) => waits({ i }));
  const bound = Array.from({ length: 10 }, (_, i) => makePair.bind({ self: i }, i));
  const accessors = {
    get computed() {
      return pairs;
    },
    set computed(value) {
      pairs.push(value);
    },
    ['named ' + 1]: function () {},
  };
  const evaluated = new Function('a', 'return { a: a, made: "by a string" }');
  const proxies = [new Proxy({ target: 1 }, { get: () => 1 }), new Proxy(makePair, {})];
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return { pairs, generators, suspended, bound, accessors, evaluated, proxies, proxy, iterator: pairs[Symbol.iterator](), host: typeof host };
}

/** Collections, strong and weak; entries whose keys live, die, and hold each other. */
function collections() {
  class Key {
    constructor(i) {
      this.i = i;
    }
  }
  class Value {
    constructor(key) {
      this.key = key;
      this.bytes = new Array(8).fill(key && key.i);
    }
  }
  const map = new Map();
  const set = new Set();
  const weakMap = new WeakMap();
  const otherWeakMap = new WeakMap();
  const weakSet = new WeakSet();
  const keys = [];
  for (let i = 0; i < 200; i++) {
    const key = new Key(i);
    map.set(i % 2 ? key : `key ${i}`, new Value(key));
    set.add(i % 3 ? key : i / 3);
    if (i % 4 === 0) {
      weakMap.set(key, new Value(null));
      otherWeakMap.set(key, { also: new Value(key) });
      keys.push(key);
    }
    if (i % 5 === 0) weakMap.set(keys, weakMap);
    weakSet.add(key);
  }
  // A chain of ephemerons: each value is the next one's key.
  let link = { first: true };
  keys.push(link);
  for (let i = 0; i < 20; i++) {
    const next = { i };
    otherWeakMap.set(link, next);
    link = next;
  }
  const references = [];
  if (typeof WeakRef === 'function') {
    for (let i = 0; i < 10; i++) references.push(new WeakRef(i % 2 ? keys[i] : { dies: i }));
  }
  const registry = typeof FinalizationRegistry === 'function' ? new FinalizationRegistry(() => {}) : null;
  if (registry) for (const key of keys) registry.register(key, { held: 1 }, key);
  const holes = [1, , 3, , , 6]; // eslint-disable-line no-sparse-arrays
  const sparse = [];
  sparse[100000] = 'far away';
  const doubles = Array.from({ length: 100 }, (_, i) => i + 0.25);
  const mixed = [1, 1.5, 'two', null, undefined, true, NaN, -0, Infinity, Symbol('in an array'), { o: 1 }];
  const frozen = Object.freeze([Object.freeze({ frozen: true })]);
  return { map, set, weakMap, otherWeakMap, weakSet, keys, references, registry, holes, sparse, doubles, mixed, frozen, entries: map.entries() };
}

/** Numbers and other primitives in boxes, and memory outside the heap. */
function values() {
  const buffer = new ArrayBuffer(64 * 1024);
  const result = {
    boxes: [new Number(1), new String('boxed'), new Boolean(true), Object(Symbol('boxed'))],
    numbers: { small: 7, negative: -7, double: Math.PI, big: 2 ** 40, nan: NaN, infinite: -Infinity, yes: true, no: false },
    fields: Array.from({ length: 50 }, (_, i) => ({ smi: i, double: i + 0.5, flag: i % 2 === 0, nothing: null, missing: undefined })),
    buffer,
    views: [new Uint8Array(buffer), new Float64Array(buffer, 8, 16), new DataView(buffer), new Int16Array([1, 2, 3]), new Uint8ClampedArray(3)],
    dates: [new Date(0), new Date(NaN)],
    regexps: [/simple/, /(named)? [a-z]+\/"quoted"/giu, new RegExp('made\n')],
    errors: [new Error('kept'), new TypeError('with a stack'), Object.assign(new RangeError('x'), { extra: {} })],
    arguments: (function () {
      return arguments; // eslint-disable-line prefer-rest-params
    })(1, { two: 2 }, [3]),
  };
  result.regexps[1].exec('named abc/"quoted"');
  if (typeof BigInt === 'function') result.bigints = [BigInt(1), BigInt(2) ** BigInt(300), -(BigInt(10) ** BigInt(40)), new BigInt64Array(4)];
  if (typeof SharedArrayBuffer === 'function') result.shared = new Int32Array(new SharedArrayBuffer(4096));
  if (typeof Intl === 'object') result.intl = [new Intl.NumberFormat('en'), new Intl.DateTimeFormat('en')];
  if (typeof structuredClone === 'function') result.cloned = structuredClone({ a: new Map([[1, { b: 2 }]]) });
  return result;
}

/** WebAssembly: a module with a memory, and (where there is a garbage-collected heap for it) structs. */
function webAssembly() {
  if (typeof WebAssembly !== 'object') return null;
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const instantiate = (...sections) => {
    const module = new WebAssembly.Module(new Uint8Array(header.concat(...sections)));
    return { module, instance: new WebAssembly.Instance(module, {}) };
  };
  const result = instantiate(
    [1, 5, 1, 0x60, 0, 1, 0x7f], // types: () -> i32
    [3, 2, 1, 0], // one function
    [5, 3, 1, 0, 1], // a memory of one page
    [7, 5, 1, 1, 0x66, 0, 0], // exported as `f`
    [10, 6, 1, 4, 0, 0x41, 42, 0x0b], // return 42
  );
  result.table = new WebAssembly.Table({ initial: 4, element: 'anyfunc' });
  result.table.set(1, result.instance.exports.f);
  try {
    const { instance } = instantiate(
      [1, 10, 2, 0x5f, 1, 0x7f, 0, 0x60, 0, 1, 0x64, 0], // types: struct of one i32; () -> that struct
      [3, 2, 1, 1],
      [7, 5, 1, 1, 0x6d, 0, 0], // exported as `m`
      [10, 9, 1, 7, 0, 0x41, 7, 0xfb, 0, 0, 0x0b], // struct.new with 7
    );
    result.structs = Array.from({ length: 20 }, () => instance.exports.m());
  } catch (err) {
    result.structs = String(err);
  }
  return result;
}

/** What only Node (and Deno, which stands in for it) has. */
function node(host) {
  if (typeof host.require !== 'function') return null;
  const EventEmitter = host.require('events');
  const vm = host.require('vm');
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  for (let i = 0; i < 50; i++) {
    const state = { i };
    emitter.on('tick', () => state);
    if (i % 5 === 0) emitter.once(`once ${i}`, () => state);
  }
  emitter.on(Symbol('event'), emitter.emit);
  const result = { emitter, buffers: [Buffer.from('small'), Buffer.alloc(100000), Buffer.from('text').toString('base64')] };
  try {
    const context = vm.createContext({ shared: { from: 'outside' } });
    vm.runInContext('var kept = { inside: shared }; function Foreign() { this.x = kept; } var made = [new Foreign(), new Foreign()];', context);
    result.context = context;
    result.script = new vm.Script('({ compiled: true })', { filename: 'made-up name "with quotes".js' });
  } catch (err) {
    // Not every stand-in for Node has contexts.
    result.context = String(err);
  }
  if (typeof AbortController === 'function') {
    result.abort = new AbortController();
    for (let i = 0; i < 10; i++) result.abort.signal.addEventListener('abort', () => i);
  }
  try {
    const { AsyncLocalStorage } = host.require('async_hooks');
    result.storage = new AsyncLocalStorage();
    result.storage.run({ request: 1 }, () => {
      result.inside = Promise.resolve().then(() => new Promise(() => {}));
    });
  } catch (err) {
    result.storage = String(err);
  }
  return result;
}

/** A list so long that whoever follows it by recursion falls. An array of payloads makes the dominators hard to find. */
function chain(length) {
  const payloads = [];
  let head = null;
  for (let i = 0; i < length; i++) {
    const payload = { i };
    head = { next: head, payload };
    if (i % 3 === 0) payloads.push(payload);
  }
  return { head, payloads };
}

function rings() {
  const rings = [];
  for (let i = 0; i < 50; i++) {
    const a = { ring: i };
    const b = { back: a };
    a.forth = b;
    rings.push(a);
  }
  return rings;
}

/** Two classes of one name in two files, and derived ones. */
function classes(host) {
  const list = [];
  for (let i = 0; i < 40; i++) {
    list.push(new host.SessionA(i));
    if (i % 2) list.push(new host.SessionB(i));
  }
  class Base {
    constructor() {
      this.base = {};
    }
  }
  class Derived extends Base {
    method() {
      return super.toString();
    }
  }
  class Listy extends Array {}
  function Old(x) {
    this.x = x;
  }
  Old.prototype.hello = function () {};
  const anonymous = [new (class {})(), new (function () {})()];
  return { list, derived: Array.from({ length: 10 }, () => new Derived()), listy: Listy.from([1, {}, 3]), old: [new Old(1), new Old({})], anonymous };
}

function build(host) {
  return {
    strings: strings(),
    oddNames: oddNames(),
    shapes: shapes(),
    functions: functions(host),
    collections: collections(),
    values: values(),
    wasm: webAssembly(),
    node: node(host),
    chain: chain(host.chain || 1000),
    rings: rings(),
    classes: classes(host),
    symbols: [Symbol('described'), Symbol(''), Symbol('with "quotes"'), Symbol.for('everywhere')],
  };
}

/** What happens between two snapshots: objects go, come, change their class and their size in place. */
function work(zoo, host) {
  zoo.shapes.list.splice(0, 500);
  for (let i = 0; i < 900; i++) zoo.shapes.list.push({ id: i, name: 'late', added: { at: i } });
  for (const object of zoo.shapes.list.slice(0, 50)) object.later = 'same object, another shape';
  for (let i = 0; i < 300; i++) zoo.collections.map.set(`late ${i}`, { i });
  zoo.collections.keys.splice(0, 20);
  zoo.collections.set.clear();
  zoo.chain.payloads.length = 10;
  zoo.rings.splice(0, 25);
  zoo.classes.list.splice(0, 30);
  for (let i = 0; i < 60; i++) zoo.classes.list.push(new host.SessionB(1000 + i));
  zoo.strings.rope += 'and more';
  zoo.strings.parent = null;
  zoo.oddNames.length = 6;
  zoo.values.buffer = null;
  zoo.values.views = [new Uint8Array(200000)];
  zoo.symbols.push(Symbol('late'));
  if (zoo.node) {
    for (let i = 0; i < 40; i++) zoo.node.emitter.on('tick', () => zoo.node);
    zoo.node.emitter.removeAllListeners('once 5');
  }
  zoo.made = Array.from({ length: 100 }, (_, i) => ({ brandNew: i, only: { inTheSecond: true } }));
}

module.exports = { build, work };
