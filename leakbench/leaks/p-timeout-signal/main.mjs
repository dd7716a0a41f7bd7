import http from 'node:http';
import { renderCard } from './lib/render.mjs';

const life = new AbortController();
process.on('SIGTERM', () => life.abort(new Error('terminated')));

http
  .createServer(async (req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://x');
    const html = await renderCard(pathname.split('/').at(-1), searchParams.get('theme') ?? 'light', life.signal);
    res.writeHead(200, { 'content-type': 'text/html', 'content-length': Buffer.byteLength(html) }).end(html);
  })
  .listen(process.env.PORT, '127.0.0.1', function () {
    console.log('listening on http://127.0.0.1:' + this.address().port);
  });
