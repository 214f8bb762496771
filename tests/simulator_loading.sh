#!/usr/bin/env bash
# simulator_loading.sh SPANKER TEST_SIMULATE BUILD FLOW_SIMULATOR: when the network simulator is loaded, and where it is
# found. FLOW_SIMULATOR is its place below BUILD and below an installation's prefix.
set -euo pipefail
spanker=$1 test_simulate=$2 build=$3 flow_simulator=$4

fail() {
  echo "simulator_loading.sh: $*" >&2
  exit 1
}

loaded=$(LD_DEBUG=files "$spanker" plan tinyllama-1.1b --cluster sails-rev-a 2>&1 >/dev/null) || fail "plan failed: $loaded"
[[ $loaded == *libc.so* ]] || fail "LD_DEBUG tells nothing"
[[ $loaded != *simgrid* && $loaded != *flow_simulator* ]] || fail "plan loads the simulator"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/bin" "$folder/$(dirname "$flow_simulator")"
cp "$test_simulate" "$folder/bin/program"
run=("$folder/bin/program" --gtest_filter=RingAllReduce.*)

output=$("${run[@]}" 2>&1) && fail "simulates without the simulator: $output"
[[ $output == *"flow_simulator.so: cannot load the simulator, got"* ]] || fail "does not tell what is missing: $output"

: >"$folder/$flow_simulator"
output=$("${run[@]}" 2>&1) && fail "simulates with an empty simulator: $output"
[[ $output == *"$folder/$flow_simulator: cannot load the simulator, got"* ]] || fail "does not tell what is wrong: $output"

cp "$build/$flow_simulator" "$folder/$flow_simulator"
output=$("${run[@]}" 2>&1) || fail "does not find the simulator of its installation: $output"
