const http = require('http');
const { frames } = require('./camera');
const ingest = require('./ingest');

http
  .createServer((req, res) => {
    const frame = frames.take(Number(req.url.split('/')[2]));
    const { seq, size } = ingest.accept(frame);
    res.end(JSON.stringify({ seq, size }));
  })
  .listen(process.env.PORT, '127.0.0.1', function () {
    console.log('listening on http://127.0.0.1:' + this.address().port);
  });
