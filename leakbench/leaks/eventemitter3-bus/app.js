const Koa = require('koa');
const { Notifications } = require('./services/notifications');

const app = new Koa();
const notifications = new Notifications();

app.on('error', (err) => console.error(err.message));

app.use(async (ctx, next) => {
  const t = Date.now();
  await next();
  ctx.set('x-response-time', `${Date.now() - t}ms`);
});

app.use(async (ctx) => {
  if (ctx.path === '/publish') {
    notifications.publish(ctx.query.user, { text: ctx.query.text });
    ctx.body = { ok: true };
    return;
  }
  ctx.body = await notifications.poll(String(ctx.query.user), 5);
});

const server = app.listen(process.env.PORT || 0, '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
