#!/usr/bin/env bash
# A recorded log is played, interrupted by Ctrl-C in the middle and played again by the same command: every request is there
# once, a bad row is told with line and column and skipped, and nothing of the stack outlives the interruption.
# shellcheck source=tests/e2e/e2e.sh
. "$(dirname "$0")/e2e.sh"
own_stack replayed

log=$scratch/log.csv
{
  echo 'number,incident_state,sys_updated_at,opened_at,caller_id,assignment_group,assigned_to,priority,made_sla'
  for i in $(seq 100 139); do
    day=$((i % 9 + 1)) hour=$((i % 8 + 9))
    row() { printf 'INC%d,%s,0%d-03-2016 %02d:%02d,0%d-03-2016 %02d:00,Caller %d,Group %d,Agent %d,3 - Moderate,TRUE\n' \
      "$i" "$1" "$day" "$hour" "$2" "$day" "$hour" $((i % 7)) $((i % 3)) $((i % 5)); }
    row New 1; row Active 10; row 'Awaiting User Info' 20; row Active 30; row Resolved 50; row Closed 58
  done
  echo 'INC200,New,not a time,01-03-2016 10:00,Caller 1,Group 1,Agent 1,3 - Moderate,TRUE'
} >"$log"

play() { tools/dev demo --no-build --data "$log" --seconds 20 "$@"; }
# Ctrl-C reaches the whole process group of a terminal's job, so the demo gets one of its own.
setsid bash -c "exec tools/dev demo --no-build --data '$log' --seconds 20" >"$scratch/first" 2>&1 &
begun() { grep -q '4. The main job' "$scratch/first"; }
wait_for 120 begun || { cat "$scratch/first"; broken "the replay did not begin"; }
steps_done() { [ "$(tools/dev psql -Atc 'SELECT count(*) FROM ledger.ticket_event')" -ge 60 ]; }
wait_for 60 steps_done || { cat "$scratch/first"; broken "the replay stands still"; }
first=$(pgrep -f "tools/dev demo --no-build --data $log" | head -n 1)
kill -INT -- "-$first" 2>/dev/null || kill -TERM "$first"
gone() { ! pgrep -f "tools/dev demo --no-build --data $log"; }
wait_for 60 gone || broken "the interrupted demo does not end"
tools/dev status && broken "something outlived the interruption"

play --keep >"$scratch/second" 2>&1 || { cat "$scratch/second"; broken "the second run failed"; }
grep 'every request accounted for: 40 tickets' "$scratch/second" || { cat "$scratch/second"; broken "not every request is there once"; }
grep -E 'line 242\b.*column|242:' "$scratch/second" || { cat "$scratch/second"; broken "the bad row was not told"; }
closed=$(tools/dev psql -Atc "SELECT count(*) FROM ledger.ticket WHERE state = 'CLOSED'")
[ "$closed" = 40 ] || broken "$closed of 40 requests are closed"
