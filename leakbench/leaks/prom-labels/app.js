const fastify = require('fastify')();
const metrics = require('./metrics');

fastify.addHook('onRequest', async (request) => {
  request.startedAt = process.hrtime();
});
fastify.addHook('onResponse', async (request, reply) => {
  metrics.observe(request, reply, process.hrtime(request.startedAt));
});
fastify.get('/customers/:id', async (request) => ({ id: request.params.id }));
fastify.get('/metrics', async (request, reply) => {
  reply.type('text/plain');
  return metrics.registry.metrics();
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' }).then((a) => console.log(`listening on ${a}`));
