"""What all clients are asked to do, and how they tell what came of it."""

import contextlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import records


def task(fhir: str) -> dict[str, Any]:
    """What a client is to store and find again: resources of its version, without ids."""
    own = records.patient_id(fhir)
    binary = {
        "resourceType": "Binary",
        "contentType": "application/pdf",
        records.bytes_element(fhir): records.encoded(records.SCAN),
    }
    note = {**records.note(fhir, own), "content": records.note(fhir, own)["content"][:1]}
    patient = {**records.patient(fhir, own), "id": None}
    entry = {"resource": without_id(patient), "request": {"method": "POST", "url": "Patient"}}
    return {
        "patient": own,
        "binary": binary,
        "note": without_id(note),
        "bytes": records.encoded(records.NOTE),
        "element": records.bytes_element(fhir),
        "transaction": {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]},
    }


def without_id(resource: dict) -> dict:
    return {key: value for key, value in resource.items() if key != "id"}


class Client:
    """A client under way: `url` is its endpoint; each `step` is a line."""

    def __init__(self, name: str):
        self.url, self.fhir, file = sys.argv[1:4]
        self.name = f"{name}, {self.fhir}"
        self.task = json.loads(Path(file).read_text())

    @contextlib.contextmanager
    def step(self, what: str):
        try:
            yield
            print(f"ok - {self.name}: {what}")
        except Exception as error:  # whatever a client throws, the next step is tried as well
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"not ok - {self.name}: {what}")
            print(f"    {type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {str(error)[:400]}")


def same(found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"{found!r:.200} is not {expected!r:.200}")
