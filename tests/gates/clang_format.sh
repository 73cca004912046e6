#!/usr/bin/env bash
# C++ is formatted by .clang-format with the pinned version (tools/dev fmt does it).
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
need clang-format "$cache/venv-checks/bin/clang-format"
found=$(files_ending .cc .h | xargs -r -n 40 "${tool[clang-format]}" --dry-run --style=file 2>&1 |
  sed -nE 's/^([^ :]+):[0-9]+:[0-9]+: .*clang-format-violations.*/\1/p' | sort | uniq -c)
if [ -n "$found" ]; then broken "places to format in each file (tools/dev fmt does it):
$found"; fi
