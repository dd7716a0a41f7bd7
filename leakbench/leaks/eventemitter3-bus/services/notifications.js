const { EventEmitter } = require('eventemitter3');

class Notifications {
  constructor() {
    this.bus = new EventEmitter();
    this.stats = { polls: 0, hits: 0 };
    this.bus.on('hit', () => this.stats.hits++);
  }

  publish(user, message) {
    this.bus.emit('message', user, message);
  }

  poll(user, ms) {
    this.stats.polls++;
    const seen = [];
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(seen), ms);
      const onMessage = (to, message) => {
        if (to !== user) return;
        seen.push(message);
        clearTimeout(timer);
        this.bus.off('message', onMessage);
        this.bus.emit('hit');
        resolve(seen);
      };
      this.bus.on('message', onMessage); // LEAK
    });
  }
}

module.exports = { Notifications };
