const http = require('http');
const log = require('./log');

const server = http.createServer((req, res) => {
  const device = req.url.split('/').pop();
  log.forDevice(device);
  log.info({ state: 'seen' });
  res.end(JSON.stringify({ device, seen: true }));
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
