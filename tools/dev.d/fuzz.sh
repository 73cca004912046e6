# shellcheck shell=bash
# tools/dev test --fuzz: libFuzzer invents inputs for the targets of tests/fuzz and reports what breaks a promise.

fuzz_targets=(filter form token stream stored notice import request)

# run_fuzzers [--seconds N | --runs N] [TARGET...]
run_fuzzers() {
  local limit=-max_total_time=30 target rc=0 runs total=0 broken=0
  local -a chosen=()
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds | --runs)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "test --fuzz $1 needs a number"
        if [ "$1" = --runs ]; then limit=-runs=$2; else limit=-max_total_time=$2; fi
        shift
        ;;
      --no-install) NO_INSTALL=1 ;;
      *)
        [[ " ${fuzz_targets[*]} " == *" $1 "* ]] || die "there is no fuzz target '$1'; there are: ${fuzz_targets[*]}"
        chosen+=("$1")
        ;;
    esac
    shift
  done
  if [ "${#chosen[@]}" = 0 ]; then chosen=("${fuzz_targets[@]}"); fi
  take_lock fuzz

  heading "What is needed"
  prepare_build fuzz
  heading "Build"
  build_tree fuzz "${chosen[@]/#/fuzz_}" || die "the build failed"

  heading "Fuzzing ${#chosen[@]} targets, each ${limit#-}"
  for target in "${chosen[@]}"; do
    fuzz_one "$target" "$limit" || { rc=1; broken=$((broken + 1)); }
    runs=$(sed -nE 's/^stat::number_of_executed_units: +//p' "$CACHE/log/fuzz-$target.log" | tail -n 1)
    # A target that broke prints no figures; the last "#N" of its log is how far it came.
    [ -n "$runs" ] || runs=$(sed -nE 's/^#([0-9]+).*/\1/p' "$CACHE/log/fuzz-$target.log" | tail -n 1)
    total=$((total + ${runs:-0}))
    say "    $target: ${runs:-0} inputs, $(find "$CACHE/fuzz/$target/corpus" -type f | wc -l) kept as worth changing"
  done
  say ""
  say "$total inputs, $broken of ${#chosen[@]} targets broken"
  return "$rc"
}

# fuzz_one TARGET LIMIT: new inputs go to .cache/fuzz/TARGET/corpus, one that breaks it beside it.
fuzz_one() {
  local target=$1 limit=$2 dir=$CACHE/fuzz/$1
  mkdir -p "$dir/corpus"
  if ! WORK_TAIL=30 work "$target" "$CACHE/log/fuzz-$target.log" '^#[0-9]' \
    env ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=1024 UBSAN_OPTIONS=print_stacktrace=1 \
    "$ROOT/build/fuzz/bin/fuzz_$target" "$limit" -timeout=10 -rss_limit_mb=4096 -max_len=8192 -print_final_stats=1 \
    -dict="$ROOT/tests/fuzz/dict/$target.dict" -artifact_prefix="$dir/" "$dir/corpus" "$ROOT/tests/fuzz/corpus/$target"; then
    warn "  The input is in ${dir#"$ROOT"/}; repeat it with build/fuzz/bin/fuzz_$target FILE, mend, keep it in tests/fuzz/corpus/$target."
    return 1
  fi
}
