//! Resources that have a value for every parameter of their version.

use serde_json::{Value, json};

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

fn to(reference: &str) -> Value {
    json!({"reference": reference})
}

/// Sets members of an object.
fn extend(resource: &mut Value, members: Value) {
    let (Value::Object(resource), Value::Object(members)) = (resource, members) else {
        panic!("both are objects");
    };
    resource.extend(members);
}

/// A DocumentReference of a version, named after it.
pub fn document_reference(version: &str) -> Value {
    let mut document = json!({
        "resourceType": "DocumentReference", "id": version, "status": "current",
        "identifier": [{"system": "http://ids", "value": "id-1"}],
        "type": coded("http://t", "type-1"), "subject": to("Patient/p1"), "author": [to("Practitioner/a1")],
        "custodian": to("Organization/c1"), "description": "Discharge summary",
        "securityLabel": [coded("http://s", "R")],
        "relatesTo": [{"code": "replaces", "target": to("DocumentReference/old-1")}],
        "content": [{"attachment": {"contentType": "application/pdf", "language": "de", "url": "http://content/1",
            "creation": "2020-02-01T12:00:00Z"}}],
    });
    let period = json!({"start": "2020-01-01", "end": "2020-01-03"});
    let (facility, setting) = (coded("http://h", "facility-1"), coded("http://h", "setting-1"));
    if version == "r5" {
        let (uri, canonical) =
            (json!({"valueUri": "urn:format:1"}), json!({"valueCanonical": "http://p/Profile"}));
        document["content"][0]["profile"] =
            json!([{"valueCoding": {"system": "http://f", "code": "format-1"}}, uri, canonical]);
        let replaces = coded("http://hl7.org/fhir/document-relationship-type", "replaces");
        document["relatesTo"][0]["code"] = replaces;
        extend(
            &mut document,
            json!({
                "identifier": [{"system": "http://ids", "value": "id-1"}, {"system": "http://ids", "value": "master-1"}],
                "version": "v7", "basedOn": [to("ServiceRequest/s1")], "docStatus": "final",
                "modality": [coded("http://m", "CT")], "category": [coded("http://c", "class-1")],
                "context": [to("Encounter/e1")], "date": "2020-03-02T10:00:00Z",
                "event": [{"concept": coded("http://e", "event-1")}, {"reference": to("Procedure/v1")}],
                "bodySite": [{"concept": coded("http://b", "site-1")}, {"reference": to("BodyStructure/bs1")}],
                "attester": [{"mode": {"text": "legal"}, "party": to("Practitioner/b1")}],
                "facilityType": facility, "practiceSetting": setting, "period": period,
            }),
        );
        return document;
    }
    let format = json!({"system": "http://f", "code": "format-1"});
    document["content"][0]["format"] = if version == "dstu2" { json!([format]) } else { format };
    let context = json!({"event": [coded("http://e", "event-1")], "facilityType": facility,
        "practiceSetting": setting, "period": period});
    extend(
        &mut document,
        json!({
            "masterIdentifier": {"system": "http://ids", "value": "master-1"},
            "authenticator": to("Practitioner/b1"), "context": context,
        }),
    );
    let of_the_version = match version {
        "dstu2" | "stu3" => {
            let related = json!({"identifier": {"system": "http://ids", "value": "related-1"},
                "ref": to("Observation/r1")});
            extend(&mut document["context"], json!({"encounter": to("Encounter/e1"), "related": [related]}));
            json!({"class": coded("http://c", "class-1"), "created": "2020-02-01",
                "indexed": "2020-03-02T10:00:00Z"})
        }
        _ => {
            let (encounter, related) = (to("Encounter/e1"), to("Observation/r1"));
            extend(&mut document["context"], json!({"encounter": [encounter], "related": [related]}));
            json!({"category": [coded("http://c", "class-1")], "date": "2020-03-02T10:00:00Z"})
        }
    };
    extend(&mut document, of_the_version);
    document
}

/// A DiagnosticReport of a version, named after it.
pub fn diagnostic_report(version: &str) -> Value {
    let mut report = json!({
        "resourceType": "DiagnosticReport", "id": version, "status": "final",
        "identifier": [{"system": "http://ids", "value": "id-1"}],
        "code": coded("http://t", "code-1"), "subject": to("Patient/p1"),
        "effectiveDateTime": "2020-03-02T10:00:00Z", "issued": "2020-03-05T10:00:00Z",
        "specimen": [to("Specimen/s1")], "result": [to("Observation/o1")],
    });
    let (category, diagnosis) = (coded("http://c", "RAD"), coded("http://d", "diagnosis-1"));
    let (encounter, performer) = (to("Encounter/e1"), to("Practitioner/a1"));
    let image = json!([{"link": to("Media/m1")}]);
    extend(
        &mut report,
        match version {
            "dstu2" => json!({"category": category, "encounter": encounter, "performer": performer,
            "request": [to("DiagnosticOrder/r1")], "image": image, "codedDiagnosis": [diagnosis]}),
            "stu3" => json!({"category": category, "context": encounter, "performer": [{"actor": performer}],
            "basedOn": [to("CarePlan/r1")], "image": image, "codedDiagnosis": [diagnosis]}),
            _ => json!({"category": [category], "encounter": encounter, "performer": [performer],
            "basedOn": [to("CarePlan/r1")], "media": image, "conclusionCode": [diagnosis],
            "resultsInterpreter": [to("Practitioner/i1")]}),
        },
    );
    if version == "r5" {
        let document = json!([{"link": to("DocumentReference/m1")}]);
        extend(&mut report, json!({"media": document, "study": [to("ImagingStudy/st1")]}));
    }
    report
}
