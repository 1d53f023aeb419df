"""Durable creates: beside the bare disk, and with a disk whose every sync is slow."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import documents
import load
import machine
import report
import servers

CLIENTS = [1, 16, 64]
DOCUMENT_BYTES = 1024
BARE_SECONDS_MAX = 1
TARGETS = {64: 0.5}  # of the bare rate; with few clients a create is all latency
SLOW_SYNC_TARGET = 20
SLOW_SYNC_US = 5000
# Only the calls named are to stop the server. --seccomp-bpf sees to that, but in strace 6.1 for a new
# thread only after its first named call; so two that every thread makes when it starts are named too.
SLOW_SYNC = ["--seccomp-bpf", "-f", "-qq", "-e", "trace=fsync,fdatasync,set_robust_list,sigaltstack",
             "-e", f"inject=fsync,fdatasync:delay_exit={SLOW_SYNC_US}", "-o", "/dev/null"]


def durable(options):
    """Creates/s at each number of clients, alternating with appends of as many bytes by a bare loop."""
    directory = options.directory / "creates"
    directory.mkdir()
    bare = BareDisk(directory)
    if machine.file_system(directory) in ("tmpfs", "ramfs"):
        print(f"warning: {options.dir} is memory, not a disk; choose another with --dir", flush=True)
    table = report.Table(
        f"Durable creates of 1 KiB, two worker threads, beside append+fdatasync ({bare.program})",
        ["clients", "bare/s", "creates/s", "ratio", "of pairs", "target", "p50 ms", "p99 ms", "CPU us"],
    )
    return [durable_clients(options, bare, directory, clients, table) for clients in CLIENTS]


def durable_clients(options, bare, directory, clients, table):
    with servers.charta(options, directory / f"charta-{clients}", worker_threads=2) as charta:
        verify_create(charta)
        create(charta, clients, load.WARM_UP_SECONDS)
        bares, runs = load.alternating(
            options.pairs,
            lambda: bare.appends_per_second(min(options.seconds, BARE_SECONDS_MAX)),
            lambda: create(charta, clients, options.seconds),
        )
    ratios = [run.per_second / rate for rate, run in zip(bares, runs)]
    figures = {
        "clients": clients, "ratio": median(ratios), "ratios": ratios, "target": TARGETS.get(clients),
        "bare_per_second": median(bares), "bare_program": bare.program, **side(runs),
    }
    table.row(clients, report.whole(figures["bare_per_second"]), report.whole(figures["per_second"]),
              report.ratio(figures["ratio"]), report.spread(ratios), report.ratio(figures["target"]),
              report.short(figures["p50_ms"]), report.short(figures["p99_ms"]), report.short(figures["cpu_us"]))
    return figures


def slow_sync(options):
    """64 clients beside one, on a server that strace lets wait 5 ms after every sync: shows group commit."""
    few, many = 1, 64
    directory = options.directory / "creates-slow-sync"
    directory.mkdir()
    wrapper = [machine.find("strace"), *SLOW_SYNC]
    bare_per_second = BareDisk(directory, wrapper).appends_per_second(1)
    if bare_per_second > 1e6 / SLOW_SYNC_US:
        raise machine.Unable(f"strace does not delay syncs here: {report.whole(bare_per_second)} a second")
    with servers.charta(options, directory / "charta", worker_threads=2, wrapper=wrapper) as charta:
        verify_create(charta)
        create(charta, many, load.WARM_UP_SECONDS)
        lefts, rights = load.alternating(
            options.pairs,
            lambda: create(charta, few, options.seconds),
            lambda: create(charta, many, options.seconds),
        )
    ratios = [b.per_second / a.per_second for a, b in zip(lefts, rights)]
    figures = {
        "sync_delay_us": SLOW_SYNC_US, "bare_per_second": bare_per_second, "ratio": median(ratios), "ratios": ratios, "target": SLOW_SYNC_TARGET,
        "clients_1": side(lefts), "clients_64": side(rights),
    }
    table = report.Table(
        f"Durable creates of 1 KiB with every sync delayed by {SLOW_SYNC_US / 1000:g} ms",
        ["bare/s", "1 client/s", "64 clients/s", "ratio", "of pairs", "target", "p50 ms, 1", "p99 ms, 1", "p50 ms, 64", "p99 ms, 64"],
    )
    a, b = figures["clients_1"], figures["clients_64"]
    table.row(report.whole(bare_per_second), report.whole(a["per_second"]), report.whole(b["per_second"]), report.ratio(median(ratios)),
              report.spread(ratios), report.ratio(SLOW_SYNC_TARGET),
              *(report.short(each[key]) for each in (a, b) for key in ("p50_ms", "p99_ms")))
    return figures


def create(server, clients, seconds):
    seed = f"{os.getpid()}-{time.monotonic_ns()}"  # no two runs send the same bytes
    return load.wrk(server, "/r4/Binary", clients, seconds, script="create.lua", script_arguments=[seed])


def verify_create(server):
    status, _ = documents.request(server, "POST", "/r4/Binary", b"once", {"Content-Type": "text/plain"})
    if status != 201:
        raise machine.Unable(f"{server.name} answers POST /r4/Binary with {status}: {server.complaint()}")


def side(runs):
    return {
        "per_second": median(run.per_second for run in runs),
        "p50_ms": median(run.p50_ms for run in runs),
        "p99_ms": median(run.p99_ms for run in runs),
        "cpu_us": median(run.cpu_us for run in runs),
    }


class BareDisk:
    """Appends and syncs in a loop: in C where there is a compiler, else in Python."""

    def __init__(self, directory, wrapper=()):
        compiled = machine.compiled("append_and_sync", directory)
        self.program = "C" if compiled else "Python"
        loop = [compiled] if compiled else [sys.executable, Path(__file__).resolve().with_name("append_and_sync.py")]
        self.command = [*wrapper, *loop, directory / "appended", str(DOCUMENT_BYTES)]

    def appends_per_second(self, seconds):
        done = subprocess.run([*self.command, str(seconds)], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise machine.Unable("append_and_sync failed")  # it has said why
        return float(done.stdout)
