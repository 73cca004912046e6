#!/usr/bin/env bash
# The grpcurl session of README.md works as pasted: its lines are run as they stand there.
# shellcheck source=tests/e2e/e2e.sh
. "$(dirname "$0")/e2e.sh"
own_stack readme

# shellcheck disable=SC2016 # backquotes are Markdown's
sed -n '/<!-- session/,/^```$/p' README.md | sed -n '/^```sh$/,/^```$/p' | sed '1d;$d' >"$scratch/session"
# A build with a sanitizer stands elsewhere than the one that a reader makes.
if [ -n "${POTOK_BIN:-}" ]; then sed -i "s|build/dev/bin|$POTOK_BIN|" "$scratch/session"; fi
[ "$(wc -l <"$scratch/session")" -ge 10 ] || broken "README.md has no session"
tools/dev up --no-build
{ echo 'set -euo pipefail'; cat "$scratch/session"; } | bash -x >"$scratch/out" 2>"$scratch/trace" ||
  { tail -n 40 "$scratch/trace" "$scratch/out"; broken "a pasted command failed"; }
cat "$scratch/out"
for sign in '"number": "DEMO-000001"' 'STATE_RESOLVED' 'STATE_CLOSED' '"rating": 5' '"assignee": "employees/' 'every request accounted for'; do
  grep -qF "$sign" "$scratch/out" || broken "the session never printed: $sign"
done
