"""A small raster to draw on, with a pen and a stroke font. One byte per pixel: an index into some palette."""

# Each glyph is a few polylines; a point is two digits, x (0-4) and y (2 is the baseline, 6 the height of
# small letters, 8 of capitals, 0 the lowest).
GLYPHS = {
    "A": "020718384742 0545", "B": "02083847463505 3544433202", "C": "4738180703123243", "D": "02082846442202",
    "E": "48080242 0535", "F": "480802 0535", "G": "47381807031232434525", "H": "0208 4248 0545",
    "I": "1232 2228 1838", "J": "4843321203", "K": "0208 480542", "L": "080242", "M": "0208254842", "N": "02084248",
    "O": "030718384743321203", "P": "02083847463505", "Q": "030718384743321203 2442", "R": "02083847463505 2542",
    "S": "473818070615354443321203", "T": "0848 2228", "U": "080312324348", "V": "082248", "W": "0812253248",
    "X": "0248 0842", "Y": "082548 2522", "Z": "08480242",
    "a": "16364542 441403123243", "b": "0802 0516364543321203", "c": "4536160503123243", "d": "4842 4536160503123243",
    "e": "04444536160503123243", "f": "38281712 0636", "g": "4641301001 4536160503123243", "h": "0802 0516364542",
    "i": "162622 1232 2828", "j": "2636312010 3838", "k": "0802 460442", "l": "182822 1232",
    "m": "0206 05162522 25364542", "n": "0206 0516364542", "o": "050312324345361605", "p": "0600 0516364543321203",
    "q": "4640 4536160503123243", "r": "0602 05163645", "s": "45361605143443321203", "t": "1813223243 0636",
    "u": "0603123243 4642", "v": "062246", "w": "0612243246", "x": "0246 0642", "y": "0622 461000", "z": "06460242",
    "0": "030718384743321203 0347", "1": "172822 1232", "2": "07183847460242", "3": "07183847463515 354443321203",
    "4": "32380444", "5": "480805354443321203", "6": "473818070312324344351504", "7": "084812",
    "8": "150607183847463515 1504031232434435", "9": "031232434738180706153546",
    ".": "2222", ",": "2311", ":": "2222 2626", ";": "2311 2626", "-": "1535", "_": "0141", "/": "0248",
    "(": "38272332", ")": "18272312", "+": "0545 2327", "=": "0444 0646", "%": "0248 0717 3343", "'": "2826",
    "#": "1218 3238 0444 0646", "<": "470543", ">": "074503", "?": "07183847462524 2222", "!": "2824 2222",
    "*": "2327 0644 0446", "[": "38181232", "]": "18383212", "@": "4212030718384744343616141434", " ": "",
}


class Canvas:
    def __init__(self, width, height, fill=0):
        self.width, self.height = width, height
        self.pixels = bytearray([fill]) * (width * height)

    def rect(self, x, y, width, height, colour):
        x, y, right, bottom = max(x, 0), max(y, 0), min(x + width, self.width), min(y + height, self.height)
        for row in range(y, bottom):
            start = row * self.width
            self.pixels[start + x:start + right] = bytes([colour]) * (right - x)

    def frame(self, x, y, width, height, pen, colour):
        self.rect(x, y, width, pen, colour)
        self.rect(x, y + height - pen, width, pen, colour)
        self.rect(x, y, pen, height, colour)
        self.rect(x + width - pen, y, pen, height, colour)

    def line(self, x0, y0, x1, y1, pen, colour):
        """A straight stroke with round ends; `pen` is its thickness."""
        radius = pen / 2
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-9)
        for y in range(max(int(min(y0, y1) - radius), 0), min(int(max(y0, y1) + radius) + 2, self.height)):
            for x in range(max(int(min(x0, x1) - radius), 0), min(int(max(x0, x1) + radius) + 2, self.width)):
                along = min(max(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0), 1)
                dx, dy = x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)
                if dx * dx + dy * dy <= radius * radius:
                    self.pixels[y * self.width + x] = colour

    def text(self, x, y, text, unit, pen, colour):
        """Writes on the baseline `y`; a capital is six units high, a step six units wide."""
        for n, c in enumerate(text):
            for stroke in GLYPHS[c].split():
                points = [(x + (6 * n + int(stroke[i])) * unit, y - (int(stroke[i + 1]) - 2) * unit)
                          for i in range(0, len(stroke), 2)]
                for (x0, y0), (x1, y1) in zip(points, points[1:]):
                    self.line(x0, y0, x1, y1, pen, colour)


class Noise:
    """Pseudo-random numbers that are the same everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.state >> 33) % limit
