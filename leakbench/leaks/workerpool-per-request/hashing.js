const path = require('path');
const workerpool = require('workerpool');

const script = path.join(__dirname, 'hash-worker.js');
const recent = [];

exports.hash = async (text) => {
  const pool = workerpool.pool(script, { maxWorkers: 1, workerType: 'thread' }); // LEAK
  const value = await pool.exec('digest', [text, 50]);
  recent.push(value);
  if (recent.length > 10) recent.shift();
  return value;
};
