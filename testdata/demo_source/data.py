"""Documents that are data: a FHIR document Bundle (R4), laboratory values as CSV, a device's settings as JSON."""
import csv
import io
import json
import uuid

from .people import ALFRED, DISCLAIMER, IDA, NORA

LOINC, SNOMED, RXNORM = "http://loinc.org", "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"
CLINICAL = "http://terminology.hl7.org/CodeSystem/"
WHEN = "2024-03-05T14:30:00-06:00"


def fhir_document():
    """A document Bundle: its Composition first, then all that it refers to."""
    composition = {
        "resourceType": "Composition", "status": "final",
        "type": _concept(LOINC, "60591-5", "Patient summary Document"),
        "subject": _to("patient"), "date": WHEN, "author": [_to("doctor")], "title": "Patient Summary",
        "confidentiality": "N", "custodian": _to("clinic"),
        "section": [_section("Problems", "11450-4", "Problem list - Reported", "Type 2 diabetes, hypertension.",
                             ["diabetes", "hypertension"]),
                    _section("Allergies", "48765-2", "Allergies and adverse reactions Document",
                             "Penicillin: rash.", ["penicillin"]),
                    _section("Medications", "10160-0", "History of Medication use Narrative",
                             "Metformin 500 mg twice a day, lisinopril 10 mg in the morning.", ["metformin", "lisinopril"]),
                    _section("Results", "30954-2", "Relevant diagnostic tests/laboratory data note",
                             "HbA1c 7.1 % on March 1, 2024.", ["hba1c"])]}
    resources = {
        "composition": composition,
        "patient": {"resourceType": "Patient", "id": IDA.id,
                    "meta": {"tag": [{"system": CLINICAL + "v3-ActReason", "code": "HTEST", "display": "test health data"}]},
                    "identifier": [{"system": "http://hospital.example.org/mrn", "value": IDA.number}],
                    "name": [{"use": "official", "family": IDA.family, "given": IDA.given.split()}],
                    "telecom": [{"system": "phone", "value": "+1 555 0163", "use": "home"}],
                    "gender": "female", "birthDate": IDA.born,
                    "address": [{"use": "home", "line": [IDA.street], "city": "Exampleville", "state": "KS",
                                 "postalCode": "00000", "country": "US"}]},
        "doctor": {"resourceType": "Practitioner", "name": [{"family": "Notional", "given": ["Ann"], "prefix": ["Dr"]}]},
        "clinic": {"resourceType": "Organization", "name": "Example General Hospital",
                   "telecom": [{"system": "url", "value": "http://hospital.example.org"}]},
        "diabetes": _condition("44054006", "Diabetes mellitus type 2", "2019-03-04"),
        "hypertension": _condition("59621000", "Essential hypertension", "2020-01-10"),
        "penicillin": {"resourceType": "AllergyIntolerance",
                       "clinicalStatus": _concept(CLINICAL + "allergyintolerance-clinical", "active"),
                       "type": "allergy", "category": ["medication"], "criticality": "low",
                       "code": _concept(RXNORM, "7980", "penicillin G"), "patient": _to("patient"),
                       "onsetDateTime": "2009-05-12",
                       "reaction": [{"manifestation": [_concept(SNOMED, "271807003", "Eruption of skin")],
                                     "severity": "moderate"}]},
        "metformin": _medication("861007", "metformin hydrochloride 500 MG Oral Tablet", "2019-03-18",
                                 "1 tablet twice a day with meals"),
        "lisinopril": _medication("314076", "lisinopril 10 MG Oral Tablet", "2020-01-10", "1 tablet every morning"),
        "hba1c": {"resourceType": "Observation", "status": "final",
                  "category": [_concept(CLINICAL + "observation-category", "laboratory", "Laboratory")],
                  "code": _concept(LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
                  "subject": _to("patient"), "effectiveDateTime": "2024-03-01T07:45:00-06:00",
                  "valueQuantity": {"value": 7.1, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
                  "interpretation": [_concept(CLINICAL + "v3-ObservationInterpretation", "H", "High")],
                  "referenceRange": [{"low": {"value": 4.0, "unit": "%"}, "high": {"value": 5.6, "unit": "%"}}]},
    }
    return _json({"resourceType": "Bundle",
                  "identifier": {"system": "urn:ietf:rfc:3986", "value": _urn("bundle")},
                  "type": "document", "timestamp": WHEN,
                  "entry": [{"fullUrl": _urn(name), "resource": r} for name, r in resources.items()]})


def lab_csv():
    """RFC 4180: a header line, commas, CRLF; one value holds a comma and one a quotation mark."""
    rows = [("patient", "collected", "loinc", "test", "value", "unit", "reference", "flag", "comment")]
    tests = {"718-7": ("Haemoglobin", "g/dL", "12.0-15.5"), "777-3": ("Platelets", "10*3/uL", "150-400"),
             "2160-0": ("Creatinine", "mg/dL", "0.50-1.10"), "2823-3": ("Potassium", "mmol/L", "3.5-5.1"),
             "1988-5": ("CRP", "mg/L", "<5"), "6598-7": ("Troponin T", "ng/L", "<14")}
    values = [("2024-02-11T20:22:00-06:00", ["13.4", "241", "0.82", "4.0", "21", "<5"]),
              ("2024-02-12T06:30:00-06:00", ["12.9", "233", "0.80", "5.3", "34", "<5"]),
              ("2024-02-13T06:30:00-06:00", ["13.1", "228", "0.79", "4.2", "18", "<5"])]
    comments = {("2024-02-12", "2823-3"): 'haemolytic, "++"; repeat', ("2024-02-11", "1988-5"): "raised, no fever"}
    for when, results in values:
        for (loinc, (name, unit, reference)), value in zip(tests.items(), results):
            flag = "H" if (loinc == "1988-5" or value == "5.3") else ""
            rows.append((NORA.number, when, loinc, name, value, unit, reference, flag,
                         comments.get((when[:10], loinc), "")))
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("ascii")


def monitor_settings():
    """What a blood-pressure monitor at home was set to, and its last readings. JSON, but not FHIR."""
    readings = [("2018-06-18T07:05:00+01:00", 138, 80, 62), ("2018-06-18T21:10:00+01:00", 142, 84, 66),
                ("2018-06-19T07:02:00+01:00", 135, 78, 60), ("2018-06-19T21:20:00+01:00", 139, 82, 64)]
    return _json({
        "note": DISCLAIMER,
        "device": {"kind": "blood-pressure-monitor", "model": "Example Cuff 2", "serial": "EX-000042", "firmware": "1.4.0"},
        "patient": {"nhsNumber": ALFRED.number, "name": ALFRED.name},
        "schedule": {"times": ["07:00", "21:00"], "measurementsPerTime": 2, "pauseSeconds": 60},
        "alerts": [{"above": {"systolic": 180, "diastolic": 110}, "action": "call-clinic"},
                   {"below": {"pulse": 45}, "action": "call-clinic"}],
        "readings": [{"time": t, "systolic": s, "diastolic": d, "pulse": p, "irregular": False} for t, s, d, p in readings],
    })


def _section(title, code, display, text, names):
    return {"title": title, "code": _concept(LOINC, code, display),
            "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'},
            "entry": [_to(name) for name in names]}


def _condition(code, display, onset):
    return {"resourceType": "Condition", "clinicalStatus": _concept(CLINICAL + "condition-clinical", "active"),
            "verificationStatus": _concept(CLINICAL + "condition-ver-status", "confirmed"),
            "category": [_concept(CLINICAL + "condition-category", "problem-list-item", "Problem List Item")],
            "code": _concept(SNOMED, code, display), "subject": _to("patient"), "onsetDateTime": onset}


def _medication(code, display, since, dosage):
    return {"resourceType": "MedicationStatement", "status": "active",
            "medicationCodeableConcept": _concept(RXNORM, code, display), "subject": _to("patient"),
            "effectivePeriod": {"start": since}, "dosage": [{"text": dosage}]}


def _concept(system, code, display=None):
    coding = {"system": system, "code": code}
    return {"coding": [coding | {"display": display}], "text": display} if display else {"coding": [coding]}


def _to(name):
    return {"reference": _urn(name)}


def _urn(name):
    return "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, f"http://hospital.example.org/demo/bundle/{name}"))


def _json(value):
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
