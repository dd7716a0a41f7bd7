import { createServer } from 'node:http';
import { load } from './settings/load.mjs';

const server = createServer(async (req, res) => {
  try {
    const settings = await load();
    const user = Number(req.url.split('/')[2]) || 0;
    const flags = Object.entries(settings.flags).filter(([, share]) => user % 100 < share);
    res.end(JSON.stringify(Object.fromEntries(flags)));
  } catch (err) {
    res.writeHead(500).end(String(err));
  }
});

server.listen(process.env.PORT, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
