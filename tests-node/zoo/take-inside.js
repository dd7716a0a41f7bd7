'use strict';

// take-inside.js FOLDER: builds the zoo in this very process and writes heap snapshots of it, by every way that the
// runtime has. Run by take.mjs on each Node version and on Deno, so no syntax younger than ES2017.
//
//   a, b        v8.writeHeapSnapshot, with work in between; the long chain is in these two
//   stream      v8.getHeapSnapshot
//   tracked     the inspector, while it tracks allocations (allocation stacks, samples)
//   values      the inspector, numbers as nodes of their own where the runtime can
//   internals   the inspector, V8's internals exposed where the runtime can

const fs = require('fs');
const inspector = require('inspector');
const path = require('path');
const v8 = require('v8');

const zooModule = require('./zoo.js');

const LONG_CHAIN = 100000;
const SHORT_CHAIN = 2000;

const folder = process.argv[2];
const file = (name) => path.join(folder, `${name}.heapsnapshot`);

const host = { require, SessionA: require('./sessions-a.js'), SessionB: require('./sessions-b.js') };

function post(session, method, params) {
  return new Promise((done, failed) => {
    session.post(method, params, (err, result) => (err ? failed(new Error(`${method}: ${err.message}`)) : done(result)));
  });
}

/** Runs an order that answers with a snapshot, piece by piece, and keeps that. */
async function take(session, name, method, params) {
  const out = fs.openSync(file(name), 'w');
  const chunk = (message) => fs.writeSync(out, message.params.chunk);
  session.on('HeapProfiler.addHeapSnapshotChunk', chunk);
  await post(session, method, Object.assign({ reportProgress: false }, params));
  session.removeListener('HeapProfiler.addHeapSnapshotChunk', chunk);
  fs.closeSync(out);
}

/** A function of its own, so that its zoo is gone when the other snapshots are taken. */
function pair() {
  const zoo = zooModule.build(Object.assign({ chain: LONG_CHAIN }, host));
  v8.writeHeapSnapshot(file('a'));
  zooModule.work(zoo, host);
  v8.writeHeapSnapshot(file('b'));
  return zoo.made.length;
}

async function main() {
  pair();
  // Deno does not count an order to the inspector as something to wait for, and would end.
  setInterval(() => {}, 1000);
  await new Promise((done) => setTimeout(done, 1));
  globalThis.zoo = zooModule.build(Object.assign({ chain: SHORT_CHAIN }, host));
  await new Promise((done, failed) => {
    v8.getHeapSnapshot().pipe(fs.createWriteStream(file('stream'))).on('finish', done).on('error', failed);
  });

  const session = new inspector.Session();
  session.connect();
  await post(session, 'HeapProfiler.enable');
  await take(session, 'values', 'HeapProfiler.takeHeapSnapshot', { captureNumericValue: true });
  await take(session, 'internals', 'HeapProfiler.takeHeapSnapshot', { exposeInternals: true });
  // The end of tracking answers with a snapshot of its own.
  await post(session, 'HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  zooModule.work(globalThis.zoo, host);
  globalThis.tracked = zooModule.build(Object.assign({ chain: SHORT_CHAIN }, host));
  await take(session, 'tracked', 'HeapProfiler.stopTrackingHeapObjects');
  session.disconnect();
}

main().then(
  () => process.exit(0),
  (err) => {
    console.error(err);
    process.exit(1);
  },
);
