// The search index runs beside the app; here it is a small server of our own.
const http = require('http');
const anySignal = require('any-signal');
const { request, Agent } = require('undici');

const closing = new AbortController();
const agent = new Agent({ connections: 4 });
let base;

exports.start = () =>
  new Promise((resolve) => {
    const index = http.createServer((req, res) => res.end(JSON.stringify({ hits: [req.url.length, 1, 2, 3] })));
    index.listen(0, '127.0.0.1', () => {
      base = `http://127.0.0.1:${index.address().port}`;
      resolve();
    });
  });

exports.search = async (term) => {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), 2000);
  try {
    const signal = anySignal([closing.signal, timeout.signal]); // LEAK
    const { body } = await request(`${base}/?q=${encodeURIComponent(term)}`, { signal, dispatcher: agent });
    return await body.json();
  } finally {
    clearTimeout(timer);
  }
};

exports.stop = () => closing.abort();
