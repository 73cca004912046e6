# shellcheck shell=bash
# up, down, status, logs, psql, redis-cli, restart: one stack and the ways to look into it.

ALL_PROCESSES=(postgres redis sink intake router sla-timer notifier analytics allinone)

# start_stack DATABASE fresh|keep TIME_SCALE TIME_ORIGIN. At a failure the caller stops what came up.
start_stack() {
  DATABASE=$1 TIME_SCALE=$3 TIME_ORIGIN=$4
  local from=$EPOCHREALTIME fresh=$2
  MAIL=$STATE/mail/$DATABASE
  start_storage || return 1
  ensure_database "$DATABASE" "$fresh" || return 1
  if [ "$fresh" = fresh ]; then rm -rf -- "$MAIL"; fi
  if ! "$BIN/potok-migrate" --dsn "$(pg_dsn postgres "$DATABASE")" >"$STATE/log/migrate.log" 2>&1 </dev/null; then
    warn "  the migrations failed:"
    tail -n 20 "$STATE/log/migrate.log" >&2
    return 1
  fi
  if [ "$fresh" = keep ] && [ "$TIME_SCALE" != 1 ]; then resume_clock || return 1; fi
  start_sink && start_services || return 1
  write_addresses
  say "  Postgres, ${POTOK_NO_REDIS:+no }Redis, mail sink and ${#SERVICES[@]} services are up  ${dim}$(seconds_since "$from") s${plain}"
}

# A scaled clock stands still while its stack is down: otherwise a replay that was interrupted for a minute would be resumed
# days later in its own time. It goes on at the last thing that happened. On a new database there is no row to move.
resume_clock() {
  run_psql "$DATABASE" -q -v ON_ERROR_STOP=1 >/dev/null <<'END'
UPDATE ledger.clock_origin
SET business_origin = greatest(business_origin, (SELECT max(at) FROM ledger.ticket_event)), real_origin = clock_timestamp();
END
}

stop_stack() {
  stop_services
  stop_storage
  rm -f "$STATE/addresses" "$STATE"/address/*
}

any_running() {
  local name
  for name in "${ALL_PROCESSES[@]}"; do if running "$name"; then return 0; fi; done
  return 1
}

refuse_if_running() {
  if any_running; then die "a stack already runs in this directory (tools/dev status); end it with: tools/dev down"; fi
}

print_addresses() {
  local name
  for name in "${SERVICES[@]}"; do printf '  %-10s %-22s %6s MiB\n' "$name" "$(service_address "$name")" "$(rss_mib "$name")"; done
  printf '  %-10s %-22s %6s MiB\n' sink "$(stack_value sink)" "$(rss_mib sink)"
  printf '  %-10s %s\n' mail "${MAIL:-$(stack_value sink_dir)}"
}

help_up() {
  cat <<'END'
tools/dev up [--time-scale N] [--no-build] [--no-install]

Builds what changed, starts a private Postgres 15 (fsync on) and Redis 7 on unix sockets, the five services on ports the
kernel picks, and a mail sink; leaves them running and prints their addresses. The data stays from one `up` to the next.
  --time-scale N   let business time run N times as fast (only for a new database: the first start fixes the clock)
  --no-build       start the programs that are there
A clock that runs faster stands still while the stack is down. POTOK_LOG_LEVEL=debug makes the services tell more.
POTOK_NO_REDIS=1 starts no Redis: everything works, a little slower.
END
}

cmd_up() {
  local scale=1 build=1
  while [ $# -gt 0 ]; do
    case $1 in
      --time-scale) scale=${2:?--time-scale needs a number}; shift ;;
      --no-build) build='' ;;
      --no-install) NO_INSTALL=1 ;;
      *) die "up does not know $1 (tools/dev up --help)" ;;
    esac
    shift
  done
  take_lock up
  open_stack "${POTOK_STACK:-dev}"
  if [ -n "$build" ]; then
    prepare_build run
    build_tree dev || die "the build failed"
  fi
  refuse_if_running
  at_end+=(stop_stack)
  start_stack potok keep "$scale" '' || die "the stack did not start"
  at_end=()
  print_addresses
  say
  say "  tools/dev grpcurl list      tools/dev status      tools/dev logs intake      tools/dev down"
}

help_down() {
  cat <<'END'
tools/dev down [--purge]

Ends the services, the sink, Redis and Postgres that `up` started, and nothing else: each process is known by its number and
its start time. The data stays for the next `up`; --purge removes it and all logs.
END
}

cmd_down() {
  local purge=''
  case ${1:-} in '') ;; --purge) purge=1 ;; *) die "down does not know $1 (tools/dev down --help)" ;; esac
  take_lock down
  open_stack "${POTOK_STACK:-dev}"
  if any_running; then
    stop_stack
    say "the stack is down"
  else
    say "no stack runs in this directory"
  fi
  if [ -n "$purge" ]; then
    stop_storage # nothing runs; this takes away what a crash left
    purge_stack
    say "its data and logs are gone"
  fi
}

help_restart() {
  cat <<'END'
tools/dev restart SERVICE

Stops one service of the running stack if it runs, and starts it on the port it had before, so that its callers find it again.
To see that a crash loses nothing: kill -9 it (tools/dev status shows its number), then restart it.
END
}

cmd_restart() {
  local name=${1:-} port
  open_stack "${POTOK_STACK:-dev}"
  [[ " ${SERVICES[*]} " == *" $name "* ]] || die "restart needs one of: ${SERVICES[*]}"
  running postgres || die "no stack runs in this directory; tools/dev up starts one"
  DATABASE=$(stack_value database) TIME_SCALE=$(stack_value time_scale) TIME_ORIGIN=$(stack_value time_origin)
  port=$(stack_value "$name")
  end_process "$name" TERM 20
  start_service "$name" "${port##*:}"
  wait_service "$name" || exit 1
  say "$name is back on $(service_address "$name")"
}

help_status() { say "tools/dev status: what runs here, since when, where, with how much memory. Exit status 3 when nothing runs."; }

cmd_status() {
  local name pid address up now start hertz
  open_stack "${POTOK_STACK:-dev}"
  any_running || { say "no stack runs in this directory"; exit 3; }
  hertz=$(getconf CLK_TCK)
  read -r now _ </proc/uptime
  printf '%s%-10s %8s %9s %9s  %s%s\n' "$bold" process pid 'up (s)' MiB address "$plain"
  for name in "${ALL_PROCESSES[@]}"; do
    if ! pid=$(pid_of "$name"); then
      if [ -e "$STATE/pids/$name" ]; then printf '%-10s %8s  ended; tools/dev logs %s\n' "$name" - "$name"; fi
      continue
    fi
    start=$(start_time_of "$pid")
    up=$(awk -v n="$now" -v s="$start" -v h="$hertz" 'BEGIN { printf "%.0f", n - s / h }')
    case $name in
      postgres) address=$RUN/pg ;;
      redis) address=$RUN/redis/redis.sock ;;
      sink) address=$(cat "$STATE/address/sink") ;;
      *) address="$(service_address "$name")  metrics $(metrics_address "$name")" ;;
    esac
    printf '%-10s %8s %9s %9s  %s\n' "$name" "$pid" "$up" "$(rss_mib "$name")" "$address"
  done
}

help_logs() { say "tools/dev logs SERVICE [TAIL OPTIONS]: follows a log of the stack (Ctrl-C ends it): ${ALL_PROCESSES[*]}, migrate"; }

cmd_logs() {
  local name=${1:-}
  [ -n "$name" ] || die "logs needs one of: ${ALL_PROCESSES[*]}"
  shift
  open_stack "${POTOK_STACK:-dev}"
  [ -f "$(log_of "$name")" ] || die "$name has no log here"
  if [ $# = 0 ]; then set -- -n 40 -F; fi
  exec tail "$@" "$(log_of "$name")"
}

help_psql() { say "tools/dev psql [PSQL OPTIONS]: a session on the running stack's database, as its administrator."; }

cmd_psql() {
  open_stack "${POTOK_STACK:-dev}"
  running postgres || die "no stack runs in this directory; tools/dev up starts one"
  exec "$PG_BIN/psql" "$(pg_dsn postgres "$(stack_value database)")" "$@"
}

help_redis_cli() { say "tools/dev redis-cli [ARGUMENTS]: redis-cli on the running stack's Redis."; }

cmd_redis_cli() {
  open_stack "${POTOK_STACK:-dev}"
  running redis || die "no stack runs in this directory; tools/dev up starts one"
  exec redis-cli -s "$RUN/redis/redis.sock" "$@"
}
