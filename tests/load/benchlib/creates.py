"""P1 to P4: filing, and what follows it."""
import threading
import time

from . import references
from .rows import Row
from .stack import Echo, Failed

TURNS = "turn-0,turn-1,turn-2,turn-3"


def pgbench(stack, database, clients, seconds):
    """(creates a second, mean latency in seconds) of Postgres alone, or None twice: it breaks what it writes into."""
    return (None, None) if stack.in_place else references.pgbench(stack, database, clients, seconds)


class Budget:
    """What Postgres did between two moments: statements, commits, bytes of WAL."""

    def __init__(self, stack, database):
        self.stack, self.database = stack, database
        stack.psql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()", database)
        self.before = self.counters()

    def counters(self):
        return [float(n) for n in self.stack.psql(
            "SELECT pg_current_wal_lsn() - '0/0', d.xact_commit, w.wal_sync, w.wal_fpi FROM pg_stat_database d, pg_stat_wal w "
            f"WHERE d.datname = '{self.database}'", self.database)[0]]

    def end(self):
        time.sleep(1.2)  # Backends report their counters each second.
        self.spent = [after - before for before, after in zip(self.before, self.counters())]
        self.statements = self.stack.psql(
            "SELECT calls, round(total_exec_time::numeric, 1), wal_bytes, left(regexp_replace(regexp_replace(query, '--[^\n]*', '', 'g'), '\\s+', ' ', 'g'), 60)"
            " FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
            f"WHERE d.datname = '{self.database}' AND query NOT LIKE '%pg_stat%' ORDER BY total_exec_time DESC", self.database)
        return self


def budget_rows(bench, budget, created, reference_wal):
    calls = sum(int(s[0]) for s in budget.statements)
    rows = []
    for what, value, unit, beside in [
            ("statements", calls, "", None), ("commits", budget.spent[1], "", None),
            ("time in statements", sum(float(s[1]) for s in budget.statements) * 1000, "us", None),
            ("WAL", budget.spent[0], "bytes", reference_wal), ("WAL syncs", budget.spent[2], "", None)]:
        row = Row("P1", f"budget of one create, intake alone: {what}", "", unit, "PG1")
        row.add(value / created, beside)
        rows.append(row)
    for s in budget.statements[:8]:
        bench.say(f"  {int(s[0]) / created:7.3f} calls  {float(s[1]) * 1000 / created:8.1f} us  {float(s[2]) / created:8.0f} bytes WAL a create: {s[3].strip()}")
    return rows


def pg1(stack, seconds):
    """(creates a second, bytes of WAL a create) of Postgres alone."""
    if stack.in_place:
        return None, None
    wal = Budget(stack, "alone")
    rate = pgbench(stack, "alone", 32, seconds)[0]
    return rate, wal.end().spent[0] / (rate * seconds)


def p1(bench):
    """Creates a second beside Postgres alone, with intake alone and with everybody at work."""
    alone = Row("P1", "durable creates, intake alone, 32 x 8 in flight", ">= 1.5 x PG1", "/s", "PG1").must(">=", 1.5)
    busy = Row("P1", "the same, all services following", "", "/s", "PG1")
    echo = Row("P1", "the same calls to a bare gRPC server", "", "/s")
    generator = Row("P1", "processor time of the generator, share of a core", "", "")
    stack, seconds = bench.stack, bench.seconds(8)
    stack.copy(bench.behind, "alone")
    stack.use("potok", bench.behind)
    creates = ["creates", "--flow", "load", "--callers", "32", "--in-flight", "8", "--seconds", str(seconds)]
    stack.start("intake")
    answer_bytes, budget = 0, []
    for round in bench.rounds("P1 intake alone"):
        reference, wal = pg1(stack, seconds)
        before = stack.number("SELECT sum(next) FROM ledger.flow_counter")
        spent = Budget(stack, stack.database)
        result = stack.load(*creates)
        created = stack.number("SELECT sum(next) FROM ledger.flow_counter") - before
        budget = budget_rows(bench, spent.end(), created, wal)
        alone.add(result["throughput"], reference)
        generator.add(result["cpu_seconds"] / result["length"])
        alone.note(f"p99 {result['p99'] * 1000:.0f} ms")
        answer_bytes = result["answer_bytes"]
    stack.verify(quiescent=False)
    if bench.growing:
        stack.stop()
        stack.drop("potok")
        return [alone]
    stack.start()
    waiting = stack.number("SELECT count(*) FROM ledger.outbox") + stack.number("SELECT count(*) FROM ledger.event_log")
    bench.say(f"drained in {stack.drain(900):.0f} s what {waiting:.0f} events left behind")
    for round in bench.rounds("P1 with all services"):
        reference = pgbench(stack, "alone", 32, seconds)[0]
        busy.add(stack.load(*creates)["throughput"], reference)
        stack.drain(900)
    stack.verify()
    stack.stop()
    # With its tens of thousands of tickets that wait for somebody to pick them nobody else is measured.
    stack.drop("potok")
    with Echo(answer_bytes) as server:
        for round in bench.rounds("P1 ECHO"):
            echo.add(stack.load(*creates, "--to", server.address)["throughput"])
    return [alone, busy, echo, generator, *budget]


ASSIGNED = """
SELECT count(a.version), count(*), percentile_cont(ARRAY[0.5, 0.99, 0.999]) WITHIN GROUP (
         ORDER BY extract(epoch FROM pg_xact_commit_timestamp(a.xmin) - pg_xact_commit_timestamp(c.xmin)))
  FROM ledger.ticket t
  JOIN ledger.ticket_event c ON c.part = t.part AND c.ticket_id = t.id AND c.version = 1
  LEFT JOIN ledger.ticket_event a ON a.part = t.part AND a.ticket_id = t.id AND a.type = 'assigned'
 WHERE t.flow_id LIKE 'turn-%' AND t.created_at > '{since}'"""


def assigned_since(stack, since):
    """p50, p99, p99.9 in milliseconds, from the commit of the filing to the commit of the assignment."""
    assigned, filed, quantiles = stack.psql(ASSIGNED.format(since=since))[0]
    if assigned != filed:
        raise Failed(f"{filed} tickets were filed in flows that give away by themselves, {assigned} assigned")
    return [float(q) * 1000 for q in quantiles.strip("{}").split(",")]


def p2_p3(bench):
    filing = Row("P2", "CreateTicket p99 at 200/s", "<= 5 x PGc mean", "ms", "PGc mean").must("<=", 5)
    p50 = Row("P3", "create -> assigned at 200/s, p50", "<= 5 ms", "ms").must("<=", 5)
    p99 = Row("P3", "the same, p99", "<= 15 ms", "ms").must("<=", 15)
    dark = Row("P3", "the same without Redis, p99", "<= 500 ms", "ms").must("<=", 500)
    stack, seconds = bench.stack, bench.seconds(15)
    stack.copy(bench.behind, "alone")
    stack.use("potok", bench.behind)
    stack.start()
    load = ["creates", "--rate", "200", "--flow", TURNS, "--callers", "200", "--seconds", str(seconds), "--warm-up", "2"]

    def one():
        since = stack.one("SELECT clock_timestamp() + interval '2 s'")  # After the warm-up.
        result = stack.load(*load)
        stack.drain()
        return result, assigned_since(stack, since)

    for round in bench.rounds("P2, P3"):
        mean = pgbench(stack, "alone", 1, max(2, seconds // 3))[1]
        result, quantiles = one()
        filing.add(result["p99"] * 1000, mean and mean * 1000)
        p50.add(quantiles[0])
        p99.add(quantiles[1])
        filing.note(f"p50 {result['p50'] * 1000:.1f} ms")
        p99.note(f"p99.9 {quantiles[2]:.0f} ms")
    if not bench.growing:
        stack.stop("redis")
        for round in bench.rounds("P3 without Redis"):
            dark.add(one()[1][1])
        stack.start()  # Redis too.
        stack.drain()
    stack.verify()
    stack.stop()
    return [filing, p50, p99, *([] if bench.growing else [dark])]


class LagWatch:
    """The largest lag while it watches."""

    def __init__(self, stack, skip):
        self.stack, self.skip, self.largest, self.stopping = stack, skip, 0.0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        start = time.monotonic()
        while not self.stopping.wait(0.5):
            lag = self.stack.lag()
            if time.monotonic() - start > self.skip:
                self.largest = max(self.largest, lag)

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


def sustained(bench, stack, rate, seconds):
    """Whether everything keeps up with `rate`, and how far it fell behind."""
    with LagWatch(stack, 2) as watch:
        try:
            result = stack.load("creates", "--rate", f"{rate:.0f}", "--flow", TURNS, "--callers", "200", "--seconds", str(seconds),
                                "--warm-up", "2")
            kept = result["answered"] >= 0.97 * rate * seconds
        except Failed as failure:
            if "potokctl" not in str(failure).splitlines()[0]:
                raise
            kept = False
    lag = watch.largest
    took = stack.drain(600)
    bench.say(f"{rate:.0f}/s: {'kept up' if kept and lag < 1 else 'not sustained'}, lag {lag:.2f} s, drained in {took:.1f} s")
    return kept and lag < 1


def p4(bench):
    row = Row("P4", "whole pipeline, nothing behind by more than 1 s", ">= 0.25 x PG1", "/s", "PG1").must(">=", 0.25)
    stack, seconds = bench.stack, bench.seconds(8)
    stack.copy(bench.behind, "alone")
    rate = None
    for round in bench.rounds("P4"):
        # A new one each round: the people of the desks have 160 000 slots in all.
        stack.drop("potok")
        stack.use("potok", bench.behind)
        stack.start()
        # What starts has everything to read and to plan once; a rate that is sustained is none of that moment.
        stack.load("creates", "--rate", "200", "--flow", TURNS, "--callers", "200", "--seconds", "3")
        stack.drain()
        reference = pgbench(stack, "alone", 32, seconds)[0]
        low, high, probe = 0.0, None, rate or (reference or 4000) * 0.25
        for number in range(bench.probes + 4):
            if number >= bench.probes and low > 0:
                break
            if sustained(bench, stack, probe, seconds):
                low = probe
                probe = probe * 1.3 if high is None else (low + high) / 2
            else:
                high = probe
                probe = probe / 1.6 if low == 0 else (low + high) / 2
        rate = max(low, 100)  # The next round begins where this one ended, and somewhere when it failed.
        row.add(low, reference)
        stack.verify()
        stack.stop()
    return [row]
