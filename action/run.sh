#!/usr/bin/env bash
# One `trueup diff` for a job: its text to the log, its markdown to the job summary, its verdict to the outputs.
#
# In, from the environment: INPUT_PATH, INPUT_ARGS, INPUT_LIVE, INPUT_FAIL_ON, UNTRUSTED (action.yml says what they are),
# TRUEUP_BINARY, and the runner's RUNNER_TEMP, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY. Exit: as INPUT_FAIL_ON says.
set -euo pipefail

# What a job summary may hold; GitHub refuses more than 1 MiB.
summary_limit=1000000

fail_on=${INPUT_FAIL_ON:-drift}
case $fail_on in
  drift | error | never) ;;
  *) echo "::error::fail-on is not one of drift, error, never" && exit 2 ;;
esac

# Fills the array `lines` with the lines of a text that are not empty. Words are never expanded: no globs, no commands.
lines=()
read_lines() {
  local line
  lines=()
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    [ -z "$line" ] || lines+=("$line")
  done <<<"$1"
}

read_lines "${INPUT_PATH:-}"
paths=(${lines[@]+"${lines[@]}"})
if [ ${#paths[@]} -eq 0 ]; then
  echo "::error::path is empty; it names Application manifests, one a line"
  exit 2
fi

read_lines "${INPUT_ARGS:-}"
arguments=(${lines[@]+"${lines[@]}"})
if [ ${#arguments[@]} -eq 1 ]; then
  IFS=$' \t' read -r -a arguments <<<"${arguments[0]}"
fi
if [ "${UNTRUSTED:-false}" = true ]; then
  arguments+=(--untrusted)
fi
if [ -n "${INPUT_LIVE:-}" ]; then
  arguments+=("--live=$INPUT_LIVE")
fi

reports=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/trueup-report.XXXXXX")
# A manifest may hold `::error::` or worse at the start of a line; until the token comes again the runner reads no commands.
token=trueup-$(basename "$reports")-$RANDOM$RANDOM$RANDOM
code=0
echo "::stop-commands::$token"
"${TRUEUP_BINARY:-trueup}" diff -o text -o "markdown=$reports/summary.md" -o "json=$reports/report.json" \
  ${arguments[@]+"${arguments[@]}"} -- "${paths[@]}" || code=$?
echo "::$token::"

# Read from the report, not from the code: `--exit-zero` and `--diff-exit-code` may be among the arguments.
drift=unknown
report=
if [ -s "$reports/report.json" ]; then
  report=$reports/report.json
  out_of_sync=$(sed -n 's/^ *"outOfSync": *\([0-9][0-9]*\),*$/\1/p' "$report" | head -n 1)
  case $code:$out_of_sync in
    2:* | *:) ;;
    *:0) drift=false ;;
    *) drift=true ;;
  esac
fi

{
  echo "drift=$drift"
  echo "exit-code=$code"
  echo "report=$report"
} >>"${GITHUB_OUTPUT:-/dev/null}"

if [ -s "$reports/summary.md" ]; then
  size=$(wc -c <"$reports/summary.md")
  if [ "$size" -le $summary_limit ]; then
    cat "$reports/summary.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
  else
    echo "The drift report has $size bytes, more than a job summary holds; the step's log has it whole." \
      >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
  fi
fi

case $fail_on in
  never) exit 0 ;;
  error) [ "$drift" != true ] || exit 0 ;;
esac
exit "$code"
