"""What this machine has: tools, cores, file system. What is missing is said with its remedy."""

import datetime
import os
import platform
import resource
import shutil
import subprocess
import time
from pathlib import Path

OPEN_FILES = 8192  # 1,000 downloads, on both ends, with room


class Unable(Exception):
    """The measurement cannot be taken, or would not be true."""


def require_tools(names, options):
    wanted = set() if names == ["ccd"] else {"nginx", "wrk"}
    if "creates-slow-sync" in names:
        wanted.add("strace")
    missing = sorted(tool for tool in wanted if not find(tool))
    if missing:
        raise Unable(f"{', '.join(missing)} not found; on Debian: apt-get install {' '.join(missing)}")
    if not options.against_itself and not os.access(options.charta, os.X_OK):
        raise Unable(f"{options.charta} is not there; build it with: cargo build --release")
    if len(cores()) < 2:
        raise Unable("two cores are needed, one for the server and one for the load")


def find(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def compiled(name, directory):
    """The program of a C source beside this file; `None` where there is no compiler."""
    compiler = find("cc")
    if not compiler:
        return None
    program = directory / name
    subprocess.run([compiler, "-O2", "-D_GNU_SOURCE", "-o", program, Path(__file__).resolve().with_name(f"{name}.c")], check=True)
    return program


def raise_open_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        raise Unable(f"at most {hard} open files are allowed, {OPEN_FILES} are needed; try: ulimit -Hn {OPEN_FILES}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))


def cores():
    """The cores this process may use; the first serves, the second makes the load."""
    return sorted(os.sched_getaffinity(0))


def server_core():
    return cores()[0]


def load_core():
    return cores()[1]


def describe(options):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu_model(),
        "cores": len(cores()),
        "kernel": platform.release(),
        "file_system": file_system(options.directory),
        "nginx": first_line([find("nginx"), "-v"]),
        "wrk": first_line([find("wrk"), "-v"], good=(0, 1)).split(" Copyright")[0],
        "charta": "a second nginx" if options.against_itself else first_line([options.charta, "--version"]),
        "pairs": options.pairs,
        "seconds": options.seconds,
        "busy_before": round(busy_share(), 2),
    }


def cpu_model():
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def file_system(directory):
    """Type of the file system that holds `directory`, from the longest matching mount point."""
    path, best = str(directory.resolve()), ("", "unknown")
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            fields = line.split()
            mount, kind = fields[4], fields[fields.index("-") + 1]
            if (path + "/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best[0]):
                best = (mount, kind)
    return best[1]


def first_line(command, good=(0,)):
    """What a program says of its version."""
    if not command[0]:
        return "not here"
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = done.stdout.splitlines() if done.returncode in good else []
    return said[0] if said else f"{command[0]} of unknown version"


def busy_share(seconds=1):
    """How much of all cores is in use right now, 0 to 1."""
    before, start = busy_seconds(), time.monotonic()
    time.sleep(seconds)
    return (busy_seconds() - before) / (time.monotonic() - start) / os.cpu_count()


def busy_seconds():
    """Time all cores have worked so far, also for other guests of the same host."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
