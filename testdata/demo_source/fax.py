"""Three fax pages at 204 x 196 dots per inch: a cover sheet, a referral, a list of results."""
from .canvas import Canvas, Noise
from .people import FAMILY_PRACTICE, OTTO

WIDTH, HEIGHT = 1728, 2156
INK = 1


def fax():
    pages = []
    for n, draw in enumerate((_cover, _referral, _results), 1):
        page = Canvas(WIDTH, HEIGHT)
        page.text(40, 40, f"07-OCT-2014 16:12   FROM {FAMILY_PRACTICE.name.upper()}   TO ENDOSCOPY UNIT   P.{n}/3",
                  3, 3, INK)
        draw(page)
        page.text(150, HEIGHT - 60, "Synthetic document. The patient does not exist.", 3, 3, INK)
        _dust(page, n)
        pages.append(page)
    return pages


def _cover(page):
    page.text(150, 300, "FAX", 22, 20, INK)
    page.rect(150, 370, 1428, 6, INK)
    rows = [("To:", "Example General Hospital"), ("", "Endoscopy Unit"), ("Fax:", "+1 555 0110"),
            ("From:", FAMILY_PRACTICE.name), ("", "Dr Ann Notional"), ("Phone:", FAMILY_PRACTICE.phone),
            ("Date:", "7 October 2014"), ("Pages:", "3, this one included"),
            ("Re:", f"{OTTO.family}, {OTTO.given}"), ("", f"born {OTTO.born}, {OTTO.number}")]
    for n, (label, value) in enumerate(rows):
        page.text(150, 480 + 80 * n, label, 5, 6, INK)
        page.text(480, 480 + 80 * n, value, 5, 4.5, INK)
    for n, (label, ticked) in enumerate([("Urgent", False), ("For action", True), ("For information", False)]):
        y = 1340 + 70 * n
        page.frame(150, y - 34, 38, 38, 4, INK)
        if ticked:
            page.line(156, y - 18, 166, y - 4, 6, INK)
            page.line(166, y - 4, 196, y - 44, 6, INK)
        page.text(220, y, label, 4.5, 4, INK)
    page.frame(150, 1600, 1428, 300, 4, INK)
    _lines(page, 180, 1660, ["CONFIDENTIAL. This fax is meant for the person named",
                             "above. If it reached you by mistake, please tell us",
                             "by telephone and destroy all pages."])


def _referral(page):
    page.text(150, 170, FAMILY_PRACTICE.name, 7, 8, INK)
    page.text(150, 225, f"{FAMILY_PRACTICE.street}, {FAMILY_PRACTICE.city}", 3.6, 3.4, INK)
    page.rect(150, 250, 1428, 4, INK)
    _lines(page, 150, 340, [
        "Referral for colonoscopy", "",
        f"Patient: {OTTO.family}, {OTTO.given}, born {OTTO.born}", "",
        "Dear colleagues,", "",
        "please see Mr Testperson for a surveillance colonoscopy. In",
        "2011 two tubular adenomas (5 and 6 mm) were removed from",
        "his colon; the next examination was advised after three",
        "years. He has no complaints and no blood in the stool. His",
        "weight is steady at 81 kg.", "",
        "History: hypertension, aortic sclerosis without stenosis.",
        "No diabetes, no pacemaker, no earlier bleeding.", "",
        "Medicines: aspirin 100 mg, amlodipine 5 mg, both once",
        "daily. No anticoagulant.", "",
        "Allergies: none known.", "",
        "The last results are on the next page. He knows how to",
        "prepare and has somebody to take him home.", "",
        "With kind regards"])
    scrawl = [(170, 1790), (215, 1690), (240, 1780), (262, 1725), (290, 1782), (318, 1728), (344, 1776), (370, 1735),
              (410, 1776), (446, 1700), (462, 1782), (500, 1740), (560, 1768), (700, 1736)]
    for (x0, y0), (x1, y1) in zip(scrawl, scrawl[1:]):
        page.line(x0, y0 + 85, x1, y1 + 85, 5, INK)
    _lines(page, 150, 1950, ["Dr Ann Notional"])


def _results(page):
    page.text(150, 170, "Results", 7, 8, INK)
    page.text(150, 225, f"{OTTO.family}, {OTTO.given}   {OTTO.number}   collected 2014-10-02 08:10", 3.6, 3.4, INK)
    rows = [("Test", "Value", "Unit", "Reference"), ("Haemoglobin", "14.6", "g/dL", "13.5-17.5"),
            ("Platelets", "212", "10*9/L", "150-400"), ("INR", "1.0", "", "0.9-1.1"),
            ("aPTT", "29", "s", "25-35"), ("Creatinine", "1.02", "mg/dL", "0.70-1.30"),
            ("Potassium", "4.3", "mmol/L", "3.5-5.1"), ("ALT", "24", "U/L", "< 50"), ("CRP", "2", "mg/L", "< 5")]
    columns = [150, 610, 880, 1180, 1578]
    for n, row in enumerate(rows):
        y = 300 + 76 * n
        for i, cell in enumerate(row):
            page.frame(columns[i], y, columns[i + 1] - columns[i] + 3, 79, 3, INK)
            page.text(columns[i] + 20, y + 52, cell, 4.4, 6 if n == 0 else 4, INK)
    _lines(page, 150, 1100, ["ECG of 2014-10-02: sinus rhythm 64/min, normal axis,", "no disturbance of repolarisation.", "",
                             "Blood pressure 138/84 mmHg, pulse 66/min, SpO2 97 %."])
    page.frame(1060, 1420, 480, 190, 6, INK)
    page.text(1090, 1490, "RECEIVED", 7, 8, INK)
    page.text(1090, 1560, "08 OCT 2014  08:02", 3.6, 4, INK)


def _lines(page, x, y, lines):
    for n, line in enumerate(lines):
        page.text(x, y + 60 * n, line, 4, 3.6, INK)


def _dust(page, seed):
    noise = Noise(seed)
    for _ in range(60):
        page.rect(noise.below(WIDTH), noise.below(HEIGHT), 1 + noise.below(3), 1 + noise.below(2), INK)
