#!/usr/bin/env python3
"""Makes the tables of this folder out of registry packages: `./generate.py CACHE`. See README.md."""

import pathlib
import sys

import codes
import compartments
import elements
import java
import packages
import paths
import search_parameters

HERE = pathlib.Path(__file__).parent


VERSIONS = ("DSTU2", "STU3", "R4", "R4B", "R5")


def main():
    source = packages.Packages(sys.argv[1])
    resources = {
        "DSTU2": list(source.bundles("DSTU2")),
        "STU3": list(source.bundles("STU3")),
        "R4": list(source.r4()),
        "R4B": list(source.structures("R4B")),
        "R5": list(source.structures("R5")),
    }
    types = {version: elements.types_of(resources[version]) for version in VERSIONS}
    search = {version: parameters(source, version, types[version], resources[version]) for version in VERSIONS}
    members = members_of_compartments(source, resources, search)
    for version in VERSIONS:
        sets, unbound = codes.bind(types[version], terminology(source, version, types[version], resources))
        lines = table(version, types[version], sets, search[version], members[version], unbound)
        (HERE / f"{version.lower()}.txt").write_text("\n".join(lines) + "\n")
        count = sum(map(len, search[version].found.values()))
        print(version, len(types[version]), "types", len(sets), "code sets", count, "parameters",
              len(search[version].left_out), "left out")


def of_kind(resources, kind):
    return [resource for resource in resources if resource["resourceType"] == kind]


def terminology(source, version, types, resources):
    if version not in ("R4B", "R5"):
        return codes.Terminology(resources[version])
    # R4B took over most value sets of R4 as they were; R5 did not.
    otherwise = codes.Terminology(resources["R4"]) if version == "R4B" else None
    return codes.Declarations(source.typescript(version), types, otherwise)


def parameters(source, version, types, resources):
    search = search_parameters.Collector(types)
    if version != "DSTU2":
        definitions = of_kind(resources, "SearchParameter") or source.search_parameters(version)
        search_parameters.published(search, definitions)
        return search
    for name, data in source.dstu2_classes():
        name = name.rstrip("_")  # Java has a List of its own
        if name in search.found:
            annotations = java.ClassFile(data).field_annotations("/SearchParamDefinition;")
            search_parameters.annotated(search, name, list(annotations))
    return search


def members_of_compartments(source, resources, search):
    found = {version: search[version].found for version in VERSIONS}
    definitions = {version: of_kind(resources[version], "CompartmentDefinition") for version in ("STU3", "R4")}
    definitions |= {version: source.compartments(version) for version in ("R4B", "R5")}
    members = {v: compartments.published(definitions[v], found[v]) for v in definitions} | {"DSTU2": {}}
    for version, like, names in (
        ("DSTU2", "STU3", ("Patient", "Encounter")),
        ("R4B", "R4", ("Encounter",)),
        ("R5", "R4", ("Encounter",)),
    ):
        for name in names:
            pattern = members[like][name]
            members[version][name] = compartments.derived(pattern, found[like], found[version], name)
    return members


def table(version, types, sets, search, members, unbound):
    yield f"# FHIR {version}. Made by generate.py; README.md explains the lines."
    shared = elements.shorten(types)
    for one in sorted(types.values(), key=lambda one: depth(one, shared)):
        base = shared[one.name]
        yield f"type {one.name} {one.kind} {base.name if base else '-'}"
        for element in one.elements[len(base.elements) if base else 0 :]:
            yield " " + line(element)
    for name in sorted(sets):
        yield f"codes {name} {' '.join(sets[name])}"
    for resource, found in sorted(search.found.items()):
        for name, parameter in sorted(found.items()):
            targets = ",".join(parameter.targets) or "-"
            yield f"search {resource} {name} {parameter.kind} {targets} {paths.written(parameter.paths)}"
            for component, kind, steps in parameter.components:
                yield f"+ {component} {kind} {paths.written(steps)}"
    for compartment, of in sorted(members.items()):
        for resource, names in sorted(of.items()):
            yield f"compartment {compartment} {resource} {','.join(names)}"
    for canonical in sorted(unbound):
        yield f"# no codes: {canonical}"
    for one in sorted(search.left_out):
        yield f"# left out: {one}"


def depth(one, shared):
    """A type comes after the one that it goes on from."""
    count, base = 0, shared[one.name]
    while base is not None:
        count, base = count + 1, shared[base.name]
    return count, one.name


def line(element):
    name = element.name + ("[x]" if element.choice else "")
    types = ",".join(t + (":" + "/".join(targets) if targets else "") for t, targets in element.types)
    flags = element.flags or "-"
    codes_ = f" {element.codes}" if element.codes else ""
    return f"{name} {element.min}{'*' if element.repeats else '1'} {flags} {types}{codes_}"


if __name__ == "__main__":
    main()
