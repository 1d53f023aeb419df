"""Reads with a token beside reads from an open endpoint: the same server, the same documents, every read recorded."""

import json
import subprocess
from statistics import median

import documents
import load
import machine
import reads
import report
import servers
from documents import KIB, MIB

SIZES = [1 * KIB, 16 * KIB, 128 * KIB, 1 * MIB]
TARGET = 0.9  # of the rate without authorization
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
            ["size", "token", "open/s", "secured/s", "ratio", "of pairs", "target", "open CPU us", "secured CPU us", "CPU ratio", "others"],
        )
        return [compare(options, charta, size, kind, token(options, directory, kind), table) for size in SIZES for kind in TOKENS]


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


def compare(options, charta, size, kind, bearer, table):
    path = documents.path(size)
    secured = path.replace("/r4/", "/secured/", 1)
    authorization = {"Authorization": f"Bearer {bearer}"}
    refused, _ = documents.request(charta, "GET", secured, None, {})
    status, body = documents.request(charta, "GET", secured, None, authorization)
    if (refused, status, len(body)) != (401, 200, size):
        raise machine.Unable(f"{secured}: {refused} without a token, {status} and {len(body)} bytes with one")

    def ask(path, headers, seconds=options.seconds):
        return load.wrk(charta, path, reads.clients_for(size), seconds, machine.load_core(), headers=headers)

    for side in ((path, {}), (secured, authorization)):
        ask(*side, load.WARM_UP_SECONDS)
    opens, secureds = load.alternating(options.pairs, lambda: ask(path, {}), lambda: ask(secured, authorization))
    ratios = [b.per_second / a.per_second for a, b in zip(opens, secureds)]
    cpu_ratio = median(a.cpu_us / b.cpu_us for a, b in zip(opens, secureds))
    figures = {
        "size_bytes": size, "token": kind, "ratio": median(ratios), "ratios": ratios, "cpu_ratio": cpu_ratio, "target": TARGET,
        "others": max(run.others for run in opens + secureds), "open": reads.side(opens, size), "secured": reads.side(secureds, size),
    }
    a, b = figures["open"], figures["secured"]
    table.row(documents.label(size), kind, report.whole(a["per_second"]), report.whole(b["per_second"]), report.ratio(median(ratios)),
              report.spread(ratios), report.ratio(TARGET), report.short(a["cpu_us"]), report.short(b["cpu_us"]), report.ratio(cpu_ratio),
              report.percent(figures["others"]))
    return figures
