const registry = new Map();
let next = 0;

exports.begin = (id, res) => {
  const job = { id, key: ++next, started: Date.now(), scratch: new Array(200).fill(0) };
  registry.set(job.key, job);
  const watchdog = setTimeout(() => res.destroy(), 30_000);
  const onExit = () => console.error(`cut off: ${job.id}`);
  process.setMaxListeners(100);
  process.on('exit', onExit);
  res.once('close', () => {
    clearTimeout(watchdog);
    process.off('exit', onExit);
    registry.delete(job.key);
  });
  return job;
};

exports.registry = registry;
