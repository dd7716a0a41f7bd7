import EventEmitter from 'eventemitter3';

const network = new EventEmitter();
const counts = { ok: 0, failed: 0 };

network.on('delivered', () => counts.ok++);

export async function deliver(hook, payload) {
  const attempt = { hook, payload, tries: 0, log: [] };
  network.on('offline', (reason) => { // LEAK
    attempt.log.push(reason);
    counts.failed++;
  });
  while (attempt.tries++ < 2) {
    await new Promise((resolve) => setImmediate(resolve));
    attempt.log.push(`try ${attempt.tries}`);
  }
  network.emit('delivered', hook);
  return { hook, tries: attempt.tries - 1 };
}

export const outcomes = () => counts;
