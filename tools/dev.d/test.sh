# shellcheck shell=bash
# tools/dev test: build, then each kind of test in turn, cheapest first, against a private Postgres and Redis.

help_test() {
  cat <<'END'
tools/dev test [--quick] [--asan | --tsan] [--no-redis] [-R REGEX] [--no-build] [--no-install]
tools/dev test --chaos [--seeds N] [--rows N,N...] [--no-build] [--no-install]
tools/dev test --fuzz [--seconds N | --runs N] [TARGET...]

Builds everything with its tests and runs them in six phases:
  unit         no I/O, beside the code
  simulation   the pure cores under a seeded scheduler of faults (tests/simulation/README.md)
  gates        the tree itself: buf lint, format and breaking, layers, shellcheck, clang-format
  integration  against a private Postgres 15 and Redis 7, a database per test
  e2e          the five services as processes, called with grpcurl and potokctl
  chaos        two replicas of each under load, broken on purpose: the short rows of tests/chaos, each once
Failed and skipped checks are listed by name; the last line is `N passed, N failed, N skipped`.

  --quick       without e2e, chaos and what is labelled slow, a tenth of the schedules: within 3 minutes once built
  --chaos       instead of all that: every row of tests/chaos (--rows: only these), each with N seeds (--seeds); a run of
                all rows makes the table in tests/chaos/README.md anew
  --asan        in build/asan with the address and undefined behaviour sanitizers, without gates and chaos, whose rows
                are judged by their times; whatever a service of an e2e test reports is a failure
  --tsan        the same in build/tsan with the thread sanitizer
  --no-redis    without any Redis: none is started, the services are told of one that never answers. Tests that are
                about Redis itself are listed by name; everything else must pass
  --fuzz        instead of the tests: libFuzzer invents inputs (30 s a target) for the targets of tests/fuzz
  -R REGEX      only tests whose name matches, in every phase; names are those of the *_test programs and gate_*
  --no-build    run the tests that are there
  --no-install  only say what is missing

One case of one program, with the test stack kept up:
  eval "$(tools/dev test --env)" && build/dev/bin/flow_test --gtest_filter='*Cap*'
  POTOK_STACK=test tools/dev down
With CI=true a check that was skipped is a failure, since every tool that is needed can be fetched.
END
}

# What tests find in their environment, as lines to eval.
test_environment() {
  printf 'export POTOK_TEST_PG=%q\n' "host=$RUN/pg port=5432 user=postgres"
  printf 'export POTOK_TEST_REDIS=%q\n' "unix:$RUN/redis/redis.sock"
  if [ -n "${POTOK_NO_REDIS:-}" ]; then printf 'export POTOK_NO_REDIS=1\n'; fi
  printf 'export POTOK_ROOT=%q POTOK_BIN=%q POTOK_GRPCURL=%q\n' "$ROOT" "$ROOT/build/$1/bin" "$CACHE/bin/grpcurl"
}

cmd_test() {
  local tree=dev quick='' regex='' env_only='' build=1 grpcurl_job='' rc=0 chaos='' from=$EPOCHREALTIME
  local -a rows=()
  while [ $# -gt 0 ]; do
    case $1 in
      --quick) quick=1 ;;
      --asan) tree=asan ;;
      --tsan) tree=tsan ;;
      --fuzz) shift; run_fuzzers "$@"; return ;;
      --env) env_only=1 ;;
      --chaos) chaos=1 ;;
      --seeds | --rows) [ $# -gt 1 ] || die "$1 needs a value"; rows+=("$1" "$2"); shift ;;
      --no-build) build='' ;;
      --no-redis) export POTOK_NO_REDIS=1 ;;
      --no-install) NO_INSTALL=1 ;;
      -R) [ $# -gt 1 ] || die "-R needs a regular expression"; regex=$2; shift ;;
      *) die "test does not know $1 (tools/dev test --help)" ;;
    esac
    shift
  done
  open_stack test
  if [ -n "$env_only" ]; then
    {
      take_lock test
      ensure_packages build run
      start_storage
    } >&2
    test_environment "$tree"
    return
  fi
  take_lock test
  if [ -n "$chaos" ]; then
    run_chaos "$build" "${rows[@]}"
    return
  fi
  [ "${#rows[@]}" = 0 ] || die "--seeds and --rows belong to --chaos"

  heading "What is needed"
  prepare_build run
  ensure_check_tools || warn "  the tools of some gates could not be fetched; those gates are skipped"
  if [ -z "$quick" ]; then
    # Two minutes of one core, needed only by the last phase: it runs beside the build.
    mkdir -p "$CACHE/log"
    in_background ensure_go_tool grpcurl >"$CACHE/log/grpcurl-beside.log" 2>&1 &
    grpcurl_job=$!
    children+=("$grpcurl_job")
  fi

  if [ -n "$build" ]; then
    heading "Build"
    build_tree "$tree" || die "the build failed"
  fi

  heading "Test stack"
  at_end+=(stop_storage)
  start_storage || die "the test stack did not start"
  say "  Postgres and ${POTOK_NO_REDIS:+no }Redis in $RUN"
  if [ -n "${POTOK_NO_REDIS:-}" ] && running redis; then end_process redis TERM 10; fi
  eval "$(test_environment "$tree")"
  if [ "$tree" != dev ]; then sanitizer_environment "$tree"; fi

  local results=$CACHE/test-results/$tree phase
  local -a reports=() phases=(unit simulation gates integration e2e chaos) only=()
  # The plants of the chaos suite bring a Redis of their own; its rows take it away themselves.
  if [ -n "${POTOK_NO_REDIS:-}" ]; then phases=(unit simulation gates integration e2e); fi
  if [ "$tree" != dev ]; then phases=(unit simulation integration e2e); fi
  if [ -n "$quick" ]; then
    phases=(unit simulation gates integration) only=(-LE slow)
    export POTOK_SIMULATION_SCHEDULES=${POTOK_SIMULATION_SCHEDULES:-12000}
  fi
  if [ -n "$regex" ]; then only+=(-R "$regex"); fi
  rm -rf "$results"
  for phase in "${phases[@]}"; do
    if [ "$phase" = e2e ] && [ -n "$grpcurl_job" ] && kill -0 "$grpcurl_job" 2>/dev/null; then
      work "waiting for grpcurl" "$CACHE/log/wait.log" . tail --pid="$grpcurl_job" -f /dev/null
    fi
    run_phase "$tree" "$phase" "$results/$phase" "${only[@]}" || rc=1
    # Without a report there was no test of that name in the phase, or ctest itself failed, which rc says.
    if [ -f "$results/$phase/junit.xml" ] || [ "$rc" != 0 ]; then reports+=("$results/$phase/junit.xml" "$results/$phase/gtest"); fi
  done

  heading "Result after $(seconds_since "$from") s"
  "$PYTHON" "$ROOT/tools/dev.d/tally.py" "${reports[@]}" | tee "$results/summary" || rc=1
  if [ "${CI:-}" = true ] && ! grep -qE ', 0 skipped$' "$results/summary"; then
    warn "CI=true: a skipped check is a failure"
    rc=1
  fi
  return "$rc"
}

# How programs of build/asan and build/tsan report, and how much longer everybody waits for them.
sanitizer_environment() {
  local supp=$ROOT/tests/sanitizers patience=3 schedules=30000
  if [ "$1" = tsan ]; then patience=6 schedules=12000; fi
  export POTOK_TEST_PATIENCE=${POTOK_TEST_PATIENCE:-$patience}
  # All of them take ten minutes of one core and more here; the plain build runs them all.
  export POTOK_SIMULATION_SCHEDULES=${POTOK_SIMULATION_SCHEDULES:-$schedules}
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$supp/lsan.supp:print_suppressions=0}
  export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1:suppressions=$supp/tsan.supp}
}

# run_phase TREE LABEL RESULT_DIR CTEST_ARGS...
run_phase() {
  local tree=$1 phase=$2 results=$3 jobs
  shift 3
  mkdir -p "$results/gtest"
  # End-to-end tests own the machine: two at a time would measure each other.
  jobs=$(nproc)
  case $phase in e2e | chaos) jobs=1 ;; esac
  heading "$phase"
  # What a service says on its way out is seen by no e2e test, so each process reports into a file of its own; the tally
  # counts each file as a failure. GCC's UBSan beside ASan only knows stderr: e2e.sh and the fleet look for it in the logs.
  local -a reporting=()
  if [ "$tree" != dev ] && [ "$phase" = e2e ]; then
    mkdir -p "$results/reports"
    reporting=("ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$results/reports/asan" "TSAN_OPTIONS=$TSAN_OPTIONS:log_path=$results/reports/tsan")
  fi
  WORK_TAIL=0 work "running" "$results/ctest.log" '(Passed|Failed|Skipped|Start)' \
    env GTEST_OUTPUT="xml:$results/gtest/" POTOK_TEST_RESULTS="$results" "${reporting[@]}" \
    ctest --test-dir "$ROOT/build/$tree" -L "^$phase\$" -j "$jobs" --output-on-failure --no-tests=ignore \
    --output-junit "$results/junit.xml" "$@" || return 1
}

# run_chaos BUILD POTOK_CHAOS_ARGS...: every row, and the table that tells of it.
run_chaos() {
  local build=$1 report=$CACHE/test-results/chaos.jsonl rc=0 words
  shift
  words=" $* "
  if [ -n "$build" ]; then
    prepare_build run
    build_tree dev potok-chaos || die "the build failed"
    if [[ $words != *' --rows '* || $words =~ ' --rows '([0-9,]*,)?41[,\ ] ]] && [ -z "${POTOK_OLD_BIN:-}" ]; then
      build_release_before && export POTOK_OLD_BIN=$CACHE/release-before/build/bin
    fi
  fi
  mkdir -p "${report%/*}"
  rm -f "$report"
  heading "chaos"
  # In the background and waited for, so that Ctrl-C is taken by this shell and ends it in order.
  "$BIN/potok-chaos" --report "$report" "$@" &
  children+=("$!")
  wait "$!" || rc=$?
  if [ -s "$report" ] && [[ $words == *' --rows '* ]]; then
    say "each run is a line of $report; the table in tests/chaos/README.md is made by a run of all rows"
  elif [ -s "$report" ]; then
    "$BIN/potok-chaos" --report "$report" --table "$ROOT/tests/chaos/README.md" || return 1
    say "the table in tests/chaos/README.md tells of these runs; each of them is a line of $report"
  fi
  return "$rc"
}

# build_release_before: the programs of the commit that tests/chaos/release_before names, from this repository's history.
build_release_before() {
  local commit dir=$CACHE/release-before log=$CACHE/log/release-before.log
  commit=$(cat "$ROOT/tests/chaos/release_before")
  if ! git -C "$ROOT" cat-file -e "$commit^{commit}" 2>/dev/null; then
    warn "  this clone's history does not reach back to $commit, the release before: row 41 is skipped"
    return 1
  fi
  if [ "$(cat "$dir/built" 2>/dev/null)" = "$commit" ]; then return 0; fi
  rm -rf "$dir"
  mkdir -p "$dir/src"
  git -C "$ROOT" archive "$commit" | tar -x -C "$dir/src" || return 1
  # Google's protos, which its CMakeLists.txt looks for beside itself.
  mkdir -p "$dir/src/.cache"
  ln -s "$CACHE/npm" "$dir/src/.cache/npm"
  work "configuring the release before" "$log" '^--' \
    cmake -S "$dir/src" -B "$dir/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo || return 1
  WORK_TAIL=0 work "building the release before" "$log" '^\[' env NINJA_STATUS='[%f/%t] ' \
    ninja -C "$dir/build" -j "$(build_jobs)" potok-intake potok-router potok-sla-timer potok-notifier potok-analytics || return 1
  echo "$commit" >"$dir/built"
}
