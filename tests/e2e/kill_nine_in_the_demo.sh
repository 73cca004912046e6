#!/usr/bin/env bash
# kill -9 of each service in turn in the middle of the story; each is started again. The story ends as it does without, and
# the ledger check at its end is clean: nothing lost, nothing twice.
# shellcheck source=tests/e2e/e2e.sh
. "$(dirname "$0")/e2e.sh"
own_stack kill

tools/dev demo --no-build >"$scratch/demo" 2>&1 &
demo=$!
lines() { wc -l <"$scratch/demo"; }
story_has_begun() { grep -q '4. The main job' "$scratch/demo"; }
grown_to() { [ "$(lines)" -ge "$1" ] || ! kill -0 "$demo" 2>/dev/null; }

wait_for 120 story_has_begun || { cat "$scratch/demo"; broken "the demo did not begin"; }
killed=0
for service in intake router sla-timer notifier analytics; do
  # A few lines of the story apart, so that each death meets other work.
  wait_for 60 grown_to $(($(lines) + 6)) || broken "the story stands still"
  kill -0 "$demo" 2>/dev/null || { cat "$scratch/demo"; broken "the demo ended before $service was killed"; }
  kill -9 "$(awk '{print $1; exit}' "$(state)/pids/$service")"
  echo "killed $service at line $(lines) of the story"
  tools/dev restart "$service"
  killed=$((killed + 1))
done
wait "$demo" || { cat "$scratch/demo"; broken "the demo failed after the kills"; }
[ "$killed" = 5 ] || broken "only $killed services were killed"
grep 'every request accounted for' "$scratch/demo" || { cat "$scratch/demo"; broken "the ledger check is not clean"; }
