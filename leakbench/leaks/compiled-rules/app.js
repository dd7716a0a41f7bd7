const fastify = require('fastify')();
const { formulaFor } = require('./engine/formulas');
const { compile } = require('./engine/compile');

fastify.get('/price', async (request) => {
  const customer = Number(request.query.customer);
  const formula = formulaFor(customer);
  return { customer, price: compile(formula)(Number(request.query.base)) };
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' }).then((address) => {
  console.log('listening on ' + address);
});
