// make-snapshot.mjs APP PATH REQUESTS FILE [REQUESTS FILE]...: starts an app, sends it that many requests and has it write
// a heap snapshot. Further pairs go on with the same process until it has had so many requests in all, so that the object
// ids of its snapshots can be compared. `{n}` in PATH stands for the running number of the request.

import { spawn } from 'node:child_process';
import { existsSync, renameSync, statSync, unlinkSync } from 'node:fs';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const [app, path, ...pairs] = process.argv.slice(2);
const CONNECTIONS = 8;

const control = fileURLToPath(new URL('control.js', import.meta.url));
const child = spawn(process.execPath, ['-r', control, resolve(app)], {
  cwd: dirname(resolve(app)),
  env: { ...process.env, PORT: '0', LOG_LEVEL: 'silent' },
  stdio: ['pipe', 'pipe', 'inherit'],
});
process.on('exit', () => child.kill('SIGKILL'));

const port = await new Promise((found, failed) => {
  child.on('exit', (code) => failed(new Error(`the app ended with ${code}`)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = /listening on .*:(\d+)/.exec(line);
    if (said) found(Number(said[1]));
  });
});

let next = 0;
const get = (number, agent) =>
  new Promise((done, failed) => {
    http
      .get({ host: '127.0.0.1', port, path: path.replaceAll('{n}', number), agent }, (res) => {
        res.on('end', done).on('error', failed).resume();
      })
      .on('error', failed);
  });

async function snapshot(requests, file) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next < requests) await get(next++, agent);
    }),
  );
  // Without connections of ours in the snapshot.
  agent.destroy();
  const part = `${resolve(file)}.made`;
  if (existsSync(part)) unlinkSync(part);
  child.stdin.write(`snapshot ${part}\n`);
  while (!existsSync(part)) {
    if (child.exitCode !== null || existsSync(`${part}.error`)) throw new Error('the app wrote no snapshot');
    await sleep(100);
  }
  renameSync(part, file);
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
}

for (let i = 0; i + 1 < pairs.length; i += 2) await snapshot(Number(pairs[i]), pairs[i + 1]);
process.exit(0);
