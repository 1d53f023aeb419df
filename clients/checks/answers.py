"""What the server answers in each version, gathered in files for those who judge it.

    FOLDER/VERSION/validate/*.json|xml    a representative set, capped
    FOLDER/VERSION/inputs/*.json          what these were made from, where that was written in the same version
    FOLDER/VERSION/parse/*.json           searches over everything, page by page

An answer about one resource is called `TYPE_ID_what`, its input `TYPE_ID`; others begin with `_`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import records
from server import VERSIONS
from sources import Source, Sources
from web import JSON, OLD, XML, ask

PROJECTED = ("DocumentReference", "DiagnosticReport", "Patient")
PAGES_MAX = 3
PAGE = 100
OF_ONE_TYPE_MAX = 4
PROJECTIONS_MAX = 4
FORMS = {"json": JSON, "xml": XML}


class Gatherer:
    """Asks one endpoint and files what it answers."""

    def __init__(self, url: str, fhir: str, folder: Path, part: str = "all"):
        self.url, self.fhir, self.folder, self.part = url, fhir, folder, part
        self.kept, self.faults = 0, []
        for inside in ("validate", "inputs", "parse"):
            (folder / inside).mkdir(parents=True, exist_ok=True)

    def keep(self, name: str, path: str, status: int = 200, **request) -> None:
        """The answer in both forms."""
        for form, accept in FORMS.items():
            accept = OLD[accept] if self.fhir == "DSTU2" else accept
            answer = ask(f"{self.url}{path}", accept, **request)
            if answer.status == status:
                self.file("validate", f"{name}.{form}", answer.body)
            else:
                asked = f"{request.get('method', 'GET')} {path}, {form}"
                self.faults.append(f"{asked}: {answer.status}, not {status}: {answer.body[:300]!r}")

    def file(self, part: str, name: str, body: bytes) -> None:
        (self.folder / part / name).write_bytes(body)
        self.kept += part != "inputs"

    def lines(self) -> list[str]:
        verdict = "not ok" if self.faults else "ok"
        counts = f"{self.kept} answers gathered, {len(self.faults)} of another status"
        path = self.url.split("/", 3)[3]
        return [f"{verdict} - answers of /{path}: {counts}", *(f"    {fault}" for fault in self.faults)]

    def all_of(self, kind: str) -> list[dict]:
        """Every resource of a type that there is, up to the limit of pages; the pages are filed."""
        found, url = [], f"{self.url}/{kind}?_count={PAGE}"
        for number in range(PAGES_MAX):
            answer = ask(url, JSON)
            if answer.status != 200:
                self.faults.append(f"{url}: {answer.status}, not 200: {answer.body[:300]!r}")
                break
            self.file("parse", f"{kind}-{self.part}-{number}.json", answer.body)
            page = answer.json()
            found += [entry["resource"] for entry in page.get("entry", ())]
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
            if not url:
                break
        return found


def gather(url: str, sources: Sources, transactions: dict[str, bytes], folder: Path) -> Iterator[str]:
    """Files everything; gives the lines that say what came of it in each version."""
    for fhir in VERSIONS:
        gatherer = Gatherer(f"{url}/{fhir.lower()}", fhir, folder / fhir)
        resources(gatherer, sources.own)
        binaries(gatherer)
        bundles(gatherer)
        outcomes(gatherer)
        gatherer.keep("_metadata", "/metadata")
        gatherer.file("validate", "_transaction-response.json", transactions[fhir])
        yield from gatherer.lines()
    if sources.other:
        gatherer = Gatherer(f"{url}/other/r4b", "R4B", folder / "R4B", "other")
        resources(gatherer, sources.other)
        yield from gatherer.lines()


def resources(gatherer: Gatherer, sources: dict[str, Source]) -> None:
    """Every type: those written in this version, and of those that have a projection the ones written in another."""
    written = {place.partition("/")[0] for place, source in sources.items() if source.fhir == gatherer.fhir}
    for kind in sorted(written.union(PROJECTED) - {"Binary"}):
        origin: dict[str, list[dict]] = {}
        for resource in gatherer.all_of(kind):
            source = sources.get(f"{kind}/{resource['id']}")
            if source:
                origin.setdefault(source.fhir, []).append(resource)
        for fhir, found in origin.items():
            native = fhir == gatherer.fhir
            for resource in varied(found, OF_ONE_TYPE_MAX if native else PROJECTIONS_MAX):
                one(gatherer, resource, "read" if native else f"from-{fhir}", sources)


def one(gatherer: Gatherer, resource: dict, what: str, sources: dict[str, Source]) -> None:
    place = f"{resource['resourceType']}/{resource['id']}"
    name = place.replace("/", "_")
    gatherer.keep(f"{name}_{what}", f"/{place}")
    if what == "read":
        gatherer.file("inputs", f"{name}.json", json.dumps(sources[place].resource).encode())


def varied(resources: list[dict], count: int) -> list[dict]:
    """Those that have, each in turn, the most elements that none before has."""
    left = {index: paths(resource) for index, resource in enumerate(resources)}
    seen: set[str] = set()
    chosen = []
    while left and len(chosen) < count:
        best = max(left, key=lambda index: (len(left[index] - seen), -index))
        if chosen and not left[best] - seen:
            break
        chosen.append(resources[best])
        seen |= left.pop(best)
    return chosen


def paths(value, path: str = "") -> set[str]:
    """The elements that a resource has, as `.name.family`."""
    if isinstance(value, dict):
        return {found for key, inner in value.items() for found in paths(inner, f"{path}.{key}")}
    if isinstance(value, list):
        return {found for inner in value for found in paths(inner, path)}
    return {path}


def binaries(gatherer: Gatherer) -> None:
    for own in ("phone-note", "note-text", "ecg-png", "config-json", "bundle-fhir-json", "TR-21961261"):
        if ask(f"{gatherer.url}/Binary/{own}", method="HEAD").status == 200:
            gatherer.keep(f"_binary-{own}", f"/Binary/{own}")
    if gatherer.fhir in ("DSTU2", "STU3"):
        gatherer.keep("_binary-search", "/Binary?_count=3")


def bundles(gatherer: Gatherer) -> None:
    """Searches and histories. Those that are validated are over records of our own, which have no faults to hand on."""
    own = records.patient_id(gatherer.fhir)
    everyone = ",".join(records.patient_id(fhir) for fhir in VERSIONS)
    about = {
        "search": f"/DocumentReference?patient={own}",
        "search-of-all-versions": f"/DocumentReference?patient={everyone}",
        "search-reports": f"/DiagnosticReport?patient={everyone}&_include=DiagnosticReport:subject",
        "search-include": f"/DocumentReference?patient={own}&_include=DocumentReference:subject&_include=DocumentReference:author",
        "search-revinclude": f"/Patient?_id={everyone}&_revinclude=DocumentReference:subject",
        "search-empty": "/Patient?_id=nobody",
        "search-count": "/Patient?_summary=count",
        "search-summary": f"/Patient?_id={everyone}&_summary=true",
        "search-elements": f"/DocumentReference?patient={everyone}&_elements=status,description",
        "search-page": f"/Patient?_id={everyone}&_count=2",
        "history-of-one": f"/Patient/{own}/_history",
        "history-of-type": "/DiagnosticReport/_history?_count=5",
        "history-of-all": "/_history?_count=10",
        "vread": f"/Patient/{own}/_history/1",
    }
    for name, path in about.items():
        gatherer.keep(f"_{name}", path)
    batch = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "GET", "url": f"Patient/{own}"}},
            {"request": {"method": "GET", "url": "Patient/nobody"}},
            {"request": {"method": "GET", "url": f"DocumentReference?patient={own}"}},
        ],
    }
    gatherer.keep("_batch-response", "", method="POST", body=batch)


def outcomes(gatherer: Gatherer) -> None:
    """Refusals of each kind, and a success that is told by an OperationOutcome."""
    own = records.patient_id(gatherer.fhir)
    patient = {"resourceType": "Patient", "nickname": "x", "birthDate": "long ago"}
    for name, path, status, request in (
        ("not-found", "/Patient/nobody", 404, {}),
        ("bad-search", "/Patient?birthdate=long-ago", 400, {}),
        ("strict-search", "/Patient?nickname=x", 400, {"prefer": "handling=strict"}),
        ("unknown-type", "/Nothing/1", 404, {}),
        ("not-allowed", "/metadata", 405, {"method": "DELETE"}),
        ("bad-resource", "/Patient", 400, {"method": "POST", "body": patient}),
        ("bad-media-type", "/Patient", 415, {"method": "POST", "body": b"x", "content_type": "text/plain"}),
    ):
        gatherer.keep(f"_outcome-{name}", path, status, **request)
    if gatherer.fhir != "DSTU2":  # which has no such preference
        again = {"method": "PUT", "body": records.patient(gatherer.fhir, own), "prefer": "return=OperationOutcome"}
        gatherer.keep("_outcome-success", f"/Patient/{own}", **again)
