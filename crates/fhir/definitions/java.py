"""Annotations of the fields of a compiled Java class: how DSTU2's search parameters were published."""

import struct

# Bytes after the tag of each constant; text (1) has its length in front.
SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}


class ClassFile:
    def __init__(self, data):
        self.data = data
        self.at = 8
        self.text = {}
        index, count = 1, self.number("H")
        while index < count:
            tag = self.number("B")
            if tag == 1:
                self.text[index] = self.take(self.number("H")).decode("utf-8", "replace")
            else:
                self.take(SIZES[tag])
            index += 2 if tag in (5, 6) else 1  # long and double count twice

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, kind):
        return struct.unpack(">" + kind, self.take(struct.calcsize(kind)))[0]

    def string(self):
        return self.text.get(self.number("H"))

    def field_annotations(self, name):
        """The values of each annotation whose type ends in `name`."""
        self.take(6)  # access, this class, its base
        self.take(2 * self.number("H"))  # interfaces
        for _ in range(self.number("H")):
            self.take(6)  # access, name, type
            for _ in range(self.number("H")):
                attribute, size = self.string(), self.number("I")
                end = self.at + size
                if attribute == "RuntimeVisibleAnnotations":
                    for _ in range(self.number("H")):
                        kind, values = self.annotation()
                        if kind.endswith(name):
                            yield values
                self.at = end

    def annotation(self):
        kind = self.string()
        return kind, {self.string(): self.value() for _ in range(self.number("H"))}

    def value(self):
        tag = chr(self.number("B"))
        if tag == "e":
            self.take(2)
            return self.string()
        if tag == "@":
            return self.annotation()
        if tag == "[":
            return [self.value() for _ in range(self.number("H"))]
        return self.string()
