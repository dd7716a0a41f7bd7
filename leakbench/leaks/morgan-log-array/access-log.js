class AccessLog {
  constructor() {
    this.lines = [];
    this.slowest = [];
  }

  stream() {
    return { write: (text) => this.append(text) };
  }

  append(text) {
    const line = { seq: this.lines.length, at: new Date(), text };
    this.lines.push(line); // LEAK
    this.slowest.push(line);
    this.slowest.sort((a, b) => b.text.length - a.text.length);
    this.slowest.length = Math.min(this.slowest.length, 10);
  }

  tail(n) {
    return this.lines.slice(-n);
  }
}

module.exports = AccessLog;
