"""Structure definitions -> types with all their elements, in XML order."""

from dataclasses import dataclass, field

PROFILE = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM = "http://hl7.org/fhirpath/System."


@dataclass
class Element:
    name: str
    choice: bool
    types: list  # of (type name, [names of target types])
    min: int
    repeats: bool
    flags: str
    set: str = None  # canonical of the required value set
    codes: str = None  # name of the code set in the table


@dataclass
class Type:
    name: str
    kind: str
    base: str = None
    elements: list = field(default_factory=list)

    def element(self, name):
        return next((e for e in self.elements if e.name == name), None)


def types_of(structures):
    """All types, by name. Profiles and logical models are left aside."""
    structures = [s for s in structures if is_type(s)]
    known = {s["id"] for s in structures} | {"xhtml"}
    types = {}
    for structure in structures:
        add_structure(types, structure, known)
    # DSTU2's snapshots of code, id and others forget the id of the element.
    for one in types.values():
        if one.kind == "primitive" and one.name != "xhtml":
            one.elements = list(types["Element"].elements)
    # DSTU2 uses the type without defining it.
    types.setdefault("xhtml", Type("xhtml", "primitive", None, [Element("id", False, [("string", [])], 0, False, "a")]))
    return types


def is_type(structure):
    if structure["resourceType"] != "StructureDefinition" or structure["kind"] == "logical":
        return False
    if structure["url"] != PROFILE + structure["id"] or structure["id"] == "Base":
        return False
    if structure.get("derivation") == "constraint":
        return False
    # DSTU2 says which datatypes only narrow another one: no JSON or XML ever names these.
    return not structure.get("constrainedType") or is_primitive(structure)


def is_primitive(structure):
    return structure["kind"] == "primitive-type" or structure["kind"] == "datatype" and structure["id"][0].islower()


def add_structure(types, structure, known):
    name = structure["id"]
    if structure.get("abstract") or name in ("Element", "BackboneElement", "BackboneType"):
        kind = "abstract"
    elif is_primitive(structure):
        kind = "primitive"
    else:
        kind = "resource" if structure["kind"] == "resource" else "complex"
    base = (structure.get("baseDefinition") or structure.get("base") or "").removeprefix(PROFILE) or None
    own = types[name] = Type(name, kind, base)
    elements = structure["snapshot"]["element"]
    # Types derived from a datatype keep its name in their paths (DSTU2's markdown: string.value).
    root = elements[0]["path"]
    named = {e["name"]: e["path"] for e in elements if "name" in e}
    parents = {e["path"].rsplit(".", 1)[0] for e in elements if "." in e["path"]}
    for definition in elements[1:]:
        path = definition["path"]
        parent, last = path.rsplit(".", 1)
        owner = own if parent == root else types[parent]
        # A primitive's value is an attribute in XML and the property itself in JSON.
        if definition["max"] == "0" or kind == "primitive" and last == "value":
            continue
        element = element_of(definition, last, owner, own, named, known)
        if path in parents:
            inner = definition["type"][0]["code"]
            types[path] = Type(path, "backbone", inner)
            element.types = [(path, [])]
        owner.elements.append(element)


def element_of(definition, last, owner, structure, named, known):
    flags = ""
    if definition.get("isSummary"):
        flags += "s"
    if definition.get("isModifier"):
        flags += "m"
    if "xmlAttr" in definition.get("representation", []):
        flags += "a"
    choice = last.endswith("[x]")
    element = Element(
        name=last.removesuffix("[x]"),
        choice=choice,
        types=type_uses(definition, last, owner, structure, named, known),
        min=definition["min"],
        repeats=definition["max"] != "1",
        flags=flags,
    )
    binding = definition.get("binding", {})
    if binding.get("strength") == "required" and [name for name, _ in element.types] == ["code"]:
        reference = binding.get("valueSetReference") or {}
        element.set = binding.get("valueSet") or binding.get("valueSetUri") or reference.get("reference")
    return element


def type_uses(definition, last, owner, structure, named, known):
    if "nameReference" in definition:  # DSTU2
        return [(named[definition["nameReference"]], [])]
    if "contentReference" in definition:
        return [(definition["contentReference"].rsplit("#", 1)[1], [])]
    uses = {}
    for entry in definition.get("type", []):
        code = entry["code"]
        if code.startswith(SYSTEM):
            # Only ids and Extension.url have such types; what the snapshots say beside them varies.
            code = "uri" if last == "url" else "id" if structure.kind == "resource" and owner is structure else "string"
            if structure.name in ("Resource", "DomainResource"):
                code = "id"
        if code not in known:
            raise ValueError(f"{definition['path']}: unknown type {code}")
        targets = uses.setdefault(code, [])
        if code in ("Reference", "CodeableReference"):
            profiles = entry.get("targetProfile", entry.get("profile", []))
            targets += [p.removeprefix(PROFILE) for p in ([profiles] if isinstance(profiles, str) else profiles)]
    if not uses:
        raise ValueError(f"{definition['path']}: no type")
    for code, targets in uses.items():
        if "Resource" in targets or "Any" in targets:
            targets.clear()  # any resource
        unknown = [t for t in targets if t not in known]
        if unknown:
            raise ValueError(f"{definition['path']}: unknown targets {unknown}")
    return list(uses.items())


def shorten(types):
    """How many elements each type shares with its base, which the table then need not repeat."""
    shared = {}
    for one in types.values():
        base = types.get(one.base)
        while base is not None and one.elements[: len(base.elements)] != base.elements:
            base = types.get(base.base)
        # A base without elements (R5's PrimitiveType has the same as Element) says nothing.
        shared[one.name] = base if base is not None and base.elements else None
    return shared
