//! What resources are found by.

use super::*;
use crate::json;

/// The entries of a parameter, in words.
fn entries(text: &str, version: Version, parameter: &str) -> Vec<String> {
    let resource = json::read(text).expect("JSON");
    let index = index(&resource, version, "2024-05-01T00:00:00.000Z");
    let of = index.entries.into_iter().filter(|entry| entry.parameter == parameter);
    let words = |entry: Entry| match entry.value {
        EntryValue::Token { system, code } => {
            format!("{}|{}", system.unwrap_or_default(), code.unwrap_or_default())
        }
        EntryValue::Reference { kind, id } => format!("{kind}/{id}"),
        EntryValue::Text { folded, exact } => format!("{folded} ({exact})"),
        EntryValue::Uri(uri) => uri,
        EntryValue::Date { start_ms, end_ms } => format!("{start_ms}..{end_ms}"),
        EntryValue::Quantity { low, high, system, code } => {
            format!("{low}..{high} {}|{}", system.unwrap_or_default(), code.unwrap_or_default())
        }
    };
    of.map(words).collect()
}

fn check(text: &str, version: Version, parameter: &str, expected: &[&str]) {
    assert_eq!(entries(text, version, parameter), expected, "{parameter} of {text} in {version}");
}

#[test]
fn values_are_indexed_by_the_kind_of_their_parameter() {
    let patient = r#"{"resourceType":"Patient","identifier":[{"system":"http://i","value":"1"},{"value":"2"}],
        "active":true,"name":[{"family":"Müller","given":["Ann","B"]}],"gender":"female","birthDate":"1970-05",
        "telecom":[{"system":"phone","value":"123"},{"system":"email","value":"a@b"}],
        "generalPractitioner":[{"reference":"Practitioner/7"},{"identifier":{"system":"s","value":"v"}}],
        "managingOrganization":{"reference":"http://else/Organization/1"}}"#;
    check(patient, Version::R4, "identifier", &["http://i|1", "|2"]);
    check(patient, Version::R4, "active", &["|true"]);
    check(patient, Version::R4, "family", &["muller (Müller)"]);
    check(patient, Version::R4, "name", &["muller (Müller)", "ann (Ann)", "b (B)"]);
    check(patient, Version::R4, "phone", &["|123"]);
    check(patient, Version::R4, "birthdate", &["10368000000..13046400000"]);
    check(patient, Version::R4, "general-practitioner", &["Practitioner/7"]);
    check(patient, Version::R4, "general-practitioner:identifier", &["s|v"]);
    check(patient, Version::R4, "organization", &["http://else/Organization/1"]);
    let observation = r#"{"resourceType":"Observation","subject":{"reference":"Patient/1/_history/2"},
        "code":{"coding":[{"system":"http://loinc.org","code":"1-2"},{"code":"x"}],"text":"Glucose"},
        "effectivePeriod":{"start":"2020"},"valueQuantity":{"value":5.40,"unit":"mmol/L","system":"u","code":"mmol/L"}}"#;
    check(observation, Version::R4, "patient", &["Patient/1"]);
    check(observation, Version::R4, "code", &["http://loinc.org|1-2", "|x"]);
    check(observation, Version::R4, "date", &["1577836800000..9223372036854775807"]);
    check(observation, Version::R4, "value-quantity", &["5.4..5.4 u|mmol/L"]);
    check(r#"{"resourceType":"Observation","subject":{"reference":"Group/1"}}"#, Version::R4, "patient", &[]);
}

#[test]
fn a_document_is_found_by_the_names_of_every_version() {
    let document = r#"{"resourceType":"DocumentReference","status":"current","type":{"text":"t"},
        "subject":{"reference":"Patient/1"},"indexed":"2020-01-01T00:00:00Z","class":{"coding":[{"code":"c"}]},
        "content":[{"attachment":{"contentType":"text/XML; charset=utf-8","url":"Binary/b"}}]}"#;
    let expected = "1577836800000..1577836801000";
    check(document, Version::Stu3, "indexed", &[expected]);
    check(document, Version::Stu3, "date", &[expected]);
    check(document, Version::Stu3, "class", &["|c"]);
    check(document, Version::Stu3, "category", &["|c"]);
    check(
        document,
        Version::Stu3,
        "contenttype:below",
        &["text/xml; charset=utf-8 (text/XML; charset=utf-8)"],
    );
}

#[test]
fn contained_resources_are_indexed_below_what_refers_to_them() {
    let document = r##"{"resourceType":"DocumentReference","status":"current","contained":[
        {"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"#p"},"organization":{"reference":"Organization/1"}},
        {"resourceType":"Practitioner","id":"p","name":[{"family":"Groß","given":["Eva"]}]},
        {"resourceType":"Patient","id":"x","name":[{"family":"Unnamed"}]}],
        "author":[{"reference":"#r"},{"reference":"#p"}],"custodian":{"reference":"#p"}}"##;
    for version in [Version::R4, Version::R4b] {
        check(document, version, "author", &["#r", "#p"]);
        check(document, version, "author.Practitioner", &["#p"]);
        check(document, version, "author.Practitioner.family", &["groß (Groß)"]);
        check(document, version, "author.Practitioner.given", &["eva (Eva)"]);
        check(document, version, "author.PractitionerRole.organization", &["Organization/1"]);
        check(
            document,
            version,
            "author.PractitionerRole.practitioner.Practitioner.family",
            &["groß (Groß)"],
        );
        check(document, version, "custodian.Practitioner.family", &[]);
        check(document, version, "author.Patient.family", &[]);
    }
}

#[test]
fn contained_resources_that_refer_to_each_other_end() {
    let list = r##"{"resourceType":"DocumentReference","status":"current","contained":[
        {"resourceType":"Organization","id":"a","partOf":{"reference":"#b"},"name":"A"},
        {"resourceType":"Organization","id":"b","partOf":{"reference":"#a"},"name":"B"}],
        "custodian":{"reference":"#a"}}"##;
    check(list, Version::R4, "custodian.Organization.partof.Organization.name", &["b (B)"]);
    check(list, Version::R4, "custodian.Organization.partof.Organization.partof.Organization.name", &[]);
}

#[test]
fn attachments_on_this_server_are_links() {
    let report = |status: &str| {
        let text = format!(
            r#"{{"resourceType":"DiagnosticReport","status":"{status}","presentedForm":[{{"url":"Binary/a"}},
            {{"url":"Binary/b/_history/3"}},{{"url":"http://else/Binary/c"}},{{"url":"Binary/a"}}]}}"#
        );
        index(&json::read(&text).expect("JSON"), Version::R4, "2024-05-01T00:00:00Z").links
    };
    let link = |id: &str, version, in_error| ContentLink {
        binary: ResourceId::new(id).expect("an id"),
        version,
        in_error,
    };
    assert_eq!(report("final"), [link("a", None, false), link("b", Some(3), false)]);
    assert_eq!(report("entered-in-error"), [link("a", None, true), link("b", Some(3), true)]);
}

#[test]
fn text_is_folded() {
    for (text, expected) in [("Müller", "muller"), ("ÉCOLE", "ecole"), ("Åse Ø", "ase ø"), ("ﬁ", "ﬁ")]
    {
        assert_eq!(folded(text), expected);
    }
}
