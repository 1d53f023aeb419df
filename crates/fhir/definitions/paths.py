"""FHIRPath -> the small path language of the tables (README.md), as far as it goes.

A path is a tuple of steps; a step is (name, cast or None, filter or None); a filter is
(element, value) or ("->", type). Everything else raises Unsupported.
"""

import re

TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|'([^']*)'|([.|()=,\[\]]))|\s*(\S)")
QUANTITIES = ("Age", "Count", "Distance", "Duration", "Money", "SimpleQuantity")


class Unsupported(Exception):
    pass


def parse(text):
    """The paths of an expression, the leading type name still a step."""
    tokens = []
    for match in TOKEN.finditer(text.replace("[x]", "")):
        name, literal, mark, other = match.groups()
        if other:
            raise Unsupported(other)
        tokens.append(("name", name) if name else ("mark", mark) if mark else ("text", literal))
    parser = Parser(tokens + [("end", None)])
    paths = parser.union()
    parser.expect("end", None)
    return paths


class Parser:
    def __init__(self, tokens):
        self.tokens = tokens
        self.at = 0

    def peek(self, kind, value):
        return self.tokens[self.at] == (kind, value)

    def accept(self, kind, value):
        if self.peek(kind, value):
            self.at += 1
            return True
        return False

    def expect(self, kind, value=None):
        token = self.tokens[self.at]
        if token[0] != kind or value is not None and token[1] != value:
            raise Unsupported(f"{token[1]} for {value or kind}")
        self.at += 1
        return token[1]

    def union(self):
        paths = self.cast()
        while self.accept("mark", "|"):
            paths += [path for path in self.cast() if path not in paths]
        return paths

    def cast(self):
        paths = self.steps()
        if self.accept("name", "as"):
            paths = narrowed(paths, cast=self.expect("name"))
        return paths

    def steps(self):
        if self.accept("mark", "("):
            paths = self.union()
            self.expect("mark", ")")
        else:
            paths = [((self.expect("name"), None, None),)]
        while self.accept("mark", "."):
            name = self.expect("name")
            if self.accept("mark", "("):
                paths = self.function(name, paths)
                self.expect("mark", ")")
            else:
                paths = [path + ((name, None, None),) for path in paths]
        return paths

    def function(self, name, paths):
        if name in ("as", "ofType"):
            return narrowed(paths, cast=self.expect("name"))
        if name == "first":  # all are indexed: a search finds one more, never one less
            return paths
        if name != "where":
            raise Unsupported(f"{name}()")
        element = self.expect("name")
        if element == "resolve":
            for token in ("(", ")"):
                self.expect("mark", token)
            self.expect("name", "is")
            return narrowed(paths, filter=("->", self.expect("name")))
        self.expect("mark", "=")
        return narrowed(paths, filter=(element, self.expect("text")))


def narrowed(paths, cast=None, filter=None):
    return [path[:-1] + ((path[-1][0], cast or path[-1][1], filter or path[-1][2]),) for path in paths]


def resolve(types, start, path):
    """The path as the types have it, and the types it ends in.

    Casts of what has one type go; names of one choice (`valueQuantity`) become casts.
    """
    current, steps = [start], []
    for name, cast, filter in path:
        found, spelled = [], (name, cast)
        for one in current:
            element = types[one].element(name)
            if element is None:
                element, one_type = property_named(types[one], name)
                if element is None:
                    continue
                spelled = (element.name, one_type)
                found.append(one_type)
                continue
            names = [use for use, _ in element.types]
            if cast:
                wanted = next((n for n in names if n.lower() == cast.lower()), None)
                if wanted is None and cast in QUANTITIES and "Quantity" in names:
                    wanted = "Quantity"
                if wanted is None:
                    raise Unsupported(f"{name} is no {cast}")
                found.append(wanted)
                spelled = (name, wanted if element.choice else None)
            else:
                found += names
        if not found:
            raise Unsupported(f"no {name} in {' '.join(current)}")
        if filter and filter[0] != "->" and not any(is_code(types, one, filter[0]) for one in found):
            raise Unsupported(f"{filter[0]} is no code")
        steps.append((*spelled, filter))
        current = list(dict.fromkeys(found))
    return tuple(steps), current


def property_named(one, name):
    for element in one.elements:
        for use, _ in element.types if element.choice else []:
            if name == element.name + use[0].upper() + use[1:]:
                return element, use
    return None, None


def is_code(types, one, name):
    element = types[one].element(name)
    return element is not None and element.types[0][0] == "code"


def written(paths):
    return "|".join(".".join(map(step, path)) or "-" for path in paths)


def step(parts):
    name, cast, filter = parts
    text = name + (f"[{cast}]" if cast else "")
    if filter:
        text += "{->" + filter[1] + "}" if filter[0] == "->" else f"{{{filter[0]}={filter[1]}}}"
    return text
