#!/usr/bin/env bash
# build-and-test.sh PRESET [MODULE...]: configures and builds the preset and runs its tests: all, or those of the modules
# named, of which no more is built than they need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1
shift

targets=() which=()
if [[ $# -gt 0 ]]; then
  targets=(--target "${@/#/test_}")
  modules=$*
  which=(--tests-regex "^(${modules// /|})\\.")
fi

echo "== $preset $*"
cmake --preset "$preset"
cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}"
ctest --preset "$preset" "${which[@]}"
