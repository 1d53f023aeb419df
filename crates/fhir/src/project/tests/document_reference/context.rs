//! The circumstances of the document: a structure before R5.

use super::*;

#[test]
fn context_is_spread_over_r5() {
    let one = |encounter: &str| {
        format!(
            r#"{{"context":{{"encounter":{encounter},"event":[{{"text":"e"}},{{"text":"f"}}],"facilityType":{{"text":"h"}},
                "practiceSetting":{{"text":"p"}},"period":{{"start":"2020"}}}}}}"#
        )
    };
    let single = one(r#"{"reference":"Encounter/1"}"#);
    let list = one(r#"[{"reference":"Encounter/1"}]"#);
    let r5 = r#"{"context":[{"reference":"Encounter/1"}],"event":[{"concept":{"text":"e"}},{"concept":{"text":"f"}}],
        "facilityType":{"text":"h"},"practiceSetting":{"text":"p"},"period":{"start":"2020"}}"#;
    for old in [Dstu2, Stu3] {
        same(old, &single, R4, &list);
        same(old, &single, R5, r5);
    }
    same(R4, &list, R5, r5);
}

#[test]
fn encounters_that_a_version_does_not_allow_are_extensions() {
    let r4 = r#"{"context":{"encounter":[{"reference":"Encounter/1"},{"reference":"Encounter/2"},{"reference":"EpisodeOfCare/3"}]}}"#;
    let r5 = r#"{"context":[{"reference":"Encounter/1"},{"reference":"Encounter/2"},{"reference":"EpisodeOfCare/3"}]}"#;
    let url = "http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.context.encounter";
    let old = format!(
        r#"{{"context":{{"encounter":{{"reference":"Encounter/1"}}}},"extension":[
            {{"url":"{url}","valueReference":{{"reference":"Encounter/2"}}}},{{"url":"{url}","valueReference":{{"reference":"EpisodeOfCare/3"}}}}]}}"#
    );
    same(R4, r4, R5, r5);
    for version in [Dstu2, Stu3] {
        same(R4, r4, version, &old);
        same(R5, r5, version, &old);
    }
    for version in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"context":[{"reference":"Appointment/1"}]}"#,
            version,
            "5.0/StructureDefinition/extension-DocumentReference.context",
            r#""valueReference":{"reference":"Appointment/1"}"#,
        );
    }
}

#[test]
fn events_that_are_resources_are_extensions() {
    for version in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"event":[{"reference":{"reference":"Procedure/1"}}]}"#,
            version,
            "5.0/StructureDefinition/extension-DocumentReference.event",
            r#""valueReference":{"reference":"Procedure/1"}"#,
        );
        same(
            R5,
            r#"{"event":[{"concept":{"text":"e"},"reference":{"reference":"Procedure/1"}}]}"#,
            version,
            r#"{"context":{"event":[{"text":"e","extension":[
                {"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-CodeableReference.reference","valueReference":{"reference":"Procedure/1"}}]}]}}"#,
        );
    }
}

#[test]
fn source_patient_and_related_are_extensions_of_r5() {
    let source = r#"{"context":{"sourcePatientInfo":{"reference":"Patient/2"}}}"#;
    for version in [Dstu2, Stu3, R4] {
        kept(
            version,
            source,
            R5,
            "4.0/StructureDefinition/extension-DocumentReference.context.sourcePatientInfo",
            r#""valueReference":{"reference":"Patient/2"}"#,
        );
    }
    same(Dstu2, source, R4, source);
    let r4 = r#"{"context":{"related":[{"identifier":{"value":"i"}},{"reference":"Observation/1"},{"identifier":{"value":"j"},"reference":"Observation/2","display":"d"}]}}"#;
    let old = r#"{"context":{"related":[{"identifier":{"value":"i"}},{"ref":{"reference":"Observation/1"}},
        {"identifier":{"value":"j"},"ref":{"reference":"Observation/2","display":"d"}}]}}"#;
    let url = "http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.context.related";
    let r5 = format!(
        r#"{{"extension":[{{"url":"{url}","valueReference":{{"identifier":{{"value":"i"}}}}}},{{"url":"{url}","valueReference":{{"reference":"Observation/1"}}}},
            {{"url":"{url}","valueReference":{{"identifier":{{"value":"j"}},"reference":"Observation/2","display":"d"}}}}]}}"#
    );
    same(Dstu2, old, Stu3, old);
    for version in [Dstu2, Stu3] {
        same(version, old, R4, r4);
        same(version, old, R5, &r5);
    }
    same(R4, r4, R5, &r5);
}

#[test]
fn what_extends_the_context_extends_the_resource_of_r5() {
    let r4 = r#"{"context":{"id":"c","extension":[{"url":"urn:e","valueCode":"x"}],"modifierExtension":[{"url":"urn:m","valueBoolean":true}],"period":{"end":"2020"}}}"#;
    let r5 = r#"{"extension":[{"url":"urn:e","valueCode":"x"}],"modifierExtension":[{"url":"urn:m","valueBoolean":true}],"period":{"end":"2020"}}"#;
    becomes(DR, R4, r4, R5, r5);
    same(R4, r4, Stu3, r4);
}

#[test]
fn a_modifier_extension_is_never_lost_from_what_it_modifies() {
    // Nothing is said of the relation rather than the contrary.
    let related = r#"{"context":{"related":[{"ref":{"reference":"Observation/1"},"modifierExtension":[{"url":"urn:not","valueBoolean":true}]}]}}"#;
    becomes(DR, Stu3, related, R4, "{}");
    same(Stu3, related, Dstu2, related);
    let relation = r#"{"relatesTo":[{"code":{"text":"x"},"target":{"reference":"DocumentReference/1"},"modifierExtension":[{"url":"urn:not","valueBoolean":true}]}]}"#;
    becomes(DR, R5, relation, R4, "{}");
}
