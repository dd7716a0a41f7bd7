const fastify = require('fastify')();
const reminders = require('./reminders');

fastify.get('/orders/:id/confirm', async (request) => {
  const order = { id: request.params.id, total: 100, paid: true };
  reminders.forOrder(order);
  return order;
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' }).then((a) => console.log(`listening on ${a}`));
