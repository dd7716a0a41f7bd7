const http = require('http');
const { withDeadline } = require('./src/deadline');
const { quote } = require('./src/quotes');

const handler = withDeadline(30_000, async (req, res) => {
  const id = req.url.split('/').pop();
  const body = JSON.stringify(await quote(id));
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
});

const server = http.createServer(handler);
server.keepAliveTimeout = 65_000;
server.on('clientError', (err, socket) => socket.destroy());
server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
