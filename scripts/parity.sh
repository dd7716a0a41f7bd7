#!/usr/bin/env bash
# Compares Leakline with DevTools' own worker, number by number, and prints a line for each file.
#
#   scripts/parity.sh                 the zoo's snapshots of every runtime, made anew
#   scripts/parity.sh node_26 deno    those of some runtimes
#   scripts/parity.sh FILE… [A+B…]    snapshots of your own; `A+B` is the comparison of two of one session
#
# docs/devtools-parity.md says what is compared.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

given=()
names=()
for argument in "$@"; do
  if [ -e "${argument%%+*}" ]; then
    # Absolute, because the test runs in a folder of its own.
    order=''
    IFS=+ read -r -a parts <<<"$argument"
    for part in "${parts[@]}"; do
      [ -z "$order" ] || order+=+
      order+=$(realpath "$part")
    done
    given+=("$order")
  else
    names+=("$argument")
  fi
done

cd "$root"
[ -d tests-node/node_modules/heap-snapshot-toolkit ] || bash scripts/test.sh --setup
# The test's own lines, and what they add up to.
run() {
  cargo test --quiet -p leakline-analysis --test parity -- --nocapture "$@" | awk '
    { sub(/^[.]+/, "") }
    /differ$/ { numbers += $(NF - 3); differ += $(NF - 1) }
    $0 != "" { print; fflush() }
    END { printf "%d numbers compared, %d differ\n", numbers, differ }'
}
if [ ${#given[@]} -gt 0 ]; then
  LEAKLINE_PARITY=$(printf '%s\n' "${given[@]}") run --ignored --exact given_files
fi
if [ ${#names[@]} -gt 0 ] || [ ${#given[@]} = 0 ]; then
  run "${names[@]}"
fi
