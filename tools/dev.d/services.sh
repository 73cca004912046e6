# shellcheck shell=bash
# The five services of a stack as processes: configuration, addresses, start, stop.

SERVICES=(intake router sla-timer notifier analytics)
# "debug" tells more. Nothing below "info": readiness is read from the log.
LOG_LEVEL=info
if [ "${POTOK_LOG_LEVEL:-}" = debug ]; then LOG_LEVEL=debug; fi

# NAME PORT: the configuration of one service; NAME@2 is its second replica, and so on. Peers call each other through unix sockets, whose names are known before
# anything runs; people and tests use the TCP port, which the kernel picks (PORT 0) and a restart keeps.
write_config() {
  local name=$1 port=$2 peer service=${1%@*}
  local role=potok_${service//-/_}
  # All services in one process write all schemas; each role alone may write only its own.
  if [ "$name" = allinone ]; then role=potok_allinone; fi
  {
    printf '# Written by tools/dev for the %s stack; the next start writes it again.\n' "$STACK"
    printf 'listen: "127.0.0.1:%s"\n' "$port"
    printf 'listen: "unix:%s/rpc/%s.sock"\n' "$RUN" "$name"
    printf 'metrics_listen: "127.0.0.1:0"\n'
    printf 'auth { mode: MODE_DEV }\n'
    printf 'postgres { dsn: "%s" }\n' "$(pg_dsn "$role" "$DATABASE")"
    printf 'redis { address: "unix:%s/redis/redis.sock" }\n' "$RUN"
    printf 'log { level: "%s" format: "json" }\n' "$LOG_LEVEL"
    printf 'clock { time_scale: %s time_origin: "%s" }\n' "$TIME_SCALE" "$TIME_ORIGIN"
    printf 'peers {'
    for peer in "${SERVICES[@]}"; do
      if [ "$name" = allinone ]; then
        printf ' %s: "unix:%s/rpc/allinone.sock"' "${peer//-/_}" "$RUN"
      elif [ "$peer" != "$service" ]; then
        printf ' %s: "unix:%s/rpc/%s.sock"' "${peer//-/_}" "$RUN" "$peer"
      fi
    done
    printf ' }\n'
    if [ "$service" = notifier ] || [ "$name" = allinone ]; then
      printf 'smtp { url: "smtp://%s" from: "Potok <potok@example.test>" allow_plaintext: true }\n' "$(cat "$STATE/address/sink")"
    fi
  } >"$STATE/config/$name.textproto"
}

# The TCP address of a running service, out of its listen=ADDRESS and metrics=ADDRESS lines.
service_address() { sed -n 's/^listen=\(127\.0\.0\.1:.*\)/\1/p' "$STATE/address/$1" | head -n 1; }
metrics_address() { sed -n 's/^metrics=//p' "$STATE/address/$1" | head -n 1; }

# start_service NAME[@REPLICA] [PORT] starts it and returns at once; wait_service waits until it listens.
start_service() {
  if [ ! -d "$RUN/rpc" ]; then mkdir -m 700 "$RUN/rpc"; fi
  write_config "$1" "${2:-0}"
  rm -f "$STATE/address/$1" "$RUN/rpc/$1.sock"
  POTOK_ENV=dev spawn "$1" "$BIN/potok-${1%@*}" --config "$STATE/config/$1.textproto" --address-file "$STATE/address/$1"
}

# A service listens before it is ready: its own log tells when its readiness checks pass, and when one fails again.
is_ready() {
  [ -s "$STATE/address/$1" ] &&
    [ "$(grep -oE 'process\.(not_)?ready' "$STATE/log/$1.log" | tail -n 1)" = process.ready ]
}
wait_service() { wait_for "$1" 30 is_ready "$1"; }

start_sink() {
  if running sink; then return 0; fi
  rm -f "$STATE/address/sink"
  spawn sink "$PYTHON" "$ROOT/tools/sink" --dir "$MAIL" --port-file "$STATE/address/sink"
  wait_for sink 10 test -s "$STATE/address/sink"
}

start_services() {
  local name
  for name in "${SERVICES[@]}"; do
    if ! running "$name"; then start_service "$name"; fi
  done
  for name in "${SERVICES[@]}"; do wait_service "$name" || return 1; done
}

# All are asked first and then awaited, so that five drains take the time of one.
stop_services() {
  local name asked=("${SERVICES[@]}" allinone sink)
  for name in "$STATE"/pids/*@*; do if [ -e "$name" ]; then asked+=("${name##*/}"); fi; done # replicas
  for name in "${asked[@]}"; do ask_to_end "$name" TERM; done
  for name in "${asked[@]}"; do await_end "$name" 25; done
}

# What potokctl, tests and people need to know about the stack, as KEY=VALUE lines.
write_addresses() {
  local name
  {
    for name in "${SERVICES[@]}"; do printf '%s=%s\n' "$name" "$(service_address "$name")"; done
    for name in "${SERVICES[@]}"; do printf '%s_metrics=%s\n' "$name" "$(metrics_address "$name")"; done
    for name in "${SERVICES[@]}"; do printf '%s_socket=unix:%s/rpc/%s.sock\n' "$name" "$RUN" "$name"; done
    printf 'sink=%s\nsink_dir=%s\n' "$(cat "$STATE/address/sink")" "$MAIL"
    printf 'postgres=%s\n' "$(pg_dsn postgres "$DATABASE")"
    printf 'redis=unix:%s/redis/redis.sock\n' "$RUN"
    printf 'token=dev:admin:admin\n'
    printf 'time_scale=%s\ntime_origin=%s\n' "$TIME_SCALE" "$TIME_ORIGIN"
    printf 'database=%s\n' "$DATABASE"
  } >"$STATE/addresses.part"
  mv "$STATE/addresses.part" "$STATE/addresses"
}

# One value of the running stack.
stack_value() { sed -n "s/^$1=//p" "$STATE/addresses" 2>/dev/null; }
