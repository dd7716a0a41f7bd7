const client = require('prom-client');

const registry = new client.Registry();

const byStatus = new client.Counter({
  name: 'http_responses_total',
  help: 'Responses by status',
  labelNames: ['status'],
  registers: [registry],
});

const duration = new client.Histogram({
  name: 'http_request_duration_seconds',
  help: 'Time to answer',
  labelNames: ['method', 'path', 'status'],
  buckets: [0.005, 0.05, 0.5, 5],
  registers: [registry],
});

exports.observe = (request, reply, [seconds, nanos]) => {
  byStatus.inc({ status: reply.statusCode });
  const labels = { method: request.method, path: request.url, status: reply.statusCode };
  duration.observe(labels, seconds + nanos / 1e9); // LEAK
};

exports.registry = registry;
