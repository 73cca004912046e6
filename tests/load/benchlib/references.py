"""What the figures are set beside: Postgres alone, gRPC alone, the disk alone."""
import os
import re

from .stack import PG_BIN, ROOT, Failed, run

CREATE = os.path.join(ROOT, "tests/load/pgbench_create.sql")


def pgbench(stack, database, clients, seconds):
    """(transactions a second, mean latency in seconds) of creates written by Postgres alone."""
    out = run([f"{PG_BIN}/pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(2, clients)), "-T", str(seconds),
               "-f", CREATE, stack.dsn_of(database)])
    tps = re.search(r"tps = ([0-9.]+)", out)
    latency = re.search(r"latency average = ([0-9.]+) ms", out)
    if not tps or not latency:
        raise Failed(f"pgbench said:\n{out}")
    return float(tps.group(1)), float(latency.group(1)) / 1000


def fsync_rate(folder, seconds):
    """fdatasync a second of one 8 kB write, by pg_test_fsync."""
    path = os.path.join(folder, "fsync.out")
    try:
        out = run([f"{PG_BIN}/pg_test_fsync", "-s", str(seconds), "-f", path])
    finally:
        if os.path.exists(path):
            os.remove(path)
    return float(re.search(r"fdatasync\s+([0-9.]+) ops/sec", out).group(1))


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


CONNECTIONS, STREAMS = 4, 32
IN_FLIGHT = CONNECTIONS * STREAMS


def h2load(address, method, request, seconds, token="dev:admin:admin"):
    """Calls a second of one and the same request. h2load does not see gRPC's status: ask the server whether all was well."""
    body = os.path.join(ROOT, ".cache/bench/body")
    with open(body, "wb") as file:
        file.write(b"\0" + len(request).to_bytes(4, "big") + request)
    out = run(["h2load", "-p", "h2c", "-c", str(CONNECTIONS), "-m", str(STREAMS), "-t", "1", "-D", str(seconds), "--warm-up-time=1",
               "-d", body, "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"authorization: Bearer {token}",
               f"http://{address}/{method}"])
    rate = re.search(r"finished in [0-9.]+m?s, ([0-9.]+) req/s", out)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    if not rate or not codes or any(int(codes.group(i)) for i in (2, 3, 4)):
        raise Failed(f"h2load said:\n{out}")
    return float(rate.group(1))


def text_field(number, text):
    raw = text.encode()
    return varint(number << 3 | 2) + varint(len(raw)) + raw
