// toolkit.mjs A [B]: asks DevTools' own worker for what Leakline's `summary` and `diff` show. One file: the classes of
// the Summary view. Two: the Comparison view, from the first to the second. Says on stdout how many rows there were.

import { createReadStream } from 'node:fs';
import { parse } from 'heap-snapshot-toolkit';

const snapshots = [];
for (const file of process.argv.slice(2)) snapshots.push(await parse(createReadStream(file, 'utf-8')));

async function rows([first, second]) {
  if (!second) {
    return first.aggregatesWithFilter ? first.aggregatesWithFilter({}) : first.getAggregatesByClassKey(false);
  }
  // As the panel asks for it: the earlier snapshot forms its classes by the interfaces of the later one.
  const before = await first.aggregatesForDiff(await second.interfaceDefinitions());
  return second.calculateSnapshotDiff('before', before);
}

console.log(Object.keys(await rows(snapshots)).length);
