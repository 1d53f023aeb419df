"""Runs wrk against one server and says what both did meanwhile."""

import dataclasses
import os
import resource
import signal
import subprocess
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
WARM_UP_SECONDS = 1
SECONDS_MAX = 24 * 3600


@dataclasses.dataclass
class Run:
    requests: int
    seconds: float
    cpu_seconds: float  # of the server
    others_cpu_seconds: float  # of everything but the server and wrk
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self):
        return self.requests / self.seconds

    @property
    def cpu_us(self):
        """CPU time of the server per request, in microseconds."""
        return self.cpu_seconds / self.requests * 1e6

    @property
    def busy(self):
        """Share of one core the server used; well below 1 on a pinned server, the load was the limit."""
        return self.cpu_seconds / self.seconds

    @property
    def others(self):
        """Share of all cores that went elsewhere."""
        return max(0.0, self.others_cpu_seconds / self.seconds / os.cpu_count())

    def megabytes_per_second(self, body_bytes):
        return self.per_second * body_bytes / 1e6


def wrk(server, path, connections, seconds, core=None, accept=None, script="report.lua", script_arguments=(), headers=None):
    """One run with keep-alive and one thread. Any failed request makes the run worthless."""
    command = wrk_command(server, path, connections, seconds, accept, script, script_arguments, headers)
    cores = machine.cores() if core is None else [core]
    before = server.cpu_seconds(), children_cpu_seconds(), machine.busy_seconds()
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    after = server.cpu_seconds(), children_cpu_seconds(), machine.busy_seconds()
    cpu_seconds, wrk_seconds, busy_seconds = (now - then for now, then in zip(after, before))
    figures = dict(pair.split("=") for line in done.stdout.splitlines() if line.startswith("figures ") for pair in line.split()[1:])
    if done.returncode or not figures:
        raise machine.Unable(f"wrk failed on {server.name}: {done.stderr.strip() or done.stdout.strip()}")
    if int(figures["errors"]) or not int(figures["requests"]):
        raise machine.Unable(f"{server.name} failed {figures['errors']} of {figures['requests']} requests to {path}: {server.complaint()}")
    return Run(
        requests=int(figures["requests"]),
        seconds=int(figures["us"]) / 1e6,
        cpu_seconds=cpu_seconds,
        others_cpu_seconds=busy_seconds - cpu_seconds - wrk_seconds,
        p50_ms=int(figures["p50_us"]) / 1e3,
        p99_ms=int(figures["p99_us"]) / 1e3,
    )


def wrk_until(said, server, path, connections, core, accept, script, script_arguments):
    """Runs wrk until its script says so; how long that takes is not of interest."""
    command = wrk_command(server, path, connections, SECONDS_MAX, accept, script, script_arguments, None)
    process = subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, [core]),
    )
    with process:
        is_said = any(line.strip() == said for line in process.stdout)
        process.send_signal(signal.SIGINT)
    if not is_said:
        raise machine.Unable(f"wrk ended early on {server.name}: {server.complaint()}")


def wrk_command(server, path, connections, seconds, accept, script, script_arguments, headers):
    command = [machine.find("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script]
    for name, value in (({"Accept": accept} if accept else {}) | (headers or {})).items():
        command += ["-H", f"{name}: {value}"]
    return command + [server.url + path, "--", *script_arguments]


def children_cpu_seconds():
    """Of all programs that were waited for; between two calls that is only what makes the load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def alternating(pairs, left, right):
    """Calls A B, B A, A B, ... so that a slow drift of the machine meets both alike."""
    lefts, rights = [], []
    for pair in range(pairs):
        order = [(left, lefts), (right, rights)]
        for measure, results in order if pair % 2 == 0 else reversed(order):
            results.append(measure())
    return lefts, rights
