"""The table on the screen, in README.md and bench.json."""
import json
import os
import platform
import re
import subprocess
import time

from .rows import spread
from .stack import ROOT, run

BEGIN, END = "<!-- made by bench: begin -->", "<!-- made by bench: end -->"


def settings(stack, options, size, rounds):
    def version(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()[0].strip()
        except (OSError, IndexError):
            return "?"

    model = "?"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        found = re.search(r"model name\s*:\s*(.*)", info.read())
        model = found.group(1) if found else model
    packages = {}
    for name in ("libgrpc++1.51", "libprotobuf32", "libpqxx-6.4", "libhiredis0.14"):
        packages[name] = version("dpkg-query", "-W", "-f", "${Version}", name)
    return {
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "commit": version("git", "-C", ROOT, "describe", "--always", "--dirty"),
        "cores": os.cpu_count(), "processor": model, "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(), "load_before": options.load_before, "tickets_behind": size, "rounds": rounds, "quick": options.quick,
        "postgres": stack.one("SHOW server_version", "postgres"), "redis": version("redis-server", "--version"),
        "h2load": version("h2load", "--version"), "packages": packages,
        "postgres_settings": dict(stack.psql("SELECT name, setting FROM pg_settings WHERE name IN ('fsync','synchronous_commit',"
                                             "'shared_buffers','max_wal_size','wal_sync_method','full_page_writes',"
                                             "'track_commit_timestamp','shared_preload_libraries')", "postgres"))}


def table(rows):
    lines = ["| id | what | goal | figure: median (min - max) | reference | ratio | met |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row.absent:
            lines.append(f"| {row.id} | {row.what} | {row.goal} | {row.absent} | | | - |")
            continue
        met = {None: "", True: "yes", False: "**no**"}[row.met()]
        value = f"{spread(row.values)} {row.unit}".strip()
        reference = f"{row.reference} {spread(row.references)}" if row.references else ""
        note = f" ({'; '.join(row.notes)})" if row.notes else ""
        lines.append(f"| {row.id} | {row.what}{note} | {row.goal} | {value} | {reference} | {spread(row.ratios) if row.references else ''} | {met} |")
    return "\n".join(lines)


def write_json(path, rows, config):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"settings": config, "rows": [row.json() for row in rows]}, file, indent=1, ensure_ascii=False)
        file.write("\n")


def made(config):
    """When, of what and on what."""
    return (f"{config['when']}, commit {config['commit']}, {config['cores']} cores ({config['processor']}), {config['memory_gib']} GiB, Postgres "
            f"{config['postgres'].split()[0]}")


def replace_between(path, begin, end, body):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if begin not in text or end not in text:
        raise RuntimeError(f"{path} has lost its markers")
    head, rest = text.split(begin, 1)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{begin}\n{body}{end}{rest.split(end, 1)[1]}")


def write_readme(rows, config):
    kind = "`--quick`: a look, not a figure to quote" if config["quick"] else f"{config['rounds']} rounds"
    line = (f"{made(config)}, {config['tickets_behind']:,} tickets behind; {kind}; load of the machine before: "
            f"{config['load_before']:.1f}.").replace(",000", " 000")
    replace_between(os.path.join(ROOT, "tests/load/README.md"), BEGIN, END, f"{line}\n\n{table(rows)}\n")
