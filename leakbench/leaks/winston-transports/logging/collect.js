const { Writable } = require('stream');
const { transports } = require('winston');
const { logger } = require('.');

// Support staff sees what was logged for a request.
module.exports = (req, res, next) => {
  const lines = [];
  const sink = new Writable({
    write(chunk, encoding, callback) {
      if (lines.length < 5) lines.push(String(chunk));
      callback();
    },
  });
  const transport = new transports.Stream({ stream: sink, level: 'info' });
  logger.add(transport); // LEAK
  req.lines = lines;
  next();
};
