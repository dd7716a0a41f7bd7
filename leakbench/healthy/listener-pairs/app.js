const http = require('http');
const { waitFor, publish } = require('./bus');

const stop = new AbortController();
const server = http.createServer(async (req, res) => {
  const message = await waitFor(req.url, 15, stop.signal);
  publish('seen', req.url);
  res.end(JSON.stringify({ message }));
});
process.on('SIGTERM', () => stop.abort());
server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
