#!/usr/bin/env bash
# Installs what is missing, builds with g++ and warnings as errors and runs all tests; builds with clang and the address and
# undefined-behaviour sanitizers and runs the tests of modules that read foreign files, handle memory by hand or talk
# between threads and processes (scripts/check-compilers.sh runs all tests under them); and feeds every reader of files
# hostile input for a few seconds. Stops with a non-zero exit code at the first that fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install-packages.sh compilers
scripts/build-and-test.sh dev
scripts/build-and-test.sh sanitized base kernels cluster model tokenizer comm run measure
scripts/fuzz.sh 5

echo "program: $PWD/build/dev/spanker/cli/spanker"
