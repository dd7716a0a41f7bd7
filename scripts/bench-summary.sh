#!/usr/bin/env bash
# Times `leakline summary` against DevTools' own worker (npm's heap-snapshot-toolkit) on the same big snapshot.
#
#   scripts/bench-summary.sh [ROUNDS]        five rounds unless told
#
# The snapshot comes from examples/express-uncaught after 20,000 requests (about 190 MB, 1.8 million objects) and is
# kept in target/bench. Both programs run in turn, so that a slow minute of the machine hits both; shown are the medians of
# wall time and peak resident memory (VmHWM, as the kernel counted it).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
rounds=${1:-5}
requests=${LEAKLINE_BENCH_REQUESTS:-20000}
folder=target/bench
snapshot=$folder/express-uncaught-$requests.heapsnapshot

[ -d tests-node/node_modules/heap-snapshot-toolkit ] && [ -d examples/express-uncaught/node_modules ] ||
  bash scripts/test.sh --setup
mkdir -p "$folder"

if [ ! -s "$snapshot" ]; then
  echo "making $snapshot: $requests requests"
  node tests-node/make-snapshot.mjs examples/express-uncaught/app.js '/orders/7?n={n}' "$requests" "$snapshot"
fi

cargo build --release --quiet -p leakline
node tests-node/bench-summary.mjs "$snapshot" "$rounds" "${CARGO_TARGET_DIR:-target}/release/leakline"
