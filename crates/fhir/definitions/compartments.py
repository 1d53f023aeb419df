"""Compartments of Patient and Encounter: resource type -> names of its parameters."""

COMPARTMENTS = ("Patient", "Encounter")
OBVIOUS = {"Patient": ("patient", "subject"), "Encounter": ("encounter", "context")}


def published(definitions, parameters):
    """From definitions. A name that is no parameter here (R5's `{def}`) goes."""
    result = {}
    for definition in definitions:
        if definition["code"] in COMPARTMENTS and definition["id"].lower() == definition["code"].lower():
            result[definition["code"]] = {
                entry["code"]: names
                for entry in definition["resource"]
                if (names := [name for name in entry.get("param", []) if name in parameters.get(entry["code"], {})])
            }
    return result


def derived(pattern, known_there, parameters, compartment):
    """Like another version's, where no package has a definition: the same names, else the obvious one.

    `known_there` are the resource types of that version: one of those that its compartment lacks stays out,
    a type that it does not know comes in by the obvious name.
    """
    result = {}
    for resource, known in parameters.items():
        if resource in known_there and resource not in pattern:
            continue
        names = [name for name in pattern.get(resource, []) if name in known]
        obvious = (name for name in OBVIOUS[compartment] if name in known and known[name].kind == "reference")
        names = names or list(obvious)[:1]
        if names:
            result[resource] = names
    return result
