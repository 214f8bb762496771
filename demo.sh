#!/usr/bin/env bash
# Installs what is missing, builds the optimised program and prints its plan of TinyLlama-1.1B over four rev-A sails.
# The plan alone goes to stdout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install-packages.sh build >&2
cmake --preset release >&2
cmake --build --preset release --parallel "$(nproc)" >&2

program=$PWD/build/release/spanker/cli/spanker
"$program" plan tinyllama-1.1b --cluster sails-rev-a --cards 4
echo
echo "program: $program"
