#!/usr/bin/env bash
# mpi_loading.sh SPANKER MPI_RANKS: MPI is loaded by ranks alone. MPI_RANKS is the library's place below the build and
# below an installation's prefix.
set -euo pipefail
spanker=$1 mpi_ranks=$2

fail() {
  echo "mpi_loading.sh: $*" >&2
  exit 1
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
model=$folder/model.gguf
"$spanker" synth qwen2.5-0.5b "$model" >/dev/null
run=(run "$model" --tokens 1,2 --generate 1 --context 16 --ignore-eos)

for arguments in "plan tinyllama-1.1b" "${run[*]} --cards 2"; do
  # shellcheck disable=SC2086
  loaded=$(LD_DEBUG=files "$spanker" $arguments 2>&1 >/dev/null) || fail "$arguments failed: $loaded"
  [[ $loaded == *libc.so* ]] || fail "LD_DEBUG tells nothing"
  [[ $loaded != *libmpi* && $loaded != *libpmix* && $loaded != *mpi_ranks* ]] || fail "$arguments loads MPI"
done

mkdir -p "$folder/bin" "$folder/$(dirname "$mpi_ranks")"
cp "$spanker" "$folder/bin/spanker"
: >"$folder/$mpi_ranks"
error=$("$folder/bin/spanker" "${run[@]}" --ranks 2 2>&1 >/dev/null) && fail "runs with an empty library"
[[ $error == "spanker: error: $folder/$mpi_ranks: cannot load MPI, got "* && $error != *$'\n'* ]] ||
  fail "does not tell what is wrong: $error"
