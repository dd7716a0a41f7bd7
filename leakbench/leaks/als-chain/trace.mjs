import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage();
let next = 0;

/** Enters a span below the current one, for the rest of this async function. */
export function span(name, attributes = {}) {
  const parent = storage.getStore();
  const current = { id: ++next, name, attributes, parent, started: performance.now() };
  storage.enterWith(current); // LEAK
  return current;
}

export function describe() {
  const { id, name } = storage.getStore() ?? {};
  return `${name}#${id}`;
}
