const { createContext } = require('vm');

const open = new Map();

exports.create = (id, variables) => {
  const sandbox = createContext({ ...variables, Math });
  open.set(id, sandbox); // LEAK
  return sandbox;
};

exports.inspect = (id) => open.get(id);
exports.count = () => open.size;
