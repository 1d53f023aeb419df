"""Records at size: the same searches and reads with 1,000 and with 1,000,000 documents stored."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import urllib.parse
from statistics import median

import documents
import load
import machine
import report
import servers
import synthetic

FEW = 1000
CLIENTS = 8
TARGET = 1.3  # time with many documents in times that with few
SEEDS = itertools.count(1)


def at_size(options):
    """Both stores served at once, one under load at a time; both pinned to one core, wrk to another."""
    few, many = (store(options, number) for number in (FEW, options.documents))
    core = machine.server_core()
    directory = options.directory / "records"
    with servers.nginx(directory / "nginx", core=core) as nginx, \
            servers.charta(options, directory / "few", worker_threads=1, core=core, data=few) as left, \
            servers.charta(options, directory / "many", worker_threads=1, core=core, data=many) as right:
        for number, server in ((FEW, left), (options.documents, right)):
            verify(server, number)
        table = report.Table(
            f"Records with {FEW:,} and with {options.documents:,} documents stored, one thread on one core",
            ["what", "found", "few/s", "many/s", "time ratio", "of pairs", "target", "few p50 ms", "many p50 ms",
             "few p99 ms", "many p99 ms", "few CPU us", "many CPU us", "others"],
        )
        results = [compare(options, question, left, right, table) for question in questions(options.documents)]
        beside = beside_nginx(options, nginx, directory / "nginx", left)
    return {"documents": [FEW, options.documents], "catalog_bytes": [catalog_bytes(few), catalog_bytes(many)], "questions": results, "nginx": beside}


class Question:
    """A path with a number in it: which numbers there are with few documents and with many, of how many is asked, and whether
    all were asked for before."""

    def __init__(self, name, pattern, few, many, asked=None, accept=documents.FHIR_JSON, target=TARGET, again=False):
        self.name, self.pattern, self.few, self.many, self.asked, self.accept = name, pattern, few, many, asked, accept
        self.target, self.again = target, again


def questions(many):
    few_patients, many_patients = synthetic.patients_of(FEW), synthetic.patients_of(many)
    coded = urllib.parse.quote(f"{synthetic.CATEGORY_SYSTEM}|{synthetic.CATEGORIES[0]}")
    document, binary = "/r4/DocumentReference/d-%d", "/r4/Binary/b-%d"
    search = "/r4/DocumentReference?patient=p-%d"
    narrow = f"{search}&category={coded}&date=ge2016-01-01&_sort=-date"
    return [
        Question("patient, category, date", narrow, few_patients, many_patients),
        Question("the same, _total=none", f"{narrow}&_total=none", few_patients, many_patients),
        Question("patient, newest first", f"{search}&_sort=-date", few_patients, many_patients),
        Question(f"read DocumentReference, {FEW:,} of all", document, FEW, many, FEW),
        Question("read DocumentReference, any, for the first time", document, FEW, many, target=None),
        Question("read DocumentReference, any", document, FEW, many, again=True),
        Question(f"read its Binary, {FEW:,} of all", binary, FEW, many, FEW, None),
        Question("read its Binary, any, for the first time", binary, FEW, many, None, None, target=None),
        Question("read its Binary, any", binary, FEW, many, None, None, again=True),
    ]


def compare(options, question, left, right, table):
    def ask(server, count, seconds=options.seconds):
        asked = min(question.asked or count, count)
        arguments = [question.pattern, count, asked, next(SEEDS)]
        return load.wrk(server, "/", CLIENTS, seconds, machine.load_core(), question.accept, "paths.lua", [str(each) for each in arguments])

    sides = (left, question.few), (right, question.many)
    for server, count in sides:
        if question.again:
            ask_for_all(server, question, count)
        ask(server, count, load.WARM_UP_SECONDS)
    lefts, rights = load.alternating(options.pairs, lambda: ask(*sides[0]), lambda: ask(*sides[1]))
    ratios = [a.per_second / b.per_second for a, b in zip(lefts, rights)]
    found = matches(left, question)
    if found != matches(right, question):
        raise machine.Unable(f"{question.name}: the stores give answers of different size")
    figures = {
        "what": question.name, "found": found, "clients": CLIENTS, "time_ratio": median(ratios), "ratios": ratios, "target": question.target,
        "others": max(run.others for run in lefts + rights), "few": side(lefts), "many": side(rights),
    }
    a, b = figures["few"], figures["many"]
    table.row(question.name, "" if found is None else found, report.whole(a["per_second"]), report.whole(b["per_second"]),
              report.ratio(median(ratios)), report.spread(ratios), report.ratio(question.target),
              *(f"{each[key]:.2f}" for key in ("p50_ms", "p99_ms") for each in (a, b)),
              report.short(a["cpu_us"]), report.short(b["cpu_us"]), report.percent(figures["others"]))
    return figures


def ask_for_all(server, question, count):
    """Once for each, so that all are in the server's memory that have room there."""
    load.wrk_until(
        "asked for all", server, "/", CLIENTS, machine.load_core(), question.accept, "every.lua", [question.pattern, str(count)],
    )


def matches(server, question):
    """How many entries the page of a search has."""
    if "?" not in question.pattern:
        return None
    return len(json.loads(get(server, question.pattern.replace("%d", "7"), question.accept))["entry"])


def beside_nginx(options, nginx, directory, charta):
    """One DocumentReference from both: the same JSON, from Charta's memory and as nginx's file."""
    path = "/r4/DocumentReference/d-7"
    body = get(charta, path, documents.FHIR_JSON)
    file = directory / "root" / path.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(body)
    if get(nginx, path, None) != body:
        raise machine.Unable(f"nginx gives other bytes for {path}")

    def read(server, accept, seconds=options.seconds):
        return load.wrk(server, path, 32, seconds, machine.load_core(), accept)

    for server, accept in ((nginx, None), (charta, documents.FHIR_JSON)):
        read(server, accept, load.WARM_UP_SECONDS)
    lefts, rights = load.alternating(options.pairs, lambda: read(nginx, None), lambda: read(charta, documents.FHIR_JSON))
    ratios = [b.per_second / a.per_second for a, b in zip(lefts, rights)]
    figures = {"size_bytes": len(body), "clients": 32, "ratio": median(ratios), "ratios": ratios, "nginx": side(lefts), "charta": side(rights)}
    table = report.Table("One DocumentReference as FHIR JSON: Charta beside nginx with the same bytes in a file",
                         ["bytes", "nginx/s", "Charta/s", "ratio", "of pairs", "nginx CPU us", "Charta CPU us"])
    table.row(len(body), report.whole(figures["nginx"]["per_second"]), report.whole(figures["charta"]["per_second"]), report.ratio(median(ratios)),
              report.spread(ratios), report.short(figures["nginx"]["cpu_us"]), report.short(figures["charta"]["cpu_us"]))
    return figures


def side(runs):
    return {key: median(getattr(run, key) for run in runs) for key in ("per_second", "p50_ms", "p99_ms", "cpu_us")}


def store(options, number):
    """A store with so many documents: made by an import, kept with --stores. Its catalog is then in the page cache."""
    parent = options.stores or options.directory
    data = parent / f"documents-{number}"
    if not data.exists():
        lines, half_made = parent / f"documents-{number}.ndjson", parent / f"half-made-{number}"
        shutil.rmtree(half_made, ignore_errors=True)
        synthetic.write_documents(lines, number)
        try:
            run_import(options, half_made, lines)
        finally:
            lines.unlink()
        half_made.rename(data)
    with open(data / "catalog.sqlite", "rb") as catalog:
        while catalog.read(1 << 24):
            pass
    return data


def run_import(options, data, *paths):
    """`charta import`; gives its last line, the seconds and the peak memory."""
    command = [options.charta.resolve(), "import", "--data", data, *paths]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    last = ""
    with process.stdout:
        for line in process.stdout:
            last = line.strip()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise machine.Unable(f"charta import ended with {process.returncode}: {last}")
    return last, used


def catalog_bytes(data):
    return (data / "catalog.sqlite").stat().st_size


def verify(server, number):
    """The last document and its content are there, and a patient has 50."""
    last, patients = number - 1, synthetic.patients_of(number)
    binary = get(server, f"/r4/Binary/b-{last}", None).decode()
    if not binary.startswith(f"Document {last} of patient {last % patients},"):
        raise machine.Unable(f"Binary/b-{last} has other content: {binary[:50]}")
    found = json.loads(get(server, f"/r4/DocumentReference?patient=p-{last % patients}&_summary=count", documents.FHIR_JSON))
    if found["total"] != synthetic.DOCUMENTS_OF_PATIENT:
        raise machine.Unable(f"patient {last % patients} has {found['total']} documents")


def get(server, path, accept):
    status, body = documents.request(server, "GET", path, None, {"Accept": accept} if accept else {})
    if status != 200:
        raise machine.Unable(f"{server.name} answers GET {path} with {status}: {server.complaint()}")
    return body
