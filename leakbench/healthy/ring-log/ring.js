module.exports = function ring(most) {
  const kept = [];
  return {
    push(entry) {
      kept.push(entry);
      while (kept.length > most) kept.shift();
    },
    length: () => kept.length,
    last: (n) => kept.slice(-n),
  };
};
