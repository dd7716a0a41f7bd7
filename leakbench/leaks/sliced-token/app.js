const express = require('express');
const titles = require('./scan/titles');
const { fetchDocument } = require('./scan/archive');

const app = express();
app.get('/docs/:id', async (req, res) => {
  const html = await fetchDocument(req.params.id);
  titles.learn(req.params.id, html);
  res.json({ id: req.params.id, title: titles.of(req.params.id), length: html.length });
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
