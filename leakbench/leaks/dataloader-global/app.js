const http = require('http');
const loaders = require('./loaders');

async function book(id) {
  const found = await loaders.books.load(id); // LEAK
  const author = await loaders.authors.load(found.authorId);
  return { ...found, author: author.name };
}

const routes = [
  [/^\/books\/(\w+)$/, ([, id]) => book(id)],
  [/^\/health$/, async () => 'ok'],
];

const server = http.createServer((req, res) => {
  for (const [pattern, handler] of routes) {
    const match = pattern.exec(req.url);
    if (!match) continue;
    handler(match).then(
      (value) => res.end(JSON.stringify(value)),
      (err) => res.writeHead(500).end(err.message),
    );
    return;
  }
  res.writeHead(404).end();
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
