"""P6, P7, P14: reading."""
import glob
import json
import os

from .references import IN_FLIGHT, h2load, text_field
from .rows import Row
from .stack import ROOT, Echo

GET = "potok.intake.v1.IntakeService/GetTicket"


def p6(bench):
    by_h2load = Row("P6", "GetTicket, h2load 4 x 32", ">= 0.4 x ECHO", "/s", "ECHO").must(">=", 0.4)
    by_own = Row("P6", "GetTicket of 1000 tickets, own generator 32 x 8", "", "/s", "ECHO")
    stack, seconds = bench.stack, bench.seconds(6)
    stack.use("potok", bench.behind)
    stack.start()
    gets = ["gets", "--flow", "behind-1", "--callers", "32", "--in-flight", "8", "--seconds", str(seconds)]
    part, id = stack.psql("SELECT part, id FROM ledger.ticket WHERE flow_id = 'behind-1' AND state = 'IN_PROGRESS' LIMIT 1")[0]
    request = text_field(1, f"tickets/{id}")
    size = stack.load("gets", "--flow", "behind-1", "--callers", "1", "--in-flight", "1", "--count", "20")["answer_bytes"]
    address = stack.address("intake")
    with Echo(size) as echo:
        for round in bench.rounds("P6"):
            failed = not_ok(stack)
            reference = h2load(echo.address, GET, request, seconds)
            by_h2load.add(h2load(address, GET, request, seconds), reference)
            if not_ok(stack) > failed + IN_FLIGHT:
                by_h2load.note("some calls FAILED")
            reference = stack.load(*gets, "--to", echo.address)["throughput"]
            by_own.add(stack.load(*gets)["throughput"], reference)
    by_h2load.note(f"answers of {size} bytes")
    stack.stop()
    return [by_h2load, by_own]


def not_ok(stack):
    """Calls that intake did not answer with OK: h2load would take them for answers. When its time is up it cancels what is in flight, or
    leaves it without a message, which counts as INVALID_ARGUMENT here (never with a fixed number of calls, -n)."""
    return sum(value for line, value in stack.samples("intake", "grpc_server_handled_total")
               if 'code="OK"' not in line and 'code="CANCELLED"' not in line)


LISTS = [
    ("a flow, newest first", 'flow = "flows/behind-3"'),
    ("a requester's own", 'requester = "employees/load-7"'),
    ("what an agent holds", 'assignee = "employees/behind-2-agent-5"'),
    ("a flow's closed ones", 'flow = "flows/behind-4" AND state = "CLOSED"'),
    ("a flow's queue", 'flow = "flows/behind-5" AND state = "QUEUED"'),
]


def p7(bench):
    stack, seconds = bench.stack, bench.seconds(4)
    stack.use("potok", bench.behind)
    stack.start()
    lists = [Row("P7", f"list of 50: {what}, p99", "<= 20 ms", "ms").must("<=", 20) for what, _ in LISTS]
    board = Row("P7", "board of a flow, p99", "<= 20 ms", "ms").must("<=", 20)
    report = Row("P7", "report of the agents of a flow, p99", "<= 100 ms", "ms").must("<=", 100)
    search = Row("P7", "full-text search, p99", "<= 50 ms")
    search.absent = "not built yet"
    one = ["--callers", "2", "--in-flight", "1", "--seconds", str(seconds), "--warm-up", "0.5"]
    for round in bench.rounds("P7"):
        for row, (_, filter) in zip(lists, LISTS):
            row.add(stack.load("lists", "--flow", "behind-3", "--filter", filter, *one)["p99"] * 1000)
        board.add(stack.load("boards", "--flow", "behind-0,behind-3,behind-7", *one)["p99"] * 1000)
        report.add(stack.load("reports", "--flow", "behind-0,behind-3,behind-7", *one)["p99"] * 1000)
    stack.verify()  # P6's too: it works on the same copy.
    stack.stop()
    return [*lists, board, report, search]


# Tables that grow with the work; the others are as large as the company.
GROWING = {"ticket", "ticket_event", "event_text", "outbox", "outbox_0", "outbox_1", "event_log", "idem", "assignment", "sla_timer", "sla_fired",
           "decision", "queue_entry", "planned", "delivery", "inbox", "ticket_fact", "dlq"}
# As the services' sessions plan (services/platform/pg/pool.cc).
PLANNER = ("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off; "
           "SET plan_cache_mode = force_generic_plan")
# Statements that are to read all of a table, or get their conditions while they run, and why that is fine.
READ_ALL = {
    "intake.list_tickets": "filter and order are appended by the call: P7",
    "intake.dead_letters_parked": "all that is parked, by an index that has nothing else",
    "notifier.undelivered": "all that waits, by an index that has nothing else",
    "router.flows_to_visit": "the lines that wait for their move, by an index that has nothing else",
    "router.count_waiting": "all that is queued, by an index that has nothing else, for a fiftieth of the time",
    "intake.list_total": "the filter is appended by the call; without one all are counted: P7",
    "notifier.count_deliveries": "the filter is appended by the call; without one all are counted, for an admin",
    "intake.admission_facts": "counts the outbox up to a limit",
    "intake.admin_transport": "counts the outbox, for an admin",
    "platform.backlog": "counts the outbox up to a limit",
    "ledger.count_ledger": "part of VerifyLedger",
    "intake.dead_letters_hold": "filter, order and limit are appended by the call",
    "intake.dead_letters_list": "filter, order and limit are appended by the call",
    "intake.dead_letters_total": "the filter is appended by the call; without one all are counted, for an admin",
    "notifier.list_deliveries": "filter, order and limit are appended by the call",
    "notifier.delivery_counts": "GetDeliveryStats counts all, for an admin",
    "notifier.delivery_latency": "GetDeliveryStats counts all, for an admin",
    "sla-timer.timer_counts": "GetTimerStats counts all, for an admin",
    "sla-timer.timer_lateness": "GetTimerStats counts all, for an admin",
    "router.assigned_counts": "counts what a flow has ever given away; an index for it would cost each assignment",
}


# Sets that meet each other without an index, which is fine where both are small or the plan is another.
COMPARE = {
    "intake.admission_facts": "the streams and the heads of sixteen parts",
    "intake.dead_letters_drop": "an admin's call, which is planned for whole tables (ledger/reference_idem.h)",
    "intake.dead_letters_hold_named": "an admin's call, which is planned for whole tables",
    "intake.dead_letters_schedule": "an admin's call, which is planned for whole tables",
    "intake.directory_find_departments": "an admin's call, which is planned for whole tables",
    "intake.flow_find": "the versions of one flow",
    "ledger.lock_loads_skip_locked": "agents of one batch",
    "ledger.persist_filed": "tickets of a batch with its flows",
    "ledger.reference_calendar_versions": "versions of reference data",
    "ledger.reference_flows": "versions of reference data",
    "ledger.reference_policy_versions": "versions of reference data",
    "platform.heads": "the streams and the heads of at most sixteen parts",
    "platform.lease_gain": "the leases of one kind",
    "platform.replay_begin": "one dead letter; the streams of a part",
    "platform.sequence": "rows of a batch with the heads of sixteen parts",
    "platform.settle_blind": "the streams of a part",
    "platform.stamp_offsets": "the streams of sixteen parts",
    "platform.take": "entries of a batch with the streams of sixteen parts",
    "router.hand_decisions": "the assignments of one ticket",
    "router.queue_head": "asks only whether there is somebody",
    "router.reasons_write": "the queue of a flow with its few kinds of tickets",
}


def comparisons(plan, found):
    """Nested loops that compare each row with each, by what they compare."""
    if plan["Node Type"] == "Nested Loop" and "Join Filter" in plan:
        found.append(plan["Join Filter"][:120])
    for child in plan.get("Plans", []):
        comparisons(child, found)


def scans(plan, found, path=()):
    path = (*path, plan["Node Type"])
    whole = plan["Node Type"] == "Seq Scan" or (  # An index read from end to end is no better, unless something ends it.
        plan["Node Type"] in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan and "Limit" not in path)
    if whole and plan["Relation Name"] in GROWING:
        found[plan["Relation Name"]] = " > ".join(path) + f" {plan.get('Index Name', '')}"
    for child in plan.get("Plans", []):
        scans(child, found, path)


def p14(bench):
    """Every statement of the code base, as Postgres plans it when it knows nothing of the parameters."""
    row = Row("P14", "statements that read a growing table in sequence", "0", "").must("<=", 0)
    compared = Row("P14", "statements that compare two sets row by row", "0", "").must("<=", 0)
    stack = bench.stack
    stack.use("plans", bench.behind)
    stack.script(os.path.join(ROOT, "tests/load/plans.sql"))
    files = sorted(glob.glob(os.path.join(ROOT, "services/**/store/sql/*.sql"), recursive=True)
                   + glob.glob(os.path.join(ROOT, "services/platform/**/sql/*.sql"), recursive=True))
    bad = comparing = 0
    for path in files:
        name = path.split("/services/")[1].split("/")[0] + "." + os.path.basename(path)[:-4]
        with open(path, encoding="utf-8") as file:
            sql = file.read().rstrip().rstrip(";")
        if not any(line.split()[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "(SELECT") for line in sql.splitlines()
                   if line.strip() and not line.lstrip().startswith("--")):
            continue
        count = int(stack.psql(f"PREPARE s AS {sql};\nSELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 's'")[-1][0])
        arguments = f"({', '.join(['NULL'] * count)})" if count else ""
        plan = stack.psql(f"{PLANNER}; PREPARE s AS {sql};\n"
                          f"EXPLAIN (FORMAT JSON) EXECUTE s{arguments}")
        plan = json.loads("\n".join("\t".join(line) for line in plan))[0]["Plan"]
        filters, found = [], {}
        comparisons(plan, filters)
        if filters and name not in COMPARE:
            comparing += 1
            compared.note(name)
            bench.say(f"{name} compares row by row: {'; '.join(filters)}")
        scans(plan, found)
        if found and name not in READ_ALL:
            bad += 1
            row.note(f"{name}: {', '.join(sorted(found))}")
            bench.say(f"{name} reads all of {'; '.join(f'{table} ({path})' for table, path in sorted(found.items()))}")
    row.what += f" (of {len(files)})"
    row.add(bad)
    compared.add(comparing)
    stack.drop("plans")
    return [row, compared]
