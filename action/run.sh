#!/usr/bin/env bash
# One run of trueup for a job: its text to the log, its markdown to the job summary, drift and errors as annotations, its
# verdict to the outputs.
#
# In, from the environment: INPUT_COMMAND, INPUT_PATH, INPUT_ARGS, INPUT_LIVE, INPUT_FAIL_ON, UNTRUSTED (action.yml describes
# them), TRUEUP_BINARY, and the runner's RUNNER_TEMP, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY. Exit: as INPUT_FAIL_ON says.
set -euo pipefail

# What a job summary may hold; GitHub refuses more than 1 MiB.
summary_limit=1000000
outputs=${GITHUB_OUTPUT:-/dev/null}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}

# Ends the step before trueup has run: the error is in the log, on the summary page and in the outputs.
fail() {
  echo "::error title=trueup::$1"
  printf '## ❌ trueup did not run\n\n    %s\n' "$1" >>"$summary"
  { echo "drift=unknown" && echo "exit-code=2" && echo "report=" && echo "markdown="; } >>"$outputs"
  exit 2
}

fail_on=${INPUT_FAIL_ON:-drift}
case $fail_on in
  drift | error | never) ;;
  *) fail "fail-on is not one of drift, error, never" ;;
esac

command=${INPUT_COMMAND:-diff}
case $command in
  diff | reconcile) arguments=("$command") ;;
  # Nobody is there to answer the question.
  sync) arguments=(sync --yes) ;;
  *) fail "command is not one of diff, sync, reconcile, install" ;;
esac
if [ "${UNTRUSTED:-false}" = true ]; then
  [ "$command" = diff ] || fail "$command is refused for pull requests from forks"
  arguments+=(--untrusted)
fi

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
[ ${#paths[@]} -gt 0 ] || fail "path is empty; it names Application manifests, one per line"

read_lines "${INPUT_ARGS:-}"
if [ ${#lines[@]} -eq 1 ]; then
  IFS=$' \t' read -r -a lines <<<"${lines[0]}"
fi
arguments+=(${lines[@]+"${lines[@]}"})
if [ -n "${INPUT_LIVE:-}" ]; then
  arguments+=("--live=$INPUT_LIVE")
fi

reports=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/trueup-report.XXXXXX")
# A manifest may hold `::error::` or worse at the start of a line; until the token comes again the runner reads no commands.
token=trueup-$(basename "$reports")-$RANDOM$RANDOM$RANDOM
echo "::stop-commands::$token"
# Standard error goes to the log while the run lasts, and to a file for the case that there is no report.
{
  set +e
  "${TRUEUP_BINARY:-trueup}" "${arguments[@]}" -o text -o "markdown=$reports/summary.md" -o "json=$reports/report.json" \
    -o "github=$reports/annotations" -- "${paths[@]}" 2>&1 >&3 3>&- | tee "$reports/errors" >&2 3>&-
  code=${PIPESTATUS[0]}
  set -e
} 3>&1
echo "::$token::"

# Read from the report, not from the code: `--exit-zero` and `--diff-exit-code` may be among the arguments.
drift=unknown
report=
markdown=
if [ -s "$reports/report.json" ]; then
  report=$reports/report.json
  out_of_sync=$(sed -n 's/^ *"outOfSync": *\([0-9][0-9]*\),*$/\1/p' "$report" | head -n 1)
  case $code:$out_of_sync in
    2:* | *:) ;;
    *:0) drift=false ;;
    *) drift=true ;;
  esac
fi
[ ! -s "$reports/summary.md" ] || markdown=$reports/summary.md

{
  echo "drift=$drift"
  echo "exit-code=$code"
  echo "report=$report"
  echo "markdown=$markdown"
} >>"$outputs"

if [ -n "$markdown" ]; then
  size=$(wc -c <"$markdown")
  if [ "$size" -le $summary_limit ]; then
    cat "$markdown" >>"$summary"
  else
    echo "The report has $size bytes, more than a job summary holds; the step's log has all of it." >>"$summary"
  fi
  # Each line is one annotation, escaped by trueup.
  cat "$reports/annotations"
elif [ "$code" -ne 0 ]; then
  # The run failed before there was a report. Four spaces make any text harmless in markdown.
  { printf '## ❌ trueup failed with exit code %s\n\n' "$code" && sed 's/^/    /' "$reports/errors"; } >>"$summary"
  first=$(sed -n 's/^ *× *//p' "$reports/errors" | head -n 1)
  first=${first:-$(grep -v '^ *$' "$reports/errors" | head -n 1 || :)}
  first=${first//'%'/%25}
  echo "::error title=trueup::${first:-no report was written}"
fi

case $fail_on in
  never) exit 0 ;;
  error) [ "$drift" != true ] || exit 0 ;;
esac
exit "$code"
