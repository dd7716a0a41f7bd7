const pad = (n) => String(n).padStart(4, '0');

export function format(outcome, { ok, failed }) {
  return JSON.stringify({ ...outcome, ok: pad(ok), failed: pad(failed) });
}
