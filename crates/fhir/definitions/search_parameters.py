"""Search parameters -> per resource type: name, kind, targets, paths, components."""

from dataclasses import dataclass, field

import paths
from paths import Unsupported

# What a parameter's values must be read from; anything else hints at a slip of the definition.
REFERENCES = {"Reference", "canonical", "uri", "url", "CodeableReference", "oid", "uuid"}

# DSTU2 publishes composites without their components: base and parts, by the parameters' names.
DSTU2_COMPOSITES = {
    ("CarePlan", "related"): ("relatedPlan", ["relatedcode", "relatedplan"]),
    ("DocumentReference", "relationship"): ("relatesTo", ["relatesto", "relation"]),
    ("Group", "characteristic-value"): ("characteristic", ["characteristic", "value"]),
    ("Observation", "related"): ("related", ["related-target", "related-type"]),
    ("Observation", "code-value-concept"): ("", ["code", "value-concept"]),
    ("Observation", "code-value-date"): ("", ["code", "value-date"]),
    ("Observation", "code-value-quantity"): ("", ["code", "value-quantity"]),
    ("Observation", "code-value-string"): ("", ["code", "value-string"]),
    ("Observation", "component-code-value-concept"): ("component", ["component-code", "component-value-concept"]),
    ("Observation", "component-code-value-quantity"): ("component", ["component-code", "component-value-quantity"]),
    ("Observation", "component-code-value-string"): ("component", ["component-code", "component-value-string"]),
}


@dataclass
class Parameter:
    name: str
    kind: str
    targets: list
    paths: list
    components: list = field(default_factory=list)  # of (name, kind, paths)


class Collector:
    def __init__(self, types):
        self.types = types
        self.resources = [one.name for one in types.values() if one.kind == "resource"]
        self.found = {name: {} for name in self.resources}
        self.left_out = []

    def simplified(self, resource, expression):
        """The paths of `expression` that start at `resource`."""
        result, failure = [], None
        for part in of_type(expression, resource):
            try:
                for path in paths.parse(part):
                    # `(start | end).first()` leaves out the type it starts from.
                    path = path[1:] if path[0][0] == resource else path
                    path, ends = paths.resolve(self.types, resource, path)
                    if path not in [known for known, _ in result]:
                        result.append((path, ends))
            except Unsupported as reason:
                failure = reason
        if not result:
            raise Unsupported(failure or "no expression")
        return result

    def add(self, resource, name, kind, expression, targets):
        try:
            found = self.simplified(resource, expression)
            if kind == "reference":
                found = [(path, ends) for path, ends in found if REFERENCES & set(ends)]
                if not found:
                    raise Unsupported("no reference")
            steps = [path for path, _ in found]
            if name == "patient" and kind == "reference":
                steps, targets = [self.only_patients(resource, path) for path in steps], ["Patient"]
        except Unsupported as reason:
            self.leave_out(resource, name, expression, reason)
            return
        # A list of nearly all types is how the definitions spell "any".
        if len(targets) > 0.9 * len(self.resources):
            targets = []
        self.found[resource][name] = Parameter(name, kind, sorted(targets), steps)

    def leave_out(self, resource, name, expression, reason):
        self.left_out.append(f"{resource}.{name}: {expression or '(no expression)'} ({reason})")

    def only_patients(self, resource, path):
        """A path whose reference might name something else only finds patients."""
        *before, (name, cast, filter) = path
        _, owners = paths.resolve(self.types, resource, tuple(before))
        targets = [t for one in owners for e in [self.types[one].element(name)] if e for t in e.types]
        if filter or all(of == ["Patient"] for use, of in targets if use == "Reference"):
            return path
        return (*before, (name, cast, ("->", "Patient")))

    def add_composite(self, resource, name, expression, components):
        """`components` are (name, kind, expression of the component, expression of its own parameter)."""
        try:
            bases = self.simplified(resource, expression)
            parts = [self.component(resource, bases, *component) for component in components]
        except Unsupported as reason:
            self.leave_out(resource, name, expression, reason)
            return
        self.found[resource][name] = Parameter(name, "composite", [], [path for path, _ in bases], parts)

    def component(self, resource, bases, name, kind, expression, own_expression):
        try:
            found = [self.relative(bases, path) for path in paths.parse(expression)]
            if kind == "reference" and not any(REFERENCES & set(ends) for _, ends in found):
                raise Unsupported("no reference")
            if name == "relation" and any("Reference" in ends for _, ends in found):
                raise Unsupported("no code")
        except Unsupported:
            # Several definitions are wrong (relatesto and relation swapped, a step too many):
            # then the component's own parameter, as seen from the base.
            if len(bases) != 1:
                raise
            base = bases[0][0]
            own = [path for path, _ in self.simplified(resource, own_expression)]
            found = [self.relative(bases, path[len(base) :]) for path in own if path[: len(base)] == base]
            if not found:
                raise
        return name, kind, [path for path, _ in found]

    def relative(self, bases, path):
        """A path that starts where any of the bases ends."""
        failure = None
        for _, ends in bases:
            for end in ends:
                try:
                    return paths.resolve(self.types, end, path)
                except Unsupported as reason:
                    failure = reason
        raise failure


def of_type(expression, resource):
    """The alternatives of an expression that speak of `resource`, brackets kept together."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(expression + "|"):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            parts.append(expression[start:index].strip())
            start = index + 1
    for part in parts:
        first = part.lstrip("( ").split(".")[0].split(" ")[0].rstrip(")")
        if first == resource or first and first[0].islower():
            yield part


def published(collector, definitions):
    """Search parameters as resources: STU3 and later."""
    by_url = {definition["url"]: definition for definition in definitions}
    for definition in sorted(definitions, key=lambda d: d["url"]):
        for resource in definition.get("base", []):
            # Those of every resource are not in the tables.
            if resource not in collector.found or "hl7.org/fhir/SearchParameter/" not in definition["url"]:
                continue
            name, expression = definition["code"], definition.get("expression", "")
            if definition["type"] != "composite":
                collector.add(resource, name, definition["type"], expression, definition.get("target", []))
                continue
            components = []
            for component in definition.get("component", []):
                url = component["definition"]
                url = url if isinstance(url, str) else url["reference"]
                # STU3 says Observation-code for what it defines as clinical-code.
                code = url.rsplit("/", 1)[1].removeprefix(resource + "-")
                same = (d for d in definitions if d["code"] == code and resource in d.get("base", []))
                own = by_url.get(url) or next(same, None)
                if own is None:
                    collector.leave_out(resource, name, expression, f"no {url.rsplit('/', 1)[1]}")
                    break
                components.append((own["code"], own["type"], component["expression"], own.get("expression", "")))
            else:
                collector.add_composite(resource, name, expression or resource, components)


def annotated(collector, resource, annotations):
    """Search parameters as annotations: DSTU2."""
    own = {}
    for annotation in sorted(annotations, key=lambda a: a["name"]):
        name, kind, expression = annotation["name"], annotation["type"], annotation["path"]
        if name.startswith("_"):
            continue
        if kind == "composite":
            if not name.endswith("[x]") and (resource, name) not in DSTU2_COMPOSITES:
                collector.leave_out(resource, name, "", "unknown components")
            continue
        own[name] = (kind, expression)
        collector.add(resource, name, kind, "" if expression == "null" else expression, [])
    for (owner, name), (base, parts) in DSTU2_COMPOSITES.items():
        if owner == resource:
            prefix = f"{resource}.{base}" if base else resource
            # Without an expression of its own a component is its parameter, seen from the base.
            components = [(part, own[part][0], "?", own[part][1]) for part in parts]
            collector.add_composite(resource, name, prefix, components)
