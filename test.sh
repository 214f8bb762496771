#!/usr/bin/env bash
# Installs what is missing, builds with g++ and warnings as errors, and with clang and the address and undefined-behaviour
# sanitizers, runs the tests of both builds, and feeds every reader of files hostile input for a few seconds. Stops with a non-zero exit code
# at the first that fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install-packages.sh compilers
scripts/build-and-test.sh dev sanitized
scripts/fuzz.sh 5

echo "program: $PWD/build/dev/spanker/cli/spanker"
