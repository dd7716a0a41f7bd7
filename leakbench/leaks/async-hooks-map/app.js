const http = require('http');
const context = require('./context');

async function loadProfile(id) {
  await new Promise((resolve) => setImmediate(resolve));
  context.note('profile loaded');
  return { id, nick: `nick-${id}` };
}

const server = http.createServer((req, res) => {
  context.run({ id: req.headers['x-request-id'] || req.url, notes: [] }, async () => {
    const profile = await loadProfile(req.url.split('/')[2]);
    res.end(JSON.stringify({ ...profile, notes: context.current().notes }));
  });
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
