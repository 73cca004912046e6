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
  trap 'tools/dev down >/dev/null 2>&1 || :; keep_reports; tools/dev down --purge >/dev/null 2>&1 || :; rm -rf "$scratch"' EXIT
  tools/dev down --purge >/dev/null 2>&1 || :
}

# What UBSan said in a service, kept where the tally of tools/dev test looks for it.
keep_reports() {
  local said
  said=$(grep -hE -A20 '^[^ {]+:[0-9]+:[0-9]+: runtime error: ' "$(state)"/log/*.log* 2>/dev/null) || return 0
  [ -n "${POTOK_TEST_RESULTS:-}" ] || { printf '%s\n' "$said" >&2; return 0; }
  mkdir -p "$POTOK_TEST_RESULTS/reports"
  printf '%s\n' "$said" >"$POTOK_TEST_RESULTS/reports/ubsan.$POTOK_STACK"
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
