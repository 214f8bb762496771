#!/usr/bin/env bash
# fuzz.sh [SECONDS]: builds the fuzz targets and runs each for so long (60 by default), starting from what it found before
# (build/fuzz/corpus). Stops with a non-zero exit code at the first input that breaks one, which is left in build/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}

scripts/install-packages.sh compilers
cmake --preset fuzz
cmake --build --preset fuzz --parallel "$(nproc)"

for fuzzer in build/fuzz/fuzzers/*; do
  name=$(basename "$fuzzer")
  echo "== $name"
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  # A profile's fuzzer starts from the profiles there are.
  [[ $name != profile_fuzz ]] || cp spanker/cluster/profiles/*.toml "$corpus"
  "$fuzzer" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix=build/fuzz/ "$corpus"
done
