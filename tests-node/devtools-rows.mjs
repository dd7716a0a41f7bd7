// devtools-rows.mjs A [B]: what DevTools' own worker shows, as JSON on stdout, for the parity tests.
// One file: the rows of the Summary view. Two: the rows of the Comparison view, from the first to the second.
// The names of the fields are those of Leakline's JSON, so that the test compares without translating.

import { createReadStream } from 'node:fs';
import { parse } from 'heap-snapshot-toolkit';

// DevTools gives objects that no path from the root reaches a distance from here upwards.
const NO_DISTANCE = 100_000_000;

const open = (path) => parse(createReadStream(path, 'utf-8'));

function summaryRows(snapshot) {
  // The class key was renamed between versions of the worker; either call gives a row per class.
  const classes = snapshot.aggregatesWithFilter
    ? snapshot.aggregatesWithFilter({})
    : snapshot.getAggregatesByClassKey(false);
  return Object.values(classes).map((row) => ({
    name: row.name,
    count: row.count,
    distance: row.distance >= NO_DISTANCE ? null : row.distance,
    shallow_bytes: row.self,
    retained_bytes: row.maxRet,
  }));
}

async function comparisonRows(before, after) {
  // As the panel asks for it: the classes of the earlier snapshot are formed by the later one's inferred interfaces.
  const classesBefore = await before.aggregatesForDiff(await after.interfaceDefinitions());
  const rows = await after.calculateSnapshotDiff('before', classesBefore);
  return Object.values(rows).map((row) => ({
    constructor: row.name,
    new_count: row.addedCount,
    deleted_count: row.removedCount,
    delta_count: row.countDelta,
    allocated_bytes: row.addedSize,
    freed_bytes: row.removedSize,
    delta_bytes: row.sizeDelta,
  }));
}

const files = process.argv.slice(2);
const snapshots = [];
for (const file of files) snapshots.push(await open(file));

const [first, second] = snapshots;
const result = second
  ? { rows: await comparisonRows(first, second) }
  : { node_count: first.nodeCount, rows: summaryRows(first) };
process.stdout.write(JSON.stringify(result));
