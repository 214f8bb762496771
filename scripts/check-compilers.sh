#!/usr/bin/env bash
# What test.sh leaves out, for before a release and after work on threads: all tests under the address and
# undefined-behaviour sanitizers, under the thread sanitizer, and built by clang 14 with warnings as errors. Installs what is
# missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-packages.sh compilers
scripts/build-and-test.sh sanitized
scripts/build-and-test.sh clang
# Where the kernel scatters mappings widely, programs of g++ 12's thread sanitizer do not start, unless it is told not to.
if setarch --addr-no-randomize true 2>/dev/null; then
  setarch --addr-no-randomize scripts/build-and-test.sh tsan
else
  scripts/build-and-test.sh tsan
fi
