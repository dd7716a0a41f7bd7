// What DevTools' own worker makes of snapshots, for the scripts that print it. The oracle of all parity tests is here and
// nowhere else: the npm package heap-snapshot-toolkit, pinned by the lockfile.
// The names of the fields are those of Leakline's JSON, so that the tests compare without translating.

import { createReadStream } from 'node:fs';
import { parse } from 'heap-snapshot-toolkit';

// DevTools gives objects that only V8 itself reaches a distance from here upwards.
const NO_DISTANCE = 100_000_000;

/**
 * The file, saying that it holds no allocation stacks. They change nothing of what is compared, and the worker cannot open
 * those of Node: V8 counts the functions in the header before it has met them all, and the worker believes the count.
 */
async function* withoutAllocationStacks(path) {
  let header = true;
  for await (const chunk of createReadStream(path, 'utf-8')) {
    yield header ? chunk.replace(/"trace_function_count":\d+/, '"trace_function_count":0') : chunk;
    header = false;
  }
}

export const open = (path) => parse(ReadableStream.from(withoutAllocationStacks(path)));

/** The rows of the Summary view. */
export function summaryRows(snapshot) {
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

/** The rows of the Comparison view, from the first to the second. */
export async function comparisonRows(before, after) {
  // As the panel asks for it: the classes of the earlier snapshot are formed by the later one's inferred interfaces.
  const classesBefore = await before.aggregatesForDiff(await after.interfaceDefinitions());
  const rows = await after.calculateSnapshotDiff(`before ${before.uid}`, classesBefore);
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

/**
 * Numbers of single nodes, in columns. Of a file with more than `most` nodes about that many, spread evenly over it, and
 * the biggest ones besides. `dominator` is the ordinal of the immediate dominator; `class` an index into `classes`, which
 * are keys as the worker forms them: place of the constructor, where known, and name.
 */
export function nodeColumns(snapshot, most, biggest) {
  const count = snapshot.nodeCount;
  const chosen = new Set();
  const step = count <= most ? 1 : count / most;
  for (let at = 0; at < count; at += step) chosen.add(Math.floor(at));
  if (step > 1) {
    const retained = snapshot.retainedSizes;
    const byWeight = Array.from({ length: count }, (_, i) => i).sort((a, b) => retained[b] - retained[a]);
    for (const ordinal of byWeight.slice(0, biggest)) chosen.add(ordinal);
  }
  const columns = { ordinal: [], id: [], shallow: [], retained: [], distance: [], dominator: [], class: [] };
  const classes = new Map();
  const node = snapshot.createNode(0);
  const fields = snapshot.nodeFieldCount;
  for (const ordinal of [...chosen].sort((a, b) => a - b)) {
    node.nodeIndex = ordinal * fields;
    const key = snapshot.classKeyFromClassKeyInternal(node.classKeyInternal());
    if (!classes.has(key)) classes.set(key, classes.size);
    columns.ordinal.push(ordinal);
    columns.id.push(node.id());
    columns.shallow.push(node.selfSize());
    columns.retained.push(node.retainedSize());
    columns.distance.push(node.distance());
    columns.dominator.push(node.dominatorIndex() / fields);
    columns.class.push(classes.get(key));
  }
  return { ...columns, classes: [...classes.keys()] };
}
