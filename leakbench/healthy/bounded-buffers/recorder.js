class Recorder {
  #frames;
  #next = 0;
  #headers = new Map();

  constructor(most) {
    this.#frames = new Array(most);
  }

  add(frame) {
    const slot = this.#next++ % this.#frames.length;
    this.#frames[slot] = frame;
    this.#headers.set(slot, Buffer.from(frame.subarray(0, 16)));
  }

  get size() {
    return this.#headers.size;
  }
}

module.exports = { Recorder };
