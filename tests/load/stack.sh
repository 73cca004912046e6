#!/usr/bin/env bash
# The private Potok of tests/load/bench: the stack `bench` (or $POTOK_STACK), started and ended by the functions of tools/dev, so that it is
# the same Postgres, Redis and services with the same settings but for what a measurement needs.
#
#   tests/load/stack.sh prepare                   install what is missing, build what is measured
#   tests/load/stack.sh storage                   Postgres (fsync on, statements and commits counted) and Redis
#   tests/load/stack.sh migrate DATABASE
#   tests/load/stack.sh start DATABASE NAME...    services; intake, router, sla-timer, notifier, analytics, allinone; intake@2: its second
#                                                 replica
#   tests/load/stack.sh stop NAME...              the same, or redis
#   tests/load/stack.sh fast-sink                 instead of the mail sink, one that only counts; before the notifier starts
#   tests/load/stack.sh down [--purge]            everything that runs here; --purge: and its data
#   tests/load/stack.sh value KEY                 run, dsn, pid:NAME, metrics:NAME
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# What the functions of tools/dev read; exported, since nothing here does.
export CACHE=$ROOT/.cache
export PYTHON=/usr/bin/python3
BIN=${POTOK_BIN:-$ROOT/build/dev/bin}
for part in say lock deps fetch build process storage services stack; do
  # shellcheck disable=SC1090 # each of them is checked by itself
  . "$ROOT/tools/dev.d/$part.sh"
done
export TIME_SCALE=1 TIME_ORIGIN=''
open_stack "${POTOK_STACK:-bench}"

# Counters of statements, and the instant of each commit: create -> assigned is measured between commits.
counted_postgres() {
  start_storage
  if [ "$(run_psql postgres -Atc 'SHOW track_commit_timestamp')" = on ]; then return 0; fi
  run_psql postgres -q -c "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'" \
    -c 'ALTER SYSTEM SET track_commit_timestamp = on' -c 'ALTER SYSTEM SET track_io_timing = on'
  end_process postgres INT 60
  start_postgres
}

start_these() {
  local name
  MAIL=$STATE/mail/$DATABASE
  mkdir -p "$MAIL"
  start_redis
  start_sink
  for name in "$@"; do if ! running "$name"; then start_service "$name"; fi; done
  for name in "$@"; do wait_service "$name"; done
  SERVICES=()
  for name in intake router sla-timer notifier analytics; do
    if running "$name"; then SERVICES+=("$name"); fi
  done
  write_addresses
}

# The sink of tools/dev keeps each mail and takes a thousand a second: what the notifier can send is shown by Postfix's test server, which
# drops them. Unpacked, not installed: nobody wants a mail server of a bench.
start_fast_sink() {
  local folder=$CACHE/bench/postfix address user=()
  if [ ! -x "$folder/usr/sbin/smtp-sink" ]; then
    mkdir -p "$folder"
    (cd "$folder" && apt-get -qq download postfix && dpkg -x postfix_*.deb .) || die "smtp-sink of the package postfix cannot be had"
  fi
  address=127.0.0.1:$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  if [ "$(id -u)" = 0 ]; then user=(-u nobody); fi
  end_process sink TERM 10
  spawn sink env LD_LIBRARY_PATH="$folder/usr/lib/postfix" "$folder/usr/sbin/smtp-sink" "${user[@]}" "$address" 1000
  wait_for sink 10 bash -c "exec 3<>/dev/tcp/${address/://}" 2>/dev/null
  printf '%s\n' "$address" >"$STATE/address/sink"
}

command=${1:-}
[ $# = 0 ] || shift
case $command in
  prepare)
    take_lock "$STACK"
    ensure_packages build run load
    ensure_npm
    build_tree dev potokctl potok-echo potok-migrate potok-allinone potok-intake potok-router potok-sla-timer potok-notifier \
      potok-analytics desk_calendar_bench routing_bench
    ;;
  storage) counted_postgres ;;
  migrate) "$BIN/potok-migrate" --dsn "$(pg_dsn postgres "$1")" ;;
  start)
    DATABASE=$1
    shift
    start_these "$@"
    ;;
  fast-sink) start_fast_sink ;;
  stop)
    for name in "$@"; do ask_to_end "$name" TERM; done
    for name in "$@"; do await_end "$name" 60; done
    ;;
  down)
    stop_stack
    if [ "${1:-}" = --purge ]; then purge_stack; fi
    ;;
  value)
    case $1 in
      run) printf '%s\n' "$RUN" ;;
      dsn) pg_dsn postgres postgres ;;
      state) printf '%s\n' "$STATE" ;;
      pid:*) pid_of "${1#pid:}" ;;
      metrics:*) metrics_address "${1#metrics:}" ;;
      address:*) service_address "${1#address:}" ;;
      *) die "there is no value $1" ;;
    esac
    ;;
  *) die "stack.sh does not know '$command'" ;;
esac
