#!/usr/bin/env python3
"""Writes the demo documents and their manifest into testdata/demo/. README.md tells more.

    python3 testdata/make_demo.py            write
    python3 testdata/make_demo.py --check    compare with what is there; exit 1 if anything differs

Needs Python 3.9 or newer and nothing else; the same bytes come out every time.
"""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from demo_source import cda, data, ecg, fax, jpeg, pages, pdf, photo, png, record, reports, tiff  # noqa: E402
from demo_source.people import ALFRED, DISCLAIMER, ERIKA, IDA, NORA, OTTO  # noqa: E402

DEMO = Path(__file__).parent / "demo"
FAX_DPI = 204, 196


def documents():
    """(id, file, media type, patient or None, title, bytes), in the order of the manifest."""
    discharge = pdf.pdf(reports.DISCHARGE)
    html = "text/html"
    return [
        # as Millennium names them: TR, XR, R and XML are renditions of one event
        ("TR-21961261", "ct-chest.html", html, NORA, "CT angiography of the chest", pages.html(reports.CT_CHEST)),
        ("XR-21961261", "ct-chest.pdf", "application/pdf", NORA, "CT angiography of the chest", pdf.pdf(reports.CT_CHEST)),
        ("TR-197198634", "discharge-summary.html", html, NORA, "Discharge summary", pages.html(reports.DISCHARGE)),
        ("XR-197198634", "discharge-summary.pdf", "application/pdf", NORA, "Discharge summary", discharge),
        ("TR-5927259", "pathology-polyp.html", html, OTTO, "Surgical pathology report", pages.html(reports.PATHOLOGY_POLYP)),
        ("R-197198701", "progress-note.xhtml", "application/xhtml+xml", NORA, "Progress note",
         pages.xhtml(reports.PROGRESS_NOTE)),
        ("XML-197198701", "progress-note.xml", "application/xml", NORA, "Progress note", pages.xml(reports.PROGRESS_NOTE)),
        ("489580643.0.-4.prsnl", "message.html", html, NORA, "Message: bruises under apixaban", pages.message()),
        # as Soarian, Care Connect and HL7's page name them
        (f"{IDA.id}.DM.YNIULMDWZQI6XAIPABIFNDRONA", "ccd.xml", "application/hl7-v3+xml", IDA, "Continuity of care document",
         cda.ccd()),
        ("5b1e91f0ccf84d0001fffe6d", "clinic-letter.pdf", "application/pdf", ALFRED, "Cardiology clinic letter",
         pdf.pdf(reports.CLINIC_LETTER, pdf.A4)),
        ("4", "unstructured-cda.xml", "text/xml", None, "Discharge summary, CDA around a PDF", cda.with_pdf(discharge)),
        # one of every other kind
        ("note-text", "phone-note.txt", "text/plain;charset=UTF-8", NORA, "Telephone note", pages.phone_note()),
        ("note-rtf", "colonoscopy.rtf", "application/rtf", OTTO, "Colonoscopy note", pages.rtf(reports.COLONOSCOPY)),
        ("letter-latin1", "arztbrief.html", "text/html;charset=ISO-8859-1", ERIKA, "Arztbrief", pages.german_letter()),
        ("ecg-png", "ecg.png", "image/png", NORA, "Twelve-lead ECG",
         png.png(ecg.ecg(), ecg.PALETTE, ecg.PX_PER_MM * 1000)),
        ("photo-jpeg", "skin-photo.jpg", "image/jpeg", OTTO, "Photograph, left forearm",
         jpeg.jpeg(photo.WIDTH, photo.HEIGHT, photo.photo(), DISCLAIMER)),
        ("fax-tiff", "referral-fax.tiff", "image/tiff", OTTO, "Referral for colonoscopy, fax",
         tiff.tiff(fax.fax(), *FAX_DPI, DISCLAIMER)),
        ("lab-csv", "lab-values.csv", "text/csv", NORA, "Laboratory values", data.lab_csv()),
        ("bundle-fhir-json", "patient-summary.fhir.json", "application/fhir+json", IDA, "Patient summary, FHIR document",
         data.fhir_document()),
        ("config-json", "monitor-settings.json", "application/json", None, "Settings of a blood-pressure monitor",
         data.monitor_settings()),
    ]


def files():
    """What belongs into the folder: name -> bytes."""
    manifest, out = [], {}
    for id_, file, media_type, patient, title, content in documents():
        context = {"securityContext": patient.reference} if patient else {}
        manifest.append({"id": id_, "file": file, "contentType": media_type} | context | {"title": title})
        out[file] = content
    around = record.record({one["id"]: one for one in manifest})
    out["record.json"] = (json.dumps(around, indent=1, ensure_ascii=False) + "\n").encode()
    out["manifest.json"] = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    return out


def main():
    wanted = files()
    if sys.argv[1:] == ["--check"]:
        present = {p.name: p.read_bytes() for p in DEMO.iterdir()}
        different = sorted(n for n in wanted.keys() | present.keys() if wanted.get(n) != present.get(n))
        for name in different:
            print(f"differs: {name}", file=sys.stderr)
        return 1 if different else 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    DEMO.mkdir(exist_ok=True)
    for name, content in wanted.items():
        (DEMO / name).write_bytes(content)
        print(f"{len(content):8} {name}")
    print(f"{sum(map(len, wanted.values())):8} bytes in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
