const http = require('http');

// By the hundred of the request: what is needed from then on.
const stages = [
  [250, () => require('./parts/forms')],
  [500, () => require('./parts/mail')],
  [800, () => require('./parts/metrics')],
];
let served = 0;
const parts = [];

const server = http.createServer((req, res) => {
  served++;
  while (stages.length && served >= stages[0][0]) parts.push(stages.shift()[1]());
  res.end(JSON.stringify({ served, parts: parts.map((part) => part.use(served)) }));
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
