"""Generated CCDs: how long, how much memory, how many errors; beside @medplum/ccda on the same records.

Records are Bundles in R4: one of 2 MB that `synthetic` invents, and those of ../shared/sample-data that are there. Charta is
measured twice: the generator alone, from the resources to the last byte, and through HTTP from a store that was imported.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import machine
import report
import servers
import synthetic

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"
SAMPLES = SHARED / "sample-data" / "r4-synthea"
RUNS = 15
RESOURCES_OF_2_MB = 3100
ROUNDS_OF_NAMES = 3  # a role names a person, a place its organization
"""Milliseconds in which the document of a record is to be there, and memory by the size of the document."""
TARGETS_MS = {"invented-2mb": 50, "maricela-grant": 50, "kristie-treutel": 200}
MEMORY_TARGET = 3


def of_records(options):
    directory = options.directory / "ccd"
    directory.mkdir()
    table = report.Table(
        f"CCDs, medians of {RUNS} (target: 50 ms for 2 MB, 200 ms for kristie-treutel, memory {MEMORY_TARGET} times the document)",
        ["record", "MB", "by", "facts ms", "first ms", "last ms", "document MB", "memory MiB", "times", "errors"],
    )
    medplum = medplum_folder(options.dir)
    results = []
    for name, bundles in records(directory):
        lines = directory / f"{name}.ndjson"
        patient = write_lines(lines, bundles)
        makers = [("generator", lambda out: generator(options, lines, out)), ("HTTP", lambda out: over_http(options, directory / name, bundles, patient, out))]
        if medplum:
            makers.append(("@medplum/ccda", lambda out: beside(medplum, lines, out)))
        for by, make in makers:
            out = directory / f"{name}.{by.rsplit('/')[-1]}.xml"
            result = {"record": name, "by": by, "record_bytes": lines.stat().st_size, **make(out), "errors": errors(out)}
            results.append(result)
            row(table, result)
    return results


def row(table, result):
    growth = result["grown_kib"]
    table.row(
        result["record"], report.short(result["record_bytes"] / 1e6), result["by"],
        report.short(result["facts_ms"]) if result["facts_ms"] else "", report.short(result["first_ms"]), report.short(result["last_ms"]),
        report.short(result["document_bytes"] / 1e6), report.short(growth / 1024) if growth else "",
        report.ratio(growth * 1024 / result["document_bytes"]) if growth else "", "not counted" if result["errors"] is None else sum(result["errors"].values()),
    )


def records(directory):
    """Name and Bundles; the patient's own is the last."""
    invented = directory / "invented.json"
    invented.write_text(synthetic.bundle(1, RESOURCES_OF_2_MB))
    yield "invented-2mb", [invented]
    if not SAMPLES.is_dir():
        print("LEFT OUT: the records of ../shared/sample-data, which is not here", flush=True)
        return
    others = sorted(SAMPLES.glob("0-*.json"))
    for name in ["maricela-grant", "kristie-treutel"]:
        yield name, [*others, SAMPLES / f"{name}.json"]


def write_lines(path, bundles):
    """The patient's resources and what they name, as the operation reads them: one on a line, the patient first. Tells who it is."""
    *others, own = [[entry for entry in json.loads(bundle.read_text())["entry"]] for bundle in bundles]
    entries = own + [entry for other in others for entry in other]
    for at, entry in enumerate(entries):
        entry["resource"].setdefault("id", f"r-{at}")
    names = {entry["fullUrl"]: key(entry["resource"]) for entry in entries if "fullUrl" in entry}
    resources = [renamed(entry["resource"], names) for entry in entries]
    told, rest = resources[:len(own)], resources[len(own):]
    for _ in range(ROUNDS_OF_NAMES):
        named = {reference for resource in told for reference in references(resource)}
        keys = {one for resource in told for one in all_keys(resource)}
        found = [one for one in rest if named.intersection(all_keys(one)) or one.get("practitioner", {}).get("reference") in keys]
        told, rest = told + found, [one for one in rest if one not in found]
    told.sort(key=lambda one: one["resourceType"] != "Patient")
    path.write_text("".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in told))
    return told[0]["id"]


def key(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def all_keys(resource):
    """What a resource is known by: its id, and its identifiers."""
    yield key(resource)
    for one in resource.get("identifier", []):
        if isinstance(one, dict):
            yield f"{resource['resourceType']}?identifier={one.get('system')}|{one.get('value')}"


def renamed(node, names):
    if isinstance(node, dict):
        return {name: names.get(value, value) if name == "reference" and isinstance(value, str) else renamed(value, names) for name, value in node.items()}
    return [renamed(one, names) for one in node] if isinstance(node, list) else node


def references(node):
    if isinstance(node, dict):
        for name, value in node.items():
            yield from [value] if name == "reference" and isinstance(value, str) else references(value)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def generator(options, lines, out):
    """Memory is that of a process of its own."""
    program = options.charta.parent / "examples" / "measure_ccd"
    if not program.exists():
        raise machine.Unable(f"{program} is not there; build it with: cargo build --release -p charta-ccd --example measure_ccd")
    return medians(answer([program, "R4", lines, "--runs", str(RUNS), "--out", out]))


def beside(folder, lines, out):
    return medians(answer(["node", folder / "medplum.mjs", lines, str(RUNS), out]))


def answer(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise machine.Unable(f"{command[0]}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)


def medians(said):
    return {name: statistics.median(value) if isinstance(value, list) else value for name, value in said.items()}


def over_http(options, directory, bundles, patient, out):
    """From the request to the first and to the last byte, after one that finds the caches cold. Memory is mostly those caches."""
    data = directory / "data"
    directory.mkdir()
    imported = subprocess.run([options.charta, "import", "--data", data, *bundles], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if imported.returncode:
        raise machine.Unable(f"charta import: {imported.stdout.strip().splitlines()[-1]}")
    with servers.charta(options, directory / "server", worker_threads=1, core=machine.server_core(), data=data) as charta:
        url = urlsplit(charta.url)
        patient = patient_of(url, patient)
        first, last = [], []
        for _ in range(RUNS + 1):
            connection = http.client.HTTPConnection(url.hostname, url.port)
            start = time.perf_counter()
            connection.request("GET", f"/r4/Binary/$autogen-ccd-if?patient={patient}")
            response = connection.getresponse()
            if response.status != 200:
                raise machine.Unable(f"$autogen-ccd-if answered {response.status}: {response.read(300)}")
            document = response.read(1)
            first.append((time.perf_counter() - start) * 1e3)
            document += response.read()
            last.append((time.perf_counter() - start) * 1e3)
            connection.close()
        out.write_bytes(document)
    shutil.rmtree(directory)
    return {
        "document_bytes": len(document), "facts_ms": None, "first_ms": statistics.median(first[1:]), "last_ms": statistics.median(last[1:]),
        "cold_ms": last[0], "grown_kib": None,
    }


def patient_of(url, patient):
    """An import gives a patient without an id one of its own; the store has one patient."""
    connection = http.client.HTTPConnection(url.hostname, url.port)
    connection.request("GET", "/r4/Patient?_elements=id", headers={"Accept": "application/fhir+json"})
    found = [entry["resource"]["id"] for entry in json.loads(connection.getresponse().read()).get("entry", [])]
    connection.close()
    return patient if patient in found else found[0]


def medplum_folder(directory):
    """The package as its lock file has it, installed once below `directory`; none without Node."""
    if not shutil.which("node") or not shutil.which("npm"):
        print("LEFT OUT: @medplum/ccda, because there is no node and npm here", flush=True)
        return None
    folder = directory / "charta-bench-ccda"
    folder.mkdir(exist_ok=True)
    for name in ["package.json", "package-lock.json", "medplum.mjs"]:
        shutil.copy(HERE / "ccda" / name, folder)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print("LEFT OUT: @medplum/ccda, which cannot be installed here", flush=True)
        return None
    return folder


def errors(document):
    """What HL7's rules say of a document: errors of the schema, of each edition of the guide, and of the lint."""
    tool = SHARED / "validators" / "validate-ccd"
    if not os.access(tool, os.X_OK):
        return None
    done = subprocess.run([tool, "--release", "2.1,2.1cg", "--json", document], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=lambda: os.nice(19))
    if done.returncode not in (0, 1):
        print(f"LEFT OUT: the count of errors: {done.stderr.strip()[-200:]}", flush=True)
        return None
    said = json.loads(done.stdout)
    by_edition = {edition: len(found) for edition, found in said["schematron"].items()}
    return {"schema": len(said["xsd"]), **by_edition, "lint": sum(one["severity"] == "error" for one in said["lint"])}
