"""Required value sets -> lists of codes. What cannot be listed completely is left out."""

import re


class Terminology:
    """The value sets and code systems of one version, by canonical."""

    def __init__(self, resources):
        self.sets = {}
        self.systems = {}
        for resource in resources:
            if resource["resourceType"] == "ValueSet":
                self.sets[resource["url"]] = resource
                if "codeSystem" in resource:  # DSTU2 defines codes within value sets
                    self.systems[resource["codeSystem"]["system"]] = resource["codeSystem"]
            elif resource["resourceType"] == "CodeSystem":
                self.systems[resource["url"]] = resource

    def codes(self, canonical):
        """The codes in order of definition, or None."""
        resource = self.sets.get(canonical.split("|")[0])
        if resource is None:
            return None
        codes = concepts(resource["codeSystem"]) if "codeSystem" in resource else []
        compose = resource.get("compose", {})
        if "exclude" in compose:
            return None
        parts = [self.included(include) for include in compose.get("include", [])]
        # Before STU3's include.valueSet there was compose.import.
        parts += [self.codes(canonical) for canonical in compose.get("import", [])]
        if any(part is None for part in parts):
            return None
        for part in parts:
            codes += part
        return list(dict.fromkeys(codes)) or None

    def included(self, include):
        if "valueSet" in include:
            if len(include["valueSet"]) != 1 or "system" in include:
                return None
            return self.codes(include["valueSet"][0])
        if "concept" in include:
            return [concept["code"] for concept in include["concept"]]
        system = self.systems.get(include["system"])
        if system is None or system.get("content", "complete") != "complete":
            return None
        if "filter" in include:
            return filtered(system, include["filter"])
        return concepts(system) or None


def concepts(node):
    codes = []
    for concept in node.get("concept", []):
        codes += [concept["code"]] + concepts(concept)
    return codes


def filtered(system, filters):
    """Only `concept is-a X`, which is the concept and all below it."""
    if len(filters) != 1 or filters[0]["op"] != "is-a" or filters[0]["property"] != "concept":
        return None

    def below(node):
        for concept in node.get("concept", []):
            yield concept
            yield from below(concept)

    root = next((c for c in below(system) if c["code"] == filters[0]["value"]), None)
    return [root["code"]] + concepts(root) if root else None


class Declarations:
    """The codes of R4B and R5 from TypeScript, where a code is a union of literals.

    The declarations name an inner type `PatientContact` where the table says `Patient.contact`.
    Long sets are plain strings there; those come from `otherwise`, a Terminology, if given.
    """

    # What differs between R4 and R4B although both have it under one name.
    DIFFERENT = ("FHIR-version", "all-types", "defined-types", "resource-types", "spdx-license")

    def __init__(self, text, types, otherwise=None):
        self.otherwise = otherwise
        unions = {}
        interface = None
        for line in text.splitlines():
            if match := re.match(r"export interface (\w+)", line):
                interface = match[1]
            elif match := re.match(r"  (\w+)\??: (?:Array<|\()('[^;]*')[>)]", line):
                unions[interface, match[1]] = re.findall(r"'([^']*)'", match[2])
        self.by_set = {}
        for one in types.values():
            interface = "".join(part[0].upper() + part[1:] for part in one.name.split("."))
            for element in one.elements:
                codes = unions.get((interface, element.name))
                if element.set and codes:
                    known = self.by_set.setdefault(element.set, codes)
                    if known != codes:
                        raise ValueError(f"{element.set}: {known} and {codes}")

    def codes(self, canonical):
        if canonical in self.by_set or self.otherwise is None:
            return self.by_set.get(canonical)
        if canonical.split("|")[0].endswith(self.DIFFERENT):
            return None
        return self.otherwise.codes(canonical)


def bind(types, source):
    """Gives every element its code set; returns the sets by name and the canonicals left out."""
    sets, left_out = {}, set()
    for one in types.values():
        for element in one.elements:
            if not element.set:
                continue
            codes = source.codes(element.set)
            if codes is None or any(re.search(r"\s", code) for code in codes):
                left_out.add(element.set.split("|")[0])
                continue
            element.codes = element.set.split("|")[0].rsplit("/", 1)[1]
            if sets.setdefault(element.codes, codes) != codes:
                raise ValueError(f"two code sets named {element.codes}")
    return sets, left_out
