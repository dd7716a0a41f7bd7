'use strict';
const express = require('express');
const requestLog = require('./lib/request-log');
const orders = require('./routes/orders');

const app = express();
app.disable('x-powered-by');
app.use(requestLog({ level: process.env.LOG_LEVEL || 'info' }));
app.use('/orders', orders);
app.use((err, req, res, next) => {
  res.status(500).json({ error: err.message });
});

const server = app.listen(Number(process.env.PORT) || 0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.on('SIGTERM', () => server.close(() => process.exit(0)));
