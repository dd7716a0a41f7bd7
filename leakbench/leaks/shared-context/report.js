let current = null;

function rows(from) {
  return Array.from({ length: 120 }, (_, i) => ({ day: from + i, sum: (from * 31 + i * 17) % 1000 }));
}

exports.refresh = function refresh(from) {
  const before = current; // LEAK
  const data = rows(from);

  // For the debugger: what changed since the last time.
  function changed() {
    return before ? data.filter((row, i) => row.sum !== before.rows[i].sum) : data;
  }
  if (process.env.TRACE_REPORTS) console.log(changed().length);

  current = { // LEAK
    rows: data,
    total: data.reduce((sum, row) => sum + row.sum, 0),
    best() {
      return data[0];
    },
  };
};

exports.summary = () => ({ total: current.total, best: current.best() });
