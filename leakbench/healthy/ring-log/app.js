const express = require('express');
const morgan = require('morgan');
const ring = require('./ring');

const log = ring(600);
const app = express();
app.use(morgan('dev', { stream: { write: (text) => log.push({ at: Date.now(), text }) } }));
app.get('/items/:id', (req, res) => res.json({ id: req.params.id, lines: log.length() }));
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
