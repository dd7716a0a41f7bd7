import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { heartbeat } from './heartbeat.mjs';

const load = { now: 0, most: 0 };
setInterval(() => (load.most = Math.max(load.most, load.now)), 100).unref();

http
  .createServer(async (req, res) => {
    load.now++;
    const beat = heartbeat(() => res.headersSent || load.now);
    const deadline = setTimeout(() => res.destroy(), 20_000);
    await sleep(40);
    clearTimeout(deadline);
    beat.stop();
    load.now--;
    res.end(JSON.stringify({ beats: beat.count, most: load.most }));
  })
  .listen(process.env.PORT, '127.0.0.1', function () {
    console.log('listening on http://127.0.0.1:' + this.address().port);
  });
