'use strict';

const MAX_ENTRIES = 200;

// Answers by request id, at most `maxEntries` of them: the least recently used one goes first.
class BoundedCache {
  constructor(maxEntries) {
    this.maxEntries = maxEntries;
    this.entries = new Map();
  }

  get(key) {
    const value = this.entries.get(key);
    if (value !== undefined) {
      // A Map keeps insertion order: taking the entry out and in again makes it the youngest.
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key, value) {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.maxEntries) {
      this.entries.delete(this.entries.keys().next().value);
    }
  }

  get size() {
    return this.entries.size;
  }
}

module.exports = new BoundedCache(MAX_ENTRIES);
