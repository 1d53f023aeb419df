"""Charta over PostgreSQL and S3, with one node and with three: beside itself with the embedded store, and beside reads straight from
the S3 store. Everything shares the cores of this machine, so what counts is the ratio, not the rate."""

import concurrent.futures
import contextlib
import datetime
import hashlib
import hmac
import os
import shutil
import subprocess
import urllib.parse
from pathlib import Path
from statistics import median

import documents
import load
import machine
import records
import report
import servers
import synthetic
from documents import KIB, MIB

SIZES = [1 * KIB, 64 * KIB, 1 * MIB]
DIRECT_TARGET = {1 * MIB: 0.7}  # of direct reads from the S3 store
CREATE_CLIENTS, SEARCH_CLIENTS, READ_CLIENTS = 48, 12, 12
DOCUMENTS_MAX = 20_000


def beside_embedded(options):
    directory = options.directory / "cluster"
    directory.mkdir()
    number = min(options.documents, DOCUMENTS_MAX)
    with contextlib.ExitStack() as stack:
        database, bucket = stack.enter_context(postgres(directory)), stack.enter_context(s3(options, directory))
        more = f'\n[store]\ncatalog = "{database}"\ncontent = "s3://bucket/charta"\n'
        lines = directory / "documents.ndjson"
        synthetic.write_documents(lines, number)
        embedded_data = directory / "embedded-data"
        records.run_import(options, embedded_data, lines)
        import_into(options, directory, more, bucket.environment, lines)
        embedded = stack.enter_context(servers.charta(options, directory / "embedded", worker_threads=0, data=embedded_data))
        nodes = [
            stack.enter_context(servers.charta(options, directory / f"node{each}", worker_threads=0, more=more, environment=bucket.environment))
            for each in (1, 2, 3)
        ]
        sides = {"embedded": [embedded], "one node": nodes[:1], "three nodes": nodes}
        return {
            "documents": number,
            "reads": reads(options, sides, bucket),
            "others": others(options, sides, number),
        }


def reads(options, sides, bucket):
    table = report.Table(
        f"Native reads with {READ_CLIENTS} clients, all on the same cores: over PostgreSQL and S3, beside direct reads from S3 and beside the embedded store",
        ["size", "S3 direct/s", "embedded/s", "one node/s", "of direct", "of pairs", "target", "of embedded", "three nodes/s", "of direct"],
    )
    results = []
    for size in SIZES:
        documents.put(sides["embedded"][0], size)
        documents.put(sides["one node"][0], size)
        bucket.put(size)
        for side in sides.values():
            documents.verify(side[-1], size)
        asked = {name: [(server, documents.path(size)) for server in side] for name, side in sides.items()}
        asked["direct"] = [(bucket, bucket.signed("GET", size))]
        rates = in_turns(options, {name: lambda to=to, seconds=None: wrk(to, READ_CLIENTS, seconds or options.seconds) for name, to in asked.items()})
        of_direct = [a / b for a, b in zip(rates["one node"], rates["direct"])]
        three_of_direct = median(a / b for a, b in zip(rates["three nodes"], rates["direct"]))
        of_embedded = median(a / b for a, b in zip(rates["one node"], rates["embedded"]))
        middle = {name: median(each) for name, each in rates.items()}
        results.append({"size_bytes": size, "per_second": middle, "of_direct": median(of_direct), "target": DIRECT_TARGET.get(size),
                        "of_embedded": of_embedded, "three_of_direct": three_of_direct, "clients": READ_CLIENTS})
        table.row(documents.label(size), report.whole(middle["direct"]), report.whole(middle["embedded"]), report.whole(middle["one node"]),
                  report.ratio(median(of_direct)), report.spread(of_direct), report.ratio(DIRECT_TARGET.get(size)), report.ratio(of_embedded),
                  report.whole(middle["three nodes"]), report.ratio(three_of_direct))
    return results


def others(options, sides, number):
    """Creates, and the searches of `records`."""
    table = report.Table(
        f"Creates of 1 KiB with {CREATE_CLIENTS} clients, searches with {SEARCH_CLIENTS}, {number:,} documents stored",
        ["what", "embedded/s", "one node/s", "of embedded", "of pairs", "three nodes/s", "of embedded"],
    )
    patients = synthetic.patients_of(number)
    questions = [question for question in records.questions(number) if "?" in question.pattern]

    def creates(to, seconds):
        return wrk([(server, "/r4/Binary") for server in to], CREATE_CLIENTS, seconds, script="create.lua", arguments=lambda: [os.urandom(8).hex()])

    def searches(question):
        def ask(to, seconds):
            arguments = lambda: [question.pattern, str(patients), str(patients), str(next(records.SEEDS))]
            return wrk([(server, "/") for server in to], SEARCH_CLIENTS, seconds, documents.FHIR_JSON, "paths.lua", arguments)
        return ask

    results = []
    for what, ask in [("durable creates", creates), *((question.name, searches(question)) for question in questions)]:
        rates = in_turns(options, {name: lambda to=to, seconds=None: ask(to, seconds or options.seconds) for name, to in sides.items()})
        one, three = ([a / b for a, b in zip(rates[name], rates["embedded"])] for name in ("one node", "three nodes"))
        middle = {name: median(each) for name, each in rates.items()}
        results.append({"what": what, "per_second": middle, "of_embedded": median(one), "three_of_embedded": median(three)})
        table.row(what, report.whole(middle["embedded"]), report.whole(middle["one node"]), report.ratio(median(one)), report.spread(one),
                  report.whole(middle["three nodes"]), report.ratio(median(three)))
    return results


def in_turns(options, sides):
    """Rates of each side, one under load at a time, in an order that changes from round to round."""
    for ask in sides.values():
        ask(seconds=load.WARM_UP_SECONDS)
    rates = {name: [] for name in sides}
    for pair in range(options.pairs):
        names = list(sides)
        for name in names if pair % 2 == 0 else reversed(names):
            rates[name].append(sides[name]())
    return rates


def wrk(to, clients, seconds, accept=None, script="report.lua", arguments=lambda: ()):
    """One wrk for each server at once, which share the clients; requests a second of all together."""
    with concurrent.futures.ThreadPoolExecutor(len(to)) as pool:
        def ask(server, path):
            command = load.wrk_command(server, path, max(1, clients // len(to)), seconds, accept, script, arguments(), None)
            done = subprocess.run(command, cwd=load.HERE, capture_output=True, text=True)
            figures = dict(pair.split("=") for line in done.stdout.splitlines() if line.startswith("figures ") for pair in line.split()[1:])
            if done.returncode or not figures or int(figures["errors"]) or not int(figures["requests"]):
                raise machine.Unable(f"wrk failed on {server.name}: {figures or done.stderr.strip()}: {server.complaint()}")
            return int(figures["requests"]) / (int(figures["us"]) / 1e6)
        return sum(pool.map(lambda one: ask(*one), to))


def import_into(options, directory, more, environment, lines):
    config = directory / "import.toml"
    config.write_text(servers.CHARTA_CONFIG.format(data=directory / "import-data", worker_threads=0) + more)
    command = [options.charta.resolve(), "import", "--config", config, lines]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=os.environ | environment)
    if done.returncode:
        raise machine.Unable(f"charta import ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}")


@contextlib.contextmanager
def postgres(directory):
    """A PostgreSQL of its own on a port of loopback; its URL."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if programs is None:
        raise machine.Unable("PostgreSQL not found; on Debian: apt-get install postgresql")
    data, port = directory / "postgres", servers.free_port()
    data.mkdir()
    prefix = []
    if os.geteuid() == 0:  # it refuses to run as root
        directory.chmod(0o755)
        shutil.chown(data, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]

    def run(program, *arguments):
        done = subprocess.run([*prefix, programs / program, *arguments], cwd=data, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise machine.Unable(f"{program}: {done.stderr.strip()}")

    cluster = data / "data"
    run("initdb", "-A", "trust", "-U", "charta", "-E", "UTF8", "--locale=C", "-D", cluster)
    settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={data} -c max_connections=300 -c shared_buffers=512MB"
    run("pg_ctl", "-D", cluster, "-w", "-l", data / "log", "-o", settings, "start")
    try:
        yield f"postgres://charta@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*prefix, programs / "pg_ctl", "-D", cluster, "-m", "immediate", "stop"], cwd=data, capture_output=True)


class Bucket(servers.Server):
    """The S3 store, and objects of the benchmark's own in it."""

    ACCESS, SECRET, REGION = "AKTEST", "SKTESTSECRET", "us-east-1"

    @property
    def environment(self):
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": self.ACCESS, "AWS_SECRET_ACCESS_KEY": self.SECRET, "AWS_REGION": self.REGION}

    def put(self, size):
        status, body = documents.request(self, "PUT", self.signed("PUT", size), documents.content(size), {})
        if status != 200:
            raise machine.Unable(f"the S3 store answers a PUT with {status}: {body[:200]}")

    def signed(self, method, size):
        """The path of an object with a signature that counts for a day (AWS Signature Version 4, in the query)."""
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        scope = f"{day}/{self.REGION}/s3/aws4_request"
        query = urllib.parse.urlencode({
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{self.ACCESS}/{scope}", "X-Amz-Date": stamp,
            "X-Amz-Expires": "86400", "X-Amz-SignedHeaders": "host",
        }, quote_via=urllib.parse.quote, safe="")
        path = f"/bucket/direct-{size}"
        host = urllib.parse.urlsplit(self.url).netloc
        canonical = "\n".join([method, path, query, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"])
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.SECRET).encode()
        for part in (day, self.REGION, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return f"{path}?{query}&X-Amz-Signature={hmac.digest(key, to_sign.encode(), 'sha256').hex()}"


@contextlib.contextmanager
def s3(options, directory):
    """s3s-fs, a plain S3 store over files: `cargo build --release -p charta-store --example bucket`."""
    program = options.charta.resolve().parent / "examples" / "bucket"
    if not program.exists():
        raise machine.Unable(f"{program} is not there; build it with: cargo build --release -p charta-store --example bucket")
    log = directory / "bucket.log"
    with servers.running([program, directory / "objects"], None, log) as process:
        server = Bucket("the S3 store", None, process, log)
        server.url = servers.announced_url(server)
        yield server
