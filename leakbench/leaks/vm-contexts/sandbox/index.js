const vm = require('vm');
const pool = require('./pool');

const scripts = new Map();

function compiled(source) {
  let script = scripts.get(source);
  if (!script) {
    script = new vm.Script(source, { filename: 'rule.vm' });
    scripts.set(source, script);
    if (scripts.size > 50) scripts.delete(scripts.keys().next().value);
  }
  return script;
}

exports.evaluate = (id, source, variables) => {
  const sandbox = pool.create(id, variables);
  return compiled(source).runInContext(sandbox, { timeout: 50 });
};
