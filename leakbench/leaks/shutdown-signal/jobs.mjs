import { setImmediate as tick } from 'node:timers/promises';

const SIZES = { small: 3, large: 30 };

export class JobRunner {
  #signal;
  #running = new Set();

  constructor(signal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => console.error(`${this.#running.size} jobs cut off`), { once: true });
  }

  async run(id, size = 'small') {
    const job = { id, steps: [], cancelled: false };
    this.#running.add(job);
    this.#signal.addEventListener('abort', () => { // LEAK
      job.cancelled = true;
    });
    try {
      for (let i = 0; i < SIZES[size]; i++) {
        if (job.cancelled) throw new DOMException('shutting down', 'AbortError');
        await tick();
        job.steps.push({ step: i, at: Date.now() });
      }
      return { id, steps: job.steps.length };
    } finally {
      this.#running.delete(job);
    }
  }
}
