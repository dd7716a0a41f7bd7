const fastify = require('fastify')();
const lifecycle = require('./lifecycle');

async function render(id) {
  await new Promise((resolve) => setTimeout(resolve, 2));
  return { id, html: `<h1>${id}</h1>`.repeat(10) };
}

fastify.get('/render/:id', async (request, reply) => {
  try {
    return await lifecycle.unlessStopped(() => render(request.params.id));
  } catch (err) {
    reply.code(503);
    return { error: err.message };
  }
});

process.on('SIGTERM', () => {
  lifecycle.stop();
  fastify.close();
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' }, (err, address) => {
  if (err) throw err;
  console.log(`listening on ${address}`);
});
