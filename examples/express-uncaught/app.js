'use strict';

// An orders API as many are written. It leaks: see the README beside this file.

const express = require('express');
const uuid = require('uuid');
const logger = require('./logger');
const routes = require('./routes');

const app = express();

// Every log line of a request carries its id, also the last words of a crash.
app.use((req, res, next) => {
  const requestId = uuid.v4();

  process.on('uncaughtException', (err) => {
    logger.error({ requestId, error: err.message });
  });

  res.on('finish', () => {
    logger.info({ requestId, status: res.statusCode });
  });

  next();
});

app.get('/health', (req, res) => {
  res.json({ ok: true, uptimeSeconds: process.uptime() });
});

app.use(routes);

const server = app.listen(Number(process.env.PORT || 3000), process.env.HOST || '127.0.0.1', () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}`);
});

process.on('warning', (warning) => {
  logger.debug({ warning: warning.name, detail: warning.message });
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
