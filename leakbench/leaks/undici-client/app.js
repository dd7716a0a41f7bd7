const Koa = require('koa');
const http = require('http');
const { Accounts } = require('./lib/accounts');

const ledger = http.createServer((req, res) => {
  res.setHeader('content-type', 'application/json');
  res.end(JSON.stringify({ path: req.url, balance: 100 }));
});
ledger.keepAliveTimeout = 600_000;

ledger.listen(0, '127.0.0.1', () => {
  const accounts = new Accounts(`http://127.0.0.1:${ledger.address().port}`);
  const app = new Koa();
  app.use(async (ctx) => {
    ctx.body = await accounts.balance(ctx.path.slice(10));
  });
  app.listen(process.env.PORT, '127.0.0.1', function () {
    console.log('listening on http://127.0.0.1:' + this.address().port);
  });
});
