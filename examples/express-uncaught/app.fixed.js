'use strict';

// The same API as app.js with the leak mended: the crash handler is registered once, at start-up.

const express = require('express');
const uuid = require('uuid');
const logger = require('./logger');
const routes = require('./routes');

const app = express();

app.use((req, res, next) => {
  const requestId = uuid.v4();

  // This listener is fine: `res` is collected when the response is done, and the listener with it.
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

process.on('uncaughtException', (err) => {
  logger.error({ error: err.message, stack: err.stack });
  process.exitCode = 1;
  server.close();
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
