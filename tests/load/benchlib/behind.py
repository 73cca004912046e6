"""What lies behind the runs: a database with any number of old tickets, made once and copied for each group of cases."""
import hashlib
import os
import time

from .stack import ROOT

HERE = os.path.join(ROOT, "tests/load")
# Share of each age. Two timers are armed on what is queued, assigned or in progress, one on what is resolved:
# about as many as there are tickets.
AGES = [("queued", 0.02), ("assigned", 0.14), ("in progress", 0.16), ("resolved", 0.40), ("closed", 0.20), ("rated", 0.08)]
FLOWS = 10
REQUESTERS = 1000
DAYS_UNTIL_TIMERS = 8  # The soonest timer of a copy is due ten days after it was made.


def fingerprint(size):
    """Changes with whatever decides the content, so that an old database is made anew."""
    digest = hashlib.sha256(str(size).encode())
    for folder, _, files in sorted(os.walk(os.path.join(ROOT, "services"))):
        if folder.endswith("/store/migrations"):
            for name in sorted(files):
                with open(os.path.join(folder, name), "rb") as file:
                    digest.update(file.read())
    for name in ("tests/load/behind.sql", "tools/potokctl/load_company.cc"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:16]


def agents_per_flow(size):
    """Each holds 1000 at most, also what P5 adds."""
    return max(40, int(size * 0.30 / FLOWS / 750) + 1)


def spend(stack, name):
    """From now on cases work on it itself, and nobody takes it for what it was made as."""
    stack.in_place = True
    stack.psql(f"COMMENT ON DATABASE {name} IS NULL", "postgres")


def prepare(stack, size, say):
    """The name of the database to copy; made when there is none of this size and make."""
    name = f"behind_{size}"
    mark = f"{fingerprint(size)} "
    found = stack.psql(f"SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = '{name}'", "postgres")
    if found and found[0][0].startswith(mark) and time.time() - float(found[0][0].split()[1]) < DAYS_UNTIL_TIMERS * 86400:
        say(f"{size} tickets are there from an earlier run")
        return name
    started = time.monotonic()
    from .stack import sh
    stack.drop(name)
    stack.psql(f"CREATE DATABASE {name}", "postgres")
    sh("migrate", name)
    stack.use(name)
    stack.start()
    agents = agents_per_flow(size)
    try:
        stack.ctl("load", "company", "--callers", str(REQUESTERS), "--behind-agents", str(agents))
        stack.drain()
        stack.verify()
    finally:
        stack.stop()
    stack.script(os.path.join(HERE, "behind.sql"))
    settings = "SET synchronous_commit = off; SET work_mem = '256MB'; SET maintenance_work_mem = '512MB';"
    stack.psql(settings + "SELECT bench.park_indexes()")
    began, made = time.monotonic(), 0
    for age, share in AGES:
        count = int(size * share)
        # A piece at a time: bench.clone and the sorts of one piece stay in memory, and progress shows.
        for first in range(0, count, 500_000):
            piece = min(500_000, count - first)
            stack.psql(settings + f"SELECT bench.add('{age}', {piece}, interval '-50 days' + {first} * interval '35 days' / {count}, "
                       f"interval '35 days' / {count}, {FLOWS}, {agents}, {REQUESTERS})")
            made += piece
            # Indexes and VACUUM take a fifth as long again.
            left = (time.monotonic() - began) * (1.2 * size / made - 1)
            say(f"{made} of {size} made, the last of them {age}; about {left // 60:.0f} min {left % 60:.0f} s left")
    stack.psql(settings + "SELECT bench.make_indexes()")
    stack.psql("VACUUM ANALYZE")
    stack.psql(f"COMMENT ON DATABASE {name} IS '{mark}{time.time():.0f}'", "postgres")
    stack.psql("CHECKPOINT", "postgres")
    say(f"{size} tickets, {stack.number('SELECT count(*) FROM ledger.sla_timer WHERE state = $$armed$$'):.0f} armed timers, "
        f"{stack.one('SELECT pg_size_pretty(pg_database_size(current_database()))')}, made in {time.monotonic() - started:.0f} s")
    return name
