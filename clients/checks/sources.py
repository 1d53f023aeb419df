"""What is put into the server, and in which version each resource was written."""

import json
from pathlib import Path
from typing import NamedTuple

import records
from server import VERSIONS, Charta
from web import ask

PROJECT = Path(__file__).resolve().parents[2]
DEMO = PROJECT / "testdata/demo"
SAMPLES = PROJECT / "../shared/sample-data"
# Folder or file, the version it is written in. Of the Synthea patients those that are small, and after what they name.
SAMPLE_FILES = (
    ("dstu2-smart", "DSTU2"),
    ("stu3-smart", "STU3"),
    ("r4-us-core", "R4"),
    ("r4-synthea/0-hospitalInformation.json", "R4"),
    ("r4-synthea/0-practitionerInformation.json", "R4"),
    ("r4-synthea/zandra-ohara.json", "R4"),
    ("r4-synthea/sybil-braun.json", "R4"),
    ("r4-synthea/mathew-kuphal.json", "R4"),
)


class Source(NamedTuple):
    """A resource as it was before it went in."""

    fhir: str
    resource: dict


class Sources:
    """All of them, by place (`Patient/1`), and those of the other tenant."""

    def __init__(self) -> None:
        self.own: dict[str, Source] = {}
        self.other: dict[str, Source] = {}
        self.samples = SAMPLES.is_dir()

    def load(self, charta: Charta) -> list[str]:
        """The part that goes in before the server runs. Gives a line for each summary."""
        lines = [self._load(charta, "R4", DEMO / "record.json", "default")]
        if self.samples:
            lines += [self._load(charta, fhir, SAMPLES / name, "default") for name, fhir in SAMPLE_FILES]
            lines.append(self._load(charta, "R4B", SAMPLES / "r4-us-core", "other"))
        return lines

    def _load(self, charta: Charta, fhir: str, path: Path, tenant: str) -> str:
        known = self.own if tenant == "default" else self.other
        for resource in resources(path):
            known[f"{resource['resourceType']}/{resource['id']}"] = Source(fhir, resource)
        return f"{fhir} {path.name}: {charta.load(fhir, path, tenant)}"

    def send(self, url: str) -> dict[str, bytes]:
        """The part that goes in by HTTP: the demo's documents, and a record of our own in each version.

        Gives the answers to the transactions, by version.
        """
        for document in json.loads((DEMO / "manifest.json").read_text()):
            put_document(url, document)
        answers = {}
        for fhir in VERSIONS:
            answers[fhir] = self._send_record(url, fhir)
        return answers

    def _send_record(self, url: str, fhir: str) -> bytes:
        answer = ask(f"{url}/{fhir.lower()}", method="POST", body=records.transaction(fhir))
        if answer.status != 200:
            raise RuntimeError(f"the {fhir} record is refused: {answer.status} {answer.body[:1000]!r}")
        for resource in records.record(fhir):
            self.own[f"{resource['resourceType']}/{resource['id']}"] = Source(fhir, resource)
        return answer.body


def put_document(url: str, document: dict) -> None:
    headers = {"content_type": document["contentType"]}
    if document.get("securityContext"):
        headers["x_security_context"] = document["securityContext"]
    answer = ask(
        f"{url}/r4/Binary/{document['id']}", method="PUT", body=(DEMO / document["file"]).read_bytes(), **headers
    )
    if answer.status not in (200, 201):
        raise RuntimeError(f"{document['file']} is refused: {answer.status} {answer.body[:500]!r}")


def resources(path: Path):
    """Every resource with an id in the JSON Bundles of a folder or file."""
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        for entry in json.loads(file.read_text()).get("entry", ()):
            if entry.get("resource", {}).get("id"):
                yield entry["resource"]
