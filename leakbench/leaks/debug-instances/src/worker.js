const createDebug = require('debug');

const timings = { runs: 0, ms: 0 };

exports.resize = async (image, width) => {
  const log = createDebug(`resize:job:${image}`); // LEAK
  const started = Date.now();
  log('start %dpx', width);
  await new Promise((resolve) => setImmediate(resolve));
  timings.runs++;
  timings.ms += Date.now() - started;
  log('done, %o', timings);
  return { image, width, height: Math.round(width * 0.75) };
};
