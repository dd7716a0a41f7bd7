export class Fetcher {
  constructor(base, stopSignal) {
    this.base = base;
    this.stopSignal = stopSignal;
    this.active = new Set();
  }

  async text(path) {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), 10_000);
    const signal = AbortSignal.any([this.stopSignal, deadline.signal]); // LEAK
    this.active.add(path);
    try {
      const response = await fetch(this.base + path, { signal });
      return await response.text();
    } finally {
      clearTimeout(timer);
      this.active.delete(path);
    }
  }
}
