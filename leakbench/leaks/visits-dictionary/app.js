const Koa = require('koa');
const analytics = require('./analytics');

const app = new Koa();
app.proxy = true;
app.use(analytics.middleware());
app.use((ctx) => {
  const page = ctx.path.replace('/p/', '');
  ctx.body = { page, seen: analytics.pageCount(page) };
});
app.listen(process.env.PORT, '127.0.0.1', function () {
  console.log('listening on http://127.0.0.1:' + this.address().port);
});
