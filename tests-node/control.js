'use strict';

// Preloaded by the tests (`node -r control.js app.js`): takes orders on stdin, so that an app under test needs no change.
// One order so far: `snapshot PATH`. The file appears under PATH only when it is whole; a failure is told in PATH.error.

const fs = require('node:fs');
const v8 = require('node:v8');

function snapshot(path) {
  const partial = `${path}.part`;
  try {
    v8.writeHeapSnapshot(partial);
    fs.renameSync(partial, path);
  } catch (err) {
    fs.writeFileSync(`${path}.error`, String(err && err.stack));
  }
}

let pending = '';

process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (pending + chunk).split('\n');
  pending = lines.pop();
  for (const line of lines) {
    const [order, ...rest] = line.split(' ');
    if (order === 'snapshot') snapshot(rest.join(' '));
  }
});
// The app ends when the app wants to, whether or not an order might still come. (A file as stdin has no `unref`.)
process.stdin.unref?.();
