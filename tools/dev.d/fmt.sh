# shellcheck shell=bash
# tools/dev fmt: what the format gates demand. tools/dev baseline: moves the line that `buf breaking` guards.

help_fmt() {
  cat <<'END'
tools/dev fmt

Formats C++ (clang-format, .clang-format) and protos (buf) in place, with the pinned versions that the gates use.
END
}

cmd_fmt() {
  [ $# = 0 ] || die "fmt takes no arguments"
  ensure_packages build
  ensure_npm
  ensure_check_tools
  git -C "$ROOT" ls-files -co --exclude-standard -z -- '*.cc' '*.h' | (cd "$ROOT" && while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || printf '%s\0' "$file"
  done | xargs -0r -P "$(nproc)" -n 40 "$CACHE/venv-checks/bin/clang-format" -i --style=file)
  (cd "$ROOT" && run_buf format -w protos)
  say "formatted"
}

run_buf() {
  local -a buf=("$CACHE"/npm/node_modules/@bufbuild/buf-linux-*/bin/buf)
  "${buf[0]}" "$@"
}

help_baseline() {
  cat <<'END'
tools/dev baseline

Writes protos/baseline.binpb from the protos as they are. The gate buf_breaking compares every later edit with it, so
move it only when a release is cut or when an addition shall be guarded from now on, in a commit of its own.
END
}

cmd_baseline() {
  [ $# = 0 ] || die "baseline takes no arguments"
  ensure_packages build
  ensure_npm
  (cd "$ROOT" && run_buf lint protos && run_buf build protos --exclude-source-info -o protos/baseline.binpb)
  say "protos/baseline.binpb is written; commit it by itself"
}
