const Koa = require('koa');
const { renderMail } = require('./mail/render');

const app = new Koa();
app.use(async (ctx) => {
  const id = ctx.path.split('/')[2];
  ctx.type = 'html';
  ctx.body = renderMail(id, { name: `Customer ${id}`, lines: [{ n: 1, text: 'Shirt' }, { n: 2, text: 'Shoes' }] });
});

const server = app.listen(process.env.PORT, '127.0.0.1');
server.once('listening', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
