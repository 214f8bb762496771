#!/usr/bin/env bash
# Installs what is missing, builds with warnings as errors and with the address and undefined-behaviour sanitizers, and
# runs the tests of both builds. Stops with a non-zero exit code at the first that fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install-packages.sh tests
scripts/build-and-test.sh dev asan-ubsan

echo "program: $PWD/build/dev/spanker/cli/spanker"
