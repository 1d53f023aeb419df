"""Reads with a token beside reads from an open endpoint: the same server, the same documents, every read recorded.

Both are asked for in turns of half a second (turns.c): where other guests share the machine its speed changes from one
run to the next by more than what is measured here."""

import json
import os
import subprocess
import time
from pathlib import Path
from statistics import median, quantiles

import documents
import load
import machine
import reads
import report
import servers
from documents import KIB, MIB

SIZES = [1 * KIB, 16 * KIB, 128 * KIB, 1 * MIB]
TARGET = 0.9  # of the rate without authorization
TURN_MS = 500  # of them a fifth before it counts: so long the log waits until it writes what the turn before has left
LOG_THREADS = {"audit", "audit-index"}
INDEX_SECONDS_MAX = 30
PATIENT = "p-1"
TOKENS = {
    "patient": ["--scope", "patient/Binary.rs patient/DocumentReference.rs", "--patient", PATIENT],
    "system": ["--scope", "system/*.rs"],
}


def against_open(options):
    """Every size from /r4 without a token and from /secured with one, one under load at a time."""
    directory = options.directory / "secured"
    with servers.charta(options, directory, worker_threads=1, core=machine.server_core(), more=ENDPOINT) as charta:
        prepare(charta)
        documents.forget_cached(directory)
        table = report.Table(
            "Native reads with authorization and audit, one thread on one core: beside the open endpoint",
            ["size", "token", "open/s", "secured/s", "ratio", "middle half", "target", "open CPU us", "secured CPU us", "of it log", "CPU ratio", "others"],
        )
        program = machine.compiled("turns", options.directory)
        if not program:
            raise machine.Unable("cc not found; on Debian: apt-get install gcc")
        return [compare(options, charta, program, size, kind, token(options, directory, kind), table) for size in SIZES for kind in TOKENS]


ENDPOINT = """
[[issuer]]
development = true

[[endpoint]]
path = "/secured"
fhir = "R4"
profile = "standard"
auth = "smart"
tenant = "default"
"""


def prepare(charta):
    """A patient, and documents of that patient."""
    put(charta, {"resourceType": "Patient", "id": PATIENT})
    for size in SIZES:
        documents.put(charta, size)
        binary = documents.path(size).removeprefix("/r4/")
        put(charta, {
            "resourceType": "DocumentReference", "id": f"of-{size}", "status": "current", "subject": {"reference": f"Patient/{PATIENT}"},
            "content": [{"attachment": {"url": binary}}],
        })


def put(charta, resource):
    path = f"/r4/{resource['resourceType']}/{resource['id']}"
    status, body = documents.request(charta, "PUT", path, json.dumps(resource).encode(), {"Content-Type": documents.FHIR_JSON})
    if status not in (200, 201):
        raise machine.Unable(f"{charta.name} answers PUT {path} with {status}: {body[:200]}")


def token(options, directory, kind):
    command = [options.charta.resolve(), "token", "--config", directory / "charta.toml", *TOKENS[kind]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def compare(options, charta, program, size, kind, bearer, table):
    path = documents.path(size)
    secured = path.replace("/r4/", "/secured/", 1)
    authorization = {"Authorization": f"Bearer {bearer}"}
    refused, _ = documents.request(charta, "GET", secured, None, {})
    status, body = documents.request(charta, "GET", secured, None, authorization)
    if (refused, status, len(body)) != (401, 200, size):
        raise machine.Unable(f"{secured}: {refused} without a token, {status} and {len(body)} bytes with one")

    opens, secureds, others = in_turns(options, charta, program, reads.clients_for(size), (path, {}), (secured, authorization))
    log_us = of_log(options, charta)
    ratios = [b.per_second / a.per_second for a, b in zip(opens, secureds)]
    a, b = figures_of(opens), figures_of(secureds)
    b["cpu_us"] += log_us  # written and indexed a little later, so also in turns of the open endpoint: all of it is charged here
    figures = {
        "size_bytes": size, "token": kind, "ratio": median(ratios), "quartiles": quantiles(ratios), "turns": len(ratios), "turn_ms": TURN_MS,
        "cpu_ratio": a["cpu_us"] / b["cpu_us"], "log_us": log_us, "target": TARGET, "others": others, "open": a, "secured": b,
    }
    low, _, high = figures["quartiles"]
    table.row(documents.label(size), kind, report.whole(a["per_second"]), report.whole(b["per_second"]), report.ratio(figures["ratio"]),
              f"{report.ratio(low)}-{report.ratio(high)}", report.ratio(TARGET), f"{a['cpu_us']:.1f}", f"{b['cpu_us']:.1f}", f"{log_us:.2f}",
              report.ratio(figures["cpu_ratio"]), report.percent(others))
    return figures


class Turn:
    """What one turn of one side came to."""

    def __init__(self, answers, nanoseconds, computed):
        self.per_second, self.cpu_us = answers / nanoseconds * 1e9, computed / answers / 1e3


def figures_of(turns):
    return {"per_second": median(turn.per_second for turn in turns), "cpu_us": median(turn.cpu_us for turn in turns)}


def in_turns(options, charta, program, clients, *requests):
    """Turns of two requests to one server, each a path and headers, for as long as pairs of runs would take.

    Gives the turns of both, and the share of all cores that went elsewhere."""
    host = charta.url.removeprefix("http://")
    files = []
    for index, (path, headers) in enumerate(requests):
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        files.append(options.directory / f"request-{index}")
        files[-1].write_bytes("\r\n".join(lines).encode())
    counted = ",".join(str(thread / "schedstat") for thread in threads(charta) if comm(thread) not in LOG_THREADS)
    turns = max(4, int(options.pairs * options.seconds * 1000 / 1.2) // TURN_MS)
    command = [program, host.rpartition(":")[2], clients, TURN_MS, turns, counted, *files]

    begun = clocks(charta)
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, [machine.load_core()]),
    )
    if done.returncode:
        raise machine.Unable(f"turns failed on {charta.name}: {done.stderr.strip()} {charta.complaint()}")
    seconds, others = (now - then for now, then in zip(clocks(charta), begun))
    sides = [], []
    for line in done.stdout.splitlines():
        side, *counts = map(int, line.split())
        sides[side].append(Turn(*counts))
    return *sides, max(0.0, others / seconds / os.cpu_count())


def clocks(charta):
    """Seconds: of the wall, and of all cores for others than the server and the load."""
    return time.monotonic(), machine.busy_seconds() - charta.cpu_seconds() - load.children_cpu_seconds()


def of_log(options, charta):
    """What the threads of the audit log take for an event, in microseconds: to write it, and to make its part of an index."""
    directory = options.directory / "secured" / "data" / "audit"
    deadline = time.monotonic() + INDEX_SECONDS_MAX
    while True:
        time.sleep(0.2)  # also until the last events are written
        *complete, last = sorted(directory.glob("*.log"))
        if all(segment.with_suffix(".index").exists() for segment in complete):
            break
        if time.monotonic() > deadline:
            raise machine.Unable(f"a segment of the audit log has no index after {INDEX_SECONDS_MAX} s: {charta.complaint()}")
    indexed = int(last.stem) - 1  # the number of its first event is its name
    with open(last, "rb") as lines:
        written = indexed + sum(not line.startswith(b"#") for line in lines)
    events = {"audit": written, "audit-index": indexed}
    return sum(computed_ns(charta, name) / count for name, count in events.items() if count) / 1e3


def computed_ns(charta, name):
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads(charta) if comm(thread) == name)


def threads(charta):
    return list(Path(f"/proc/{charta.process.pid}/task").iterdir())


def comm(thread):
    return (thread / "comm").read_text().strip()
