const express = require('express');
const report = require('./report');

const app = express();
app.set('etag', false);
app.get('/report', (req, res) => {
  report.refresh(Number(req.query.from));
  res.json(report.summary());
});
app.get('/healthz', (req, res) => res.sendStatus(204));

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
