import Koa from 'koa';
import { Gauges, type Reading } from './gauges';

const gauges = new Gauges({ window: 5 });
const app = new Koa();

interface Context {
  path: string;
  query: { celsius?: string };
  body: unknown;
}

app.use(async (ctx: Context): Promise<void> => {
  const device = ctx.path.split('/')[2] ?? 'unknown';
  const reading: Reading = { celsius: Number(ctx.query.celsius ?? 0), at: Date.now() };
  ctx.body = { device, mean: gauges.record(device, reading) };
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
