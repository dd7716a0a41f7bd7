const Fastify = require('fastify');
const { track } = require('./lib/progress');

const app = Fastify({ disableRequestLogging: true });

async function importRows(rows, progress) {
  for (const row of rows) {
    progress.done += 1;
    if (row.bad) throw new Error('bad row');
  }
}

app.get('/import/:id', async (request, reply) => {
  const rows = Array.from({ length: 50 }, (_, i) => ({ id: i, bad: false }));
  const progress = { id: request.params.id, done: 0, of: rows.length };
  const tracking = track(progress);
  try {
    await importRows(rows, progress);
  } catch (err) {
    tracking.stop();
    reply.code(422);
    return { error: err.message };
  }
  return progress;
});

app.listen({ port: +process.env.PORT, host: '127.0.0.1' }, (err, address) => {
  if (err) throw err;
  console.log('listening on ' + address);
});
