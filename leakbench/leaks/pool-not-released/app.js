const http = require('http');
const store = require('./store');

const server = http.createServer((req, res) => {
  // Fire and forget: the visitor does not wait for the statistics.
  store.track(req.url, req.headers['user-agent']).catch(() => {});
  res.end('{}');
});
server.on('request', (req, res) => res.on('close', () => store.count()));
server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
