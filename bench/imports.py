"""Bulk: `charta import` of Bundles by their number of resources, and transactions over HTTP."""

import http.client
import json
import shutil
import time
import urllib.parse
from statistics import median

import machine
import records
import report
import servers
import synthetic

SIZES = [10_000, 100_000, 1_000_000]
TARGET_PER_SECOND = 3000
TRANSACTIONS = [(100, 200), (30_000, 3)]  # entries, and how many of them
FHIR_JSON = "application/fhir+json"


def by_size(options):
    """A new store for each size. The rate and the peak memory are to stay what they are when there is more."""
    table = report.Table(
        "charta import of Bundles of 500 resources, durable",
        ["resources", "stored", "MB", "seconds", "resources/s", "target", "peak MiB", "CPU s", "catalog MB"],
    )
    return [of_size(options, size, table) for size in SIZES if size <= options.documents]


def of_size(options, size, table):
    directory = options.directory / f"import-{size}"
    bundles, data = directory / "bundles", directory / "data"
    size_bytes = synthetic.write_bundles(bundles, size)
    begun = time.monotonic()
    said, used = records.run_import(options, data, bundles)
    seconds = time.monotonic() - begun
    stored = int(said.split()[0])
    if stored < size:
        raise machine.Unable(f"charta import stored too little: {said}")
    figures = {
        "resources": size, "stored": stored, "size_bytes": size_bytes, "seconds": seconds, "per_second": size / seconds, "target": TARGET_PER_SECOND,
        "peak_kib": used.ru_maxrss, "cpu_seconds": used.ru_utime + used.ru_stime, "catalog_bytes": records.catalog_bytes(data),
    }
    shutil.rmtree(directory)
    table.row(report.whole(size), report.whole(stored), report.whole(size_bytes / 1e6), report.short(seconds), report.whole(figures["per_second"]),
              report.whole(TARGET_PER_SECOND), report.short(used.ru_maxrss / 1024), report.short(figures["cpu_seconds"]), report.whole(figures["catalog_bytes"] / 1e6))
    return figures


def transactions(options):
    """Transactions one after the other by one client, each durable before it is answered."""
    table = report.Table(
        "Transactions of new resources over HTTP, one client, two worker threads",
        ["entries", "MB each", "times", "median s", "longest s", "resources/s", "peak MiB"],
    )
    results = []
    for entries, times in TRANSACTIONS:
        with servers.charta(options, options.directory / f"transactions-{entries}", worker_threads=2) as charta:
            results.append(of_entries(charta, entries, times, table))
    return results


def of_entries(charta, entries, times, table):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(charta.url).netloc, timeout=600)
    seconds = []
    for number in range(times + 1):
        body = synthetic.bundle(number, entries).encode()
        begun = time.monotonic()
        connection.request("POST", "/r4", body, {"Content-Type": FHIR_JSON})
        answer = connection.getresponse()
        text = answer.read()
        seconds.append(time.monotonic() - begun)
        if answer.status != 200:
            raise machine.Unable(f"a transaction of {entries} entries is answered with {answer.status}: {text[:300]}")
        statuses = {entry["response"]["status"][:3] for entry in json.loads(text)["entry"]}
        if statuses != {"201"}:
            raise machine.Unable(f"a transaction of {entries} entries has answers {statuses}")
    connection.close()
    seconds = seconds[1:]  # the first was to warm up
    figures = {
        "entries": entries, "size_bytes": len(body), "times": times, "median_seconds": median(seconds), "seconds_max": max(seconds),
        "per_second": entries / median(seconds), "peak_kib": charta.memory_kib("VmHWM"),
    }
    table.row(report.whole(entries), report.short(len(body) / 1e6), times, f"{figures['median_seconds']:.3f}", f"{figures['seconds_max']:.3f}",
              report.whole(figures["per_second"]), report.short(figures["peak_kib"] / 1024))
    return figures
