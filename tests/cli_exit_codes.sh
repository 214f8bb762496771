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
expect 1 plan llama-2-7b --cards 1
expect 2
expect 2 bogus
expect 2 plan tinyllama-1.1b --bogus
expect 2 plan no-such-model
expect 2 plan tinyllama-1.1b --cards 0
printf 'GGUF' >"$work/short.gguf"
expect 2 plan "$work/short.gguf"
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

# No colour where stdout is not a terminal.
! "$spanker" plan tinyllama-1.1b | grep -q $'\x1b' || fault "colour in a pipe"

echo "$faults faults"
[ "$faults" -eq 0 ]
