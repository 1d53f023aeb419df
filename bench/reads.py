"""Reads: native beside nginx on the same core, and as FHIR JSON beside native."""

from statistics import median

import documents
import load
import machine
import report
import servers
from documents import KIB, MIB

SIZES = [1 * KIB, 16 * KIB, 128 * KIB, 1 * MIB, 16 * MIB]
JSON_SIZES = [16 * KIB, 16 * MIB]
NATIVE_TARGET, JSON_TARGET = 0.9, 0.5


def native(options):
    """Every size on both servers, one under load at a time; both pinned to one core, wrk to another."""
    directory, core = options.directory / "reads", machine.server_core()
    with servers.nginx(directory / "nginx", core=core) as nginx, \
            servers.charta(options, directory / "charta", worker_threads=1, core=core) as charta:
        for size in SIZES:
            documents.put_into_nginx(directory / "nginx", size)
            documents.put(charta, size)
        documents.forget_cached(directory)
        for size in SIZES:
            documents.verify(nginx, size)
            documents.verify(charta, size)
        table = report.Table(
            f"Native reads, one thread on one core: {charta.name} beside nginx",
            ["size", "clients", "nginx/s", f"{charta.name}/s", "ratio", "of pairs", "target",
             "nginx MB/s", f"{charta.name} MB/s", "nginx CPU us", f"{charta.name} CPU us", "CPU ratio", "nginx busy", f"{charta.name} busy", "others"],
        )
        return [native_size(options, nginx, charta, size, table) for size in SIZES]


def native_size(options, nginx, charta, size, table):
    clients = clients_for(size)
    left, right = pairs_of_reads(options, size, (nginx, None), (charta, None))
    ratios = [b.per_second / a.per_second for a, b in zip(left, right)]
    cpu_ratio = median(a.cpu_us / b.cpu_us for a, b in zip(left, right))
    figures = {
        "size_bytes": size, "clients": clients, "ratio": median(ratios), "ratios": ratios, "target": NATIVE_TARGET,
        "cpu_ratio": cpu_ratio,  # what the ratio would be were the servers the limit, not wrk
        "others": max(run.others for run in left + right), "nginx": side(left, size), "charta": side(right, size),
    }
    a, b = figures["nginx"], figures["charta"]
    table.row(documents.label(size), clients, report.whole(a["per_second"]), report.whole(b["per_second"]),
              report.ratio(median(ratios)), report.spread(ratios), report.ratio(NATIVE_TARGET),
              report.whole(a["mb_per_second"]), report.whole(b["mb_per_second"]),
              report.short(a["cpu_us"]), report.short(b["cpu_us"]), report.ratio(cpu_ratio),
              report.percent(a["busy"]), report.percent(b["busy"]), report.percent(figures["others"]))
    return figures


def as_json(options):
    """The same document natively and as JSON from Charta, in bytes of body per second."""
    directory = options.directory / "json"
    with servers.charta(options, directory / "charta", worker_threads=1, core=machine.server_core()) as charta:
        table = report.Table(
            f"Reads as FHIR JSON, one thread on one core: {charta.name} beside itself",
            ["size", "clients", "native MB/s", "JSON MB/s", "ratio", "of pairs", "target",
             "document MB/s", "ratio", "native CPU us", "JSON CPU us", "native busy", "JSON busy", "others"],
        )
        results = []
        for size in JSON_SIZES:
            documents.put(charta, size)
            documents.forget_cached(directory)
            documents.verify(charta, size)
            json_bytes = len(documents.verified_json(options, charta, size))
            results.append(json_size(options, charta, size, json_bytes, table))
        return results


def json_size(options, charta, size, json_bytes, table):
    clients = clients_for(size)
    left, right = pairs_of_reads(options, size, (charta, None), (charta, documents.FHIR_JSON))
    documents_ratio = median(b.per_second / a.per_second for a, b in zip(left, right))
    ratios = [b.per_second * json_bytes / (a.per_second * size) for a, b in zip(left, right)]
    figures = {
        "size_bytes": size, "json_bytes": json_bytes, "clients": clients,
        "ratio": median(ratios), "ratios": ratios, "ratio_of_document_bytes": documents_ratio, "target": JSON_TARGET,
        "others": max(run.others for run in left + right), "native": side(left, size), "json": side(right, json_bytes),
    }
    a, b = figures["native"], figures["json"]
    table.row(documents.label(size), clients, report.whole(a["mb_per_second"]), report.whole(b["mb_per_second"]),
              report.ratio(median(ratios)), report.spread(ratios), report.ratio(JSON_TARGET),
              report.whole(b["mb_per_second"] * size / json_bytes), report.ratio(documents_ratio),
              report.short(a["cpu_us"]), report.short(b["cpu_us"]),
              report.percent(a["busy"]), report.percent(b["busy"]), report.percent(figures["others"]))
    return figures


def pairs_of_reads(options, size, left, right):
    """Runs of both sides, each a server and the Accept it is asked with, after a short warm-up."""
    def read(side, seconds=options.seconds):
        server, accept = side
        return load.wrk(server, documents.path(size), clients_for(size), seconds, machine.load_core(), accept)

    read(left, load.WARM_UP_SECONDS)
    read(right, load.WARM_UP_SECONDS)
    return load.alternating(options.pairs, lambda: read(left), lambda: read(right))


def clients_for(size):
    return 4 if size >= 16 * MIB else 32


def side(runs, body_bytes):
    return {
        "per_second": median(run.per_second for run in runs),
        "mb_per_second": median(run.megabytes_per_second(body_bytes) for run in runs),
        "cpu_us": median(run.cpu_us for run in runs),
        "busy": median(run.busy for run in runs),
        "p50_ms": median(run.p50_ms for run in runs),
        "p99_ms": median(run.p99_ms for run in runs),
    }
