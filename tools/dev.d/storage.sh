# shellcheck shell=bash
# The private Postgres 15 and Redis 7 of one stack: unix sockets only, nothing listens on a port.

PG_BIN=/usr/lib/postgresql/15/bin

# State of a stack: STATE is in the working copy; sockets are in a short directory, since a unix socket's path may have
# 107 bytes; Postgres' files are in the working copy when its user may go there, else under /var/tmp (both outlive a run).
open_stack() {
  STACK=$1 STATE=$CACHE/stack/$1
  mkdir -p "$STATE"/{pids,log,config,address}
  RUN=$(cat "$STATE/run" 2>/dev/null || :)
}

make_run_dir() {
  if [ -n "$RUN" ] && [ -d "$RUN" ] && [ -O "$RUN" ]; then return 0; fi
  local base=${TMPDIR:-/tmp}
  if [ "$(id -u)" != 0 ] && [ -n "${XDG_RUNTIME_DIR:-}" ] && [ -w "$XDG_RUNTIME_DIR" ]; then base=$XDG_RUNTIME_DIR; fi
  RUN=$(mktemp -d "$base/potok.XXXXXX") || die "no directory for sockets in $base"
  # Root's Postgres runs as user postgres and must pass through.
  if [ "$(id -u)" = 0 ]; then chmod 711 "$RUN"; fi
  mkdir -m 700 "$RUN/pg" "$RUN/redis"
  if [ "$(id -u)" = 0 ]; then chown postgres: "$RUN/pg"; fi
  printf '%s\n' "$RUN" >"$STATE/run"
}

# initdb and postgres refuse root, so root's stack runs them as the user that the Debian package made.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups env -u LD_PRELOAD "$@")
  else
    (cd / && exec "$@")
  fi
}

pg_base() { cat "$STATE/pg_base" 2>/dev/null; }

make_pg_base() {
  local base
  base=$(pg_base || :)
  if [ -n "$base" ] && [ -d "$base" ]; then return 0; fi
  base=$STATE/pg
  mkdir -p "$base"
  chmod 700 "$base"
  if [ "$(id -u)" = 0 ]; then
    chown postgres: "$base"
    if ! as_postgres test -w "$base"; then
      rmdir "$base"
      base=$(mktemp -d /var/tmp/potok-XXXXXXXX)
      chown postgres: "$base"
    fi
  fi
  printf '%s\n' "$base" >"$STATE/pg_base"
}

# The test stack alone gives up fsync: its databases live for one test, and `kill -9` of a service does not need it.
start_postgres() {
  if running postgres; then return 0; fi
  local base fsync=on
  make_pg_base
  base=$(pg_base)
  if [ "$STACK" = test ]; then fsync=off; fi
  if ! as_postgres test -s "$base/data/PG_VERSION"; then
    as_postgres rm -rf "$base/data"
    work "creating the private Postgres ($STACK)" "$STATE/log/initdb.log" . as_postgres "$PG_BIN/initdb" -D "$base/data" \
      -U postgres -A trust --encoding=UTF8 --locale=C.UTF-8 --no-instructions || return 1
  fi
  local options="-c listen_addresses= -c unix_socket_directories=$RUN/pg -c port=5432 -c fsync=$fsync -c max_connections=200"
  options+=" -c shared_buffers=128MB -c max_wal_size=2GB -c jit=off -c timezone=UTC -c log_line_prefix='%m [%p] %u@%d '"
  if ! as_postgres "$PG_BIN/pg_ctl" -D "$base/data" -l "$base/log" -s -w -t 60 -o "$options" start 9>&- >/dev/null; then
    show_log_end postgres 'Postgres did not start'
    return 1
  fi
  record_pid postgres "$(head -n 1 "$base/data/postmaster.pid")"
}

# POTOK_NO_REDIS=1: no Redis is started, and nobody answers at the address that the services are told.
start_redis() {
  if [ -n "${POTOK_NO_REDIS:-}" ] || running redis; then return 0; fi
  # Redis is only a wake-up call here, so it keeps nothing on disk and refuses rather than evicts.
  spawn redis redis-server --port 0 --unixsocket "$RUN/redis/redis.sock" --unixsocketperm 700 --dir "$RUN/redis" \
    --save '' --appendonly no --maxmemory 256mb --maxmemory-policy noeviction --daemonize no
  wait_for redis 10 redis_answers
}

redis_answers() { [ "$(redis-cli -s "$RUN/redis/redis.sock" ping 2>/dev/null)" = PONG ]; }

start_storage() {
  make_run_dir
  start_postgres && start_redis
}

pg_dsn() { printf 'host=%s/pg port=5432 user=%s dbname=%s' "$RUN" "$1" "$2"; }

run_psql() { "$PG_BIN/psql" -X "$(pg_dsn postgres "$1")" "${@:2}"; }

# ensure_database NAME fresh|keep
ensure_database() {
  if [ "$2" = fresh ]; then
    run_psql postgres -q -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)"
  fi
  if [ "$(run_psql postgres -Atc "SELECT 1 FROM pg_database WHERE datname = '$1'")" != 1 ]; then
    run_psql postgres -q -v ON_ERROR_STOP=1 -c "CREATE DATABASE $1"
  fi
}

# SIGINT is Postgres' fast shutdown: sessions are cut, data is safe. The sockets' directory goes too; the data stays.
stop_storage() {
  end_process redis TERM 10
  end_process postgres INT 30
  if [ -n "$RUN" ]; then rm -rf --one-file-system -- "$RUN"; fi
  rm -f "$STATE/run"
  RUN=''
}

purge_stack() {
  local base
  base=$(pg_base || :)
  if [ -n "$base" ]; then rm -rf --one-file-system -- "$base"; fi
  rm -rf --one-file-system -- "$STATE"
}
