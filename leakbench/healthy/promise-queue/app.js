const http = require('http');
const { Mutex } = require('async-mutex');

const mutex = new Mutex();
const ledger = { balance: 0, last: [] };

async function book(amount) {
  return mutex.runExclusive(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    ledger.balance += amount;
    ledger.last.unshift({ amount, at: Date.now() });
    ledger.last.length = Math.min(ledger.last.length, 50);
    return ledger.balance;
  });
}

function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, ms, new Error('late'));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const server = http.createServer((req, res) => {
  within(500, book(1)).then(
    (balance) => res.end(String(balance)),
    () => res.writeHead(503).end(),
  );
});
server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
