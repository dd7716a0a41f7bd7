//! Listeners and timers.

use super::check;

#[test]
fn listeners_added_in_handlers() {
    check(&[(
        "app.js",
        "
const http = require('http');
const { EventEmitter } = require('events');
const bus = new EventEmitter();
http.createServer((req, res) => {
  process.on('uncaughtException', (err) => res.end(err.message)); // LEAK event-listener
  bus.on('change', () => res.write('x')); // LEAK event-listener
  bus.prependListener('tick', onTick); // LEAK event-listener
  process.once('SIGTERM', () => res.end()); // LEAK event-listener
  bus.once('ready', () => res.end());
  req.on('data', () => {});
  res.on('close', () => {});
  const own = new EventEmitter();
  own.on('x', () => {});
  res.socket.on('error', () => {});
}).listen(0);
bus.on('change', onTick);
process.on('SIGTERM', () => process.exit());
function onTick() {}
",
    )]);
}

#[test]
fn what_is_removed_is_healthy() {
    check(&[
        (
            "app.js",
            "
const express = require('express');
const bus = require('./bus');
const app = express();
app.get('/events', (req, res) => {
  const send = (m) => res.write(m);
  bus.on('message', send);
  req.on('close', () => bus.off('message', send));
  bus.on('vain', (m) => res.write(m)); // LEAK event-listener
  req.on('close', () => bus.removeListener('vain', (m) => res.write(m)));
  bus.on('bound', send.bind(res)); // LEAK event-listener
  req.on('close', () => bus.off('bound', send.bind(res)));
  bus.on('all', send);
});
app.post('/reset', () => bus.removeAllListeners('all'));
app.get('/other', (req, res) => {
  const mine = () => res.end();
  bus.on('shared', mine); // LEAK event-listener
  const other = () => res.end();
  bus.off('shared', other);
});
",
        ),
        ("bus.js", "module.exports = new (require('events').EventEmitter)();\n"),
    ]);
}

#[test]
fn what_runs_once_is_healthy() {
    check(&[
        (
            "app.js",
            "
const app = require('fastify')();
const bus = require('./bus');
let started = false;
let client;
const known = new Set();
app.get('/', async (request, reply) => {
  if (!started) {
    started = true;
    bus.on('a', () => {});
  }
  if (bus.listenerCount('b') === 0) bus.on('b', () => {});
  if (!known.has('c')) {
    known.add('c');
    bus.on('c', () => {});
  }
  connect().send(request.id);
  return 'ok';
});
function connect() {
  if (client) return client;
  client = require('./client');
  client.on('error', () => {});
  return client;
}
app.addHook('onRequest', async (request) => {
  if (request.headers.debug) bus.on('d', () => {}); // LEAK event-listener
});
",
        ),
        ("bus.js", "module.exports = new (require('events').EventEmitter)();\n"),
    ]);
}

#[test]
fn functions_that_handlers_call_belong_to_them() {
    let found = check(&[
        (
            "server.js",
            "
import express from 'express';
import { track } from './track.js';
import { Feed } from './feed.js';
const app = express();
const feed = new Feed();
const handle = (req, res) => { track(req.query.id); feed.subscribe(res); res.end(); };
app.use('/x', handle);
",
        ),
        (
            "track.js",
            "
import { bus } from './bus.js';
export function track(id) {
  bus.on('done', () => console.log(id)); // LEAK event-listener
}
export function setUp() {
  bus.on('done', () => {});
}
",
        ),
        (
            "feed.js",
            "
import { bus } from './bus.js';
import { EventEmitter } from 'node:events';
export class Feed {
  #own = new EventEmitter();
  constructor() { bus.on('feed', () => {}); }
  subscribe(res) {
    bus.addListener('news', (n) => res.write(n)); // LEAK event-listener
    this.#own.on('news', (n) => res.write(n)); // LEAK event-listener
  }
}
",
        ),
        (
            "bus.js",
            "import { EventEmitter } from 'events';\nexport const bus = new EventEmitter();\n",
        ),
    ]);
    let track = found.findings.iter().find(|it| it.file.ends_with("track.js")).unwrap();
    assert!(
        track
            .explanation
            .starts_with("`track` runs with every request (called from `handle`, server.js:")
    );
    assert!(track.fix.contains("`bus.off('done', listener)`"), "{}", track.fix);
}

#[test]
fn connections_are_handled_again_and_again() {
    check(&[(
        "ws.js",
        "
const { WebSocketServer } = require('ws');
const { createClient } = require('redis');
const wss = new WebSocketServer({ port: 0 });
const redis = createClient();
redis.on('error', console.error);
wss.on('connection', (socket) => {
  redis.on('message', (c, m) => socket.send(m)); // LEAK event-listener
  socket.on('message', (m) => {
    redis.on('reply', () => socket.send(m)); // LEAK event-listener
    socket.once('x', () => {});
  });
  socket.on('close', () => {});
});
",
    )]);
}

#[test]
fn event_targets() {
    check(&[(
        "app.mjs",
        "
import { createServer } from 'node:http';
const shutdown = new AbortController();
createServer((req, res) => {
  shutdown.signal.addEventListener('abort', () => res.end()); // LEAK event-target-listener
  shutdown.signal.addEventListener('abort', () => res.end(), { once: true });
  const own = new AbortController();
  own.signal.addEventListener('abort', () => res.end());
  const stop = () => res.end();
  shutdown.signal.addEventListener('stop', stop);
  res.on('close', () => shutdown.signal.removeEventListener('stop', stop));
});
",
    )]);
}

#[test]
fn timers() {
    check(&[(
        "app.js",
        "
const app = require('express')();
setInterval(() => {}, 1000);
app.get('/', (req, res) => {
  setInterval(() => res.write('x'), 1000); // LEAK timer
  setInterval(() => res.write('x'), 1000).unref(); // LEAK timer
  const lost = setInterval(() => res.write('x'), 1000); // LEAK timer
  const kept = setInterval(() => res.write('x'), 1000);
  res.on('close', () => clearInterval(kept));
  setTimeout(() => res.end(), 1000);
  req.timer = setInterval(() => {}, 1000);
  const self = setInterval(() => { if (res.finished) clearInterval(self); }, 1000);
  keep(setInterval(() => {}, 1000));
});
app.use((req, res, next) => { clearInterval(req.timer); next(); });
class Session {
  constructor() { this.beat = setInterval(() => this.ping(), 1000); } // LEAK timer
  ping() {}
}
class Closed {
  constructor() { this.pulse = setInterval(() => {}, 1000); }
  close() { clearInterval(this.pulse); }
}
app.post('/session', (req, res) => { req.session = new Session(); req.closed = new Closed(); });
",
    )]);
}
