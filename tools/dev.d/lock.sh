# shellcheck shell=bash
# One command at a time builds or runs a stack in one working copy. The lock is a file description, so it is free
# again however the holder ended. Whatever must outlive the command is started with `9>&-` so as not to keep it.

take_lock() {
  mkdir -p "$CACHE"
  # A test that drives a stack runs under the lock of the `tools/dev test` that started it.
  [ -z "${POTOK_LOCK_HELD:-}" ] || return 0
  exec 9>>"$CACHE/lock"
  if ! flock -n 9; then
    die "another tools/dev works in this directory ($(cat "$CACHE/lock.holder" 2>/dev/null || echo unknown)); wait for it, or stop it first"
  fi
  printf 'pid %s: tools/dev %s\n' "$$" "$1" >"$CACHE/lock.holder"
  export POTOK_LOCK_HELD=$$
}
