"""A twelve-lead ECG on millimetre paper: sinus tachycardia with the S1Q3T3 pattern of a strained right heart."""
import math

from .canvas import Canvas, Noise
from .people import NORA

PX_PER_MM = 4
WHITE, PALE, PINK, BLACK = range(4)
PALETTE = [(255, 255, 255), (250, 222, 222), (238, 170, 170), (16, 16, 32)]
RATE = 104  # beats per minute
BEAT_S = 60 / RATE

# Height in mV of the waves P, Q, R, S and T in each lead.
LEADS = {
    "I": (0.08, -0.03, 0.55, -0.42, 0.14), "II": (0.17, -0.05, 0.85, -0.15, 0.18), "III": (0.12, -0.30, 0.50, -0.05, -0.17),
    "aVR": (-0.12, 0.05, -0.70, 0.25, -0.16), "aVL": (0.03, -0.02, 0.20, -0.30, 0.14), "aVF": (0.14, -0.18, 0.65, -0.10, 0.06),
    "V1": (0.07, 0.00, 0.30, -0.75, -0.16), "V2": (0.08, 0.00, 0.45, -1.05, -0.12), "V3": (0.08, -0.02, 0.70, -0.80, -0.06),
    "V4": (0.08, -0.05, 1.05, -0.55, 0.16), "V5": (0.08, -0.08, 0.95, -0.38, 0.20), "V6": (0.08, -0.08, 0.75, -0.25, 0.18),
}
# Middle and width in seconds of the same waves, from the start of the beat.
WAVES = [(0.090, 0.020), (0.190, 0.007), (0.212, 0.010), (0.236, 0.009), (0.400, 0.036)]


def ecg():
    left, top, width, height = 20, 104, 1040, 480  # 260 x 120 mm of paper
    canvas = Canvas(left * 2 + width, top + height + 36, WHITE)
    _header(canvas)
    for mm in range(width // PX_PER_MM + 1):
        canvas.rect(left + mm * PX_PER_MM, top, 1, height + 1, PALE)
    for mm in range(height // PX_PER_MM + 1):
        canvas.rect(left, top + mm * PX_PER_MM, width + 1, 1, PALE)
    for mm in range(0, width // PX_PER_MM + 1, 5):
        canvas.rect(left + mm * PX_PER_MM, top, 1, height + 1, PINK)
    for mm in range(0, height // PX_PER_MM + 1, 5):
        canvas.rect(left, top + mm * PX_PER_MM, width + 1, 1, PINK)
    rows = [["I", "aVR", "V1", "V4"], ["II", "aVL", "V2", "V5"], ["III", "aVF", "V3", "V6"], ["II"]]
    for n, leads in enumerate(rows):
        zero = top + 68 + n * 116
        _calibration(canvas, left + 4, zero)
        _trace(canvas, left + 40, zero, leads, 10.0)
    canvas.text(left, top + height + 24, "25 mm/s   10 mm/mV   0.05-150 Hz   50 Hz", 1.6, 1.5, BLACK)
    canvas.text(left + 560, top + height + 24, "SYNTHETIC TRACING - NOT A REAL PATIENT", 1.9, 2, BLACK)
    return canvas


def _header(canvas):
    canvas.text(20, 30, f"{NORA.family.upper()}, {NORA.given}", 2.6, 2.6, BLACK)
    canvas.text(20, 54, f"ID {NORA.number}   {NORA.born}   {NORA.sex_word}", 1.8, 1.6, BLACK)
    canvas.text(20, 78, "Example General Hospital, Emergency   11-Feb-2024 20:31", 1.8, 1.6, BLACK)
    for n, line in enumerate([f"Vent. rate {RATE} /min   PR 148 ms", "QRS 88 ms   QT/QTc 336/442 ms",
                              "Sinus tachycardia, S1Q3T3", "T inversion V1-V3, III"]):
        canvas.text(690, 26 + 20 * n, line, 1.7, 1.6, BLACK)


def _calibration(canvas, x, zero):
    mv, ms200 = 10 * PX_PER_MM, 5 * PX_PER_MM
    points = [(x, zero), (x + 6, zero), (x + 6, zero - mv), (x + 6 + ms200, zero - mv), (x + 6 + ms200, zero),
              (x + 12 + ms200, zero)]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        canvas.line(x0, y0, x1, y1, 1.6, BLACK)


def _trace(canvas, x, zero, leads, seconds):
    """All leads of a row side by side, each for its share of the ten seconds, the time running on."""
    noise = Noise(zero)
    per_second = 25 * PX_PER_MM
    steps = int(seconds * per_second)
    last = None
    for step in range(steps):
        share = step * len(leads) // steps
        if share != (step - 1) * len(leads) // steps or step == 0:
            canvas.text(x + step + 4, zero - 50, leads[share], 1.9, 2, BLACK)
            if step:
                canvas.line(x + step, zero - 14, x + step, zero + 14, 1.2, BLACK)
        mv = _voltage(LEADS[leads[share]], step / per_second) + (noise.below(200) - 100) / 100 * 0.008
        point = (x + step, zero - mv * 10 * PX_PER_MM)
        if last:
            canvas.line(*last, *point, 1.7, BLACK)
        last = point


def _voltage(heights, t):
    beat = math.floor(t / BEAT_S)
    wander = 0.02 * math.sin(2 * math.pi * t / 4.1)
    return wander + sum(height * math.exp(-((t - n * BEAT_S - middle) / width) ** 2 / 2)
                        for n in (beat - 1, beat, beat + 1)
                        for height, (middle, width) in zip(heights, WAVES))
