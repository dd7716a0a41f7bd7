import http from 'node:http';
import { Fetcher } from './fetcher.mjs';

const origin = http.createServer((req, res) => res.end('x'.repeat(200)));
await new Promise((resolve) => origin.listen(0, '127.0.0.1', resolve));

const stop = new AbortController();
const fetcher = new Fetcher(`http://127.0.0.1:${origin.address().port}`, stop.signal);

const server = http.createServer(async (req, res) => {
  try {
    res.end(await fetcher.text(req.url));
  } catch (err) {
    res.writeHead(err.name === 'TimeoutError' ? 504 : 502).end();
  }
});
process.once('SIGTERM', () => {
  stop.abort();
  server.close();
});
server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
