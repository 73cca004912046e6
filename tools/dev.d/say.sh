# shellcheck shell=bash
# What the developer sees: headings, one line per step, progress of long work, the tail of a log that matters.

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' plain=$'\e[0m' tty=1
else
  bold='' dim='' red='' plain='' tty=''
fi

say() { printf '%s\n' "$*"; }
heading() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
warn() { printf '%s%s%s\n' "$red" "$*" "$plain" >&2; }
die() { warn "tools/dev: $*"; exit 1; }

# Seconds since $1 (a value of EPOCHREALTIME) with one decimal.
seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# work LABEL LOG PATTERN COMMAND... runs the command with its output in LOG and shows that it moves: the last line
# of LOG that matches PATTERN, on a terminal in place, elsewhere one line each 20 s. A failure ends with the last WORK_TAIL (25) lines of LOG.
work() {
  local label=$1 log=$2 pattern=$3 from=$EPOCHREALTIME ticks=0 line rc=0
  shift 3
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  local job=$!
  children+=("$job")
  while kill -0 "$job" 2>/dev/null; do
    sleep 0.25 || :
    ticks=$((ticks + 1))
    if { [ -n "$tty" ] && [ $((ticks % 4)) = 0 ]; } || { [ -z "$tty" ] && [ $((ticks % 80)) = 0 ]; }; then
      line=$(tail -n 200 "$log" | tr '\r' '\n' | grep -E "$pattern" | tail -n 1 | cut -c1-70 || :)
      if [ -n "$tty" ]; then
        printf '\r\e[K  %s  %s%ss  %s%s' "$label" "$dim" "$((ticks / 4))" "$line" "$plain"
      else
        printf '  %s  %ss  %s\n' "$label" "$((ticks / 4))" "$line"
      fi
    fi
  done
  wait "$job" || rc=$?
  [ -z "$tty" ] || printf '\r\e[K'
  if [ "$rc" = 0 ]; then
    printf '  %s  %s%s s%s\n' "$label" "$dim" "$(seconds_since "$from")" "$plain"
  else
    warn "  $label: failed after $(seconds_since "$from") s; the log is ${log#"$ROOT"/}"
    tail -n "${WORK_TAIL:-25}" "$log" | cut -c1-300 >&2
  fi
  return "$rc"
}

# Background jobs of this shell do not see Ctrl-C (bash makes them ignore it), so they are told here.
children=()
stop_children() {
  local job
  for job in "${children[@]}"; do
    if kill -0 "$job" 2>/dev/null; then kill -TERM "$job" 2>/dev/null || :; fi
  done
  # A shell takes the signal when the command it runs has ended; nothing may be left behind.
  for job in "${children[@]}"; do wait "$job" 2>/dev/null || :; done
  children=()
}

# in_background COMMAND...: for a command started with `&` that itself starts jobs; told to end, it ends those too.
in_background() {
  children=()
  trap 'stop_children; exit 143' TERM
  "$@"
}

# Only what this shell registered runs at its end, last first: a command adds what it must undo.
at_end=()
run_at_end() {
  local rc=$? i
  trap - EXIT
  trap '' INT TERM HUP
  stop_children
  for ((i = ${#at_end[@]} - 1; i >= 0; i--)); do "${at_end[i]}" || :; done
  exit "$rc"
}
trap run_at_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
