const Koa = require('koa');
const rules = require('./rules');

const app = new Koa();
app.use(async (ctx) => {
  const { cost, zones } = rules.fresh('./shipping');
  const weight = Number(ctx.query.weight) || 1;
  ctx.body = zones.map((zone) => ({ zone, cost: cost(weight, zone) }));
});
const server = app.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
