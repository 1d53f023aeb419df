"""Reads a version's answers with fhir.resources, which refuses what that version does not have.

    python strict.py VERSION FOLDER        run by the Python of clients/setup that has the library

Every JSON answer in FOLDER is read, of a Bundle each resource by itself and then the whole. What was read must have
every element that the answer has. A fault that the resource had before it went in (FOLDER/inputs) is inherited.
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any, Optional

from answers import paths

PACKAGES = {
    "DSTU2": "fhir.resources.DSTU2",
    "STU3": "fhir.resources.STU3",
    "R4": "fhir.resources",
    "R4B": "fhir.resources.R4B",
    "R5": "fhir.resources",
}
# Each must be refused, or the library is not as strict as we take it to be.
CANARIES = ({"nickname": "x"}, {"gender": ["female"]}, {"contact": [{"gender": "female", "deceasedBoolean": True}]})


def main(fhir: str, folder: Path) -> None:
    reader = Reader(PACKAGES[fhir])
    if fhir == "DSTU2":
        mend_dstu2()
    for canary in CANARIES:
        if not reader.fault({"resourceType": "Patient", **canary}):
            print(f"not ok - strict reading, {fhir}: takes {canary}")
            return
    inherited = {file.stem for file in (folder / "inputs").glob("*.json") if reader.fault(json.loads(file.read_text()))}
    for file in sorted(folder.glob("[vp]*/*.json")):
        reader.answer(file, inherited)
    verdict = "not ok" if reader.faults else "ok"
    print(
        f"{verdict} - strict reading, {fhir}: {reader.answers} answers, {reader.resources} resources,"
        f" {len(reader.faults)} faults, {reader.inherited} inherited from the data"
    )
    for fault in reader.faults[:20]:
        print(f"    {fault}")


def mend_dstu2() -> None:
    """The classes of DSTU2 take elements that they do not know, unlike the others, and some are missing from their list."""
    package = importlib.import_module(PACKAGES["DSTU2"])
    model = importlib.import_module(f"{package.__name__}.fhirabstractmodel").FHIRAbstractModel
    known = importlib.import_module(f"{package.__name__}.fhirtypesvalidators").MODEL_CLASSES
    model.__config__.extra = "forbid"
    for module in pkgutil.iter_modules(package.__path__):
        for name, found in vars(importlib.import_module(f"{package.__name__}.{module.name}")).items():
            if isinstance(found, type) and issubclass(found, model):
                known.setdefault(name, (found, f".{module.name}"))


def without_siblings(value: Any) -> Any:
    """Without `_issued` and its like: the library has no place for them in DSTU2."""
    if isinstance(value, dict):
        return {key: without_siblings(inner) for key, inner in value.items() if not key.startswith("_")}
    return [without_siblings(inner) for inner in value] if isinstance(value, list) else value


class Reader:
    """One version's classes, and what was found with them."""

    def __init__(self, package: str):
        self.package = package
        self.answers = self.resources = self.inherited = 0
        self.faults: list[str] = []

    def answer(self, file: Path, inherited: set[str]) -> None:
        answer = json.loads(file.read_text())
        answer = without_siblings(answer) if self.package == PACKAGES["DSTU2"] else answer
        self.answers += 1
        whole = True
        for entry in answer.get("entry", ()) if answer["resourceType"] == "Bundle" else ():
            for part in ("resource", "outcome"):
                if part in entry or part in entry.get("response", {}):
                    whole &= self.resource(file.name, entry.get(part) or entry["response"][part], inherited)
        if answer["resourceType"] != "Bundle" or whole:
            self.resource(file.name, answer, inherited)

    def resource(self, where: str, resource: dict, inherited: set[str]) -> bool:
        """Whether it can be read."""
        self.resources += 1
        fault = self.fault(resource)
        if not fault:
            return True
        own = f"{resource['resourceType']}_{resource.get('id')}"
        if own in inherited:
            self.inherited += 1
        else:
            self.faults.append(f"{where}: {own}: {fault}")
        return False

    def fault(self, resource: dict) -> Optional[str]:
        """Why the library refuses it, or what it loses of it."""
        kind = resource["resourceType"]
        try:
            model = getattr(importlib.import_module(f"{self.package}.{kind.lower()}"), kind)
            read = json.loads(model.parse_obj(resource).json())
        except (ImportError, AttributeError) as error:
            return f"not a type of this version: {error}"
        except ValueError as error:
            return " ".join(str(error).split())[:300]
        lost = elements(resource) ^ elements(read)
        return f"lost or added: {sorted(lost)[:5]}" if lost else None


def elements(resource: Any) -> set[str]:
    return {path for path in paths(resource) if not path.endswith(".resourceType")}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
