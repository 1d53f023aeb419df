"""A clinical photograph as the dermatologist takes it: a mole on the forearm, a scale, a label. All of it drawn."""
import math

from .canvas import Canvas, Noise
from .people import OTTO

WIDTH, HEIGHT = 640, 480
PX_PER_MM = 12
MIDDLE = (300, 195)


def photo():
    """The colour of each pixel, as a function of its place."""
    over = _scale()
    coarse, fine = _grain(40, 1), _grain(7, 2)
    hairs = _hairs()

    def pixel(x, y):
        mark = over.pixels[y * WIDTH + x]
        if mark:
            return (None, (246, 246, 242), (25, 25, 30), (28, 90, 160))[mark]
        light = 1000 - ((x - 270) ** 2 + (y - 200) ** 2) // 700 + (coarse(x, y) - 128) // 3 + (fine(x, y) - 128) // 4
        red, green, blue = 222, 172, 146
        inside = _inside(x, y, coarse)
        if inside > 0:
            dark = min(inside, 100)
            spots = (fine(x + 200, y + 90) - 128) * dark // 420
            red -= (222 - 108) * dark // 100 - spots
            green -= (172 - 66) * dark // 100 - spots
            blue -= (146 - 50) * dark // 100 - spots
        elif inside > -40:
            green -= (40 + inside) // 5
            blue -= (40 + inside) // 6
        if hairs.pixels[y * WIDTH + x]:
            red, green, blue = red * 6 // 10, green * 6 // 10, blue * 6 // 10
        return tuple(min(max(c * light // 1000, 0), 255) for c in (red, green, blue))

    return pixel


def _inside(x, y, grain):
    """How far inside the mole, in hundredths; it is 6.5 mm by 5 mm, with a slightly uneven border."""
    dx, dy = x - MIDDLE[0], y - MIDDLE[1]
    along, across = (dx * 9 + dy * 4) // 10, (dy * 9 - dx * 4) // 10
    return 260 - (along * along * 260 // (39 * 39) + across * across * 260 // (30 * 30)) + (grain(x * 2, y * 2) - 128) // 2


def _grain(cell, seed):
    """Smooth noise of 0 to 255 with cells of the given size."""
    noise = Noise(seed)
    side = 2 * WIDTH // cell + 12
    knots = [noise.below(256) for _ in range(side * side)]

    def value(x, y):
        (i, fx), (j, fy) = divmod(x, cell), divmod(y, cell)
        k = i + j * side
        above = knots[k] * (cell - fx) + knots[k + 1] * fx
        below = knots[k + side] * (cell - fx) + knots[k + side + 1] * fx
        return (above * (cell - fy) + below * fy) // (cell * cell)

    return value


def _hairs():
    canvas, noise = Canvas(WIDTH, HEIGHT), Noise(5)
    for _ in range(26):
        x, y, turn = noise.below(WIDTH), noise.below(HEIGHT), 100 + noise.below(60)
        for step in range(6):
            angle = math.radians(turn + 6 * step)
            nx, ny = x + 9 * math.sin(angle), y - 9 * math.cos(angle)
            canvas.line(x, y, nx, ny, 1.3, 1)
            x, y = nx, ny
    return canvas


def _scale():
    """The paper ruler below and the label on it: 1 paper, 2 ink, 3 blue."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.rect(0, 350, WIDTH, 130, 1)
    for mm in range(WIDTH // PX_PER_MM):
        tall = 34 if mm % 10 == 0 else 24 if mm % 5 == 0 else 15
        canvas.rect(14 + mm * PX_PER_MM, 350, 2, tall, 2)
        if mm % 10 == 0:
            canvas.text(22 + mm * PX_PER_MM, 392, f"{mm // 10}", 2.4, 2.6, 2)
    canvas.text(545, 392, "cm", 2.4, 2.6, 2)
    canvas.text(16, 426, f"{OTTO.family.upper()}, {OTTO.given}   {OTTO.number}", 2.2, 2.2, 2)
    canvas.text(16, 454, "L forearm, volar   2015-01-20", 2.2, 2.2, 2)
    canvas.text(16, 474, "SYNTHETIC IMAGE - NOT A REAL PATIENT", 1.4, 1.6, 3)
    return canvas
