# shellcheck shell=bash
# Sourced by every end-to-end test: a stack of its own, removed with its data at the end whatever happens.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$root"
scratch=$(mktemp -d)

broken() { echo "BROKEN: $*" >&2; exit 1; }

# own_stack NAME: every tools/dev call of this test means the stack NAME.
own_stack() {
  export POTOK_STACK=$1
  trap 'tools/dev down --purge >/dev/null 2>&1 || :; rm -rf "$scratch"' EXIT
  tools/dev down --purge >/dev/null 2>&1 || :
}

state() { printf '%s/.cache/stack/%s' "$root" "$POTOK_STACK"; }

# wait_for SECONDS COMMAND...: until the command succeeds; its failures in between are expected. A slow build has longer.
wait_for() {
  local until=$((SECONDS + $1 * ${POTOK_TEST_PATIENCE:-1}))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$until" ] || return 1
    read -r -t 0.1 <> <(:) || :
  done
}
