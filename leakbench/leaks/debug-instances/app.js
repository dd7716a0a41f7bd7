const express = require('express');
const debug = require('debug')('resize:http');
const { resize } = require('./src/worker');

const app = express();
app.get('/resize/:image', async (req, res) => {
  debug('%s %s', req.method, req.url);
  res.json(await resize(req.params.image, Number(req.query.w)));
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
