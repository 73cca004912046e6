"""P8 to P13: memory, start, import, calendar, decision, delivery."""
import json
import os
import signal
import subprocess
import time

from .rows import Row
from .stack import BIN, SERVICES, STACK_DIR, Failed, run, sh


def p8(bench):
    stack = bench.stack
    stack.use(bench.behind)
    rows = [Row("P8", f"memory at rest: {name}", "<= 64 MiB", "MiB").must("<=", 64) for name in SERVICES]
    whole = Row("P8", "memory at rest: all in one process", "<= 128 MiB", "MiB").must("<=", 128)
    for round in bench.rounds("P8"):
        stack.start()
        time.sleep(bench.seconds(10))
        for row, name in zip(rows, SERVICES):
            row.add(stack.rss_mib(name))
        stack.stop()
        stack.start("allinone")
        time.sleep(bench.seconds(10))
        whole.add(stack.rss_mib("allinone"))
        stack.stop()
    return [*rows, whole]


def until_ready(name):
    """Seconds from the start of the process to its own word that it is ready."""
    log_path = os.path.join(STACK_DIR, f"start-{name}.log")
    with open(log_path, "wb") as log:
        start = time.monotonic()
        process = subprocess.Popen([f"{BIN}/potok-{name}", "--config", f"{STACK_DIR}/config/{name}.textproto", "--address-file",
                                    f"{STACK_DIR}/address/start-{name}"], stdout=log, stderr=log, env={**os.environ, "POTOK_ENV": "dev"})
        try:
            while True:
                with open(log_path, "rb") as text:
                    if b"process.ready" in text.read():
                        return time.monotonic() - start
                if process.poll() is not None or time.monotonic() - start > 30:
                    raise Failed(f"{name} did not become ready; its log is {log_path}")
                time.sleep(0.002)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def p9(bench):
    stack = bench.stack
    stack.use(bench.behind)
    rows = [Row("P9", f"process to ready: {name}", "<= 300 ms", "ms").must("<=", 300) for name in SERVICES]
    whole = Row("P9", "Postgres, Redis, mail sink and five services from nothing", "<= 5 s", "s").must("<=", 5)
    stack.start()  # Writes the configurations.
    stack.stop()
    for round in bench.rounds("P9"):
        for row, name in zip(rows, SERVICES):
            row.add(until_ready(name) * 1000)
        sh("down")
        start = time.monotonic()
        stack.storage()
        stack.start()
        whole.add(time.monotonic() - start)
        stack.stop()
    return [*rows, whole]


def p10(bench):
    people = Row("P10", "import of employees", ">= 20 k rows/s", "/s").must(">=", 20000)
    tickets = Row("P10", "import of recorded tickets", ">= 20 k rows/s")
    tickets.absent = "no such call: a recorded log is played through the calls of people, as fast as P4"
    stack = bench.stack
    stack.use("potok", bench.behind)
    stack.start("intake")
    for round in bench.rounds("P10"):
        result = stack.load("employees", "--count", "8", "--callers", "1", "--in-flight", "1", "--flow", "none")
        people.add(result["throughput"] * result["batch"])
    stack.verify(quiescent=False)
    stack.stop()
    return [people, tickets]


def google_benchmark(program, names):
    """Nanoseconds of one iteration by the name of the benchmark."""
    out = run([f"{BIN}/{program}", "--benchmark_format=json", f"--benchmark_filter={names}"])
    scale = {"ns": 1, "us": 1e3, "ms": 1e6}
    return {b["name"]: b["cpu_time"] * scale[b["time_unit"]] for b in json.loads(out)["benchmarks"]}


def p11(bench):
    names = {"Add/30": "calendar add, within a month", "Add/3650": "calendar add, within ten years",
             "Between/30": "calendar between, within a month", "Between/3650": "calendar between, within ten years"}
    rows = {name: Row("P11", what, "<= 200 ns", "ns").must("<=", 200) for name, what in names.items()}
    for round in bench.rounds("P11"):
        for name, nanos in google_benchmark("desk_calendar_bench", "^(Add|Between)/").items():
            rows[name].add(nanos)
    return list(rows.values())


def p12(bench):
    names = {"BM_MakePlan/round_robin/200/1": "routing decision, 200 agents, in turn",
             "BM_MakePlan/least_loaded/200/1": "routing decision, 200 agents, by load"}
    rows = {name: Row("P12", what, "<= 20 us", "us").must("<=", 20) for name, what in names.items()}
    for round in bench.rounds("P12"):
        for name, nanos in google_benchmark("routing_bench", "^BM_MakePlan/.*/200/1$").items():
            rows[name].add(nanos / 1000)
    list(rows.values())[0].note("without rules: distribution by rules is not built yet")
    return list(rows.values())


def p13(bench):
    inbox = Row("P13", "notices planned and delivered into inboxes", ">= 5 k/s", "/s").must(">=", 5000)
    mail = Row("P13", "notices planned and mailed to a local sink", ">= 5 k/s", "/s").must(">=", 5000)
    stack = bench.stack
    stack.use("potok", bench.behind)
    stack.start()
    count = 3000 if bench.quick else 20000
    for round in bench.rounds("P13"):
        inbox.add(notified(stack, count, "inbox"))
    stack.psql("UPDATE intake.employee SET email = id || '@example.test' WHERE starts_with(id, 'load-')")
    try:
        sh("fast-sink")
        for round in bench.rounds("P13 by mail"):
            mail.add(notified(stack, count // 2, "email"))
    except Failed as failure:
        mail.absent = str(failure).splitlines()[-1][:200].replace("|", "/")
    stack.verify()
    stack.stop()
    return [inbox, mail]


def notified(stack, count, channel):
    """Notices a second of that channel, when `count` tickets wait for a notifier that was away."""
    stack.drain()
    stack.stop("notifier")
    stack.load("creates", "--flow", "load", "--count", str(count), "--callers", "200", "--in-flight", "2")
    while stack.number("SELECT count(*) FROM ledger.outbox") > 0:
        time.sleep(0.2)
    since = stack.one("SELECT clock_timestamp()")
    stack.start("notifier")
    stack.drain(300)
    while stack.number(f"SELECT count(*) FROM notifier.delivery WHERE created_at > '{since}' AND state IN ('pending', 'sending')") > 0:
        time.sleep(0.2)
    # Its own start is no delivery: counted from the first one on.
    of_channel = f"channel = '{channel}' AND state = 'sent'"
    since = stack.one(f"SELECT min(finished_at) FROM notifier.delivery WHERE {of_channel} AND finished_at > '{since}'")
    return float(stack.one(f"SELECT count(*) / extract(epoch FROM max(finished_at) - min(finished_at)) FROM notifier.delivery "
                           f"WHERE {of_channel} AND finished_at >= '{since}'"))

