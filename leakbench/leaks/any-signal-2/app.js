const express = require('express');
const upstream = require('./src/upstream');

const app = express();

app.get('/search', async (req, res, next) => {
  try {
    res.json(await upstream.search(req.query.q));
  } catch (err) {
    next(err);
  }
});

upstream.start().then(() => {
  const server = app.listen(process.env.PORT, '127.0.0.1', () => {
    console.log('listening on http://127.0.0.1:' + server.address().port);
  });
});
