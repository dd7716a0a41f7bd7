import http from 'node:http';
import { span, describe } from './trace.mjs';

// One writer for the whole process; it takes the next document when it is done with the last.
const waiting = [];
let wake;

async function writer() {
  for (;;) {
    if (waiting.length === 0) await new Promise((resolve) => (wake = resolve));
    const { doc, done } = waiting.shift();
    span('write', { doc: doc.id });
    await new Promise((resolve) => setImmediate(resolve));
    done(describe());
  }
}
writer();

const server = http.createServer(async (req, res) => {
  const doc = { id: req.url.slice(6), body: 'x'.repeat(50) };
  const where = await new Promise((done) => {
    waiting.push({ doc, done });
    wake?.();
  });
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ id: doc.id, where }));
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
