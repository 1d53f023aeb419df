//! Rule by rule: one change to a document that keeps them all.

use charta_fhir::json;
use serde_json::{Value, json};

use super::*;

fn document_r4() -> Value {
    json!({
        "resourceType": "DocumentReference", "status": "current", "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "34840-9"}]},
        "subject": {"reference": "Patient/1"}, "author": [{"reference": "Practitioner/7"}],
        "content": [{"attachment": {"contentType": "text/plain;charset=utf-8", "data": "YQ==",
            "creation": "2020-07-29T21:02:30.000Z"}}],
        "context": {"encounter": [{"reference": "Encounter/9"}], "period": {"end": "2020-07-29T21:02:30Z"}},
    })
}

fn document_dstu2() -> Value {
    json!({
        "resourceType": "DocumentReference", "status": "current", "indexed": "2020-07-29T21:02:30Z",
        "docStatus": {"coding": [{"system": "http://hl7.org/fhir/composition-status", "code": "final"}]},
        "type": {"coding": [{"system": "http://loinc.org", "code": "34840-9"}]},
        "subject": {"reference": "Patient/1"}, "context": {"encounter": {"reference": "Encounter/9"}},
        "content": [{"attachment": {"contentType": "application/xhtml+xml;charset=utf-8", "data": "PHAvPg=="}}],
    })
}

fn node(value: &Value) -> Node {
    json::read(&value.to_string()).expect("JSON")
}

/// A document with another value at a place; null takes the place away.
fn changed(mut document: Value, (place, value): &(&str, Value)) -> Value {
    let (parent, name) = place.rsplit_once('/').expect("a place is below the document");
    let parent = document.pointer_mut(parent).expect("there is such a place");
    match (parent, value) {
        (Value::Object(members), Value::Null) => drop(members.remove(name)),
        (Value::Object(members), value) => drop(members.insert(name.to_owned(), value.clone())),
        (parent, _) => panic!("{parent} has no members"),
    }
    document
}

/// What is told of the broken rules: code and element.
fn told(document: &Value, version: Version, original: Option<&Value>) -> Vec<(IssueCode, String)> {
    let original = original.map(node);
    let relative = |url: &str| url.strip_prefix("http://here/r4/").unwrap_or(url).to_owned();
    let broken = broken(&node(document), version, original.as_ref(), &relative);
    let element = |broken: &Broken| {
        broken.expression.strip_prefix("DocumentReference.").expect("an element of it").to_owned()
    };
    broken.iter().map(|broken| (broken.code, element(broken))).collect()
}

/// A change to a document, and what is told of it: one rule, or none.
type Case<'a> = ((&'a str, Value), Option<(IssueCode, &'a str)>);

fn check(document: fn() -> Value, version: Version, original: Option<&Value>, cases: &[Case<'_>]) {
    for (change, expected) in cases {
        let told = told(&changed(document(), change), version, original);
        let expected: Vec<_> =
            expected.iter().map(|(code, element)| (*code, (*element).to_owned())).collect();
        assert_eq!(told, expected, "{change:?}");
    }
}

const RULE: IssueCode = IssueCode::BusinessRule;
const REQUIRED: IssueCode = IssueCode::Required;

#[test]
fn a_document_of_r4_keeps_every_rule_or_is_told_which_not() {
    let own = json!({"system": "https://fhir.cerner.com/ec2458f2/codeSet/72", "code": "2820507"});
    let loinc = json!({"system": "http://loinc.org", "code": "34840-9"});
    let attachment = "/content/0/attachment";
    let at = |name: &str| format!("{attachment}/{name}");
    let (content_type, data, url, creation) = (at("contentType"), at("data"), at("url"), at("creation"));
    let other = json!({"attachment": {"contentType": "text/plain;charset=utf-8", "data": "YQ=="}});
    let cases: &[Case<'_>] = &[
        (("/description", json!("kept")), None),
        (("/relatesTo", json!([{"code": "appends", "target": {"display": "x"}}])), None),
        (("/status", json!("superseded")), Some((RULE, "status"))),
        (("/status", json!("entered-in-error")), Some((RULE, "status"))),
        (("/docStatus", json!("amended")), None),
        (("/docStatus", json!("preliminary")), Some((RULE, "docStatus"))),
        (("/docStatus", Value::Null), Some((REQUIRED, "docStatus"))),
        (("/type", Value::Null), Some((REQUIRED, "type"))),
        (("/type", json!({"text": "note"})), Some((REQUIRED, "type"))),
        (("/type/coding", json!([loinc, loinc])), None),
        (("/type/coding", json!([own])), None),
        (("/type/coding", json!([own, own])), Some((RULE, "type"))),
        (("/type/coding", json!([own, loinc])), Some((RULE, "type"))),
        (("/type/coding", json!([loinc, {"code": "x"}])), Some((RULE, "type"))),
        (("/subject", Value::Null), Some((REQUIRED, "subject"))),
        (("/subject", json!({"reference": "Group/1"})), Some((RULE, "subject"))),
        (("/subject", json!({"reference": "http://here/r4/Patient/1"})), None),
        (("/subject", json!({"display": "somebody"})), Some((RULE, "subject"))),
        (("/author", Value::Null), None),
        (("/author", json!([{"reference": "Patient/1"}])), Some((RULE, "author"))),
        (("/authenticator", json!({"reference": "Practitioner/8"})), None),
        (("/authenticator", json!({"reference": "Organization/8"})), Some((RULE, "authenticator"))),
        (("/content", json!([other, other])), Some((RULE, "content"))),
        ((&content_type, json!("application/pdf")), None),
        ((&content_type, json!("TEXT/RTF; charset=\"UTF-8\"")), None),
        ((&content_type, json!("text/xml;charset=utf-8")), None),
        ((&content_type, json!("application/xhtml+xml;charset=utf-8")), None),
        ((&content_type, json!("text/plain")), Some((RULE, "content[0].attachment.contentType"))),
        (
            (&content_type, json!("text/plain;charset=latin1")),
            Some((RULE, "content[0].attachment.contentType")),
        ),
        ((&content_type, json!("image/png")), Some((RULE, "content[0].attachment.contentType"))),
        ((&content_type, Value::Null), Some((REQUIRED, "content[0].attachment.contentType"))),
        ((&data, Value::Null), Some((REQUIRED, "content[0].attachment.data"))),
        ((&url, json!("Binary/1")), Some((RULE, "content[0].attachment.url"))),
        ((&creation, json!("2020-07-29")), Some((RULE, "content[0].attachment.creation"))),
        ((&creation, Value::Null), None),
        (("/context/encounter", Value::Null), None),
        (
            ("/context/encounter", json!([{"reference": "Encounter/9"}, {"reference": "Encounter/8"}])),
            Some((RULE, "context.encounter")),
        ),
        (
            ("/context/period", json!({"start": "2020-07-29T21:02:30Z"})),
            Some((REQUIRED, "context.period.end")),
        ),
        (("/context/period/end", json!("2020-07-29")), Some((RULE, "context.period.end"))),
        (("/context", Value::Null), Some((REQUIRED, "context.period.end"))),
        (("/implicitRules", json!("http://rules")), Some((IssueCode::NotSupported, "implicitRules"))),
        (("/modifierExtension", json!([{"url": "u"}])), Some((IssueCode::Extension, "modifierExtension"))),
        (
            ("/content/0/modifierExtension", json!([{"url": "u"}])),
            Some((IssueCode::Extension, "content[0].modifierExtension")),
        ),
    ];
    assert_eq!(told(&document_r4(), Version::R4, None), []);
    check(document_r4, Version::R4, None, cases);
}

#[test]
fn a_document_of_dstu2_is_xhtml_of_an_encounter() {
    let cases: &[Case<'_>] = &[
        (("/docStatus", Value::Null), None),
        (("/docStatus", json!({"coding": [{"code": "amended"}]})), Some((RULE, "docStatus"))),
        (("/docStatus", json!({"text": "final"})), Some((RULE, "docStatus"))),
        (("/status", json!("superseded")), Some((RULE, "status"))),
        (("/subject", Value::Null), Some((REQUIRED, "subject"))),
        (("/author", json!([{"reference": "Organization/1"}])), None),
        (
            ("/author", json!([{"reference": "Practitioner/1"}, {"reference": "Practitioner/2"}])),
            Some((RULE, "author")),
        ),
        (("/context", Value::Null), Some((REQUIRED, "context.encounter"))),
        (
            ("/content/0/attachment/contentType", json!("text/html")),
            Some((RULE, "content[0].attachment.contentType")),
        ),
        (
            ("/content/0/attachment/contentType", json!("application/xhtml+xml")),
            Some((RULE, "content[0].attachment.contentType")),
        ),
        (("/content/0/attachment/data", Value::Null), Some((REQUIRED, "content[0].attachment.data"))),
        (
            ("/relatesTo", json!([{"code": "appends", "target": {"display": "x"}}])),
            Some((IssueCode::NotSupported, "relatesTo")),
        ),
    ];
    assert_eq!(told(&document_dstu2(), Version::Dstu2, None), []);
    check(document_dstu2, Version::Dstu2, None, cases);
}

#[test]
fn an_update_stays_with_its_patient_encounter_and_time() {
    let attachment = json!({"contentType": "text/plain;charset=utf-8", "creation": "2020-07-29T21:02:30.000Z",
        "url": "http://here/r4/Binary/b1"});
    let original = changed(document_r4(), &("/content/0/attachment", attachment));
    let read_and_changed = |url: &str| json!({"contentType": "text/plain;charset=utf-8", "creation": "2020-07-29T21:02:30.000Z", "url": url});
    let cases: &[Case<'_>] = &[
        (("/status", json!("entered-in-error")), None),
        (("/docStatus", json!("entered-in-error")), None),
        (("/status", json!("superseded")), Some((RULE, "status"))),
        (("/docStatus", json!("preliminary")), Some((RULE, "docStatus"))),
        (("/subject", json!({"reference": "http://here/r4/Patient/1"})), None),
        (("/subject", json!({"reference": "Patient/2"})), Some((RULE, "subject"))),
        (("/context/encounter", Value::Null), Some((RULE, "context.encounter"))),
        (("/context/encounter", json!([{"reference": "Encounter/8"}])), Some((RULE, "context.encounter"))),
        (("/content/0/attachment/creation", json!("2020-07-29T23:02:30+01:00")), None),
        (
            ("/content/0/attachment/creation", json!("2020-07-29T22:02:29+01:00")),
            Some((RULE, "content[0].attachment.creation")),
        ),
        (("/content/0/attachment", read_and_changed("Binary/b1")), None),
        (("/content/0/attachment", read_and_changed("http://here/r4/Binary/b1")), None),
        (
            ("/content/0/attachment", read_and_changed("Binary/b2")),
            Some((REQUIRED, "content[0].attachment.data")),
        ),
    ];
    for (change, expected) in cases {
        let told = told(&changed(document_r4(), change), Version::R4, Some(&original));
        let expected: Vec<_> =
            expected.iter().map(|(code, element)| (*code, (*element).to_owned())).collect();
        assert_eq!(told, expected, "{change:?}");
    }
}

#[test]
fn every_broken_rule_is_told() {
    let document = changed(document_r4(), &("/docStatus", Value::Null));
    let document = changed(document, &("/subject", Value::Null));
    let document = changed(document, &("/content/0/attachment/data", Value::Null));
    let told: Vec<_> = told(&document, Version::R4, None).into_iter().map(|(_, element)| element).collect();
    assert_eq!(told, ["docStatus", "subject", "content[0].attachment.data"]);
}

#[test]
fn either_status_enters_the_whole_document_in_error() {
    for change in [("/status", json!("entered-in-error")), ("/docStatus", json!("entered-in-error"))] {
        let mut document = node(&changed(document_r4(), &change));
        settle_status(&mut document);
        let both = ["status", "docStatus"].map(|name| document.text_at(name));
        assert_eq!(both, [Some("entered-in-error"); 2], "{change:?}");
    }
    let mut current = node(&document_r4());
    settle_status(&mut current);
    assert_eq!(current, node(&document_r4()));
}
