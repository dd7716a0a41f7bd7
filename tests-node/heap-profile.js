'use strict';

// heap-profile.js FILE: keeps some of what it allocates, drops the rest, and writes a sampling heap profile of that.

const fs = require('fs');
const inspector = require('inspector');

// Bytes between two samples; small, so that few allocations make a profile.
const INTERVAL = 4096;

const kept = [];

function remember(i) {
  kept.push({ i, body: new Array(60).fill(i) });
}

function forget(i) {
  return { i, body: new Array(60).fill(i) }.body.length;
}

function serve(requests) {
  for (let i = 0; i < requests; i++) {
    remember(i);
    forget(i);
  }
}

const session = new inspector.Session();
session.connect();
session.post('HeapProfiler.startSampling', { samplingInterval: INTERVAL });
serve(5000);
session.post('HeapProfiler.collectGarbage');
session.post('HeapProfiler.stopSampling', (err, result) => {
  if (err) throw err;
  fs.writeFileSync(process.argv[2], JSON.stringify(result.profile));
});
