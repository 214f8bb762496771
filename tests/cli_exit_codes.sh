#!/usr/bin/env bash
# What only the process can show: exit codes, and which stream says what.
# usage: cli_exit_codes.sh SPANKER
set -u
spanker=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
faults=0

fault() {
  echo "FAULT: $*"
  faults=$((faults + 1))
}

# expect CODE ARGUMENT...: that exit code; an error is nothing on stdout and one "spanker: error: " line first on stderr,
# and a good end is something on stdout and nothing on stderr.
expect() {
  local wanted=$1
  shift
  "$spanker" "$@" >"$work/out" 2>"$work/err" </dev/null
  local code=$?
  [ "$code" -eq "$wanted" ] || fault "spanker $*: exit code $code, wanted $wanted"
  local errors
  errors=$(grep -c '^spanker: error: ' "$work/err")
  if [ "$wanted" -eq 0 ]; then
    [ -s "$work/out" ] || fault "spanker $*: said nothing"
    [ ! -s "$work/err" ] || fault "spanker $*: said on stderr: $(cat "$work/err")"
  else
    [ ! -s "$work/out" ] || fault "spanker $*: an error, and yet on stdout: $(head -1 "$work/out")"
    [ "$errors" -eq 1 ] || fault "spanker $*: $errors error lines"
    head -1 "$work/err" | grep -q '^spanker: error: ' || fault "spanker $*: the error does not come first"
    ! tail -n +2 "$work/err" | grep -vq '^spanker: warning: ' || fault "spanker $*: more on stderr than warnings"
  fi
}

expect 0 --help
expect 0 --version
expect 0 plan tinyllama-1.1b
expect 0 plan tinyllama-1.1b --json
expect 0 tile --m 1 --n 5632 --k 2048 --bytes-per-element 2 --sails 4
expect 0 profile list
expect 0 inspect tinyllama-1.1b --json
expect 0 synth qwen2.5-0.5b "$work/synth.gguf"
expect 0 plan "$work/synth.gguf"
expect 0 plan tinyllama-1.1b --out "$work/plan.json"
expect 0 plan "$work/plan.json"
expect 0 plan "$work/plan.json" --json
expect 1 plan llama-2-7b --cards 1
expect 2
expect 2 bogus
expect 2 plan tinyllama-1.1b --bogus
expect 2 plan no-such-model
expect 2 plan tinyllama-1.1b --cards 0
printf 'GGUF' >"$work/short.gguf"
expect 2 plan "$work/short.gguf"
expect 2 plan "$work/plan.json" --cards 4
printf '{"schema": "spanker.plan_file/1"' >"$work/short.json"
expect 2 plan "$work/short.json"
expect 2 synth "$work/synth.gguf" "$work/again.gguf"
expect 2 synth qwen2.5-0.5b "$work/again.gguf" --quant q4_k
expect 2 synth qwen2.5-0.5b "$work/again.gguf" --seed -1
expect 3 synth qwen2.5-0.5b "$work/missing/again.gguf"
expect 3 synth qwen2.5-0.5b "$work"
expect 3 synth qwen2.5-0.5b /dev/full
expect 3 plan tinyllama-1.1b --out "$work/missing/plan.json"
expect 3 plan tinyllama-1.1b --out /dev/full
expect 3 plan "$work/missing.gguf"
expect 3 plan "$work/"
expect 3 plan tinyllama-1.1b --cluster "$work/missing.toml"

# With --json an answer of "no" is one object on stdout beside the line on stderr.
"$spanker" plan llama-2-7b --cards 1 --json >"$work/out" 2>"$work/err"
[ $? -eq 1 ] || fault "an infeasible plan as JSON: wrong exit code"
grep -q '"feasible": false' "$work/out" || fault "an infeasible plan as JSON: no object on stdout"
[ "$(grep -c '^spanker: error: ' "$work/err")" -eq 1 ] || fault "an infeasible plan as JSON: not one error line"

# Output that cannot be written is a failure, whatever the command.
if [ -w /dev/full ]; then
  for arguments in "plan tinyllama-1.1b" "plan tinyllama-1.1b --json" "profile list" "--help"; do
    # shellcheck disable=SC2086
    "$spanker" $arguments >/dev/full 2>"$work/err"
    code=$?
    [ "$code" -eq 3 ] || fault "spanker $arguments > /dev/full: exit code $code, wanted 3"
    [ "$(wc -l <"$work/err")" -eq 1 ] || fault "spanker $arguments > /dev/full: not one line on stderr"
  done
fi

# A file that finds no room is a failure that leaves nothing: by the user's own limit, and on a disk that is too small.
(
  faults=0
  ulimit -f 1000
  expect 3 synth qwen2.5-0.5b "$work/again.gguf"
  exit "$faults"
)
faults=$((faults + $?))
disk=$work/disk
mkdir "$disk"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=10m tmpfs "$disk" 2>/dev/null; then
  expect 3 synth qwen2.5-0.5b "$disk/again.gguf"
  grep -q 'No space left on device' "$work/err" || fault "a full disk: $(cat "$work/err")"
  [ -z "$(ls -A "$disk")" ] || fault "a full disk: left behind $(ls -A "$disk")"
  umount "$disk"
else
  echo "skipped: a full disk needs root, to mount a small one"
fi
[ -z "$(ls -A "$work" | grep again)" ] || fault "spanker synth left behind $(ls -A "$work" | grep again)"

# A program that is told to end while it writes removes what it has written.
"$spanker" synth qwen2.5-0.5b "$work/ended.gguf" --quant f16 >"$work/out" 2>"$work/err" </dev/null &
writer=$!
for _ in $(seq 500); do
  [ -n "$(find "$work" -name 'ended.gguf.*')" ] && break
  sleep 0.01
done
kill -TERM "$writer"
wait "$writer"
code=$?
[ "$code" -eq 3 ] || fault "SIGTERM while writing: exit code $code, wanted 3"
grep -q 'interrupted' "$work/err" || fault "SIGTERM while writing: $(cat "$work/err")"
[ -z "$(find "$work" -name 'ended.gguf*')" ] || fault "SIGTERM while writing: something is left behind"

# No colour where stdout is not a terminal.
! "$spanker" plan tinyllama-1.1b | grep -q $'\x1b' || fault "colour in a pipe"

echo "$faults faults"
[ "$faults" -eq 0 ]
