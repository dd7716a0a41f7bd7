const Koa = require('koa');
const { viewer } = require('./viewer');

const app = new Koa();
app.use(async (ctx, next) => {
  viewer(ctx.req);
  await next();
});
app.use((ctx) => {
  const { id, rights } = viewer(ctx.req);
  ctx.body = { id, rights: rights.length };
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
