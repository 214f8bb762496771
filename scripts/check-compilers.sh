#!/usr/bin/env bash
# The builds that test.sh leaves out, for before a release and after work on threads: clang 14 with warnings as errors,
# and the thread sanitizer. Installs what is missing, builds both and runs their tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-packages.sh compilers
scripts/build-and-test.sh clang
# Where the kernel scatters mappings widely, programs of g++ 12's thread sanitizer do not start, unless it is told not to.
if setarch --addr-no-randomize true 2>/dev/null; then
  setarch --addr-no-randomize scripts/build-and-test.sh tsan
else
  scripts/build-and-test.sh tsan
fi
