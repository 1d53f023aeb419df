//! Who wrote it, who attests it, whom it is about.

use super::*;

#[test]
fn subjects_of_other_types_are_extensions_before_r5() {
    for version in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"subject":{"reference":"Location/1"}}"#,
            version,
            "5.0/StructureDefinition/extension-DocumentReference.subject",
            r#""valueReference":{"reference":"Location/1"}"#,
        );
        for target in ["Patient", "Practitioner", "Group", "Device"] {
            let subject = format!(r#"{{"subject":{{"reference":"{target}/1"}}}}"#);
            same(R5, &subject, version, &subject);
        }
    }
}

#[test]
fn authors_that_a_version_does_not_allow_are_extensions() {
    let role = r#"{"author":[{"reference":"PractitionerRole/1"},{"reference":"Patient/1"}]}"#;
    for old in [Dstu2, Stu3] {
        for new in [R4, R5] {
            becomes(
                DR,
                new,
                role,
                old,
                r#"{"author":[{"reference":"Patient/1"}],"extension":[
                {"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.author","valueReference":{"reference":"PractitionerRole/1"}}]}"#,
            );
            kept(
                new,
                r#"{"author":[{"reference":"https://a.example/fhir/PractitionerRole/1/_history/2"}]}"#,
                old,
                "4.0/StructureDefinition/extension-DocumentReference.author",
                r#""valueReference":{"reference":"https://a.example/fhir/PractitionerRole/1/_history/2"}"#,
            );
        }
    }
    same(R4, role, R5, role);
    for old in [Dstu2, Stu3, R4] {
        kept(
            R5,
            r#"{"author":[{"reference":"CareTeam/1"}]}"#,
            old,
            "5.0/StructureDefinition/extension-DocumentReference.author",
            r#""valueReference":{"reference":"CareTeam/1"}"#,
        );
    }
}

#[test]
fn the_authenticator_is_the_professional_attester() {
    let authenticator = r#"{"authenticator":{"reference":"Practitioner/1"}}"#;
    let attester = r#"{"attester":[{"mode":{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}]},"party":{"reference":"Practitioner/1"}}]}"#;
    for old in [Dstu2, Stu3, R4] {
        same(old, authenticator, R5, attester);
    }
    same(Dstu2, authenticator, R4, authenticator);
    kept(
        R4,
        r#"{"authenticator":{"reference":"PractitionerRole/1"}}"#,
        Stu3,
        "4.0/StructureDefinition/extension-DocumentReference.authenticator",
        r#""valueReference":{"reference":"PractitionerRole/1"}"#,
    );
}

#[test]
fn what_else_is_known_of_attesters_is_kept() {
    let mode = r#"{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}],"text":"by pen"}"#;
    let timed = format!(
        r#"{{"attester":[{{"mode":{mode},"time":"2020","party":{{"reference":"Organization/1"}}}}]}}"#
    );
    let old = format!(
        r#"{{"authenticator":{{"reference":"Organization/1","extension":[
            {{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester.mode","valueCodeableConcept":{mode}}},
            {{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester.time","valueDateTime":"2020"}}]}}}}"#
    );
    let legal = r#"{"attester":[{"mode":{"text":"legal"},"time":"2020","party":{"reference":"Patient/1"}}]}"#;
    let extension = r#"{"extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester","extension":[
        {"url":"mode","valueCodeableConcept":{"text":"legal"}},{"url":"time","valueDateTime":"2020"},{"url":"party","valueReference":{"reference":"Patient/1"}}]}]}"#;
    for version in [Dstu2, Stu3, R4] {
        same(R5, &timed, version, &old);
        same(R5, legal, version, extension);
    }
    // A patient attests, and does not authenticate.
    let patient = r#"{"attester":[{"mode":{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}]},"party":{"reference":"Patient/1"}}]}"#;
    let extension = r#"{"extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.attester","extension":[
        {"url":"mode","valueCodeableConcept":{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}]}},
        {"url":"party","valueReference":{"reference":"Patient/1"}}]}]}"#;
    same(R5, patient, R4, extension);
}

#[test]
fn further_authenticators_are_extensions() {
    let professional = |party: &str| {
        format!(
            r#"{{"mode":{{"coding":[{{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}}]}},"party":{{"reference":"{party}"}}}}"#
        )
    };
    let r5 =
        format!(r#"{{"attester":[{},{}]}}"#, professional("Practitioner/1"), professional("Practitioner/2"));
    let r4 = r#"{"authenticator":{"reference":"Practitioner/1"},"extension":[
        {"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.authenticator","valueReference":{"reference":"Practitioner/2"}}]}"#;
    same(R5, &r5, R4, r4);
}

#[test]
fn members_have_no_order() {
    let mode =
        r#"{"coding":[{"code":"professional","system":"http://hl7.org/fhir/composition-attestation-mode"}]}"#;
    let r5 = format!(r#"{{"attester":[{{"party":{{"reference":"Practitioner/1"}},"mode":{mode}}}]}}"#);
    becomes(DR, R5, &r5, R4, r#"{"authenticator":{"reference":"Practitioner/1"}}"#);
    let concept =
        r#"{"docStatus":{"coding":[{"code":"final","system":"http://hl7.org/fhir/composition-status"}]}}"#;
    becomes(DR, Dstu2, concept, R4, r#"{"docStatus":"final"}"#);
    let master = r#"{"identifier":[{"value":"m","system":"urn:s"}],"extension":[
        {"url":"http://hl7.org/fhir/4.0/StructureDefinition/extension-DocumentReference.masterIdentifier","valueIdentifier":{"system":"urn:s","value":"m"}}]}"#;
    becomes(DR, R5, master, R4, r#"{"masterIdentifier":{"value":"m","system":"urn:s"}}"#);
    let code = r#"{"code":"signs","system":"http://hl7.org/fhir/document-relationship-type"}"#;
    let r5 = format!(r#"{{"relatesTo":[{{"target":{{"display":"x"}},"code":{{"coding":[{code}]}}}}]}}"#);
    becomes(DR, R5, &r5, R4, r#"{"relatesTo":[{"code":"signs","target":{"display":"x"}}]}"#);
}
