export function heartbeat(probe) {
  const beat = { count: 0, history: [] };
  const timer = setInterval(() => {
    beat.count++;
    beat.history.push(probe());
  }, 10);
  beat.stop = () => clearInterval(timer);
  return beat;
}
