#!/usr/bin/env bash
# Sets up what the tests need and runs all of them. On a fresh machine: Rust, Node and npm, then this.
#
#   scripts/test.sh              everything
#   scripts/test.sh --setup      only the npm packages and Node versions
#
# Nothing is installed outside the checkout. Node 24 comes from the npm package `node` (tests-node/package-lock.json);
# Node 20 is the machine's own, or comes the same way into target/. Binaries that are there already can be named in
# LEAKLINE_NODE_20 and LEAKLINE_NODE_24.
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

# The npm package `node` fetches its binary in an install script, which npm may have been told not to run.
usable_node() {
  local folder=$1 major=$2 package=$1/node_modules/node
  [ "$(node_major "$package/bin/node")" = "$major" ] && return
  (cd "$folder" && npm rebuild node --loglevel=error) || true
  [ "$(node_major "$package/bin/node")" = "$major" ] && return
  (cd "$package" && node installArchSpecificPackage.js) || true
  [ "$(node_major "$package/bin/node")" = "$major" ] && return
  missing "the npm package node in $folder brought no runnable Node $major" \
    "allow its install script (npm config get ignore-scripts) or name a binary: LEAKLINE_NODE_$major=/path/to/node"
}

heading 'npm packages of the tests'
install tests-node
if [ -z "${LEAKLINE_NODE_24:-}" ]; then usable_node tests-node 24; fi
for lock in examples/*/package-lock.json; do
  install "$(dirname "$lock")"
done

heading 'Node versions'
if [ -z "${LEAKLINE_NODE_20:-}" ] && [ "$(node_major node)" != 20 ]; then
  printf 'PATH has Node %s; fetching Node 20 into target/node-20\n' "$(node_major node)"
  mkdir -p target/node-20
  if [ "$(node_major target/node-20/node_modules/node/bin/node)" != 20 ]; then
    printf '{ "private": true, "allowScripts": { "node": true } }\n' >target/node-20/package.json
    (cd target/node-20 && npm install --no-audit --no-fund --loglevel=error node@20) ||
      missing 'Node 20 cannot be fetched' 'name a binary: LEAKLINE_NODE_20=/path/to/node'
    usable_node target/node-20 20
  fi
fi
printf '20: %s\n24: %s\n' "${LEAKLINE_NODE_20:-$([ "$(node_major node)" = 20 ] && command -v node || echo target/node-20)}" \
  "${LEAKLINE_NODE_24:-tests-node}"

[ "${1:-}" = --setup ] && exit 0

heading 'cargo fmt'
cargo fmt --all --check || missing 'the code is not formatted' 'cargo fmt --all'

heading 'cargo clippy'
cargo clippy --workspace --all-targets -- -D warnings

heading 'cargo test'
cargo test --workspace

heading 'cargo doc'
RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

heading 'all passed'
