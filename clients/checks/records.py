"""A patient's record as each FHIR version writes it, to be stored in that version and read in all.

Everybody in it is invented.
"""

import base64
from typing import Any

NOTE = "Seen in clinic. Knee painful on stairs; no swelling. Exercises shown, review in six weeks.\n".encode()
SCAN = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
LOINC = "http://loinc.org"
DAY = "2026-03-02"
INSTANT = "2026-03-02T09:30:00Z"


def transaction(fhir: str) -> dict:
    """Creates and updates in one step: the record below, its parts named by urn:uuid and by id."""
    entries = [entry(resource) for resource in record(fhir)]
    binary = {"resourceType": "Binary", "contentType": "application/pdf", bytes_element(fhir): encoded(SCAN)}
    posted = {
        "fullUrl": "urn:uuid:5f0f1a52-0ed4-4a53-9b0f-2c51d0d1a001",
        "resource": binary,
        "request": {"method": "POST", "url": "Binary"},
    }
    return {"resourceType": "Bundle", "type": "transaction", "entry": [*entries, posted]}


def entry(resource: dict) -> dict:
    place = f"{resource['resourceType']}/{resource['id']}"
    return {
        "fullUrl": f"http://example.org/fhir/{place}",
        "resource": resource,
        "request": {"method": "PUT", "url": place},
    }


def patient_id(fhir: str) -> str:
    return f"own-{fhir.lower()}"


def record(fhir: str) -> list[dict]:
    return [
        make(fhir, patient_id(fhir))
        for make in (patient, practitioner, organization, encounter, condition, observation, note, report)
    ]


def patient(fhir: str, own: str) -> dict:
    return {
        "resourceType": "Patient",
        "id": own,
        "active": True,
        "gender": "female",
        "birthDate": "1979-05-04",
        "identifier": [{"use": "usual", "system": "urn:oid:2.999.7", "value": f"CLIENT-{fhir}"}],
        "name": [{"use": "official", "family": family(fhir, "Testperson"), "given": ["Cora", fhir]}],
        "telecom": [{"system": "phone", "value": "+1 555 0100", "use": "home"}],
        "address": [{"line": ["3 Sample Lane"], "city": "Exampleville", "country": "US"}],
        "contact": [{"name": {"family": family(fhir, "Testperson"), "given": ["Carl"]}, "gender": "male"}],
        "communication": [{"language": concept("urn:ietf:bcp:47", "en", "English"), "preferred": True}],
        "managingOrganization": ref("Organization", own),
    }


def practitioner(fhir: str, own: str) -> dict:
    name = {"family": family(fhir, "Sample"), "given": ["Dora"], "prefix": ["Dr."]}
    return {"resourceType": "Practitioner", "id": own, "active": True, "name": name if fhir == "DSTU2" else [name]}


def organization(fhir: str, own: str) -> dict:
    return {"resourceType": "Organization", "id": own, "active": True, "name": "Example Knee Clinic"}


def encounter(fhir: str, own: str) -> dict:
    period = {"start": INSTANT, "end": "2026-03-02T10:00:00Z"}
    ambulatory = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"}
    found: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": own,
        ("patient" if fhir == "DSTU2" else "subject"): ref("Patient", own),
    }
    if fhir == "R5":
        return {**found, "status": "completed", "class": [{"coding": [ambulatory]}], "actualPeriod": period}
    return {**found, "status": "finished", "class": "ambulatory" if fhir == "DSTU2" else ambulatory, "period": period}


def condition(fhir: str, own: str) -> dict:
    found = {
        "resourceType": "Condition",
        "id": own,
        "code": concept("http://snomed.info/sct", "57676002", "Joint pain"),
    }
    if fhir == "DSTU2":
        return {**found, "patient": ref("Patient", own), "clinicalStatus": "active", "verificationStatus": "confirmed"}
    found["subject"] = ref("Patient", own)
    if fhir == "STU3":
        return {**found, "clinicalStatus": "active", "verificationStatus": "confirmed"}
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        **found,
        "clinicalStatus": concept(f"{system}clinical", "active", "Active"),
        "verificationStatus": concept(f"{system}ver-status", "confirmed", "Confirmed"),
    }


def observation(fhir: str, own: str) -> dict:
    weight = {"value": 71.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    return {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "code": concept(LOINC, "29463-7", "Body weight"),
        "subject": ref("Patient", own),
        "effectiveDateTime": INSTANT,
        "valueQuantity": weight,
    }


def note(fhir: str, own: str) -> dict:
    """One document in two renditions: the text inline, the scan in a Binary of the same transaction."""
    scan = {"contentType": "application/pdf", "url": "urn:uuid:5f0f1a52-0ed4-4a53-9b0f-2c51d0d1a001", "title": "Scan"}
    text = {
        "contentType": "text/plain; charset=utf-8",
        "language": "en",
        "data": encoded(NOTE),
        "title": "Clinic note",
        "creation": INSTANT,
    }
    found = {
        "resourceType": "DocumentReference",
        "id": own,
        "status": "current",
        "type": concept(LOINC, "34117-2", "History and physical note"),
        "subject": ref("Patient", own),
        "author": [ref("Practitioner", own)],
        "custodian": ref("Organization", own),
        "description": "Clinic note",
        "identifier": [{"system": "urn:oid:2.999.8", "value": f"note-{fhir}"}],
        "content": [{"attachment": text}, {"attachment": scan}],
    }
    if fhir in ("DSTU2", "STU3"):
        return {
            **found,
            "indexed": INSTANT,
            "created": INSTANT,
            "context": {"encounter": ref("Encounter", own), "period": {"start": DAY}},
        }
    if fhir == "R5":
        return {**found, "date": INSTANT, "context": [ref("Encounter", own)], "period": {"start": DAY}}
    return {**found, "date": INSTANT, "context": {"encounter": [ref("Encounter", own)], "period": {"start": DAY}}}


def report(fhir: str, own: str) -> dict:
    who = ref("Practitioner", own)
    form = {"contentType": "text/html", "data": encoded(b"<p>Weight 71.5 kg.</p>"), "title": "Report"}
    found = {
        "resourceType": "DiagnosticReport",
        "id": own,
        "status": "final",
        "code": concept(LOINC, "18748-4", "Diagnostic imaging study"),
        "subject": ref("Patient", own),
        "effectiveDateTime": INSTANT,
        "issued": "2026-03-02T11:00:00.000Z",
        "result": [ref("Observation", own)],
        "conclusion": "Nothing that needs treatment.",
        "presentedForm": [form],
        ("context" if fhir == "STU3" else "encounter"): ref("Encounter", own),
    }
    found["performer"] = {"DSTU2": who, "STU3": [{"actor": who}]}.get(fhir, [who])
    return found


def family(fhir: str, name: str) -> Any:
    return [name] if fhir == "DSTU2" else name


def bytes_element(fhir: str) -> str:
    return "content" if fhir in ("DSTU2", "STU3") else "data"


def concept(system: str, code: str, display: str) -> dict:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def ref(kind: str, own: str) -> dict:
    return {"reference": f"{kind}/{own}"}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
