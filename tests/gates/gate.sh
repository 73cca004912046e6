# shellcheck shell=bash
# Sourced by every gate. A gate exits 0 (holds), 1 (broken) or 77 (its tool is not here: skipped, and said aloud).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cache=$root/.cache
cd "$root"

skip() { echo "SKIPPED: $*"; exit 77; }
broken() { echo "BROKEN: $*" >&2; exit 1; }

# need NAME PATH...: the first PATH that can be run becomes ${tool[NAME]}.
declare -A tool
need() {
  local name=$1 path
  shift
  for path in "$@"; do
    if [ -x "$path" ]; then tool[$name]=$path; return 0; fi
  done
  skip "$name is not here; tools/dev test fetches it"
}
need_buf() { need buf "$cache"/npm/node_modules/@bufbuild/buf-linux-*/bin/buf; }

# Committed and new files whose name ends in one of the given endings.
files_ending() {
  local -a patterns=()
  local ending
  for ending in "$@"; do patterns+=("*$ending"); done
  git ls-files -co --exclude-standard -- "${patterns[@]}" | while read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
}
