# shellcheck shell=bash
# tools/dev demo: from nothing to the main job on real input.

help_demo() {
  cat <<'END'
tools/dev demo [--data FILE [--map FIELD=COLUMN]...] [--seconds N] [--keep] [--no-build] [--no-install]

Installs what is missing, builds, starts a private stack and shows Potok's main job on a scaled clock:
  without --data   a company's days in about a minute: IT, HR and accounting, requests in Russian as people write them
  --data FILE      a recorded incident log (CSV): its requests are filed and worked at their recorded times in three minutes
                   or less; who gets each is Potok's decision, set beside what happened. An interrupted run goes on where
                   it was when the same command is given again.
At the end: boards, mails received, timer lateness, call p50/p99, `every request accounted for`, and commands to copy.

  --map FIELD=COLUMN  which column holds what, when the guess is wrong; may be repeated
  --seconds N         play it within N seconds
  --keep              leave the stack running (tools/dev status, grpcurl, psql, logs; tools/dev down ends it)
  --no-build          start the programs that are there
  --no-install        only say what is missing
Ctrl-C ends everything the demo started and nothing else.
END
}

cmd_demo() {
  local data='' seconds='' keep='' build=1 database=potok_story fresh=fresh rc=0 plan
  local -a maps=() arguments=()
  while [ $# -gt 0 ]; do
    case $1 in
      --data) data=${2:?--data needs a file}; shift ;;
      --map) maps+=("${2:?--map needs FIELD=COLUMN}"); shift ;;
      --seconds) seconds=${2:?--seconds needs a number}; shift ;;
      --keep) keep=1 ;;
      --no-build) build='' ;;
      --no-install) NO_INSTALL=1 ;;
      *) die "demo does not know $1 (tools/dev demo --help)" ;;
    esac
    shift
  done
  if [ -n "$data" ]; then
    [ -r "$data" ] || die "$data cannot be read"
    data=$(realpath "$data")
    arguments+=(--data "$data")
    # The same log with the same columns goes on in the same database: that is how an interrupted run is resumed.
    database=potok_log_$({ cat "$data"; printf '%s\n' "${maps[@]}"; } | sha256sum | cut -c1-12) fresh=keep
  fi
  local map
  for map in "${maps[@]}"; do arguments+=(--map "$map"); done
  if [ -n "$seconds" ]; then arguments+=(--seconds "$seconds"); fi

  take_lock demo
  open_stack "${POTOK_STACK:-dev}"
  refuse_if_running

  if [ -n "$build" ]; then
    heading "1. What is needed"
    prepare_build run
    say "  all packages are here"
    heading "2. Build"
    build_tree dev || die "the build failed"
  fi

  heading "3. Stack"
  # The program that plays the story knows how fast its clock must run and when it begins: `potokctl demo --plan` with the
  # demo's own options prints `time_scale=N` and `time_origin=RFC3339` and needs no stack.
  plan=$("$BIN/potokctl" demo --plan "${arguments[@]}") || die "the demo could not be planned"
  at_end+=(stop_stack)
  start_stack "$database" "$fresh" "$(plan_value time_scale "$plan")" "$(plan_value time_origin "$plan")" || die "the stack did not start"
  print_addresses
  report_rest_memory

  heading "4. The main job"
  # In the background and waited for, so that Ctrl-C is taken by this shell and ends the stack in order.
  "$BIN/potokctl" demo --stack "$STATE" "${arguments[@]}" &
  children+=("$!")
  wait "$!" || rc=$?

  if [ -n "$keep" ]; then
    at_end=()
    heading "The stack stays up"
    say "  tools/dev status      tools/dev grpcurl list      tools/dev logs intake      tools/dev down"
    return "$rc"
  fi
  heading "5. All in one process"
  stop_services
  measure_allinone || rc=1
  heading "The end"
  at_end=()
  stop_stack
  say "  everything that was started has ended. Again: tools/dev demo    To keep it up and play: tools/dev up"
  return "$rc"
}

plan_value() { sed -n "s/^$1=//p" <<<"$2"; }

# The promise is 64 MiB for a service and 128 MiB for all of them in one process, at rest.
report_rest_memory() {
  local name
  for name in "${SERVICES[@]}"; do
    awk -v m="$(rss_mib "$name")" -v n="$name" 'BEGIN { if (m > 64) print "  " n " holds " m " MiB at rest, more than the promised 64" }'
  done
}

measure_allinone() {
  start_sink || return 1
  start_service allinone && wait_service allinone || return 1
  # A start is not rest: caches are filled and leases taken within two seconds.
  sleep 2
  say "  intake, router, sla-timer, notifier and analytics together: $(rss_mib allinone) MiB at rest (promised: at most 128)"
  end_process allinone TERM 20
}
