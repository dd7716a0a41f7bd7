// devtools-nodes.mjs FILE…: everything that the parity tests compare, as DevTools' own worker has it. One line of JSON for
// each file (its Summary rows and the numbers of its nodes), as soon as it is known. `A+B` stands for the rows of the
// Comparison view from A to B. At most two snapshots are in memory.

import { comparisonRows, nodeColumns, open, summaryRows } from './devtools.mjs';

// All nodes of files up to this many; of bigger ones a sample of this size.
const NODES = 60_000;
// The heaviest are compared in any case: one wrong dominator far down shows in all above it.
const HEAVIEST = 2_000;

// Half a surrogate pair is a string to JavaScript, but no text to a strict reader of JSON.
const wellFormed = (_, value) => (typeof value === 'string' ? value.toWellFormed() : value);
const say = (line) => process.stdout.write(`${JSON.stringify(line, wellFormed)}\n`);

// Each order reads its files anew, because the worker keeps what it was asked before.
for (const order of process.argv.slice(2)) {
  const [path, later] = order.split('+');
  const snapshot = await open(path);
  if (later) say({ order, comparison: await comparisonRows(snapshot, await open(later)) });
  else say({ order, node_count: snapshot.nodeCount, summary: summaryRows(snapshot), nodes: nodeColumns(snapshot, NODES, HEAVIEST) });
}
