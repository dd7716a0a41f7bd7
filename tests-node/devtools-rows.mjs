// devtools-rows.mjs A [B]: what DevTools' own worker shows, as JSON on stdout, for the parity tests.
// One file: the rows of the Summary view. Two: the rows of the Comparison view, from the first to the second.

import { comparisonRows, open, summaryRows } from './devtools.mjs';

const files = process.argv.slice(2);
const snapshots = [];
for (const file of files) snapshots.push(await open(file));

const [first, second] = snapshots;
const result = second
  ? { rows: await comparisonRows(first, second) }
  : { node_count: first.nodeCount, rows: summaryRows(first) };
process.stdout.write(JSON.stringify(result));
