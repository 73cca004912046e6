#!/usr/bin/env bash
# tools/dev up, status, restart after kill -9, a service that fails, demo with Ctrl-C, down: with stand-ins for the C++
# programs and the real Postgres, Redis and mail sink. Nothing is left running, and nothing else is touched.
# shellcheck source=gate.sh
. "$(dirname "$0")/gate.sh"
[ -x /usr/lib/postgresql/15/bin/initdb ] || skip "postgresql-15 is not here; tools/dev test installs it"
command -v protoc >/dev/null || skip "protoc is not here; tools/dev test installs it"
command -v redis-server >/dev/null || skip "redis-server is not here; tools/dev test installs it"
need python3 /usr/bin/python3
"${tool[python3]}" -c 'import aiosmtpd' 2>/dev/null || skip "python3-aiosmtpd is not here; tools/dev test installs it"

scratch=$(mktemp -d)
export POTOK_STACK=gate POTOK_BIN=$scratch/bin
mkdir "$POTOK_BIN"
for name in potok-intake potok-router potok-sla-timer potok-notifier potok-analytics potok-allinone potok-migrate potokctl; do
  cp tests/gates/stand_ins/potok-service "$POTOK_BIN/$name"
done
dev() { tools/dev "$@" >"$scratch/out" 2>&1; }
must() { "$@" || broken "$*: $(cat "$scratch/out")"; }
trap 'tools/dev down --purge >/dev/null 2>&1 || :; rm -rf "$scratch"' EXIT
must dev down --purge
addresses=.cache/stack/gate/addresses
value() { sed -n "s/^$1=//p" "$addresses"; }
alive() { # NAME, by its stand-in's path, which no other process has
  grep -lzqs -- "$POTOK_BIN/potok-$1" /proc/[0-9]*/cmdline
}
pid_of_service() { cut -d' ' -f1 ".cache/stack/gate/pids/$1"; }

must dev up --no-build
for name in intake router sla-timer notifier analytics; do
  alive "$name" || broken "$name does not run after up"
  [[ $(value "$name") == 127.0.0.1:[1-9]* ]] || broken "no address of $name: $(cat "$addresses")"
done
for file in .cache/stack/gate/config/*.textproto; do
  protoc -I protos --encode=potok.config.v1.ServiceConfig protos/potok/config/v1/config.proto <"$file" >/dev/null 2>"$scratch/out" ||
    broken "$file is not a ServiceConfig: $(cat "$scratch/out")"
done
must dev status
dev up --no-build && broken "a second up was not refused"
grep -q 'already runs' "$scratch/out" || broken "the second up does not say why: $(cat "$scratch/out")"
must dev psql -Atc 'SHOW fsync'
[ "$(cat "$scratch/out")" = on ] || broken "fsync is $(cat "$scratch/out")"
if [ -n "${POTOK_NO_REDIS:-}" ]; then
  dev redis-cli ping && broken "a Redis runs although none is wanted"
else
  must dev redis-cli config get maxmemory-policy
  grep -q noeviction "$scratch/out" || broken "Redis evicts: $(cat "$scratch/out")"
fi

# A crash, and the way back: same port, the others untouched.
before=$(value router) others=$(pid_of_service intake)
kill -KILL "$(pid_of_service router)"
must dev restart router
[ "$(value router)" = "$before" ] || broken "router moved from $before to $(value router)"
[ "$(pid_of_service intake)" = "$others" ] || broken "the restart of router touched intake"

# A number in a pid file that now belongs to a stranger is left alone.
sleep 300 &
stranger=$!
kill -KILL "$(pid_of_service analytics)"
printf '%s 1\n' "$stranger" >.cache/stack/gate/pids/analytics
must dev down
kill -0 "$stranger" || broken "down ended a process that was not its own"
kill "$stranger"
for name in intake router sla-timer notifier analytics; do
  if alive "$name"; then broken "$name still runs after down"; fi
  if grep -q 'second signal' ".cache/stack/gate/log/$name.log"; then broken "$name was signalled twice"; fi
done
dev status && broken "status finds something after down: $(cat "$scratch/out")"

# A service that does not start: said with the end of its log, and everything else is taken back.
POTOK_FAIL=potok-notifier dev up --no-build && broken "up succeeded without notifier"
grep -q 'not to its taste' "$scratch/out" || broken "the reason of the failure is not shown: $(cat "$scratch/out")"
if alive intake; then broken "intake still runs after a failed up"; fi

# The demo to its end, and the demo cut by Ctrl-C (SIGINT to its whole process group, as a terminal does).
must dev demo --no-build
grep -q 'the main job is done' "$scratch/out" || broken "the demo did not run: $(cat "$scratch/out")"
if alive intake; then broken "intake still runs after the demo"; fi
rm "$scratch/out" # its words are waited for below
POTOK_DEMO_S=60 setsid "${tool[python3]}" -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' tools/dev demo --no-build >"$scratch/out" 2>&1 &
demo=$!
for _ in $(seq 300); do
  if grep -qs "the main job runs" "$scratch/out"; then break; fi
  kill -0 "$demo" 2>/dev/null || broken "the demo ended early: $(cat "$scratch/out")"
  sleep 0.1
done
kill -INT -- "-$demo"
rc=0
wait "$demo" || rc=$?
[ "$rc" = 130 ] || broken "the interrupted demo ended with $rc: $(cat "$scratch/out")"
if grep -lzqs -- "$POTOK_BIN/" /proc/[0-9]*/cmdline; then broken "something of the demo still runs after Ctrl-C"; fi
dev status && broken "status finds something after Ctrl-C: $(cat "$scratch/out")"
echo "up, status, restart, failed start, demo, Ctrl-C and down leave nothing behind"
