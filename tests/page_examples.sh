#!/usr/bin/env bash
# page_examples.sh DIRECTORY_OF_SPANKER PAGE...
#
# Runs the examples of the pages. Every line "$ command" of a ```console block is run (one that ends in \ goes on in the
# next line), and the lines after it must be its whole output, word for word; a line "..." stands for any lines.
# All commands run in one temporary folder with `spanker` on the PATH, and the pages' folder data in it. A command that fails must print something.
set -euo pipefail

PATH="$(cd "$1" && pwd):$PATH"
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/here"
for page; do
  data=$(cd "$(dirname "$page")" && pwd)/data
  [[ ! -d $data ]] || ln -sfn "$data" "$work/here/data"
done
want=$work/want
got=$work/got
run=0
failed=0

# Whether the lines of file $2 are those of file $1, where "..." stands for any lines.
matches() {
  awk '
    FILENAME == ARGV[1] { want[++wanted] = $0; next }
    { got[++there] = $0 }
    END {
      i = j = 1
      while (j <= there) {
        if (i <= wanted && want[i] "" == "...") { dots = i++; mark = j }
        else if (i <= wanted && want[i] "" == got[j] "") { i++; j++ }
        else if (dots) { i = dots + 1; j = ++mark }
        else exit 1
      }
      while (i <= wanted && want[i] "" == "...") i++
      exit i <= wanted
    }' "$1" "$2"
}

# Runs $command of $page, line $at, and compares its output with $want. Nothing to do before the first command.
finish_example() {
  [[ -n $command ]] || return 0
  local status=0
  (cd "$work/here" && bash -c "$command") >"$got" 2>&1 </dev/null || status=$?
  run=$((run + 1))
  if ! matches "$want" "$got"; then
    printf '%s:%d: the output is not the one shown (- shown, + printed; exit code %d):\n$ %s\n' \
      "$page" "$at" "$status" "$command"
    diff -u "$want" "$got" | tail -n +3 || true
    failed=$((failed + 1))
  elif [[ $status -ne 0 && ! -s $got ]]; then
    printf '%s:%d: fails silently with exit code %d:\n$ %s\n' "$page" "$at" "$status" "$command"
    failed=$((failed + 1))
  fi
  command=""
}

for page in "$@"; do
  in_console=false
  continued=false
  command=""
  number=0
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    if [[ $line == '```'* ]]; then
      finish_example
      in_console=false
      [[ $line != '```console' ]] || in_console=true
      continued=false
    elif ! $in_console; then
      continue
    elif $continued || [[ $line == '$ '* ]]; then
      if $continued; then
        command+=$'\n'$line
      else
        finish_example
        command=${line#'$ '}
        at=$number
        : >"$want"
      fi
      continued=false
      [[ $line != *\\ ]] || continued=true
    elif [[ -n $command ]]; then
      printf '%s\n' "$line" >>"$want"
    else
      printf '%s:%d: a console block must start with a command: %s\n' "$page" "$number" "$line"
      failed=$((failed + 1))
    fi
  done <"$page"
  if [[ -n $command ]]; then
    printf '%s:%d: the console block is not closed\n' "$page" "$at"
    failed=$((failed + 1))
  fi
done

printf '%d examples run, %d faults\n' "$run" "$failed"
[[ $run -gt 0 && $failed -eq 0 ]]
