const express = require('express');
const catalog = require('./src/catalog');

const app = express();
app.get('/products', (req, res) => {
  const filter = { min: Number(req.query.min), max: Number(req.query.max), label: catalog.label(req.query.lang) };
  const products = catalog.search(filter);
  res.json({ total: products.length, first: products.slice(0, 5) });
});
const server = app.listen(process.env.PORT, '127.0.0.1', () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}`));
