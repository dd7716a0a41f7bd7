const fastify = require('fastify')();
const { registry, begin } = require('./requests');

fastify.get('/slow/:id', async (request, reply) => {
  const job = begin(request.params.id, reply.raw);
  await new Promise((resolve) => setTimeout(resolve, 150 + (Number(request.params.id) % 7) * 20));
  return { id: job.id, others: registry.size };
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' }).then((a) => console.log(`listening on ${a}`));
