"""The official HL7 validator over a version's answers, without a network.

It reads all files of a version in one run. What it says is an error of the server unless

- it says the same of the resource as it was before it went in: then it is *inherited* from the data;
- it only says that it has not got a definition, which without a network nobody can give it: such are counted.
"""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

RUNS = {
    "DSTU2": ("1.0.2", "hl7"),
    "STU3": ("3.0.2", "hl7"),
    "R4": ("4.0.1", "hl7"),
    "R4B": ("4.0.1", "r4b"),
    "R5": ("4.0.1", "r5"),
}
SECONDS_MAX = 600
FILE = "http://hl7.org/fhir/StructureDefinition/operationoutcome-file"
NO_DEFINITION = re.compile(
    r"URL value '([^']*)' does not resolve"
    r"|Unknown Code System (\S+)"
    r"|Unknown type xhtml"  # the definitions of DSTU2 have none of a narrative's markup
)
# Each must be refused, or the validator does not check what we take it to check.
CANARIES = {
    "canary-element.json": '{"resourceType":"Patient","nickname":"x"}',
    "canary-type.json": '{"resourceType":"Patient","active":"perhaps"}',
    "canary-order.xml": '<Patient xmlns="http://hl7.org/fhir"><birthDate value="1979-05-04"/><active value="true"/></Patient>',
    "canary-required.json": '{"resourceType":"OperationOutcome"}',
}


class Verdict:
    """What the validator said of one version's answers."""

    def __init__(self, fhir: str):
        self.fhir = fhir
        self.answers = self.inputs = self.inherited = 0
        self.unknown: set[str] = set()
        self.errors: list[str] = []

    def lines(self) -> list[str]:
        counts = (
            f"official validator, {self.fhir}: {self.answers} answers, {len(self.errors)} errors, "
            f"{self.inherited} inherited from {self.inputs} inputs; {len(self.unknown)} definitions were not at hand"
        )
        return [f"{'not ok' if self.errors else 'ok'} - {counts}", *(f"    {error}" for error in self.errors[:20])]


def validate(fhir: str, folder: Path, tools: Path) -> Verdict:
    """Runs it over FOLDER/validate and FOLDER/inputs, which `answers` has filled."""
    for name, text in CANARIES.items():
        (folder / "inputs" / name).write_text(text)
    verdict = Verdict(fhir)
    said = run(fhir, folder, tools)
    expected = {str(file.relative_to(folder)) for part in ("validate", "inputs") for file in (folder / part).iterdir()}
    verdict.errors += [f"{file} was not read" for file in sorted(expected - said.keys())]
    verdict.errors += [f"{name} is taken for valid" for name in CANARIES if not said.get(f"inputs/{name}")]
    for file in sorted(said):
        judge(verdict, file, said)
    return verdict


def judge(verdict: Verdict, file: str, said: dict[str, list[str]]) -> None:
    part, _, name = file.partition("/")
    if part == "inputs":
        verdict.inputs += name not in CANARIES
        return
    verdict.answers += 1
    before = Counter(said.get(f"inputs/{name.rpartition('_')[0]}.json", ()))
    for error in said[file]:
        if missing := NO_DEFINITION.search(error):
            verdict.unknown.add(missing[1] or missing[2] or missing[0])
        elif before[error] > 0:
            before[error] -= 1
            verdict.inherited += 1
        else:
            verdict.errors.append(f"{name}: {error}"[:500])


def run(fhir: str, folder: Path, tools: Path) -> dict[str, list[str]]:
    """The errors of each file, by its path below the folder."""
    number, home = RUNS[fhir]
    command = [
        "java",
        "-Xmx2g",
        f"-Duser.home={(tools / 'homes' / home).resolve()}",
        "-cp",
        str((tools / "validator.jar").resolve()),
        "org.hl7.fhir.r5.validation.Validator",
        "validate",
        "inputs",
        "-version",
        number,
        "-tx",
        "n/a",
        "-output",
        "verdict.json",
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=SECONDS_MAX, check=False
    )
    if not (folder / "verdict.json").exists():
        raise RuntimeError(f"the validator gave up on {fhir}: {(done.stdout + done.stderr)[-800:]}")
    outcomes = (entry["resource"] for entry in json.loads((folder / "verdict.json").read_text())["entry"])
    return {file_of(outcome): errors_of(outcome) for outcome in outcomes}


def file_of(outcome: dict) -> str:
    return next(one["valueString"] for one in outcome["extension"] if one["url"] == FILE)


def errors_of(outcome: dict) -> list[str]:
    issues = [issue for issue in outcome.get("issue", ()) if issue["severity"] in ("error", "fatal")]
    return [f"{issue.get('expression', ['?'])[0]}: {issue['details']['text']}" for issue in issues]
