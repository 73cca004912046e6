#!/usr/bin/env bash
# Every statement of the code base, planned against the tables of a large desk: none reads a growing table in sequence,
# and none compares two sets row by row, without saying why. The database is that of the bench, with a million tickets behind it: with a
# hundred thousand, a statement that read all that is held was still planned well. POTOK_PLAN_TICKETS=20000 takes 20 s instead of 4 min.
# shellcheck source=tests/e2e/e2e.sh
. "$(dirname "$0")/e2e.sh"
own_stack plans
unset POTOK_NO_REDIS  # Only Postgres is asked.

result=$scratch/bench.json
tests/load/bench --only P14 --spend --size "${POTOK_PLAN_TICKETS:-1000000}" --no-build --json "$result" >"$scratch/out" 2>&1 ||
  { cat "$scratch/out"; broken "the plans could not be made"; }
grep -E ' reads all of | compares row by row' "$scratch/out" || :
/usr/bin/python3 - "$result" <<'PY' || broken "statements do not go by an index"
import json, sys
rows = [row for row in json.load(open(sys.argv[1]))["rows"] if row["id"] == "P14"]
for row in rows:
    print(row["what"], row["values"], *row["notes"], sep="\n")
sys.exit(len(rows) != 2 or any(row["met"] is not True for row in rows))
PY
