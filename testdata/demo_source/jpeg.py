"""A baseline JPEG encoder (ITU-T T.81): three components, no subsampling, Huffman tables made for the picture.

All arithmetic is in integers, so every machine writes the same bytes.
"""
import heapq
import struct
from collections import Counter

COS = [[4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096]] + [[0] * 8 for _ in range(7)]
# cos(n * pi / 16) * 4096 for n = 0..8; the rest follows by symmetry.
_QUARTER = [4096, 4017, 3784, 3406, 2896, 2276, 1567, 799, 0]
for _u in range(1, 8):
    for _x in range(8):
        _n = (2 * _x + 1) * _u % 32
        _n = 32 - _n if _n > 16 else _n
        COS[_u][_x] = _QUARTER[_n] if _n <= 8 else -_QUARTER[16 - _n]
SQRT_HALF = 2896  # times 4096

ZIGZAG = sorted(range(64), key=lambda i: (s := i // 8 + i % 8, i // 8 if s % 2 else i % 8))


def jpeg(width, height, pixel, comment):
    """`pixel(x, y)` gives (red, green, blue), each 0 to 255."""
    assert width % 8 == 0 and height % 8 == 0
    steps = [[4 + (i // 8 + i % 8) * 3 // 2 for i in range(64)], [6 + (i // 8 + i % 8) * 3 for i in range(64)]]
    coded = _blocks(width, height, pixel, steps)
    tables = {}
    for kind in (0, 1):  # 0 for brightness, 1 for the two colour differences
        tables[0, kind] = _huffman(Counter(c[1][0][0] for c in coded if c[0] == kind))
        tables[1, kind] = _huffman(Counter(s for c in coded if c[0] == kind for s, _, _ in c[1][1:]))

    out = bytearray(b"\xff\xd8")
    out += _segment(0xE0, b"JFIF\0\x01\x01\x01" + struct.pack(">HH", 96, 96) + b"\0\0")
    out += _segment(0xFE, comment.encode("ascii"))
    for kind in (0, 1):
        out += _segment(0xDB, bytes([kind]) + bytes(steps[kind][i] for i in ZIGZAG))
    out += _segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + b"\1\x11\0\2\x11\1\3\x11\1")
    for (family, kind), (counts, symbols, _) in tables.items():
        out += _segment(0xC4, bytes([family << 4 | kind]) + bytes(counts) + bytes(symbols))
    out += _segment(0xDA, b"\3\1\x00\2\x11\3\x11\0\x3f\0")
    bits = []
    for kind, entries in coded:
        for n, (symbol, value, size) in enumerate(entries):
            bits.append(tables[min(n, 1), kind][2][symbol])
            if size:
                bits.append(f"{value if value > 0 else value + (1 << size) - 1:0{size}b}")
    code = "".join(bits)
    code += "1" * (-len(code) % 8)
    out += int(code, 2).to_bytes(len(code) // 8, "big").replace(b"\xff", b"\xff\0")
    return bytes(out + b"\xff\xd9")


def _blocks(width, height, pixel, steps):
    """Every block in the order of the file: (kind of table, [(symbol, value, bits of the value)])."""
    coded, last = [], [0, 0, 0]
    for top in range(0, height, 8):
        for left in range(0, width, 8):
            rgb = [pixel(left + x, top + y) for y in range(8) for x in range(8)]
            for n, plane in enumerate((
                    [(299 * r + 587 * g + 114 * b) // 1000 - 128 for r, g, b in rgb],
                    [(-168736 * r - 331264 * g + 500000 * b) // 1000000 for r, g, b in rgb],
                    [(500000 * r - 418688 * g - 81312 * b) // 1000000 for r, g, b in rgb])):
                kind = min(n, 1)
                levels = _transform(plane, steps[kind])
                coded.append((kind, _entries(levels, last[n])))
                last[n] = levels[0]
    return coded


def _transform(plane, steps):
    """Cosine transform, division by the steps, zigzag."""
    rows = [[sum(plane[8 * y + x] * c[x] for x in range(8)) for c in COS] for y in range(8)]
    levels = []
    for i in ZIGZAG:
        v, u = divmod(i, 8)
        total = sum(rows[y][u] * COS[v][y] for y in range(8))
        for frequency in (u, v):
            if frequency == 0:
                total = total * SQRT_HALF // 4096
        step = steps[i] * 4 * 4096 * 4096
        levels.append((abs(total) + step // 2) // step * (1 if total > 0 else -1))
    return levels


def _entries(levels, last):
    difference = levels[0] - last
    size = abs(difference).bit_length()
    entries, zeros = [(size, difference, size)], 0
    for level in levels[1:]:
        if level == 0:
            zeros += 1
            continue
        while zeros > 15:
            entries.append((0xF0, 0, 0))
            zeros -= 16
        size = abs(level).bit_length()
        entries.append((zeros << 4 | size, level, size))
        zeros = 0
    return entries + [(0, 0, 0)] if zeros else entries


def _huffman(counts):
    """Codes of at most 16 bits, none of ones only: (number of codes of each length, symbols, symbol -> code)."""
    floor = sum(counts.values()) // 1024 + 1  # keeps rare symbols from codes that are too long
    heap = [(max(n, floor), symbol, [symbol]) for symbol, n in sorted(counts.items())] + [(0, 256, [256])]
    heapq.heapify(heap)
    lengths = Counter()
    while len(heap) > 1:
        a, b = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in a[2] + b[2]:
            lengths[symbol] += 1
        heapq.heappush(heap, (a[0] + b[0], min(a[1], b[1]), a[2] + b[2]))
    lengths[256] = max(lengths.values())  # the symbol that is never used takes the last code, the ones
    order = sorted(lengths, key=lambda symbol: (lengths[symbol], symbol))
    codes, code, length = {}, 0, lengths[order[0]]
    for symbol in order:
        code <<= lengths[symbol] - length
        length = lengths[symbol]
        codes[symbol] = f"{code:0{length}b}"
        code += 1
    order.remove(256)
    per_length = Counter(lengths[symbol] for symbol in order)
    assert length <= 16
    return [per_length[n] for n in range(1, 17)], order, codes


def _segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
