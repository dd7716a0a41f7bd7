const { AsyncResource } = require('async_hooks');
const store = require('./store');

store.enable();

exports.run = (value, fn) => {
  const resource = new AsyncResource('RequestContext');
  store.assign(resource.asyncId(), value);
  return resource.runInAsyncScope(fn);
};

exports.current = () => store.current();

exports.note = (text) => {
  const value = store.current();
  if (value) value.notes.push(text);
};
