const express = require('express');
const { page } = require('./pages');

const app = express();
app.get('/page/:n', (req, res) => res.type('html').send(page(Number(req.params.n) % 300)));
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
