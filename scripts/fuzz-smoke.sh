#!/usr/bin/env bash
# Builds every fuzz target and runs each for a short while, from the corpora that are checked in.
#
#   scripts/fuzz-smoke.sh [SECONDS]      for each target; all together about two minutes unless told
#
# On the stable toolchain, without a sanitizer. What a run finds lies in fuzz/artifacts/TARGET and is run again by
# `cargo fuzz run -s none TARGET FILE`. For hours instead of seconds: `cargo fuzz run -s none TARGET`.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# The engine that makes the inputs is C++.
if ! command -v c++ >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo 'g++: apt-get install'
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++ >/dev/null
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
  echo 'cargo-fuzz: cargo install'
  cargo install cargo-fuzz --locked --quiet || {
    printf '\nerror: cargo-fuzz cannot be installed\nhint: see the message above; it needs a C++ compiler\n' >&2
    exit 1
  }
fi

mapfile -t targets < <(cargo fuzz list)
seconds=${1:-$((120 / ${#targets[@]}))}

cargo fuzz build -s none
for target in "${targets[@]}"; do
  # New inputs go to a folder that is thrown away, so that a run leaves the corpora as they are.
  found=$(mktemp -d)
  printf '%s: %s s\n' "$target" "$seconds"
  if ! cargo fuzz run -s none "$target" "$found" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=30 -verbosity=0 -print_final_stats=1 >"$found.log" 2>&1; then
    tail -60 "$found.log"
    printf '\nerror: %s found something\nhint: cargo fuzz run -s none %s FILE, with the file named above\n' "$target" "$target" >&2
    exit 1
  fi
  sed -n 's/^stat::number_of_executed_units: */  inputs: /p' "$found.log"
  rm -rf "$found" "$found.log"
done
