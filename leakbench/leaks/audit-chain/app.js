const fastify = require('fastify')();
const audit = require('./audit');

fastify.addHook('onResponse', (request, reply, done) => {
  audit.append(request.method, request.url, { status: reply.statusCode, account: request.params.account });
  done();
});

fastify.get('/transfer/:account', async (request) => {
  return { account: request.params.account, amount: Number(request.query.amount), head: audit.head() };
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' }, (err, address) => {
  if (err) throw err;
  console.log(`listening on ${address}`);
});
