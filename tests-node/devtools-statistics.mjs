// devtools-statistics.mjs FILE: what DevTools' own worker shows in its Statistics view, as JSON on stdout, for the
// parity tests. The names of the fields are those of Leakline's JSON, so that the test compares without translating.

import { createReadStream } from 'node:fs';
import { parse } from 'heap-snapshot-toolkit';

const snapshot = await parse(createReadStream(process.argv[2], 'utf-8'));
const { total, native, v8heap } = snapshot.getStatistics();
process.stdout.write(
  JSON.stringify({
    total_bytes: total,
    native: { total_bytes: native.total, typed_arrays_bytes: native.typedArrays },
    v8_heap: {
      total_bytes: v8heap.total,
      code_bytes: v8heap.code,
      strings_bytes: v8heap.strings,
      js_arrays_bytes: v8heap.jsArrays,
      system_bytes: v8heap.system,
    },
  }),
);
