import { createServer } from 'node:http';
import { JobRunner } from './jobs.mjs';

const shutdown = new AbortController();
const runner = new JobRunner(shutdown.signal);

const server = createServer(async (req, res) => {
  const url = new URL(req.url, 'http://localhost');
  try {
    const result = await runner.run(url.pathname.slice(6), url.searchParams.get('size'));
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(result));
  } catch (err) {
    res.statusCode = err.name === 'AbortError' ? 503 : 500;
    res.end();
  }
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    shutdown.abort();
    server.close();
  });
}

server.listen(process.env.PORT ?? 0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
