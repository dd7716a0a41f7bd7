// Records `process.memoryUsage()` of small HTTP services under load, for the tests of leakline-trend.
//
//   node record.js CASE [seconds=90] [interval_ms=1000] [rate=200] [snapshots=0] > CASE.csv
//
// The service runs in a child of the same Node binary and samples itself; this process makes the
// load on loopback (a fixed number of requests per second over kept-alive connections) and prints
// what the child sends. With `snapshots=3` the child takes a heap snapshot (and drops it) at 15 s,
// half-way and at the end, as `leakline investigate` does; later samples are marked perturbed.
'use strict';
const http = require('node:http');
const v8 = require('node:v8');
const crypto = require('node:crypto');
const { fork } = require('node:child_process');
const { PerformanceObserver, constants } = require('node:perf_hooks');

// What every service does for a request: parse, build and serialise something, then drop it.
function work() {
  const rows = [];
  for (let i = 0; i < 150; i++) rows.push({ id: i, name: `row ${i}`, tags: ['a', 'b', i] });
  return JSON.stringify(JSON.parse(JSON.stringify(rows)));
}

function context() {
  return { id: crypto.randomUUID(), at: Date.now(), fields: Array.from({ length: 400 }, (_, i) => i + 0.5) };
}

const cases = {
  // One listener on `process` per request; its closure keeps the request's context for ever.
  'listener-leak': () => {
    process.setMaxListeners(0);
    return () => {
      const ctx = context();
      process.on('uncaughtException', (error) => console.error(ctx.id, error));
    };
  },
  // The fixed twin: the same context, one listener.
  'listener-fixed': () => {
    process.on('uncaughtException', (error) => { console.error(error); process.exit(1); });
    return () => context();
  },
  // A cache that fills to about 40 MB and then evicts its oldest entry for each new one.
  'bounded-cache': () => {
    const cache = new Map();
    return (n) => {
      cache.set(n, context());
      if (cache.size > 8000) cache.delete(cache.keys().next().value);
    };
  },
  'map-leak': () => {
    const seen = new Map();
    return (n) => seen.set(`/item/${n}`, context());
  },
  // About 1 MB a minute at 200 requests a second.
  'map-leak-slow': () => {
    const seen = new Map();
    return (n) => { if (n % 40 === 0) seen.set(`/item/${n}`, context()); };
  },
  'buffer-leak': () => {
    const kept = [];
    return () => kept.push(Buffer.alloc(8192, 1));
  },
  // Sessions that live for three seconds: memory follows the load, which changes in waves.
  'waves': () => {
    const live = new Set();
    return () => {
      const session = [context(), context(), context()];
      live.add(session);
      setTimeout(() => live.delete(session), 3000);
    };
  },
  'idle': () => () => {},
};

function serve([name, seconds, interval, , snapshots]) {
  const touch = cases[name]();
  let requests = 0, sinceLast = 0, majors = 0, perturbed = 0;
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) if (e.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) majors++;
  }).observe({ entryTypes: ['gc'] });
  const server = http.createServer((req, res) => {
    requests++; sinceLast++;
    touch(requests, req);
    res.end(work());
  });
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  const start = performance.now();
  const sample = () => {
    const m = process.memoryUsage();
    process.send({ row: [((performance.now() - start) / 1000).toFixed(2), m.rss, m.heapUsed, m.heapTotal, m.external,
      m.arrayBuffers, sinceLast, majors, perturbed].join(',') });
    sinceLast = 0;
  };
  setInterval(sample, +interval);
  if (+snapshots > 0) {
    for (const at of [15, +seconds / 2, +seconds - 4]) {
      setTimeout(() => {
        perturbed = 1;
        v8.getHeapSnapshot().resume().on('end', () => setImmediate(sample));
      }, at * 1000);
    }
  }
  process.on('disconnect', () => process.exit(0));
}

function drive([name, seconds, interval, rate, snapshots]) {
  const child = fork(__filename, ['--serve', name, seconds, interval, rate, snapshots], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  console.log('elapsed_s,rss,heapUsed,heapTotal,external,arrayBuffers,requests,gc_major_count,perturbed');
  const start = performance.now();
  let due = 0, open = 0, last = start, tick;
  child.on('message', ({ port, row }) => {
    if (row) return console.log(row);
    tick = setInterval(() => {
      const now = performance.now();
      const wave = name === 'waves' ? 0.2 + 0.8 * (0.5 - 0.5 * Math.cos((now - start) / 1000 / 40 * 2 * Math.PI)) : 1;
      due = Math.min(due + (now - last) / 1000 * +rate * wave, 50);
      last = now;
      if (name === 'idle') due = 0;
      while (due >= 1 && open < 40) {
        due--; open++;
        const done = () => { open--; };
        http.get({ port, host: '127.0.0.1', agent }, (res) => res.resume().on('end', done).on('error', done)).on('error', done);
      }
    }, 10);
  });
  setTimeout(() => { clearInterval(tick); agent.destroy(); child.disconnect(); child.kill(); }, +seconds * 1000 + 300);
}

const args = process.argv.slice(2);
const defaults = ['listener-leak', 90, 1000, 200, 0];
if (args[0] === '--serve') serve(args.slice(1));
else if (!(args[0] in cases)) { console.error(`cases: ${Object.keys(cases).join(' ')}`); process.exit(2); }
else drive(defaults.map((d, i) => String(args[i] ?? d)));
