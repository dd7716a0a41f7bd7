const byVisitor = {};

function today() {
  return new Date().toISOString().slice(0, 10);
}

function record(visitor, path, agent) {
  const key = `${visitor}:${today()}`;
  if (key in byVisitor) {
    byVisitor[key].paths.push(path);
    return;
  }
  byVisitor[key] = { first: Date.now(), agent, paths: [path] }; // LEAK
}

module.exports = { record, get: (visitor) => byVisitor[`${visitor}:${today()}`] };
