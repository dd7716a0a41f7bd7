const client = require('prom-client');

const registry = new client.Registry();
const used = new client.Counter({ name: 'used_total', help: 'Uses', labelNames: ['parity'], registers: [registry] });

exports.use = (n) => {
  used.inc({ parity: n % 2 ? 'odd' : 'even' });
  return true;
};
