//! The status of the document itself: a concept, a code, more codes.

use super::*;

#[test]
fn doc_status_is_a_concept_in_dstu2() {
    for code in ["preliminary", "final", "amended", "entered-in-error"] {
        let concept = format!(
            r#"{{"docStatus":{{"coding":[{{"system":"http://hl7.org/fhir/composition-status","code":"{code}"}}]}}}}"#
        );
        let plain = format!(r#"{{"docStatus":"{code}"}}"#);
        for version in [Stu3, R4, R5] {
            same(Dstu2, &concept, version, &plain);
        }
    }
}

#[test]
fn what_else_the_concept_of_doc_status_says_is_kept() {
    let url = "http://hl7.org/fhir/1.0/StructureDefinition/extension-DocumentReference.docStatus";
    let text_alone = r#"{"docStatus":{"text":"signed by hand"}}"#;
    let extension =
        format!(r#"{{"extension":[{{"url":"{url}","valueCodeableConcept":{{"text":"signed by hand"}}}}]}}"#);
    same(Dstu2, text_alone, R4, &extension);
    let rich = r#"{"coding":[{"system":"urn:own","code":"x"},{"system":"http://hl7.org/fhir/composition-status","code":"final"}],"text":"done"}"#;
    let dstu2 = format!(r#"{{"docStatus":{rich}}}"#);
    let later =
        format!(r#"{{"docStatus":"final","extension":[{{"url":"{url}","valueCodeableConcept":{rich}}}]}}"#);
    for version in [Stu3, R4, R5] {
        same(Dstu2, &dstu2, version, &later);
    }
    // A client changed the code after that: the concept is of the past.
    let changed =
        format!(r#"{{"docStatus":"amended","extension":[{{"url":"{url}","valueCodeableConcept":{rich}}}]}}"#);
    let now =
        r#"{"docStatus":{"coding":[{"system":"http://hl7.org/fhir/composition-status","code":"amended"}]}}"#;
    becomes(DR, R4, &changed, Dstu2, now);
}

#[test]
fn doc_status_codes_of_r5_come_down_to_what_was_there() {
    let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.docStatus";
    for (code, old) in [
        ("preliminary", Some("preliminary")),
        ("final", Some("final")),
        ("amended", Some("amended")),
        ("entered-in-error", Some("entered-in-error")),
        ("partial", Some("preliminary")),
        ("corrected", Some("amended")),
        ("appended", Some("amended")),
        ("registered", None),
        ("cancelled", None),
        ("deprecated", None),
        ("unknown", None),
    ] {
        let r5 = format!(r#"{{"docStatus":"{code}"}}"#);
        let lost = old != Some(code);
        let extension =
            if lost { format!(r#"[{{"url":"{url}","valueCode":"{code}"}}]"#) } else { "null".into() };
        let plain = old.map_or("null".into(), |old| format!("\"{old}\""));
        for version in [Stu3, R4] {
            same(R5, &r5, version, &format!(r#"{{"docStatus":{plain},"extension":{extension}}}"#));
        }
        let concept = old.map_or("null".into(), |old| {
            format!(r#"{{"coding":[{{"system":"http://hl7.org/fhir/composition-status","code":"{old}"}}]}}"#)
        });
        same(R5, &r5, Dstu2, &format!(r#"{{"docStatus":{concept},"extension":{extension}}}"#));
    }
    // The code was changed since: the extension no longer holds.
    let changed = format!(r#"{{"docStatus":"final","extension":[{{"url":"{url}","valueCode":"partial"}}]}}"#);
    becomes(DR, R4, &changed, R5, r#"{"docStatus":"final"}"#);
}
