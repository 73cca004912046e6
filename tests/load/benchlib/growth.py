"""--growth: what more tickets behind the runs cost, and what more replicas bring; a table and two pictures of it."""
import glob
import math
import os
import shutil
import time

from . import behind, creates, reads, references, report, timers
from .rows import figure
from .stack import ROOT, STACK_DIR, Failed

SIZES = [10_000, 1_000_000, 10_000_000]
REPLICAS = [1, 2, 4]
BYTES_A_TICKET = 4700  # Measured.
SIDE_BY_SIDE = 3       # The base and the two copies that a case works on.
CASES = [creates.p1, creates.p2_p3, creates.p4, timers.p5, reads.p6, reads.p7]
# In place what a case has filed lies in the way of the next: P1 files most, into a flow that gives nothing away.
CASES_IN_PLACE = [reads.p7, reads.p6, timers.p5, creates.p2_p3, creates.p4, creates.p1]
REPLICA_CASES = [creates.p1, creates.p2_p3, creates.p4]
# Rows that are drawn: (id, how its name begins, title). Rates are better high, times low.
DRAWN = [("P1", "durable creates", "P1 creates/s, intake alone"), ("P2", "CreateTicket p99", "P2 create p99, ms"),
         ("P3", "create -> assigned at 200/s, p50", "P3 assigned p50, ms"), ("P4", "whole pipeline", "P4 whole pipeline/s"),
         ("P5", "timers at 500/s", "P5 lateness p99, ms"), ("P5", "fires when more", "P5 fires/s"), ("P6", "GetTicket, h2load", "P6 GetTicket/s"),
         ("P7", "list of 50: a flow, newest", "P7 list p99, ms"), ("P7", "board", "P7 board p99, ms")]
BEGIN, END = "<!-- made by bench --growth: begin -->", "<!-- made by bench --growth: end -->"


class Series:
    """Rows of several runs side by side: one column a run."""

    def __init__(self, head):
        self.head, self.columns, self.order, self.cells, self.why = head, [], [], {}, {}

    def column(self, name, rows):
        self.columns.append(name)
        for row in rows:
            key = (row.id, row.what)
            if key not in self.order:
                self.order.append(key)
            if row.values:
                self.cells[key, name] = (row.values[0], row.ratios[0] if row.ratios else None, row.unit)

    def absent(self, name, why):
        self.columns.append(name)
        self.why[name] = why

    def table(self):
        lines = [f"| id | what | {' | '.join(f'{name} {self.head}' for name in self.columns)} |", "|---|---" + "|---" * len(self.columns) + "|"]
        for key in self.order:
            cells = []
            for name in self.columns:
                value, ratio, unit = self.cells.get((key, name), (None, None, ""))
                cells.append("-" if value is None else f"{figure(value)} {unit}".strip() + (f" ({figure(ratio)} x)" if ratio else ""))
            lines.append(f"| {key[0]} | {key[1]} | {' | '.join(cells)} |")
        lines += [f"\n{name} {self.head}: {why}." for name, why in self.why.items()]
        return "\n".join(lines)

    def picture(self):
        """An SVG of small charts, one a drawn row; the value beside each point."""
        charts = []
        for id, begins, title in DRAWN:
            key = next((key for key in self.order if key[0] == id and key[1].startswith(begins)), None)
            points = [(i, self.cells[key, name][0]) for i, name in enumerate(self.columns) if (key, name) in self.cells]
            if points:
                charts.append((title, points))
        across, width, height, top = 3, 260, 150, 26
        rows = math.ceil(len(charts) / across)
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{across * width}" height="{rows * height}" font-family="sans-serif" font-size="11">',
               f'<rect width="{across * width}" height="{rows * height}" fill="white"/>']
        for number, (title, points) in enumerate(charts):
            left, upper = number % across * width, number // across * height
            low, base, most = left + 24, upper + height - 26, max(value for _, value in points) * 1.15 or 1
            step = (width - 70) / max(1, len(self.columns) - 1)
            place = [(low + 20 + i * step, base - value / most * (height - 26 - top - 8), value) for i, value in points]
            out.append(f'<text x="{low}" y="{upper + 16}" font-weight="bold">{title}</text>')
            out.append(f'<path d="M{low} {upper + top}V{base}H{left + width - 10}" stroke="#888" fill="none"/>')
            out += [f'<text x="{low + 20 + i * step:.0f}" y="{base + 15}" text-anchor="middle" fill="#555">{name}</text>'
                    for i, name in enumerate(self.columns)]
            out.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in place)}" stroke="#1565c0" stroke-width="2" fill="none"/>')
            for x, y, value in place:
                out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1565c0"/>')
                out.append(f'<text x="{x:.1f}" y="{y - 6:.1f}" text-anchor="middle">{figure(value)}</text>')
        return "\n".join([*out, "</svg>"]) + "\n"


def short(size):
    for unit, name in ((1_000_000, " M"), (1000, " k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)


def measure(bench, cases, what):
    rows = []
    for function in cases:
        bench.say(f"{what}: {function.__name__.upper().replace('_', ', ')}")
        try:
            rows += function(bench)
        except Failed as failure:
            bench.say(f"{what} FAILED: {failure}")
            bench.stack.stop()
            bench.failed = True
    return rows


def measure_in_place(bench, what):
    """The cases on the base itself, the invariants once after them; it is gone then. Whatever fails, what was measured is kept."""
    stack = bench.stack
    behind.spend(stack, bench.behind)
    rows = measure(bench, CASES_IN_PLACE, what)
    rows.sort(key=lambda row: row.id)
    try:
        stack.start()
        bench.say(f"{what}: drained in {stack.drain(900):.0f} s")
        stack.explain()
        stack.stop()
        check_invariants(bench)
    except Failed as failure:
        bench.say(f"{what} FAILED: {failure}")
        stack.stop()
        bench.failed = True
    bench.say(f"{what}: Postgres alone")
    try:
        rate = references.pgbench(stack, bench.behind, 32, bench.seconds(8))[0]
        for row in rows:
            if row.reference == "PG1":
                row.references = [rate] * len(row.values)
        stack.drop(bench.behind)
    except Failed as failure:
        bench.say(f"{what}: no reference: {failure}")
        bench.failed = True
    stack.in_place = False
    return rows


def check_invariants(bench):
    """Every invariant that is a statement: `potokctl verify` asks for all of them in one call, which may take two minutes and no more.
    F1 and I27, which replay each ticket in C++, are left out."""
    broken, began = [], time.monotonic()
    files = sorted(glob.glob(os.path.join(ROOT, "services/ledger/invariants/*.sql")))
    for number, path in enumerate(files, 1):
        with open(path, encoding="utf-8") as file:
            sql = file.read()
        started = time.monotonic()
        rows = bench.stack.psql(f"SET work_mem = '256MB'; {sql}")
        name = os.path.basename(path)[:-4]
        bench.say(f"  {name}: {len(rows)} rows, {time.monotonic() - started:.1f} s ({number} of {len(files)})")
        broken += [f"{name}: {' '.join(row)}" for row in rows[:3]]
    bench.say(f"invariants in {time.monotonic() - began:.0f} s")
    if broken:
        raise Failed("\n".join(broken))


def grow(bench, sizes, replicas, keep):
    """(by tickets behind, by replicas); keep(both) after each column, for these are hours."""
    by_size, by_replicas = Series("behind"), Series("replicas")
    bench.growing, bench.times = True, 1
    for size in sizes:
        free = shutil.disk_usage(STACK_DIR).free + size_of(bench, size)
        in_place = size * BYTES_A_TICKET * SIDE_BY_SIDE > free
        if size * BYTES_A_TICKET * 1.1 > free:
            why = f"not measured, {size * BYTES_A_TICKET * 1.1 / 2**30:.0f} GiB of disk are needed for it and {free / 2**30:.0f} were free"
            bench.say(f"{short(size)} behind: {why}")
            by_size.absent(short(size), why)
            keep(by_size, by_replicas)
            continue
        bench.size = size
        bench.behind = behind.prepare(bench.stack, size, bench.say)
        if in_place:
            by_size.column(short(size), measure_in_place(bench, f"{short(size)} behind"))
            by_size.why[short(size)] = (f"{free / 2**30:.0f} GiB of disk hold them once, so cases follow each other in the same database, Postgres alone "
                                        "(PG1) has its turn after the last, and the two invariants that replay each ticket (F1, I27) were not asked")
        else:
            by_size.column(short(size), measure(bench, CASES, f"{short(size)} behind"))
        bench.stack.drop_copies()
        keep(by_size, by_replicas)
    bench.size = min(sizes)
    bench.behind = behind.prepare(bench.stack, bench.size, bench.say)
    for count in replicas:
        bench.stack.replicas = count
        by_replicas.column(str(count), measure(bench, REPLICA_CASES, f"{count} replicas"))
        bench.stack.drop_copies()
        keep(by_size, by_replicas)
    bench.stack.replicas = 1
    return by_size, by_replicas


def size_of(bench, size):
    """Bytes of the base that is there already."""
    return bench.stack.number(f"SELECT coalesce(sum(pg_database_size(datname)), 0) FROM pg_database WHERE datname = 'behind_{size}'", "postgres")


def write(by_size, by_replicas, config):
    folder = os.path.join(ROOT, "tests/load")
    for name, series in (("growth.svg", by_size), ("replicas.svg", by_replicas)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(series.picture())
    length = "; short rounds" if config["quick"] else ""
    of_replicas = by_replicas.table() if by_replicas.columns else "Not measured yet."
    report.replace_between(os.path.join(folder, "README.md"), BEGIN, END, f"""{report.made(config)}; one round each{length}.

{by_size.table()}

![tickets behind](growth.svg)

Replicas of each service on the same two cores, {config["tickets_behind"]:,} tickets behind: they share what there is, so more of them show what it
costs to be several, not what more machines bring.

{of_replicas}

![replicas](replicas.svg)
""")
