#!/usr/bin/env bash
# fuzz.sh [SECONDS]: builds the fuzz targets and runs each for so long (60 by default), starting from inputs that are as
# they should be and from what it found before (build/fuzz/corpus). Stops with a non-zero exit code at the first input that
# breaks one, which is left in build/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}

scripts/install-packages.sh compilers
cmake --preset sanitized
cmake --build --preset sanitized --target fuzzers --parallel "$(nproc)"

for fuzzer in build/sanitized/fuzzers/*; do
  name=$(basename "$fuzzer")
  echo "== $name"
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  [[ ! -d tests/fuzz_seeds/$name ]] || cp tests/fuzz_seeds/"$name"/* "$corpus"
  [[ ! -x build/sanitized/fuzz_seeds/${name}_seeds ]] || build/sanitized/fuzz_seeds/"${name}_seeds" "$corpus"
  [[ $name != profile_fuzz ]] || cp spanker/cluster/profiles/*.toml "$corpus"
  log=build/fuzz/$name.log
  # An input that takes longer than 20 seconds is one that breaks it.
  if ! "$fuzzer" -max_total_time="$seconds" -timeout=20 -print_final_stats=1 -artifact_prefix=build/fuzz/ "$corpus" >"$log" 2>&1; then
    tail -n 100 "$log"
    exit 1
  fi
  echo "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds seconds"
done
