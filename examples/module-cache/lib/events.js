'use strict';

const { EventEmitter } = require('node:events');

// Application events. Whoever wants to hear of them subscribes once, at start-up.
const events = new EventEmitter();

// Answers by status code: a handful of keys, however long the service runs.
const served = new Map();

let misses = 0;

events.on('served', (status) => {
  served.set(status, (served.get(status) || 0) + 1);
});

events.on('miss', () => {
  misses += 1;
});

module.exports = { events, served, missCount: () => misses };
