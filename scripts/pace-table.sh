#!/usr/bin/env bash
# pace-table.sh [MODEL.gguf]: runs plans of TinyLlama on ranks that are paced as sails of revision A, and prints the tables
# of docs/pacing.md: predicted against measured. Wants the program of the release build (./demo.sh makes it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
spanker=build/release/spanker/cli/spanker
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
model=${1:-$folder/tinyllama.gguf}
[[ -e $model ]] || "$spanker" synth tinyllama-1.1b "$model" >/dev/null 2>&1

"$spanker" profile show sails-rev-a --toml >"$folder/sails.toml"
# So little memory that each of four cards holds a quarter of the layers.
sed 's/"4 GiB"/"200 MB"/' "$folder/sails.toml" >"$folder/small.toml"
{
  cat "$folder/sails.toml"
  printf '\n[[link_override]]\nfrom = 0\nto = 1\nbandwidth = "250 MB/s"\n'
} >"$folder/half.toml"

# run CLUSTER CARDS STRATEGY: what `spanker run --json` says.
run() {
  "$spanker" run "$model" --cluster "$1" --ranks "$2" --strategy "$3" --pace --tokens 1,15043,29892 --generate 33 \
    --context 36 --ignore-eos --json 2>/dev/null
}

# number KEY: the first one of that name at the report's top, or in `predicted`.
number() { sed -n "s/^  \"$1\": \([0-9.e+-]*\),\{0,1\}\$/\1/p" | head -n 1; }
predicted() { sed -n '/"predicted": {/,/}/s/.*"tokens_per_second": \([0-9.e+-]*\).*/\1/p' | head -n 1; }

row() {
  local name=$1 rates=() out
  shift
  for _ in 1 2 3; do
    out=$(run "$@")
    rates+=("$(number tokens_per_second <<<"$out")")
  done
  printf '%s\n' "${rates[@]}" | sort -g | sed -n 2p |
    awk -v name="$name" -v p="$(predicted <<<"$out")" -v late="$(number lateness_seconds <<<"$out")" \
      '{printf "| %s | %.3f | %.3f | %+.2f %% | %.1f ms |\n", name, p, $1, 100 * ($1 / p - 1), 1000 * late}'
}

echo "| plan | predicted tokens/s | measured | off by | lateness |"
echo "|---|---|---|---|---|"
row "one card" "$folder/sails.toml" 1 single
row "tensor parallel, 2 cards" "$folder/sails.toml" 2 tensor
row "tensor parallel, 4 cards" "$folder/sails.toml" 4 tensor
row "pipeline, 2 cards" "$folder/sails.toml" 2 pipeline
row "pipeline, 4 cards of 200 MB" "$folder/small.toml" 4 pipeline
row "tensor parallel, 4 cards, link 0->1 at half its rate" "$folder/half.toml" 4 tensor

# kinds CLUSTER: name, measured seconds.
kinds() {
  run "$1" 4 tensor | sed -n 's/.*"kind": "\([a-z_]*\)".*/\1/p;s/.*"measured_seconds": \([0-9.e+-]*\).*/\1/p;s/.*"predicted_seconds": \([0-9.e+-]*\).*/\1/p' |
    paste - - -
}
echo
echo "| step, a token | predicted | measured | with link 0->1 at half its rate, predicted | measured |"
echo "|---|---|---|---|---|"
paste <(kinds "$folder/sails.toml") <(kinds "$folder/half.toml") |
  awk '$3 > 0 {printf "| %s | %.3f ms | %.3f ms | %.3f ms | %.3f ms |\n", $1, 1000 * $3, 1000 * $2, 1000 * $6, 1000 * $5}'
