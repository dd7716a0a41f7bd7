'use strict';

const http = require('node:http');
const items = require('./routes/items');
const { events, served } = require('./lib/events');

const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost');
  if (url.pathname === '/health') {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ ok: true, served: Object.fromEntries(served) }));
  } else if (url.pathname === '/items') {
    items.list(req, res);
  } else if (url.pathname.startsWith('/items/')) {
    items.show(req, res, url);
  } else {
    events.emit('miss', url.pathname);
    res.writeHead(404, { 'content-type': 'application/json' });
    res.end('{"error":"no such page"}');
  }
});

process.on('uncaughtException', (err) => {
  console.error('crashed:', err);
  process.exit(1);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}

server.listen(Number(process.env.PORT || 3000), process.env.HOST || '127.0.0.1', () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}`);
});
