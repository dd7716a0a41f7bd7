const express = require('express');
const thumbs = require('./thumbs');

const app = express();
app.get('/thumb/:id', (req, res) => {
  const { width, height } = thumbs.get(req.params.id);
  res.json({ id: req.params.id, width, height, cached: thumbs.size() });
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
