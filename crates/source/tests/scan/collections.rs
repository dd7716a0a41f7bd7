//! Collections and the caches of libraries.

use super::check;

#[test]
fn collections_that_only_grow() {
    check(&[(
        "app.js",
        "
const express = require('express');
const { randomUUID } = require('crypto');
const app = express();
const cache = new Map();
const seen = new Set();
const log = [];
const hits = {};
let all = [];
let last = {};
let byId = {};
const methods = {};
const counts = new Map();
app.get('/:id', (req, res) => {
  cache.set(req.url, { body: 1 }); // LEAK collection
  seen.add(req.headers['x-id']); // LEAK collection
  log.push({ at: Date.now() }); // LEAK collection
  hits[req.ip] = (hits[req.ip] || 0) + 1; // LEAK collection
  all = [...all, req.params.id]; // LEAK collection
  last = { ...last, url: req.url };
  byId = { ...byId, [req.params.id]: 1 }; // LEAK collection
  methods[req.method] = (methods[req.method] || 0) + 1;
  counts.set('total', (counts.get('total') || 0) + 1);
  const own = new Map();
  own.set(req.url, 1);
  const mine = [];
  mine.push(req.url);
  res.json({ n: log.length, ids: all.map((it) => it) });
});
",
    )]);
}

#[test]
fn what_is_taken_out_is_healthy() {
    check(&[(
        "app.js",
        "
const app = require('express')();
const lru = require('./lru');
const deleted = new Map(), cleared = new Set(), dictionary = {}, list = [], bounded = new Map();
const byTimer = {}, trimmed = [], ring = [], handed = new Map(), truncated = [], pruned = new Map();
let replaced = new Map();
let filtered = [];
app.get('/', (req, res) => {
  deleted.set(req.url, 1);
  res.on('close', () => deleted.delete(req.url));
  cleared.add(req.url);
  dictionary[req.url] = 1;
  delete dictionary[req.url];
  list.push(req.url);
  if (list.length > 100) list.shift();
  if (bounded.size < 1000) bounded.set(req.url, 1);
  byTimer[req.url] = 1;
  trimmed.push(req.url);
  ring[req.id % 10] = req.url;
  handed.set(req.url, 1);
  truncated.push(req.url);
  replaced.set(req.url, 1);
  filtered.push(req.url);
  filtered = filtered.filter((it) => it !== req.url);
  pruned.set(req.url, Date.now());
  prune(pruned);
  lru.manage(handed);
  res.end();
});
setInterval(() => {
  cleared.clear();
  for (const key of Object.keys(byTimer)) delete byTimer[key];
  trimmed.splice(0, 10);
  truncated.length = 0;
  replaced = new Map();
}, 1000);
function prune(map) {
  for (const [key, at] of map) if (at < Date.now() - 1000) map.delete(key);
}
",
    )]);
}

#[test]
fn fields_exports_and_statics() {
    check(&[
        (
            "server.ts",
            "
import { createServer, IncomingMessage } from 'node:http';
import { Sessions } from './sessions';
import * as state from './state';
import { remember } from './memory';
const sessions = new Sessions();
createServer((req: IncomingMessage, res) => {
  sessions.open(req.url!, { at: 1 });
  Sessions.total(req.url!);
  state.store.users.set(req.headers.user as string, 1); // LEAK collection
  remember(req.url!, req);
  remember('fixed', req);
  res.end();
});
",
        ),
        (
            "sessions.ts",
            "
export class Sessions {
  private readonly open_ = new Map<string, object>();
  private closed: string[] = [];
  static all: Record<string, number> = {};
  open(id: string, value: object): void {
    this.open_.set(id, value); // LEAK collection
    this.closed.push(id);
    if (this.closed.length > 10) this.closed.shift();
  }
  static total(id: string) { Sessions.all[id] = 1; } // LEAK collection
}
export class PerRequest {
  private items = new Map<string, object>();
  add(id: string) { this.items.set(id, {}); }
}
",
        ),
        ("state.ts", "export const store = { users: new Map<string, number>() };\n"),
        (
            "memory.ts",
            "
const memory: Map<string, unknown> = new Map();
export function remember(key: string, value: unknown): void {
  memory.set(key, value); // LEAK collection
}
export const registry = new Map<string, unknown>();
export function register(name: string, plugin: unknown) { registry.set(name, plugin); }
",
        ),
    ]);
}

#[test]
fn bounded_keys() {
    check(&[(
        "app.js",
        "
const app = require('koa')();
const byRoute = {}, allowed = ['a', 'b'], byName = new Map(), list = [], tags = [];
const stages = [{ due: true }], started = [];
app.use(async (ctx, next) => {
  byRoute[ctx.route.path] = 1;
  if (allowed.includes(ctx.query.name)) byName.set(ctx.query.name, 1);
  if (!list.includes('fixed')) list.push('fixed');
  if (!tags.includes(ctx.query.tag)) tags.push(ctx.query.tag); // LEAK collection
  while (stages.length && stages[0].due) started.push(stages.shift());
  await next();
});
",
    )]);
}

#[test]
fn factories_and_closures() {
    check(&[
        (
            "limit.js",
            "
module.exports = function limiter(options) {
  const hits = new Map();
  const healthy = new Map();
  setInterval(() => healthy.clear(), options.window);
  return function limit(req, res, next) {
    hits.set(req.ip, (hits.get(req.ip) || 0) + 1); // LEAK collection
    healthy.set(req.ip, 1);
    next();
  };
};
",
        ),
        (
            "app.js",
            "const app = require('express')();\napp.use(require('./limit')({ window: 1 }));\n",
        ),
    ]);
}

#[test]
fn what_a_call_gathers_is_healthy() {
    check(&[
        (
            "service.js",
            "
exports.update = function update(rows) {
  const events = [], names = {};
  const opts = { onEvent: (event) => events.push(event) };
  for (const row of rows) save(row, opts);
  visit(rows, names);
  return events.length;
};
function save(row, opts) { opts.onEvent(row); }
function visit(rows, names = {}) { rows.forEach((row) => { names[row.id] = row; }); }
exports.save = save;
exports.visit = visit;
exports.createStore = function createStore() {
  const items = new Map();
  return { add(id) { items.set(id, 1); } }; // LEAK collection
};
exports.exportRows = function exportRows(rows) {
  return (req, res) => { rows.stream.on('error', () => res.end()); };
};
exports.wire = function wire(app, bus) {
  app.get('/', (req, res) => { bus.on('x', () => res.end()); }); // LEAK event-listener
};
",
        ),
        (
            "app.js",
            "
const service = require('./service');
const app = require('express')();
const store = service.createStore();
app.post('/', (req, res) => {
  service.save(req.body, { onEvent() {} });
  service.visit(req.body);
  store.add(req.body.id);
  res.end();
});
",
        ),
    ]);
}

#[test]
fn caches_of_libraries() {
    check(&[(
        "app.js",
        "
const _ = require('lodash');
const Ajv = require('ajv');
const Handlebars = require('handlebars');
const app = require('express')();
const ajv = new Ajv();
const schema = { type: 'object' };
const validate = ajv.compile(schema);
const slug = _.memoize((text) => text.toLowerCase()); // LEAK memoize-cache
const keyed = _.memoize((text) => text, (text) => text[0]);
const byJson = _.memoize((it) => it.of, (it) => JSON.stringify(it)); // LEAK memoize-cache
const bounded = _.memoize((text) => text);
bounded.cache = new Map();
app.get('/', (req, res) => {
  slug(req.url);
  slug('fixed');
  keyed(req.url);
  byJson({ of: req.url });
  bounded(req.url);
  ajv.compile({ type: 'object', maxLength: req.query.max }); // LEAK memoize-cache
  const fresh = { ...schema, maxLength: req.query.max };
  ajv.compile(fresh); // LEAK memoize-cache
  ajv.compile(schema);
  new Ajv().compile({ type: 'object' });
  Handlebars.registerPartial(req.params.name, 'x'); // LEAK memoize-cache
  Handlebars.registerPartial('header', 'x');
  res.json(validate(req.body));
});
",
    )]);
}
