#!/usr/bin/env bash
# Builds the trueup of this revision for the action.
#
#   install.sh key      prints `key=HASH` of all that decides the binary, for the runner's cache
#   install.sh FOLDER   puts it at FOLDER/bin/trueup, unless it is there, and the folder on the PATH of later steps
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$1" = key ]; then
  # Sorted, for folders list their files in any order.
  hash=$(find Cargo.toml Cargo.lock tools.txt src -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | git hash-object --stdin)
  echo "key=$hash"
elif [ ! -x "$1/bin/trueup" ]; then
  command -v cargo >/dev/null || {
    message="trueup is built from source, and this runner has no cargo; install Rust first"
    echo "::error title=trueup::$message"
    printf '## ❌ trueup could not be installed\n\n    %s\n' "$message" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
    exit 2
  }
  cargo install --locked --path . --root "$1"
fi
[ "$1" = key ] || echo "$1/bin" >>"${GITHUB_PATH:-/dev/null}"
