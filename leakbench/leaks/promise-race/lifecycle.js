let stop;
const stopped = new Promise((_, reject) => {
  stop = () => reject(new Error('the server is going down'));
});
stopped.catch(() => {});

const running = new Set();

async function unlessStopped(work) {
  const token = Symbol('work');
  running.add(token);
  try {
    return await Promise.race([work(), stopped]); // LEAK
  } finally {
    running.delete(token);
  }
}

module.exports = { stop, unlessStopped, busy: () => running.size };
