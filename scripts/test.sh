#!/usr/bin/env bash
# Sets up what the tests need and runs all of them. On a fresh machine: Rust, Node and npm, then this.
#
#   scripts/test.sh              everything
#   scripts/test.sh --setup      only the npm packages, the runtimes, Chromium and Prometheus
#
# Node 12 to 26 and Deno come from npm by lockfile (tests-node/runtimes), into the checkout. Chromium and Prometheus
# are the system's: on Debian, as root, their packages are installed where they are missing. Binaries that are there
# already can be named in LEAKLINE_NODE_<major>, LEAKLINE_DENO and LEAKLINE_CHROMIUM.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

begun=$SECONDS

heading() {
  printf '\n=== %s (%d s so far)\n' "$1" "$((SECONDS - begun))"
}

missing() {
  printf '\nerror: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

# The major version of a Node binary; empty where it is none.
node_major() {
  "$1" --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p' || true
}

heading 'tools'
command -v cargo >/dev/null || missing 'cargo is not on PATH' 'install Rust from https://rustup.rs'
command -v node >/dev/null || missing 'node is not on PATH' 'install Node 20 or newer from https://nodejs.org'
command -v npm >/dev/null || missing 'npm is not on PATH' 'install npm 10 or newer; it comes with Node from https://nodejs.org'
for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 || missing "cargo $component is missing" 'rustup component add rustfmt clippy'
done
printf '%s\nnode %s, npm %s\n' "$(cargo --version)" "$(node --version)" "$(npm --version 2>/dev/null)"
[ "$(node_major node)" -ge 18 ] || missing "Node $(node --version) is too old" 'install Node 20 or newer'

# Whoever depends on a browser downloader gets no browser from us.
export PUPPETEER_SKIP_DOWNLOAD=1

# `npm ci` in that folder, unless it ran with this very lockfile already.
install() {
  local folder=$1 stamp=$1/node_modules/.leakline-lock
  if [ -f "$stamp" ] && cmp -s "$folder/package-lock.json" "$stamp"; then
    printf '%s: as its lockfile says\n' "$folder"
    return
  fi
  printf '%s: npm ci\n' "$folder"
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error) ||
    missing "npm ci failed in $folder" 'see its message above; the registry must be reachable'
  cp "$folder/package-lock.json" "$stamp"
}

heading 'npm packages of the tests'
install tests-node
install tests-node/runtimes
install leakbench
for lock in examples/*/package-lock.json; do
  install "$(dirname "$lock")"
done

heading 'runtimes'
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) arch=$(uname -m) ;;
esac
packages=tests-node/runtimes/node_modules
for major in 12 14 16 18 20 22 24 26; do
  variable=LEAKLINE_NODE_$major
  binary=${!variable:-$packages/node-$major-linux-$arch/bin/node}
  # Some versions have no package for every processor; the one on PATH does as well.
  [ "$(node_major "$binary")" = "$major" ] || binary=$(command -v node)
  [ "$(node_major "$binary")" = "$major" ] ||
    missing "there is no runnable Node $major for $(uname -sm) in $packages" \
      "name a binary: $variable=/path/to/node"
  printf '%-9s %s, %s\n' "node-$major" "$("$binary" --version)" "$binary"
done
deno=${LEAKLINE_DENO:-$packages/@deno/linux-$arch-glibc/deno}
"$deno" --version >/dev/null 2>&1 || missing "there is no runnable Deno: $deno" 'name a binary: LEAKLINE_DENO=/path/to/deno'
printf '%-9s %s, %s\n' deno "$("$deno" --version | head -1)" "$deno"

# Not called `chromium`: `command -v` would find the function.
find_chromium() {
  local name
  if [ -n "${LEAKLINE_CHROMIUM:-}" ]; then
    command -v "$LEAKLINE_CHROMIUM"
    return
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name"; then return; fi
  done
  return 1
}
if [ -z "${LEAKLINE_CHROMIUM:-}" ] && ! find_chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo 'chromium: apt-get install'
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null ||
    missing 'Chromium cannot be installed' 'name a binary: LEAKLINE_CHROMIUM=/path/to/chromium'
fi
find_chromium >/dev/null || missing 'Chromium is not installed' \
  'apt-get install chromium as root, or name a binary: LEAKLINE_CHROMIUM=/path/to/chromium'
printf '%-9s %s\n' chromium "$(find_chromium)"

# A real Prometheus answers the tests of `trend --prometheus`.
if ! command -v prometheus >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo 'prometheus: apt-get install'
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus >/dev/null ||
    missing 'Prometheus cannot be installed' 'put prometheus and promtool on PATH (https://prometheus.io/download)'
fi
for program in prometheus promtool; do
  command -v "$program" >/dev/null || missing "$program is not installed" \
    'apt-get install prometheus as root, or put prometheus and promtool on PATH (https://prometheus.io/download)'
done
printf '%-9s %s\n' prometheus "$(command -v prometheus)"

[ "${1:-}" = --setup ] && exit 0

heading 'cargo fmt'
cargo fmt --all --check || missing 'the code is not formatted' 'cargo fmt --all'

heading 'cargo clippy'
cargo clippy --workspace --all-targets -- -D warnings

heading 'cargo test'
cargo test --workspace

heading 'cargo doc'
RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# About two minutes, and five more to build the targets for the first time.
heading 'fuzz targets'
bash scripts/fuzz-smoke.sh

heading 'all passed'
