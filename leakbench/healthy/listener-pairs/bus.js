const EventEmitter = require('eventemitter3');

const bus = new EventEmitter();
const seen = { total: 0 };
bus.on('seen', () => seen.total++);

exports.publish = (topic, message) => bus.emit(topic, message);

exports.waitFor = (topic, ms, signal) =>
  new Promise((resolve) => {
    const done = (message) => {
      clearTimeout(timer);
      bus.off(topic, done);
      signal.removeEventListener('abort', onAbort);
      process.removeListener('warning', onWarning);
      resolve(message ?? null);
    };
    const onAbort = () => done('stopped');
    const onWarning = (warning) => done(warning.message);
    const timer = setTimeout(done, ms);
    bus.on(topic, done);
    signal.addEventListener('abort', onAbort);
    process.on('warning', onWarning);
  });
