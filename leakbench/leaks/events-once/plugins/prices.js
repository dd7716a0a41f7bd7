'use strict';

const { EventEmitter, once } = require('node:events');

class PriceCache extends EventEmitter {
  constructor() {
    super();
    this.setMaxListeners(0);
    this.values = new Map();
    this.version = 0;
  }

  get(sku) {
    return this.values.get(sku) ?? (Number(sku) % 500) / 10;
  }

  load(entries) {
    this.values = new Map(entries);
    this.version++;
    this.emit('refresh', this.version);
  }
}

// Prices that were answered from an old list are counted once the new one is there.
async function auditStale(cache, audit, sku, answered) {
  const before = cache.version;
  const [version] = await once(cache, 'refresh'); // LEAK
  if (version !== before && cache.get(sku) !== answered) audit.stale++;
}

module.exports = async function prices(fastify) {
  const cache = new PriceCache();
  const audit = { stale: 0 };
  cache.on('refresh', () => fastify.log.info('prices refreshed'));

  fastify.get('/prices/:sku', async (request) => {
    const { sku } = request.params;
    const price = cache.get(sku);
    auditStale(cache, audit, sku, price).catch((err) => request.log.error(err));
    return { sku, price };
  });
};
