"""Reports as PDF 1.4: US Letter or A4, the built-in Helvetica, text that can be selected and searched."""
import hashlib

from .people import DISCLAIMER
from .reports import Table

LETTER, A4 = (612, 792), (595, 842)
MARGIN = 56
BLUE = "0.12 0.37 0.48"

# Advance widths of Helvetica in thousandths of the size, for the characters 32 to 126.
WIDTHS = [278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556,
          556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667,
          556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556,
          556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722,
          500, 500, 500, 334, 260, 334, 584]

# Helvetica has no small digits; the reports use these few.
PLAIN = str.maketrans({"₂": "2", "⁹": "^9"})


def pdf(report, size=LETTER):
    """The whole file. Object numbers and offsets follow from the text alone, so equal text gives equal bytes."""
    layout = _Layout(report, size)
    layout.masthead()
    for heading, blocks in report.sections:
        layout.section(heading, blocks)
    layout.signature()
    return _file(report, size, layout.finished())


class _Layout:
    """Puts the report on pages from top to bottom; `y` is the baseline of the last line, in points from below."""

    def __init__(self, report, size):
        self.report, (self.width, self.height) = report, size
        self.inner = self.width - 2 * MARGIN
        self.pages = []
        self.new_page()

    def new_page(self):
        self.ops = []
        self.pages.append(self.ops)
        self.y = self.height - 48
        if len(self.pages) > 1:
            p = self.report.patient
            self.text(MARGIN, f"{p.listed}   {p.number}   {self.report.title}", 8.5, colour="0.35 0.35 0.35")
            self.rule(self.y - 5, "0.7 0.7 0.7", 0.5)
            self.y -= 12

    def masthead(self):
        c, top = self.report.clinic, self.height
        self.ops.append(f"{BLUE} rg {MARGIN} {top - 62} 26 26 re f 1 1 1 rg "
                        f"{MARGIN + 10.5} {top - 58} 5 18 re f {MARGIN + 4} {top - 51.5} 18 5 re f")
        self.y = top - 47
        self.text(MARGIN + 36, c.name, 15, bold=True, colour=BLUE)
        self.text(self.width - MARGIN, f"{c.street}, {c.city}", 8, right=True)
        self.y -= 12
        self.text(MARGIN + 36, c.department, 9.5)
        self.text(self.width - MARGIN, f"{c.phone}  |  {c.web}", 8, right=True)
        self.rule(top - 68, BLUE, 1.5)
        self.y = top - 94
        self.text(MARGIN, self.report.title, 16, bold=True)
        self.text(self.width - MARGIN, self.report.status.upper(), 9, bold=True, right=True)
        self.facts()

    def facts(self):
        p = self.report.patient
        facts = [("Patient", p.listed), ("Born", f"{p.born}, {p.sex_word.lower()}"), ("Record number", p.number),
                 ("Address", f"{p.street}, {p.city}")] + self.report.facts
        top, height = self.y - 10, 16 * ((len(facts) + 1) // 2) + 8
        self.ops.append(f"0.95 0.97 0.98 rg 0.6 0.7 0.75 RG 0.6 w {MARGIN} {top - height} {self.inner} {height} re B")
        for i, (label, value) in enumerate(facts):
            x = MARGIN + 8 + (i % 2) * self.inner / 2
            self.y = top - 16 - 16 * (i // 2)
            self.text(x, label, 8, colour="0.35 0.35 0.35")
            self.text(x + 66, value, 9)
        self.y = top - height - 4

    def section(self, heading, blocks):
        self.room(48)
        self.y -= 20
        self.text(MARGIN, heading, 11, bold=True, colour=BLUE)
        self.y -= 2
        for b in blocks:
            if isinstance(b, Table):
                self.table(b)
            elif isinstance(b, list):
                for i, item in enumerate(b, 1):
                    self.paragraph(item, indent=16, mark=f"{i}.")
            else:
                self.paragraph(b)

    def paragraph(self, text, indent=0, mark=None):
        for i, line in enumerate(_wrap(text, 10, self.inner - indent)):
            self.room(14)
            self.y -= 13.2
            if mark and i == 0:
                self.text(MARGIN + 2, mark, 10)
            self.text(MARGIN + indent, line, 10)
        self.y -= 2.5

    def table(self, table):
        columns = list(zip(table.head, *table.rows))
        wanted = [max(_measure(cell, 9) for cell in column) + 12 for column in columns]
        scale = min(1, self.inner / sum(wanted))
        widths = [w * scale for w in wanted]
        self.y -= 5
        for n, row in enumerate([table.head] + table.rows):
            cells = [_wrap(cell, 9, w - 8) for cell, w in zip(row, widths)]
            height = 12 * max(map(len, cells)) + 4
            self.room(height + 6)
            x, top = MARGIN, self.y
            for lines, w in zip(cells, widths):
                paint = "0.9 0.93 0.95 rg" if n == 0 else "1 1 1 rg"
                self.ops.append(f"{paint} 0.6 0.7 0.75 RG 0.5 w {x:.2f} {top - height:.2f} {w:.2f} {height:.2f} re B")
                for i, line in enumerate(lines):
                    self.y = top - 11 - 12 * i
                    self.text(x + 4, line, 9, bold=n == 0)
                x += w
            self.y = top - height
        self.y -= 3

    def signature(self):
        self.room(34)
        self.y -= 26
        self.text(MARGIN, self.report.signed, 9)

    def finished(self):
        for n, self.ops in enumerate(self.pages, 1):
            self.rule(46, "0.7 0.7 0.7", 0.5)
            self.y = 34
            self.text(MARGIN, DISCLAIMER, 8, colour="0.35 0.35 0.35")
            self.text(self.width - MARGIN, f"Page {n} of {len(self.pages)}", 8, right=True)
        return ["\n".join(ops).encode("cp1252") for ops in self.pages]

    def room(self, height):
        if self.y - height < 56:
            self.new_page()

    def rule(self, y, colour, width):
        self.ops.append(f"{colour} RG {width} w {MARGIN} {y:.2f} m {self.width - MARGIN} {y:.2f} l S")

    def text(self, x, text, size, bold=False, right=False, colour="0 0 0"):
        text = text.translate(PLAIN)
        if right:
            x -= _measure(text, size) * (1.06 if bold else 1)
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        self.ops.append(f"BT {colour} rg /F{2 if bold else 1} {size} Tf {x:.2f} {self.y:.2f} Td ({escaped}) Tj ET")


def _file(report, size, contents):
    def string(text):
        return b"(" + text.translate(PLAIN).encode("cp1252") + b")"

    first_page = 6
    kids = " ".join(f"{first_page + 2 * n} 0 R" for n in range(len(contents)))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} /MediaBox [0 0 {size[0]} {size[1]}] >>".encode(),
        (font % "Helvetica").encode(),
        (font % "Helvetica-Bold").encode(),
        b"<< /Title " + string(f"{report.title} - {report.patient.listed}") +
        b" /Author " + string(report.clinic.name) + b" /Subject " + string(DISCLAIMER) +
        b" /Producer (make_demo.py) >>",
    ]
    for n, content in enumerate(contents):
        objects.append(f"<< /Type /Page /Parent 2 0 R /Contents {first_page + 2 * n + 1} 0 R "
                       "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode())
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))

    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for n, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    start = len(out)
    identity = hashlib.sha256(out).hexdigest()[:32]
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += (f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R /ID [<{identity}> <{identity}>] >>\n"
            f"startxref\n{start}\n%%EOF\n").encode()
    return bytes(out)


def _measure(text, size):
    return sum(WIDTHS[ord(c) - 32] if 32 <= ord(c) < 127 else 556 for c in text.translate(PLAIN)) * size / 1000


def _wrap(text, size, width):
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and _measure(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
