"""PNG files with four colours.

The deflate stream is made here and not by zlib, because different builds of zlib give different bytes and
the demo documents must come out the same everywhere. Matches look one pixel group and up to six rows back,
which is all that drawings on a grid need.
"""
import struct
import zlib


def png(canvas, palette, pixels_per_metre):
    assert len(palette) == 4 and canvas.width % 4 == 0
    stride = canvas.width // 4 + 1
    rows = bytearray()
    for y in range(canvas.height):
        rows.append(0)  # no filter
        p = canvas.pixels[y * canvas.width:(y + 1) * canvas.width]
        rows += bytes(a << 6 | b << 4 | c << 2 | d for a, b, c, d in zip(p[::4], p[1::4], p[2::4], p[3::4]))
    return b"\x89PNG\r\n\x1a\n" + b"".join([
        _chunk(b"IHDR", struct.pack(">IIBBBBB", canvas.width, canvas.height, 2, 3, 0, 0, 0)),
        _chunk(b"pHYs", struct.pack(">IIB", pixels_per_metre, pixels_per_metre, 1)),
        _chunk(b"PLTE", b"".join(map(bytes, palette))),
        _chunk(b"IDAT", b"\x78\x01" + _deflate(rows, [1] + [stride * n for n in range(1, 7)]) +
               struct.pack(">I", zlib.adler32(rows))),
        _chunk(b"IEND", b""),
    ])


def _chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _deflate(data, distances):
    """One block with the fixed codes of RFC 1951; the longest match at one of `distances`, else a literal."""
    bits = _Bits()
    bits.number(1, 1)
    bits.number(1, 2)
    at = 0
    while at < len(data):
        length, distance = max(((_match(data, at, d), d) for d in distances if d <= at), default=(0, 0),
                               key=lambda m: (m[0], -m[1]))
        if length < 3:
            bits.symbol(data[at])
            at += 1
            continue
        _length_code(bits, length)
        _distance_code(bits, distance)
        at += length
    bits.symbol(256)
    return bits.finished()


def _match(data, at, distance):
    n, limit = 0, min(258, len(data) - at)
    while n < limit and data[at + n] == data[at + n - distance]:
        n += 1
    return n


def _length_code(bits, length):
    if length == 258:
        return bits.symbol(285)
    code, base = 257, 3
    while True:
        extra = max((code - 261) // 4, 0)
        if length < base + (1 << extra):
            bits.symbol(code)
            return bits.number(length - base, extra)
        code, base = code + 1, base + (1 << extra)


def _distance_code(bits, distance):
    code, base = 0, 1
    while True:
        extra = max(code // 2 - 1, 0)
        if distance < base + (1 << extra):
            bits.code(code, 5)
            return bits.number(distance - base, extra)
        code, base = code + 1, base + (1 << extra)


class _Bits:
    """Bits from the lowest of each byte upwards; Huffman codes go in with their highest bit first."""

    def __init__(self):
        self.out, self.pending, self.count = bytearray(), 0, 0

    def number(self, value, width):
        self.pending |= value << self.count
        self.count += width
        while self.count >= 8:
            self.out.append(self.pending & 255)
            self.pending >>= 8
            self.count -= 8

    def code(self, value, width):
        self.number(int(f"{value:0{width}b}"[::-1], 2), width)

    def symbol(self, s):
        if s < 144:
            self.code(0x30 + s, 8)
        elif s < 256:
            self.code(0x190 + s - 144, 9)
        elif s < 280:
            self.code(s - 256, 7)
        else:
            self.code(0xC0 + s - 280, 8)

    def finished(self):
        self.number(0, -self.count % 8)
        return bytes(self.out)
