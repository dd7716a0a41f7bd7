const file = new URL('./settings.mjs', import.meta.url);

let loads = 0;
let latest;

export async function load() {
  const url = `${file.href}?t=${Date.now()}-${++loads}`;
  const { default: settings } = await import(url); // LEAK
  latest = settings;
  return settings;
}

export const current = () => latest;
