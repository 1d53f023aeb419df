"""Reports as HTML, XHTML, XML and RTF, and the documents that are written out as they are."""
from html import escape

from .people import DISCLAIMER, ERIKA, NORA
from .reports import Table

STYLE = """\
body { font: 14px/1.45 "Segoe UI", Helvetica, Arial, sans-serif; color: #1c2733; max-width: 52em; margin: 1.5em auto; padding: 0 1em; }
header { border-bottom: 3px solid #1f5f7a; display: flex; justify-content: space-between; }
header p { margin: 0 0 .4em; font-size: 12px; text-align: right; }
h1 { font-size: 20px; margin: .7em 0 .2em; }
h2 { font-size: 14px; text-transform: uppercase; letter-spacing: .05em; color: #1f5f7a; margin: 1.2em 0 .3em; }
.status { font-weight: bold; text-align: center; }
.facts { border: 1px solid #9fb4bf; background: #f3f7f9; border-collapse: collapse; width: 100%; }
.facts th, .facts td { text-align: left; padding: 3px 8px; border: 0; background: none; }
table { border-collapse: collapse; margin: .4em 0; }
th, td { border: 1px solid #9fb4bf; padding: 3px 8px; text-align: left; vertical-align: top; }
th { background: #e6eef2; }
p { margin: .4em 0; }
footer { margin-top: 1.5em; border-top: 1px solid #9fb4bf; font-size: 12px; color: #52626c; }"""


def html(report):
    """A whole HTML5 page in UTF-8."""
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<title>{escape(report.title)} – {escape(report.patient.listed)}</title>
<style>
{STYLE}
</style>
</head>
<body>
{_body(report)}
</body>
</html>
""".encode()


def xhtml(report):
    """The same page as XHTML, readable for an XML parser without any DTD."""
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
<head>
<title>{escape(report.title)} – {escape(report.patient.listed)}</title>
<style type="text/css">
{STYLE}
</style>
</head>
<body>
{_body(report)}
</body>
</html>
""".encode()


def xml(report):
    """The report in a small XML vocabulary of its own."""
    def block(b):
        if isinstance(b, Table):
            rows = "".join("<row>" + "".join(f'<cell name="{escape(h)}">{escape(c)}</cell>'
                                             for h, c in zip(b.head, row)) + "</row>\n" for row in b.rows)
            return f"<table>\n{rows}</table>\n"
        if isinstance(b, list):
            return "<list>\n" + "".join(f"<item>{escape(i)}</item>\n" for i in b) + "</list>\n"
        return f"<paragraph>{escape(b)}</paragraph>\n"

    p = report.patient
    facts = "".join(f'<fact name="{escape(k)}">{escape(v)}</fact>\n' for k, v in report.facts)
    sections = "".join(f'<section title="{escape(h)}">\n{"".join(map(block, blocks))}</section>\n'
                       for h, blocks in report.sections)
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!-- {DISCLAIMER} -->
<note xmlns="http://hospital.example.org/ns/note" status="{escape(report.status)}">
<title>{escape(report.title)}</title>
<patient id="{p.id}" number="{p.number}" sex="{p.sex}" born="{p.born}">{escape(p.name)}</patient>
{facts}{sections}<signature>{escape(report.signed)}</signature>
</note>
""".encode()


def rtf(report):
    """RTF 1.5 in 7-bit ASCII; other characters as \\u escapes with a fallback."""
    def text(s):
        out = []
        for c in s:
            if c in "\\{}":
                out.append("\\" + c)
            elif ord(c) < 128:
                out.append(c)
            else:
                out.append(f"\\u{ord(c)}?")
        return "".join(out)

    lines = [r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}}",
             r"{\colortbl;\red31\green95\blue122;}",
             r"{\info{\title " + text(report.title) + r"}{\author " + text(report.clinic.name) + "}}",
             r"\paperw12240\paperh15840\margl1440\margr1440\margt1080\margb1080\f0\fs20",
             r"{\pard\b\fs24\cf1 " + text(report.clinic.name) + r"\par}",
             r"{\pard " + text(f"{report.clinic.department}, {report.clinic.street}, {report.clinic.city}") + r"\par}",
             r"{\pard\sb240\sa120\b\fs32 " + text(report.title) + r"\par}"]
    p = report.patient
    facts = [("Patient", p.listed), ("Record number", p.number), ("Born", p.born), ("Sex", p.sex_word)] + report.facts
    for label, value in facts:
        lines.append(r"{\pard\tx2200{\b " + text(label) + r"}\tab " + text(value) + r"\par}")
    for heading, blocks in report.sections:
        lines.append(r"{\pard\sb200\sa60\keepn\b\cf1 " + text(heading) + r"\par}")
        for b in blocks:
            for item in b if isinstance(b, list) else [b]:
                mark = r"\fi-280\li280\bullet\tab " if isinstance(b, list) else " "
                lines.append(r"{\pard\sa60" + mark + text(item) + r"\par}")
    lines.append(r"{\pard\sb240\i " + text(report.signed) + r"\par}")
    lines.append(r"{\pard\sb120\fs16 " + text(DISCLAIMER) + r"\par}}")
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def message():
    """The body of a message between clinicians: a fragment of HTML, as such systems store it."""
    return f"""\
<div>
<p>Hello Dr Placeholder,</p>
<p>Mrs {NORA.family} ({NORA.number}) rang this morning. Since yesterday she has small bruises on both forearms and her
gums bled for a minute while brushing. No other bleeding, no fall. She takes apixaban 5&nbsp;mg twice daily and has had
<b>no ibuprofen</b> since she went home.</p>
<p>Pulse 76, blood pressure 134/78 by her own machine. Could you tell me today whether she</p>
<ul>
<li>goes on as now, with a blood count on Monday, or</li>
<li>should come in this afternoon?</li>
</ul>
<p>She can be reached at 555&#8209;0163 until six.</p>
<p>Thank you,<br>Robin Sample, RN, Thrombosis Clinic</p>
<p><small>{DISCLAIMER}</small></p>
</div>
""".encode("ascii")


def german_letter():
    """A letter in ISO-8859-1 that says so in its head; umlauts are single bytes."""
    p = ERIKA
    page = f"""\
<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html lang="de">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">
<title>Arztbrief {p.family}, {p.given}</title>
<style type="text/css">
body {{ font: 15px/1.5 Georgia, "Times New Roman", serif; max-width: 44em; margin: 2em auto; padding: 0 1em; }}
.absender {{ text-align: right; font-size: 13px; }}
h1 {{ font-size: 18px; }}
h2 {{ font-size: 15px; margin-bottom: .2em; }}
.hinweis {{ font-size: 12px; border-top: 1px solid #888; margin-top: 2em; }}
</style>
</head>
<body>
<p class="absender">Klinik für Innere Medizin<br>Städtisches Musterkrankenhaus<br>Am Prüfstand 2, 00000 Musterstadt<br>
Tel. 0000&nbsp;/&nbsp;12345&#8209;0 &middot; klinik.example.de</p>
<p>Frau Dr. Käthe Beispiel<br>Hausärztin<br>Größenweg 5<br>00000 Musterstadt</p>
<p>Musterstadt, den 12. März 2024</p>
<h1>{p.family}, {p.given}, geb. 12.08.1964, {p.street}, {p.city}</h1>
<p>Sehr geehrte Frau Kollegin,</p>
<p>wir berichten über die oben genannte Patientin, die sich vom 8. bis 12. März 2024 in unserer stationären Behandlung
befand.</p>
<h2>Diagnosen</h2>
<ul>
<li>Akute Gallenblasenentzündung bei Gallensteinen</li>
<li>Schilddrüsenunterfunktion, medikamentös eingestellt</li>
<li>Übergewicht (BMI 31 kg/m²)</li>
</ul>
<h2>Verlauf</h2>
<p>Die Aufnahme erfolgte wegen seit zwei Tagen zunehmender Schmerzen im rechten Oberbauch mit Übelkeit und Fieber bis
38,6&nbsp;°C. Sonographisch zeigte sich eine verdickte Gallenblasenwand (6&nbsp;mm) mit mehreren Konkrementen, die
Gallengänge waren nicht erweitert. Am 9. März wurde die Gallenblase laparoskopisch entfernt. Der Eingriff und die Zeit
danach verliefen ohne Störungen, die Wunden sind reizlos.</p>
<h2>Medikation bei Entlassung</h2>
<ul>
<li>L-Thyroxin 75 µg, morgens nüchtern</li>
<li>Metamizol 500 mg, bei Bedarf bis zu viermal täglich, höchstens fünf Tage</li>
</ul>
<h2>Empfehlung</h2>
<p>Wir bitten um Entfernung der Fäden am 19. März und um Kontrolle der Leberwerte. Bis dahin bitte nicht schwerer als
5&nbsp;kg heben.</p>
<p>Mit freundlichen Grüßen</p>
<p>Dr. Jörg Übungsmann, Oberarzt</p>
<p class="hinweis">Synthetisches Dokument für Tests und Vorführungen. Die Patientin gibt es nicht.</p>
</body>
</html>
"""
    return page.encode("iso-8859-1")


def phone_note():
    """Plain text in UTF-8 with a few characters beyond ASCII."""
    p = NORA
    return f"""\
THROMBOSIS CLINIC - TELEPHONE NOTE
==================================
Patient:  {p.listed}            Record: {p.number}
Born:     {p.born}  ({p.sex_word})
Call:     2024-03-01 08:35, 7 min, patient called
Taken by: Robin Sample, RN

Reason
  Small bruises on both forearms since yesterday; gums bled for about
  one minute while brushing.

Asked
  - Medicine: apixaban 5 mg twice daily, last dose 07:00, none missed.
    No ibuprofen or aspirin since discharge. Paracetamol once on Sunday.
  - No fall, no headache, no black stools, urine clear.
  - Own measurements 08:30: pulse 76/min, BP 134/78 mmHg, 36.7 °C.
  - Breathing: "better every day", two flights of stairs without rest.

Advice
  1. Soft toothbrush; apixaban goes on until the doctor has answered.
  2. At once to the emergency department with heavy or lasting bleeding,
     a blow to the head, new breathlessness (≥ the day of admission).
  3. Message sent to Dr Placeholder at 08:44, answer promised today.

Outcome
  11:20  Dr Placeholder: go on as now; haemoglobin, platelets and
  creatinine (µmol/L) on Monday 2024-03-04. Patient told at 11:32,
  repeated the plan in her own words.

Robin Sample, RN                                     2024-03-01 11:36

{DISCLAIMER}
""".encode()


def _body(report):
    p, c = report.patient, report.clinic
    facts = [("Patient", p.listed), ("Record number", p.number), ("Born", p.born), ("Sex", p.sex_word)] + report.facts
    pairs = "".join(
        "<tr>" + "".join(f"<th>{escape(k)}</th><td>{escape(v)}</td>" for k, v in facts[i:i + 2]) + "</tr>\n"
        for i in range(0, len(facts), 2))
    sections = "".join(f'<div class="section">\n<h2>{escape(h)}</h2>\n{"".join(map(_block, blocks))}</div>\n'
                       for h, blocks in report.sections)
    return f"""\
<header>
<p style="text-align:left"><strong>{escape(c.name)}</strong><br />{escape(c.department)}</p>
<p>{escape(c.street)}, {escape(c.city)}<br />{escape(c.phone)} · {escape(c.web)}</p>
</header>
<h1>{escape(report.title)}</h1>
<p class="status">* {escape(report.status)} *</p>
<table class="facts">
{pairs}</table>
{sections}<p><em>{escape(report.signed)}</em></p>
<footer><p>{DISCLAIMER}</p></footer>"""


def _block(b):
    if isinstance(b, Table):
        head = "".join(f"<th>{escape(h)}</th>" for h in b.head)
        rows = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>\n" for row in b.rows)
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    if isinstance(b, list):
        return "<ul>\n" + "".join(f"<li>{escape(i)}</li>\n" for i in b) + "</ul>\n"
    return f"<p>{escape(b)}</p>\n"
