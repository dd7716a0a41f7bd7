const http = require('http');
const { Recorder } = require('./recorder');

const recorder = new Recorder(150);
const server = http.createServer((req, res) => {
  const frame = Buffer.alloc(8 * 1024, req.url);
  recorder.add(frame);
  res.end(String(recorder.size));
});
server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
