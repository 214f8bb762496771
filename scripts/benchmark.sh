#!/usr/bin/env bash
# Builds the optimised program with its benchmarks and prints the tables of BENCHMARKS.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-packages.sh build >&2
cmake --preset bench >&2
cmake --build --preset bench --parallel "$(nproc)" --target planner_benchmark >&2
build/bench/benchmarks/planner_benchmark
