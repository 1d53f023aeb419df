"""Starts nginx and Charta on loopback, and ends what it started by process id, whatever happens."""

import contextlib
import getpass
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import machine

START_SECONDS_MAX = 20
END_SECONDS_MAX = 15
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Server:
    """A running server: its address, and what the kernel says about its processes."""

    def __init__(self, name, url, process, log):
        self.name, self.url, self.process, self.log = name, url, process, log

    def pids(self):
        """The process and all below it."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    parents.setdefault(int(stat(entry)[1]), []).append(int(entry))
        found = [self.process.pid]
        for pid in found:
            found += parents.get(pid, [])
        return found

    def cpu_seconds(self):
        """User and system time of all its processes so far."""
        ticks = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                ticks += sum(int(field) for field in stat(pid)[11:13])
        return ticks / TICKS_PER_SECOND

    def memory_kib(self, field):
        """`VmRSS` or `VmHWM` of all its processes, added up."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith(field + ":"):
                        total += int(line.split()[1])
        return total

    def forget_peak_memory(self):
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def complaint(self):
        return "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-5:]).strip()


def stat(pid):
    """Fields of /proc/PID/stat from the state on; the name before them may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def nginx(directory, name="nginx", core=None, wrapper=()):
    """nginx with one worker; serves `directory`/root, and takes PUT and POST for --against-itself."""
    directory.mkdir(parents=True)
    (directory / "root").mkdir()
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(
        directory=directory,
        port=port,
        user=f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
        affinity=f"worker_cpu_affinity {1 << core:b};" if core is not None else "",
        open_files=machine.OPEN_FILES,
    ))
    command = [machine.find("nginx"), "-p", directory, "-e", directory / "error.log", "-c", config]
    with running([*wrapper, *command], core, directory / "output.log") as process:
        server = Server(name, f"http://127.0.0.1:{port}", process, directory / "output.log")
        until_it_answers(server, port)
        yield server


NGINX_CONFIG = """\
daemon off;
{user}
worker_processes 1;
{affinity}
worker_rlimit_nofile {open_files};
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=1000;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_max_body_size 0;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port};
        root {directory}/root;
        location / {{
            dav_methods PUT;
            create_full_put_path on;
            if ($request_method = POST) {{ return 201; }}
        }}
    }}
}}
"""


@contextlib.contextmanager
def charta(options, directory, worker_threads, core=None, wrapper=(), data=None, more="", environment=None):
    """Charta with an empty store in `directory`, or that in `data`, one open R4 endpoint at /r4, and `more` configuration and environment."""
    if options.against_itself:
        with nginx(directory, "nginx 2", core, wrapper) as server:
            yield server
        return
    directory.mkdir(parents=True)
    config = directory / "charta.toml"
    config.write_text(CHARTA_CONFIG.format(data=data or directory / "data", worker_threads=worker_threads) + more)
    log = directory / "output.log"
    with running([*wrapper, options.charta.resolve(), "serve", "--config", config], core, log, environment) as process:
        server = Server("Charta", None, process, log)
        server.url = announced_url(server)
        yield server


CHARTA_CONFIG = """\
listen = "127.0.0.1:0"
data_dir = "{data}"
worker_threads = {worker_threads}
log = "warn"
shutdown_seconds = 2

[[tenant]]
id = "default"

[[endpoint]]
path = "/r4"
fhir = "R4"
profile = "standard"
auth = "open"
tenant = "default"
writable = true
"""


@contextlib.contextmanager
def running(command, core, log, environment=None):
    """A process in a session of its own, so that Ctrl-C reaches it through here alone."""
    cores = machine.cores() if core is None else [core]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=os.environ | (environment or {}),
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    try:
        yield process
    finally:
        end(process)


def end(process):
    """Asks the server to finish, waits, and kills what is left of its session."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(asked_to_end(process), signal.SIGTERM)
    try:
        process.wait(END_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        print(f"did not end within {END_SECONDS_MAX} s, killed: {process.args[0]}", flush=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def asked_to_end(process):
    """Under strace the server is the child; strace ends with it."""
    if process.args[0].endswith("strace"):
        below = Server(None, None, process, None).pids()[1:]
        return below[0] if below else process.pid
    return process.pid


def announced_url(server):
    """Waits for `listening on http://ADDR:PORT`."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        ended = server.process.poll() is not None
        announced = re.search(r"listening on (http://\S+)\n", server.log.read_text(errors="replace"))
        if announced:
            return announced[1]
        if ended:
            break
        time.sleep(0.02)
    raise machine.Unable(f"Charta did not start: {server.complaint()}")


def until_it_answers(server, port):
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise machine.Unable(f"{server.name} did not start: {server.complaint()}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
