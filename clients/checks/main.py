"""Starts a Charta, loads it, and lets every client and validator at it.

    python3 main.py PROGRAM CACHE

CACHE is what `clients/setup` made. Every check is one line, `ok - ...` or `not ok - ...`.
"""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterable

import answers
import steps
import validator
from server import VERSIONS, charta
from sources import PROJECT, Sources

HERE = Path(__file__).resolve().parent
SECONDS_MAX = 600


class Tally:
    """How many checks passed and failed."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def show(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.passed += line.startswith("ok - ")
            self.failed += line.startswith("not ok - ")
            print(line, flush=True)


def main(program: Path, cache: Path) -> int:
    tally, sources = Tally(), Sources()
    with tempfile.TemporaryDirectory(prefix="charta-answers-") as kept, charta(program) as server:
        folder = Path(kept)
        tally.show(sources.load(server))
        if not sources.samples:
            tally.show(["LEFT OUT: ../shared/sample-data, which is not here; own records and the demo's are"])
        with server.serving():
            tally.show(answers.gather(server.url, sources, sources.send(server.url), folder))
            for command in clients(server.url, folder, cache):
                tally.show(run(command))
        tally.show(run(smart(program, cache)))
        tally.show(run(view(program, cache)))
        with ThreadPoolExecutor(2) as pool:
            for lines in pool.map(run, strict(folder, cache)):
                tally.show(lines)
            for lines in pool.map(lambda fhir: validated(fhir, folder / fhir, cache / "validator"), VERSIONS):
                tally.show(lines)
    print(f"\nclients: {tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


def clients(url: str, folder: Path, cache: Path) -> list[list[str]]:
    """One command for each client and version that it speaks."""
    python, node = str(cache / "python/bin/python"), str(cache / "node")
    speak = {
        (python, str(HERE / "with_fhirpy.py")): VERSIONS,
        (python, str(HERE / "with_fhirclient.py")): ("R4",),
        ("node", f"{node}/with_fhir_kit_client.mjs"): VERSIONS,
        ("node", f"{node}/with_fhirclient.mjs"): ("DSTU2", "STU3", "R4"),
    }
    return [
        [*client, f"{url}/{fhir.lower()}", fhir, task(fhir, folder)]
        for client, versions in speak.items()
        for fhir in versions
    ]


def smart(program: Path, cache: Path) -> list[str]:
    """SMART on FHIR end to end, against servers of its own."""
    tools = [cache / "python/bin/python", cache / "smart-screens", os.environ.get("CHROMIUM", "")]
    return ["node", f"{cache}/node/smart/main.mjs", str(program.resolve()), str(PROJECT), *map(str, tools)]


def view(program: Path, cache: Path) -> list[str]:
    """Pages of CDA documents in Chromium, against a server of its own."""
    tools = [cache / "view-screens", os.environ.get("CHROMIUM", "")]
    return ["node", f"{cache}/node/view/main.mjs", str(program.resolve()), str(PROJECT), *map(str, tools)]


def task(fhir: str, folder: Path) -> str:
    file = folder / f"task-{fhir}.json"
    file.write_text(json.dumps(steps.task(fhir)))
    return str(file)


def strict(folder: Path, cache: Path) -> list[list[str]]:
    pythons = {fhir: cache / ("python_r4" if fhir == "R4" else "python") / "bin/python" for fhir in VERSIONS}
    return [[str(python), str(HERE / "strict.py"), fhir, str(folder / fhir)] for fhir, python in pythons.items()]


def validated(fhir: str, folder: Path, tools: Path) -> list[str]:
    try:
        return validator.validate(fhir, folder, tools).lines()
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return [f"not ok - official validator, {fhir}: {str(error)[-1000:]}"]


def run(command: list[str]) -> list[str]:
    """The lines of a check of its own process. One that dies, or says nothing, has failed."""
    name = " ".join([Path(command[1]).stem, *command[2:4]])
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return [f"not ok - {name}: no end after {SECONDS_MAX} s"]
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        lines += [
            f"not ok - {name}: ends with {done.returncode}",
            *(f"    {line}" for line in done.stderr.splitlines()[-8:]),
        ]
    return lines


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
