// take.mjs RUNTIME BINARY FOLDER: heap snapshots of the zoo in that runtime, written into the folder.
//
// RUNTIME is `node`, `deno` or `chromium`. In the first two the zoo takes its own snapshots (take-inside.js); Chromium is
// told over its debugging pipe what to run and when. Prints the files, one per line.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [runtime, binary, folder] = process.argv.slice(2);
const here = fileURLToPath(new URL('.', import.meta.url));
const LONG_CHAIN = 20_000;

function run(command, args) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', failed);
    child.on('exit', (code, signal) => (code === 0 ? done() : failed(new Error(`${command} ended with ${code ?? signal}`))));
  });
}

/** Chromium and one page of it, spoken to over two pipes: JSON messages that each end with a zero byte. */
async function chromium() {
  const profile = mkdtempSync(join(tmpdir(), 'leakline-chromium-'));
  const child = spawn(
    binary,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-extensions',
      `--user-data-dir=${profile}`,
      '--remote-debugging-pipe',
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] },
  );
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints += chunk));

  const [orders, answers] = [child.stdio[3], child.stdio[4]];
  const waiting = new Map();
  let chunkTo = null;
  let rest = '';
  answers.setEncoding('utf8');
  answers.on('data', (data) => {
    const messages = (rest + data).split('\0');
    rest = messages.pop();
    for (const text of messages) {
      const message = JSON.parse(text);
      if (message.method === 'HeapProfiler.addHeapSnapshotChunk') chunkTo.write(message.params.chunk);
      const answered = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) answered?.failed(new Error(`${answered.method}: ${message.error.message}`));
      else answered?.done(message.result);
    }
  });
  child.on('exit', (code) => {
    for (const { failed } of waiting.values()) failed(new Error(`${binary} ended with ${code}: ${complaints}`));
  });

  let next = 0;
  let sessionId;
  const order = (method, params = {}) =>
    new Promise((done, failed) => {
      waiting.set(++next, { method, done, failed });
      orders.write(`${JSON.stringify({ id: next, method, params, sessionId })}\0`);
    });
  const { targetId } = await order('Target.createTarget', { url: 'data:text/html,<title>zoo</title><body></body>' });
  ({ sessionId } = await order('Target.attachToTarget', { targetId, flatten: true }));

  async function evaluate(expression) {
    const { exceptionDetails } = await order('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
  /** A CommonJS file of this folder as a script of its own, its exports under a global name. */
  const load = (file, name) =>
    evaluate(`(function (module) {${readFileSync(join(here, file), 'utf8')}
      globalThis.${name} = module.exports; })({})
      //# sourceURL=zoo/${file}`);
  async function snapshot(name, method, params) {
    chunkTo = createWriteStream(join(folder, `${name}.heapsnapshot`));
    await order(method, { reportProgress: false, ...params });
    await new Promise((done) => chunkTo.end(done));
  }
  async function close() {
    const ended = new Promise((done) => child.on('exit', done));
    sessionId = undefined;
    await order('Browser.close').catch(() => {});
    await ended;
    // Its helpers may still be writing.
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
  return { order, evaluate, load, snapshot, close };
}

async function takeInChromium() {
  const page = await chromium();
  try {
    await page.order('HeapProfiler.enable');
    await page.load('zoo.js', 'zooModule');
    await page.load('page.js', 'pageModule');
    await page.load('sessions-a.js', 'SessionA');
    await page.load('sessions-b.js', 'SessionB');
    await page.evaluate(`globalThis.host = { chain: ${LONG_CHAIN}, SessionA, SessionB };
      globalThis.zoo = zooModule.build(host);
      globalThis.page = pageModule.build(); 0`);
    await page.snapshot('a', 'HeapProfiler.takeHeapSnapshot');
    await page.evaluate('zooModule.work(zoo, host); pageModule.work(page); 0');
    await page.snapshot('b', 'HeapProfiler.takeHeapSnapshot');
    await page.snapshot('values', 'HeapProfiler.takeHeapSnapshot', { captureNumericValue: true });
    await page.snapshot('internals', 'HeapProfiler.takeHeapSnapshot', { exposeInternals: true });
    await page.order('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
    await page.evaluate('globalThis.tracked = zooModule.build({ ...host, chain: 1000 }); 0');
    await page.snapshot('tracked', 'HeapProfiler.stopTrackingHeapObjects');
  } finally {
    await page.close();
  }
}

mkdirSync(folder, { recursive: true });
const inside = join(here, 'take-inside.js');
if (runtime === 'node') await run(binary, [inside, folder]);
else if (runtime === 'deno') await run(binary, ['run', '--allow-all', inside, folder]);
else if (runtime === 'chromium') await takeInChromium();
else throw new Error(`take.mjs knows no runtime ${runtime}`);
for (const name of readdirSync(folder).sort()) if (name.endsWith('.heapsnapshot')) console.log(join(folder, name));
