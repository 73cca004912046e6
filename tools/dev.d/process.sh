# shellcheck shell=bash
# Processes of a stack. Each is recorded as "PID START" where START is the kernel's start time of that process;
# a signal goes only to a pid whose start time still matches, so a number the kernel gave to a stranger is never hit.

# Builds with a sanitizer start and end several times as slowly (tools/dev test says how many).
PATIENCE=${POTOK_TEST_PATIENCE:-1}

start_time_of() { # field 22 of /proc/PID/stat; the name in field 2 may hold spaces and brackets
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086 # split into fields on purpose
  set -- $stat
  [ "$1" != Z ] || return 1
  printf '%s\n' "${20}"
}

record_pid() { printf '%s %s\n' "$2" "$(start_time_of "$2")" >"$STATE/pids/$1"; }

# pid_of NAME prints the pid when the recorded process still runs.
pid_of() {
  local pid start
  { read -r pid start <"$STATE/pids/$1"; } 2>/dev/null || return 1
  [ -n "$start" ] && [ "$(start_time_of "$pid")" = "$start" ] && printf '%s\n' "$pid"
}

running() { pid_of "$1" >/dev/null; }

# spawn NAME COMMAND...: own session (Ctrl-C of the terminal is not for it), output to log/NAME.log, lock not inherited.
spawn() {
  local name=$1 log=$STATE/log/$1.log
  shift
  [ ! -s "$log" ] || mv "$log" "$log.1"
  setsid "$@" >"$log" 2>&1 </dev/null 9>&- &
  local pid=$!
  disown "$pid"
  record_pid "$name" "$pid" || die "$name ended at once: $(tail -n 5 "$log")"
}

# ask_to_end NAME SIGNAL, once: a second signal would make a service drop what it is finishing.
ask_to_end() {
  local pid
  if pid=$(pid_of "$1"); then kill "-$2" "$pid" 2>/dev/null || :; fi
}

# await_end NAME SECONDS waits, then kills; says when it had to kill.
await_end() {
  local name=$1 seconds=$(($2 * PATIENCE)) tries=$(($2 * PATIENCE * 20)) pid
  if pid=$(pid_of "$name"); then
    while running "$name" && [ $((tries--)) -gt 0 ]; do sleep 0.05; done
    if running "$name"; then
      warn "  $name did not stop within $seconds s and was killed"
      kill -KILL "$pid" 2>/dev/null || :
    fi
  fi
  rm -f "$STATE/pids/$name"
}

end_process() { # NAME SIGNAL SECONDS
  ask_to_end "$1" "$2"
  await_end "$1" "$3"
}

# wait_for NAME SECONDS COMMAND...: until the command succeeds; fails early, with the end of the log, when the process is gone.
wait_for() {
  local name=$1 tries=$(($2 * PATIENCE * 20)) seconds=$(($2 * PATIENCE))
  shift 2
  until "$@"; do
    if ! running "$name"; then show_log_end "$name" "$name ended while starting"; return 1; fi
    if [ $((tries--)) -le 0 ]; then show_log_end "$name" "$name was not ready within $seconds s"; return 1; fi
    sleep 0.05
  done
}

log_of() { if [ "$1" = postgres ]; then printf '%s\n' "$(pg_base)/log"; else printf '%s\n' "$STATE/log/$1.log"; fi; }

show_log_end() {
  warn "  $2; the end of its log (tools/dev logs $1):"
  tail -n 20 "$(log_of "$1")" 2>/dev/null | cut -c1-400 >&2 || :
}

rss_mib() {
  local pid
  pid=$(pid_of "$1") || return 1
  awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status"
}
