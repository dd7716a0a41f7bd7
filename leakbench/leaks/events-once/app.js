'use strict';

const fastify = require('fastify')({ logger: false });

fastify.register(require('./plugins/prices'));
fastify.get('/health', async () => ({ ok: true }));

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' }).then((address) => {
  console.log(`listening on ${address}`);
});
