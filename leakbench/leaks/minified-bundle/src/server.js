import { createServer } from 'node:http';
import { deliver, outcomes } from './deliveries.js';
import { format } from './format.js';

const server = createServer(async (req, res) => {
  const outcome = await deliver(req.url.split('/')[2], { event: 'order.paid' });
  res.end(format(outcome, outcomes()));
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log('listening on http://127.0.0.1:' + server.address().port);
});
