'use strict';
const { randomUUID } = require('crypto');

// The last lines, for the status page. Bounded.
const recent = [];
const KEEP = 200;

function write(level, entry) {
  recent.push(entry);
  if (recent.length > KEEP) recent.shift();
  if (level !== 'silent') process.stderr.write(JSON.stringify(entry) + '\n');
}

module.exports = function requestLog({ level }) {
  return function (req, res, next) {
    const id = req.get('x-request-id') || randomUUID();
    const started = process.hrtime.bigint();
    req.id = id;
    const note = (warning) => {
      write(level, { id, url: req.originalUrl, warning: warning.message });
    };
    process.on('warning', note); // LEAK
    res.on('finish', () => {
      const ms = Number(process.hrtime.bigint() - started) / 1e6;
      write(level, { id, method: req.method, status: res.statusCode, ms });
    });
    next();
  };
};

module.exports.recent = recent;
