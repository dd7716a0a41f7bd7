'use strict';

// A small orders API as many are written. It has one bug, the best-known leak of all.

const http = require('node:http');
const { randomUUID } = require('node:crypto');

const logger = {
  info(entry) { this.last = entry; },
  error(entry) { process.stderr.write(JSON.stringify(entry) + '\n'); },
};

const orders = new Map(Array.from({ length: 200 }, (_, i) => [String(i), { id: i, cents: 199 * i }]));

// Middleware: every log line of a request carries its id, also the last words of a crash.
function requestLogging(req, res, next) {
  const requestId = randomUUID();
  const started = Date.now();

  process.on('uncaughtException', (err) => {
    logger.error({ requestId, error: err.message });
  });

  res.on('finish', () => {
    logger.info({ requestId, status: res.statusCode, ms: Date.now() - started });
  });

  next();
}

function handle(req, res) {
  const order = orders.get(req.url.split('/').pop());
  res.writeHead(order ? 200 : 404, { 'content-type': 'application/json' });
  res.end(JSON.stringify(order || { error: 'no such order' }));
}

const server = http.createServer((req, res) => requestLogging(req, res, () => handle(req, res)));

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));

// The demo holds our standard input open; when it ends, however it ends, so do we.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
