#!/usr/bin/env bash
# Builds the optimised program with its benchmarks and prints the tables of BENCHMARKS.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-packages.sh build >&2
cmake --preset bench >&2
cmake --build --preset bench --parallel "$(nproc)" >&2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

build/bench/benchmarks/planner_benchmark
for benchmark in simulate kernels communicator tile_rule; do
  echo
  "build/bench/benchmarks/${benchmark}_benchmark"
done
echo
build/bench/spanker/cli/spanker synth tinyllama-1.1b "$folder/tinyllama.gguf" >&2
build/bench/benchmarks/run_benchmark "$folder/tinyllama.gguf"
