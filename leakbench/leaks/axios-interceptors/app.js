const express = require('express');
const http = require('http');
const billing = require('./clients/billing');

const backend = http.createServer((req, res) => {
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ invoice: req.url, for: req.headers.authorization }));
});

backend.listen(0, '127.0.0.1', () => {
  billing.configure(`http://127.0.0.1:${backend.address().port}`);
  const app = express();
  app.get('/invoices/:id', (req, res, next) => {
    billing
      .as(req.get('authorization') || `Bearer user-${req.params.id}`)
      .invoice(req.params.id)
      .then((invoice) => res.json(invoice), next);
  });
  const server = app.listen(process.env.PORT, '127.0.0.1', () => {
    console.log('listening on http://127.0.0.1:' + server.address().port);
  });
});
