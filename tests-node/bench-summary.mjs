// bench-summary.mjs SNAPSHOT ROUNDS LEAKLINE: wall time and peak memory of `leakline summary` and of DevTools' worker.

import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const [snapshot, rounds, leakline] = process.argv.slice(2);

const worker = fileURLToPath(new URL('devtools-rows.mjs', import.meta.url));
const contenders = [
  { name: 'leakline summary --json', command: [leakline, 'summary', snapshot, '--json', '--index', 'never'] },
  // A default heap is too small for the worker's tables of such a file on some machines.
  { name: "DevTools' worker", command: [process.execPath, '--max-old-space-size=8192', worker, snapshot] },
];

// The peak is the kernel's high-water mark. It vanishes with the process, so it is read until the end; it never falls.
function measure(command) {
  return new Promise((done, failed) => {
    const begun = performance.now();
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
    let peakKb = 0;
    const look = () => {
      try {
        const mark = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
        if (mark) peakKb = Math.max(peakKb, Number(mark[1]));
      } catch {
        // It has ended; the last reading stands.
      }
    };
    const timer = setInterval(look, 3);
    child.stdout.on('data', look);
    child.on('error', failed);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) done({ seconds: (performance.now() - begun) / 1000, mib: peakKb / 1024 });
      else failed(new Error(`${command.join(' ')} ended with ${code}`));
    });
  });
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const results = contenders.map(() => []);
// One round that does not count: it brings the file into the page cache.
for (let round = 0; round <= Number(rounds); round++) {
  for (const [i, { command }] of contenders.entries()) {
    const result = await measure(command);
    if (round > 0) results[i].push(result);
  }
}

const { size } = statSync(snapshot);
console.log(`${snapshot}, ${(size / 1e6).toFixed(0)} MB; ${rounds} rounds in turn; ${availableParallelism()} cores; Node ${process.version}`);
console.log(`${''.padEnd(26)}${'wall, median'.padStart(14)}${'min'.padStart(10)}${'peak RSS'.padStart(14)}`);
for (const [i, { name }] of contenders.entries()) {
  const seconds = results[i].map((r) => r.seconds);
  const peak = median(results[i].map((r) => r.mib));
  console.log(
    name.padEnd(26) +
      `${median(seconds).toFixed(2)} s`.padStart(14) +
      `${Math.min(...seconds).toFixed(2)} s`.padStart(10) +
      `${peak.toFixed(0)} MiB`.padStart(14),
  );
}
