#!/usr/bin/env bash
# A poisoned effect of the notifier is parked after its attempts while everything else goes on; potokctl lists it, a replay
# before the mend fails and says so, the one after it succeeds, each notice exists once, and the ledger check is clean again.
# shellcheck source=tests/e2e/e2e.sh
. "$(dirname "$0")/e2e.sh"
own_stack letters

tools/dev up --no-build
ctl() { "${POTOK_BIN:-build/dev/bin}/potokctl" --stack "$(state)" "$@"; }
sql() { tools/dev psql -Atqc "$1"; }
letters() { ctl dead-letters "$@"; }

letters list | grep 'no dead letters' || broken "a fresh stack has dead letters"
sql "CREATE FUNCTION notifier.poisoned() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN RAISE EXCEPTION ''a notice nobody can write''; END';
     CREATE TRIGGER poison BEFORE INSERT ON notifier.delivery FOR EACH ROW EXECUTE FUNCTION notifier.poisoned()"
ctl load creates --count 6 --callers 3 || broken "filing failed"
all_parked() {
  [ "$(sql "SELECT (SELECT count(*) FROM ledger.dlq WHERE state = 'parked') = (SELECT count(*) FROM ledger.ticket_event)")" = t ]
}
wait_for 90 all_parked || { letters list; broken "not every poisoned entry was parked"; }
events=$(sql 'SELECT count(*) FROM ledger.ticket_event')
letters list --group notifier --filter 'reason:"nobody can write"' | tee "$scratch/list"
grep -q 'refused the statement | ERROR: *a no' "$scratch/list" || broken "the list does not say why"
ctl verify >"$scratch/verify" 2>&1 && broken "verify says nothing about parked entries"
grep -q 'notifier parked' "$scratch/verify" || { cat "$scratch/verify"; broken "verify does not name them"; }

# Asked too early: every one fails again, stays parked and shows the new attempt.
letters replay --group notifier --rate 50 >"$scratch/early" && broken "a replay before the mend claims success"
grep -q "$events failed" "$scratch/early" || { cat "$scratch/early"; broken "the failures were not counted"; }
[ "$(sql 'SELECT min(attempts) FROM ledger.dlq')" = 6 ] || broken "attempts were not counted"

# The mend, and one that is given up for good.
sql 'DROP TRIGGER poison ON notifier.delivery'
one=$(sql "SELECT concat_ws('-', grp, (ARRAY['assignment','escalation','lifecycle'])[topic], part, pos) FROM ledger.dlq
           WHERE version = 1 ORDER BY parked_at LIMIT 1")
letters drop "$one" --reason 'told by phone' | grep '1 dropped' || broken "$one was not dropped"
letters show "$one" | tee "$scratch/show"
grep -q 'told by phone' "$scratch/show" || broken "the reason was not kept"
letters replay --all --rate 100 | tee "$scratch/late" || broken "the replay failed"
grep -q "$((events - 1)) done, 0 failed" "$scratch/late" || broken "not every one was carried out"
letters replay --all | grep 'nothing is parked' || broken "something is still parked"
letters list --all | grep -c replayed | grep -qx "$((events - 1))" || broken "the settled ones are not listed"
[ "$(sql 'SELECT count(*) - count(DISTINCT (ticket_id, version, recipient, channel)) FROM notifier.delivery')" = 0 ] ||
  broken "somebody was told twice"
[ "$(sql 'SELECT count(*) FROM notifier.delivery')" -gt 0 ] || broken "nobody was told"
ctl verify || broken "the ledger check is not clean after the replay"
