const http = require('http');
const inventory = require('./inventory');

const server = http.createServer((req, res) => {
  const sku = req.url.split('/')[2];
  // The answer does not wait for the books.
  inventory.book(sku, 1).catch((err) => console.error('booking', sku, err.message));
  res.end(JSON.stringify({ sku, accepted: true }));
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
