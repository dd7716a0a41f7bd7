'use strict';

const pino = require('pino');

// One logger for the whole process. Tests and benchmarks turn it down with LOG_LEVEL.
module.exports = pino({
  name: 'orders-api',
  level: process.env.LOG_LEVEL || 'info',
  redact: ['req.headers.authorization'],
});
