"""The private Potok of the bench: Postgres, Redis, services, by tests/load/stack.sh; questions to Postgres and /proc."""
import json
import os
import re
import signal
import subprocess
import time
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
BIN = os.environ.get("POTOK_BIN", os.path.join(ROOT, "build/dev/bin"))
PG_BIN = "/usr/lib/postgresql/15/bin"
SERVICES = ["intake", "router", "sla-timer", "notifier", "analytics"]
STACK_DIR = os.path.join(ROOT, ".cache/stack", os.environ.get("POTOK_STACK", "bench"))


class Failed(Exception):
    """Something the bench needs went wrong; the text says what."""


def run(command, timeout=None, **options):
    """Runs it; its standard output. A failure carries the end of what it said."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        # gRPC's own lines say less than the program's.
        said = [line for line in (out + err).splitlines() if not re.match(r"E\d{4} ", line)]
        raise Failed(f"{' '.join(command)[:300]}\n" + "\n".join(said)[-2000:])
    return out


def sh(*arguments):
    # Output goes to a file: what is started in the background would keep a pipe open.
    path = os.path.join(ROOT, ".cache/bench/stack.log")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w+", encoding="utf-8") as log:
        code = subprocess.call([os.path.join(ROOT, "tests/load/stack.sh"), *arguments], stdout=log, stderr=log,
                               stdin=subprocess.DEVNULL)
        log.seek(0)
        text = log.read()
    if code != 0:
        raise Failed(f"tests/load/stack.sh {' '.join(arguments)}:\n{text[-2000:]}")
    return text


class Stack:
    """One at a time. `database` is the one that services work on."""

    def __init__(self):
        self.database = None
        self.replicas = 1  # Of each service that is started from now on.
        self.copies = {}   # What each copy was made from.
        # There is disk for the old tickets once, not three times: cases work on them themselves, one after the other, and what one
        # has filed is there in the next. Nothing else may write into them, so there is no reference beside a figure.
        self.in_place = False

    def storage(self):
        sh("storage")
        self.dsn = sh("value", "dsn").strip()
        self.run_dir = sh("value", "run").strip()

    def dsn_of(self, database):
        return self.dsn.replace("dbname=postgres", f"dbname={database}")

    def psql(self, sql, database=None, timeout=None):
        """Rows of text."""
        out = run([f"{PG_BIN}/psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.dsn_of(database or self.database),
                   "-c", sql], timeout=timeout)
        return [line.split("\t") for line in out.splitlines()]

    def one(self, sql, database=None):
        rows = self.psql(sql, database)
        return rows[0][0] if rows else ""

    def number(self, sql, database=None):
        text = self.one(sql, database)
        return float(text) if text else 0.0

    def script(self, path):
        run([f"{PG_BIN}/psql", "-Xq", "-v", "ON_ERROR_STOP=1", self.dsn_of(self.database), "-f", path])

    def copy(self, source, target):
        """A database with the files of another, which nobody uses meanwhile. One that was made from it before is taken as it is: a copy of
        a million tickets takes longer than most cases, and what the cases before have added is little beside them."""
        if self.in_place or self.copies.get(target) == source:
            return
        self.drop(target)
        self.psql(f"CREATE DATABASE {target} TEMPLATE {source} STRATEGY FILE_COPY", "postgres")
        self.copies[target] = source

    def drop_copies(self):
        for database in list(self.copies):
            self.drop(database)

    def drop(self, database):
        self.copies.pop(database, None)
        self.psql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", "postgres")

    def use(self, database, copy_of=None):
        """The database of what is started and called from now on; with `copy_of` a copy of that."""
        if copy_of:
            self.copy(copy_of, database)
        self.database = copy_of if copy_of and self.in_place else database

    def start(self, *names):
        names = names or SERVICES
        sh("start", self.database, *names, *[f"{name}@{n}" for n in range(2, self.replicas + 1) for name in names])

    def stop(self, *names):
        names = names or SERVICES + ["allinone"]
        sh("stop", *names, *[f"{name}@{n}" for n in range(2, self.replicas + 1) for name in names if name in SERVICES])

    def address(self, name):
        return sh("value", f"address:{name}").strip()

    def rss_mib(self, name):
        pid = sh("value", f"pid:{name}").strip()
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024

    def samples(self, name, prefix):
        """The samples of one moment of a service whose line starts with `prefix`: (line, value)."""
        address = sh("value", f"metrics:{name}").strip()
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
        return [(line, float(line.rsplit(" ", 1)[1])) for line in lines if line.startswith(prefix)]

    def ctl(self, *arguments, timeout=None):
        return run([f"{BIN}/potokctl", "--stack", STACK_DIR, *arguments], timeout=timeout)

    def load(self, *arguments):
        """What `potokctl load` measured. Calls that failed are an error: figures with failures say nothing."""
        path = os.path.join(STACK_DIR, "load.json")
        if os.path.exists(path):
            os.remove(path)
        if self.replicas > 1 and "--to" not in arguments:
            names = ["intake", *[f"intake@{n}" for n in range(2, self.replicas + 1)]]
            arguments = (*arguments, "--to", ",".join(self.address(name) for name in names))
        self.ctl("load", *arguments, "--json", path)
        with open(path, encoding="utf-8") as result:
            return json.load(result)

    def down(self):
        sh("down")

    # How far everything that follows a commit is behind.
    LAG = """
SELECT greatest(
  coalesce((SELECT max(extract(epoch FROM clock_timestamp() - o.at)) FROM ledger.outbox o), 0),
  coalesce((SELECT max(extract(epoch FROM clock_timestamp() - l.at)) FROM ledger.consumer_offset o
              JOIN ledger.event_log l ON l.topic = o.topic AND l.part = o.part AND l.pos = o.pos + 1), 0),
  coalesce((SELECT max(extract(epoch FROM clock_timestamp() - d.caused_at)) FROM notifier.delivery d
             WHERE d.state IN ('pending','sending') AND d.next_at < 'infinity'), 0),
  coalesce((SELECT max(extract(epoch FROM clock_timestamp() - t.queued_at)) FROM ledger.ticket t
             WHERE t.state = 'QUEUED' AND t.flow_id = ANY (ARRAY['turn-0','turn-1','turn-2','turn-3'])), 0))"""

    def lag(self):
        return self.number(self.LAG)

    def drain(self, patience=300, below=0.0):
        """Seconds until nothing waits any more."""
        start = time.monotonic()
        while self.lag() > below:
            if time.monotonic() - start > patience:
                raise Failed(f"work was still waiting after {patience} s")
            time.sleep(0.2)
        return time.monotonic() - start

    def explain(self, patience=60):
        """Waits until the router has said of each ticket why it waits, which no lag shows. The check itself looks at one moment and takes
        a minute of a million tickets, so it gets no second try within its own patience."""
        give_up = time.monotonic() + patience
        without = ("SELECT count(*) FROM ledger.ticket t LEFT JOIN router.queue_entry q ON q.part = t.part AND q.ticket_id = t.id "
                   "WHERE t.state = 'QUEUED' AND q.reason IS NULL")
        while self.number(without) > 0:
            if time.monotonic() > give_up:
                raise Failed(f"some tickets still had no reason after {patience} s")
            time.sleep(0.5)

    def verify(self, quiescent=True):
        """Raises with the rows that break an invariant. In place once at the end (growth.py): it reads all there is."""
        if self.in_place:
            return
        if quiescent:
            self.explain()
        self.ctl("verify", *([] if quiescent else ["--always"]), "--wait", "60")


class Echo:
    """The reference ECHO while it runs: with Echo(480) as echo: echo.address"""

    def __init__(self, answer_bytes):
        self.answer_bytes = answer_bytes

    def __enter__(self):
        path = os.path.join(STACK_DIR, "echo.address")
        if os.path.exists(path):
            os.remove(path)
        self.process = subprocess.Popen([f"{BIN}/potok-echo", "--answer-bytes", str(self.answer_bytes), "--address-file", path])
        for _ in range(200):
            if os.path.exists(path) and os.path.getsize(path) > 0:
                break
            time.sleep(0.05)
        else:
            self.__exit__()
            raise Failed("potok-echo did not start")
        with open(path, encoding="utf-8") as address:
            self.address = address.read().strip()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
