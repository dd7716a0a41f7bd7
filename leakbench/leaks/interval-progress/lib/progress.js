const SAMPLE_MS = 10_000;

exports.track = function track(progress) {
  const samples = [];
  const handle = setInterval(() => { // LEAK
    samples.push({ at: Date.now(), done: progress.done });
    if (samples.length > 20) samples.shift();
  }, SAMPLE_MS);
  handle.unref();
  return {
    samples,
    stop() {
      clearInterval(handle);
    },
  };
};
