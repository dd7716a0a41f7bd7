const express = require('express');
const morgan = require('morgan');
const AccessLog = require('./access-log');

const app = express();
const log = new AccessLog();

app.use(morgan('combined', { stream: log.stream() }));
app.get('/items/:id', (req, res) => res.json({ id: req.params.id, price: 10 }));
app.get('/admin/log', (req, res) => res.type('text').send(log.tail(50).map((l) => l.text).join('')));

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
