const { createHook, executionAsyncId } = require('async_hooks');

const contexts = new Map();

const hook = createHook({
  init(asyncId, type, triggerAsyncId) {
    const value = contexts.get(triggerAsyncId);
    if (value !== undefined) contexts.set(asyncId, value); // LEAK
  },
});

module.exports = {
  enable: () => hook.enable(),
  assign: (asyncId, value) => contexts.set(asyncId, value), // LEAK
  current: () => contexts.get(executionAsyncId()),
};
