"""Resources for the benchmark: invented, and the same in every run.

Two kinds of data. `documents`: patients with 50 documents each, a DocumentReference beside a Binary. `bundles`: what a
record has around its documents, mixed as Synthea mixes it, one patient a Bundle.
"""

import base64
import datetime
import random

DOCUMENTS_OF_PATIENT = 50
CATEGORIES = ["clinical-note", "discharge-summary", "laboratory-report", "imaging-report"]
CATEGORY_SYSTEM = "http://example.org/document-categories"
FIRST_DAY = datetime.date(2012, 1, 1)
DAYS_BETWEEN = 60
SENTENCE = "The patient reports no new complaints since the last visit. "

RESOURCES_OF_BUNDLE = 500
"""Of 100 resources of a Bundle so many are of each type, about as in Synthea."""
MIX = {
    "Observation": 48, "Encounter": 8, "Condition": 6, "Procedure": 8, "MedicationRequest": 10,
    "DiagnosticReport": 8, "Immunization": 3, "DocumentReference": 5, "AllergyIntolerance": 1, "CarePlan": 3,
}


def patients_of(documents):
    return max(1, documents // DOCUMENTS_OF_PATIENT)


def document(number, patients):
    """Two lines of NDJSON: the content and what is said of it. A patient's documents lie far apart."""
    patient, of_patient = number % patients, number // patients
    day = FIRST_DAY + datetime.timedelta(days=of_patient * DAYS_BETWEEN + patient % DAYS_BETWEEN)
    category = CATEGORIES[of_patient % len(CATEGORIES)]
    text = (f"Document {number} of patient {patient}, {day}\n" + SENTENCE * 17)[:1024]
    binary = f'{{"resourceType":"Binary","id":"b-{number}","contentType":"text/plain","data":"{encoded(text)}"}}\n'
    return binary + DOCUMENT % {
        "number": number, "patient": patient, "encounter": number // 3, "author": number % 500, "day": day, "category": category,
        "system": CATEGORY_SYSTEM, "code": 10000 + number % 97, "title": category.replace("-", " ").capitalize(),
    }


DOCUMENT = (
    '{"resourceType":"DocumentReference","id":"d-%(number)d","identifier":[{"system":"http://example.org/documents","value":"%(number)012x"}],'
    '"status":"current","docStatus":"final","type":{"coding":[{"system":"http://loinc.org","code":"%(code)d-0","display":"%(title)s"}]},'
    '"category":[{"coding":[{"system":"%(system)s","code":"%(category)s","display":"%(title)s"}]}],'
    '"subject":{"reference":"Patient/p-%(patient)d"},"date":"%(day)sT10:00:00Z",'
    '"author":[{"reference":"Practitioner/dr-%(author)d","display":"Dr. Example %(author)d"}],"description":"%(title)s of %(day)s",'
    '"content":[{"attachment":{"contentType":"text/plain","url":"Binary/b-%(number)d","title":"%(title)s"},'
    '"format":{"system":"http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode","code":"urn:ihe:iti:xds:2017:mimeTypeSufficient"}}],'
    '"context":{"encounter":[{"reference":"Encounter/e-%(encounter)d"}],"period":{"start":"%(day)sT08:00:00Z","end":"%(day)sT09:00:00Z"}}}\n'
)


def write_documents(file, documents):
    """NDJSON of so many documents and of their patients."""
    patients = patients_of(documents)
    with open(file, "w") as lines:
        for number in range(patients):
            lines.write(patient(f'"id":"p-{number}",', number) + "\n")
        for number in range(documents):
            lines.write(document(number, patients))


def patient(identity, number):
    return (
        f'{{"resourceType":"Patient",{identity}"identifier":[{{"system":"http://example.org/patients","value":"{number:08d}"}}],'
        f'"name":[{{"family":"Example{number % 997}","given":["Alex{number % 89}","Kim"]}}],"gender":"{("female", "male")[number % 2]}",'
        f'"birthDate":"{1930 + number % 90}-{1 + number % 12:02d}-{1 + number % 28:02d}","address":[{{"city":"Town {number % 53}","country":"XX"}}]}}'
    )


def bundle(number, resources):
    """A transaction with a patient and so many other resources less one, which name each other by `urn:uuid:`."""
    chance = random.Random(number)
    subject, encounter = uuid(number, 0), uuid(number, 1)
    entries = [entry("Patient", subject, patient("", number))]
    for at in range(1, resources):
        kind = "Encounter" if at == 1 else chance.choices(list(MIX), MIX.values())[0]
        own = uuid(number, at)
        encounter = own if kind == "Encounter" else encounter
        entries.append(entry(kind, own, resource(kind, chance, number * resources + at, subject, encounter)))
    return '{"resourceType":"Bundle","type":"transaction","entry":[' + ",\n".join(entries) + "]}"


def write_bundles(directory, resources):
    """Files of one Bundle each with so many resources in all; tells how many bytes they have."""
    size_bytes = 0
    for number in range(resources // RESOURCES_OF_BUNDLE):
        folder = directory / f"{number // 1000:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        size_bytes += (folder / f"patient-{number}.json").write_text(bundle(number, RESOURCES_OF_BUNDLE))
    return size_bytes


def entry(kind, own, text):
    return f'{{"fullUrl":"urn:uuid:{own}","resource":{text},"request":{{"method":"POST","url":"{kind}"}}}}'


def uuid(bundle_number, at):
    return f"{bundle_number:08x}-0000-4000-8000-{at:012x}"


def resource(kind, chance, number, subject, encounter):
    start = datetime.datetime(2010, 1, 1) + datetime.timedelta(minutes=chance.randrange(8_000_000))
    values = {
        "number": number, "subject": f'{{"reference":"urn:uuid:{subject}"}}', "encounter": f'{{"reference":"urn:uuid:{encounter}"}}',
        "start": start.isoformat() + "+00:00", "end": (start + datetime.timedelta(minutes=30)).isoformat() + "+00:00",
        "code": chance.randrange(10_000, 99_999), "value": round(chance.uniform(1, 300), 2), "data": "",
    }
    if kind == "DocumentReference":
        values["data"] = encoded((f"Note {number} of {values['start']}\n" + SENTENCE * 17)[:1024])
    return TEMPLATES[kind] % values


def coding(system):
    return '{"coding":[{"system":"%s","code":"%%(code)d","display":"Example concept %%(code)d"}],"text":"Example concept %%(code)d"}' % system


LOINC, SNOMED, RXNORM = (coding(f"http://{name}") for name in ("loinc.org", "snomed.info/sct", "www.nlm.nih.gov/research/umls/rxnorm"))
CODED = "http://terminology.hl7.org/CodeSystem/"
TEMPLATES = {
    "Observation":
        '{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"' + CODED + 'observation-category",'
        '"code":"vital-signs","display":"Vital signs"}]}],"code":' + LOINC + ',"subject":%(subject)s,"encounter":%(encounter)s,'
        '"effectiveDateTime":"%(start)s","issued":"%(start)s",'
        '"valueQuantity":{"value":%(value)s,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}}',
    "Encounter":
        '{"resourceType":"Encounter","identifier":[{"system":"http://example.org/encounters","value":"%(number)d"}],"status":"finished",'
        '"class":{"system":"' + CODED + 'v3-ActCode","code":"AMB"},"type":[' + SNOMED + '],"subject":%(subject)s,'
        '"participant":[{"individual":{"reference":"Practitioner/dr-1","display":"Dr. Example"}}],"period":{"start":"%(start)s","end":"%(end)s"}}',
    "Condition":
        '{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"' + CODED + 'condition-clinical","code":"active"}]},'
        '"verificationStatus":{"coding":[{"system":"' + CODED + 'condition-ver-status","code":"confirmed"}]},'
        '"code":' + SNOMED + ',"subject":%(subject)s,"encounter":%(encounter)s,"onsetDateTime":"%(start)s","recordedDate":"%(start)s"}',
    "Procedure":
        '{"resourceType":"Procedure","status":"completed","code":' + SNOMED + ',"subject":%(subject)s,"encounter":%(encounter)s,'
        '"performedPeriod":{"start":"%(start)s","end":"%(end)s"}}',
    "MedicationRequest":
        '{"resourceType":"MedicationRequest","status":"active","intent":"order","medicationCodeableConcept":' + RXNORM + ','
        '"subject":%(subject)s,"encounter":%(encounter)s,"authoredOn":"%(start)s","requester":{"reference":"Practitioner/dr-1","display":"Dr. Example"},'
        '"dosageInstruction":[{"sequence":1,"text":"Take at bedtime","asNeededBoolean":true}]}',
    "DiagnosticReport":
        '{"resourceType":"DiagnosticReport","status":"final","category":[{"coding":[{"system":"' + CODED + 'v2-0074","code":"LAB"}]}],'
        '"code":' + LOINC + ',"subject":%(subject)s,"encounter":%(encounter)s,"effectiveDateTime":"%(start)s","issued":"%(start)s",'
        '"performer":[{"reference":"Practitioner/dr-1","display":"Dr. Example"}],"conclusion":"Nothing of note in panel %(number)d"}',
    "Immunization":
        '{"resourceType":"Immunization","status":"completed","vaccineCode":' + coding("http://hl7.org/fhir/sid/cvx") + ','
        '"patient":%(subject)s,"encounter":%(encounter)s,"occurrenceDateTime":"%(start)s","primarySource":true}',
    "DocumentReference":
        '{"resourceType":"DocumentReference","status":"current","type":' + LOINC + ',"category":[{"coding":[{"system":"' + CATEGORY_SYSTEM + '",'
        '"code":"clinical-note"}]}],"subject":%(subject)s,"date":"%(start)s","content":[{"attachment":{"contentType":"text/plain","data":"%(data)s"}}],'
        '"context":{"encounter":[%(encounter)s],"period":{"start":"%(start)s","end":"%(end)s"}}}',
    "AllergyIntolerance":
        '{"resourceType":"AllergyIntolerance","clinicalStatus":{"coding":[{"system":"' + CODED + 'allergyintolerance-clinical","code":"active"}]},'
        '"code":' + SNOMED + ',"patient":%(subject)s,"encounter":%(encounter)s,"recordedDate":"%(start)s"}',
    "CarePlan":
        '{"resourceType":"CarePlan","status":"active","intent":"order","category":[' + SNOMED + '],"subject":%(subject)s,"encounter":%(encounter)s,'
        '"period":{"start":"%(start)s"},"activity":[{"detail":{"code":' + SNOMED + ',"status":"in-progress"}}]}',
}


def encoded(text):
    return base64.b64encode(text.encode()).decode()
