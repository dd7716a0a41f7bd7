const express = require('express');
const hub = require('./live/hub');

const app = express();

app.get('/feed', (req, res) => {
  res.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const client = hub.join(req.query.room, res);
  client.send({ hello: req.query.room });
  // Proxies in front cut long answers; the browser comes back by itself.
  setTimeout(() => res.end(), 5);
});

app.post('/say', (req, res) => {
  hub.broadcast(req.query.room, { text: req.query.text });
  res.sendStatus(202);
});

const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
