# shellcheck shell=bash
# cmake + ninja with ccache and mold, in build/dev (or build/asan, build/tsan, build/fuzz).

# build_tree NAME [TARGET...]: NAME is dev, asan, tsan or fuzz. Nothing happens when nothing changed.
build_tree() {
  local name=$1 from=$EPOCHREALTIME log
  local -a settings=()
  shift
  case $name in
    asan) settings=("-DPOTOK_SANITIZE=address,undefined") ;;
    tsan) settings=("-DPOTOK_SANITIZE=thread") ;;
    fuzz) settings=("-DPOTOK_SANITIZE=address,undefined" -DPOTOK_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++) ;;
  esac
  local dir=$ROOT/build/$name
  log=$CACHE/log/build-$name.log
  if [ ! -f "$dir/build.ninja" ]; then
    work "configuring build/$name" "$CACHE/log/cmake-$name.log" '^--' \
      cmake -S "$ROOT" -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "${settings[@]}" || return 1
  fi
  if ! WORK_TAIL=0 work "building build/$name" "$log" '^\[' \
    env NINJA_STATUS='[%f/%t] ' ninja -C "$dir" -j "$(build_jobs)" "$@"; then
    grep -E -A12 'FAILED|error:|CMake Error' "$log" | cut -c1-300 | head -n 60 >&2
    return 1
  fi
  say "  build/$name is up to date  ${dim}$(seconds_since "$from") s${plain}"
}

# One job a core and one more; but a unit that includes gRPC takes about 1 GiB, and swapping is slower than waiting.
build_jobs() {
  awk -v cores="$(nproc)" '/^MemAvailable/ { jobs = int($2 / 1048576); if (jobs > cores + 1) jobs = cores + 1; print jobs < 1 ? 1 : jobs }' /proc/meminfo
}

# Everything a command needs before it can build.
prepare_build() {
  ensure_packages build "$@"
  ensure_npm
}
