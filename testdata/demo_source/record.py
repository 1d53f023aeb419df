"""The record around the documents, in R4: patients, who wrote what, and the resources that name the documents."""
from .people import PATIENTS

LOINC = "http://loinc.org"
CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"

# id of a Binary -> LOINC code, its display, date. Renditions of one document stand side by side.
NOTES = [
    (["TR-197198634", "XR-197198634"], "18842-5", "Discharge summary", "2026-03-06T15:20:00Z"),
    (["R-197198701", "XML-197198701"], "11506-3", "Progress note", "2026-03-12T09:05:00Z"),
    (["489580643.0.-4.prsnl"], "34109-9", "Note", "2026-03-15T11:40:00Z"),
    (["5BDAC5A796D242FAA4FC038CCD357065.DM.YNIULMDWZQI6XAIPABIFNDRONA"], "34133-9", "Summarization of episode note",
     "2026-02-02T08:00:00Z"),
    (["5b1e91f0ccf84d0001fffe6d"], "11488-4", "Consultation note", "2026-01-20T10:30:00Z"),
    (["note-text"], "34748-4", "Telephone encounter note", "2026-03-16T16:10:00Z"),
    (["note-rtf"], "28570-0", "Procedure note", "2026-02-11T12:00:00Z"),
    (["letter-latin1"], "11488-4", "Consultation note", "2026-01-08T09:00:00Z"),
    (["photo-jpeg"], "72170-4", "Photographic image", "2026-02-18T14:00:00Z"),
    (["fax-tiff"], "57133-1", "Referral note", "2026-01-30T07:45:00Z"),
    (["bundle-fhir-json"], "60591-5", "Patient summary Document", "2026-02-02T08:00:00Z"),
]

# The same for reports, with category.
REPORTS = [
    (["TR-21961261", "XR-21961261"], "LP29684-5", "Radiology", "36813-4", "CT angiography of the chest", "2026-03-02T22:10:00Z"),
    (["TR-5927259"], "LP7839-6", "Pathology", "11526-1", "Pathology study", "2026-02-13T13:30:00Z"),
    (["ecg-png"], "LP29708-2", "Cardiology", "11524-6", "EKG study", "2026-03-02T21:15:00Z"),
    (["lab-csv"], "LP29693-6", "Laboratory", "11502-2", "Laboratory report", "2026-03-03T06:00:00Z"),
]


def record(documents):
    """A collection of R4 resources; `documents` are those of the manifest, by id."""
    resources = [patient(one) for one in PATIENTS]
    resources.append({
        "resourceType": "Organization", "id": "example-general", "active": True, "name": "Example General Hospital"})
    resources.append({
        "resourceType": "Practitioner", "id": "dr-sample", "active": True,
        "name": [{"family": "Sample", "given": ["Alex"], "prefix": ["Dr."]}]})
    for ids, code, display, date in NOTES:
        resources.append(note(ids, code, display, date, documents))
    for ids, category, category_display, code, display, date in REPORTS:
        resources += [report(ids, (category, category_display), (code, display), date, documents),
                      note(ids, code, display, date, documents)]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def patient(one):
    return {
        "resourceType": "Patient", "id": one.id, "active": True,
        "identifier": [{"system": "urn:oid:2.999.1", "value": one.number}],
        "name": [{"family": one.family, "given": one.given.split()}],
        "gender": one.sex_word.lower(), "birthDate": one.born,
        "address": [{"line": [one.street], "text": f"{one.street}, {one.city}"}],
    }


def note(ids, code, display, date, documents):
    first = documents[ids[0]]
    return {
        "resourceType": "DocumentReference", "id": f"doc-{ids[0][:60]}", "status": "current",
        "type": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        "category": [{"coding": [{"system": CATEGORY, "code": "clinical-note", "display": "Clinical Note"}]}],
        "subject": {"reference": first["securityContext"]}, "date": date,
        "author": [{"reference": "Practitioner/dr-sample"}], "custodian": {"reference": "Organization/example-general"},
        "description": first["title"],
        "content": [{"attachment": attachment(id_, documents)} for id_ in ids],
    }


def report(ids, category, code, date, documents):
    first = documents[ids[0]]
    return {
        "resourceType": "DiagnosticReport", "id": f"report-{ids[0]}", "status": "final",
        "category": [{"coding": [{"system": LOINC, "code": category[0], "display": category[1]}]}],
        "code": {"coding": [{"system": LOINC, "code": code[0], "display": code[1]}], "text": first["title"]},
        "subject": {"reference": first["securityContext"]}, "effectiveDateTime": date, "issued": date,
        "performer": [{"reference": "Organization/example-general"}],
        "presentedForm": [attachment(id_, documents) for id_ in ids],
    }


def attachment(id_, documents):
    one = documents[id_]
    return {"contentType": one["contentType"], "url": f"Binary/{id_}", "title": one["title"]}
