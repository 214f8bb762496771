#!/usr/bin/env bash
# build-and-test.sh PRESET...: configures, builds and tests each preset, until one fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for preset in "$@"; do
  echo "== $preset"
  cmake --preset "$preset"
  cmake --build --preset "$preset" --parallel "$(nproc)"
  ctest --preset "$preset"
done
