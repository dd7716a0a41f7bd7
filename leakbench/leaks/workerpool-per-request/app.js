const express = require('express');
const { hash } = require('./hashing');

const app = express();
app.get('/hash/:text', async (req, res, next) => {
  try {
    res.json({ hash: await hash(req.params.text) });
  } catch (err) {
    next(err);
  }
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
