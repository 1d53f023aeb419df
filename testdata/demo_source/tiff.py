"""Multi-page TIFF, one bit per pixel, compressed as fax machines do (CCITT Group 4, ITU-T T.6)."""
import struct

PASS, HORIZONTAL = "0001", "001"
VERTICAL = {0: "1", 1: "011", 2: "000011", 3: "0000011", -1: "010", -2: "000010", -3: "0000010"}
END = "000000000001" * 2

# Codes of the runs 0 to 63, then 64, 128 ... 1728 (ITU-T T.4, tables 2 and 3).
WHITE = """
00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 101010 101011
0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010
00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101
00000100 00000101 00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010
01011011 01001010 01001011 00110010 00110011 00110100
11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010
011010011 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001
010011010 011000 010011011""".split()
BLACK = """
0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 0000010111
0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010
000011001011 000011001100 000011001101 000001101000 000001101001 000001101010 000001101011 000011010010 000011010011
000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100
000001010101 000001010110 000001010111 000001100100 000001100101 000001010010 000001010011 000000100100 000000110111
000000111000 000000100111 000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110
000001100111
0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101
0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100 0000001110101
0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011
0000001100100 0000001100101""".split()


def tiff(pages, dpi_x, dpi_y, description):
    """Pages are canvases of 0 (white) and 1 (black), no wider than 1791 pixels."""
    out = bytearray(b"II*\0\0\0\0\0")
    link = 4  # where the offset of the next directory goes
    text = description.encode("ascii") + b"\0"
    for number, page in enumerate(pages):
        data = group4(page)
        data_at = len(out)
        out += data + b"\0" * (len(data) % 2)
        extra_at = len(out)
        out += struct.pack("<IIII", dpi_x, 1, dpi_y, 1) + text + b"\0" * (len(text) % 2)
        struct.pack_into("<I", out, link, len(out))
        fields = [(254, 4, 1, 2), (256, 4, 1, page.width), (257, 4, 1, page.height), (258, 3, 1, 1), (259, 3, 1, 4),
                  (262, 3, 1, 0), (266, 3, 1, 1), (270, 2, len(text), extra_at + 16), (273, 4, 1, data_at),
                  (277, 3, 1, 1), (278, 4, 1, page.height), (279, 4, 1, len(data)), (282, 5, 1, extra_at),
                  (283, 5, 1, extra_at + 8), (293, 4, 1, 0), (296, 3, 1, 2), (297, 3, 2, len(pages) << 16 | number)]
        out += struct.pack("<H", len(fields)) + b"".join(struct.pack("<HHII", *field) for field in fields)
        link = len(out)
        out += b"\0\0\0\0"
    return bytes(out)


def group4(page):
    bits, above = [], [page.width]
    for y in range(page.height):
        changes = _changes(page.pixels[y * page.width:(y + 1) * page.width])
        _row(bits, above, changes, page.width)
        above = changes
    code = "".join(bits) + END
    code += "0" * (-len(code) % 8)
    return int(code, 2).to_bytes(len(code) // 8, "big")


def _changes(row):
    """Where the colour changes, beginning from white; the width of the row stands at the end."""
    changes, colour, at = [], 0, 0
    while (at := row.find(1 - colour, at)) >= 0:
        changes.append(at)
        colour = 1 - colour
    return changes + [len(row)]


def _row(bits, above, changes, width):
    at, colour = -1, 0  # an imaginary white pixel stands before the row
    while at < width:
        here = [c for c in changes if c > at] if at >= 0 else changes
        a1 = here[0]
        a2 = here[1] if len(here) > 1 else width
        # b1: the first change above, right of a0, towards the colour opposite to ours
        k = next((k for k in range(colour, len(above), 2) if above[k] > at), None)
        b1 = above[k] if k is not None else width
        b2 = above[k + 1] if k is not None and k + 1 < len(above) else width
        if b2 < a1:
            bits.append(PASS)
            at = b2
        elif abs(a1 - b1) <= 3:
            bits.append(VERTICAL[a1 - b1])
            at, colour = a1, 1 - colour
        else:
            bits.append(HORIZONTAL + _run(a1 - max(at, 0), colour) + _run(a2 - a1, 1 - colour))
            at = a2


def _run(length, colour):
    table = BLACK if colour else WHITE
    makeup = table[63 + length // 64] if length >= 64 else ""
    return makeup + table[length % 64]
