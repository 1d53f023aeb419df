//! Text from outside that wants to be something else.

use crate::support::{Element, document, faults, node, request, written};

const HOSTILE: &str = r#"]]></text></section><script>alert(1)</script>\u0000\u0008\uFFFE&lt;\" <!-- "#;

#[test]
fn text_stays_text_wherever_it_stands() {
    let resources = [
        r#"{"resourceType":"Condition","id":"c","code":{"text":"@","coding":[{"system":"@","code":"@","display":"@"}]},"note":[{"text":"@"}]}"#,
        r#"{"resourceType":"Observation","id":"o","status":"@","code":{"text":"@"},"valueQuantity":{"value":1,"unit":"@","code":"@"}}"#,
        r#"{"resourceType":"Observation","id":"p","code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"category":[{"coding":[{"code":"vital-signs"}]}],"valueQuantity":{"value":1,"unit":"@"}}"#,
        r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","medicationCodeableConcept":{"text":"@"},"dosageInstruction":[{"text":"@","route":{"text":"@"}}]}"#,
        r#"{"resourceType":"Practitioner","id":"d","name":[{"family":"@","given":["@"]}],"telecom":[{"system":"phone","value":"@"}],"identifier":[{"system":"@","value":"@"}],"address":[{"line":["@"],"city":"@","state":"@"}]}"#,
        r#"{"resourceType":"Procedure","id":"q","status":"completed","code":{"text":"@"},"performer":[{"actor":{"reference":"Practitioner/d"}}],"performedString":"@"}"#,
        r#"{"resourceType":"CarePlan","id":"k","status":"active","text":{"div":"<div><script>x</script>@</div>"},"title":"@"}"#,
    ];
    let texts: Vec<String> = resources.iter().map(|text| text.replace('@', HOSTILE)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let root = document(&texts, request());
    assert!(root.named("script").is_empty());
    assert!(root.section("11450-4").expect("problems").text().contains("<script>alert(1)</script>"));
}

#[test]
fn what_xml_cannot_say_is_left_out() {
    let patient = r#"{"resourceType":"Patient","id":"1","name":[{"family":"A\u0001B\u000BC\uFFFFD","given":["\u0002"]}]}"#;
    let text = written(&[node(patient)], request());
    let root = Element::read(&text).expect("well-formed");
    assert_eq!(root.named("family")[0].text(), "ABCD");
    assert!(text.chars().all(|c| c == '\n' || c == '\t' || (c >= ' ' && c != '\u{FFFE}' && c != '\u{FFFF}')));
}

#[test]
fn a_name_that_cannot_be_seen_leaves_no_heading_empty() {
    for category in ["functional-status", "laboratory", "social-history"] {
        let unseen = format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","category":[{{"coding":[{{"code":"{category}"}}]}}],
            "code":{{"text":"\u0001\uFFFE"}},"valueString":"with a stick"}}"#
        );
        let root = document(&[&unseen], request());
        assert_eq!(faults(&root), Vec::<String>::new(), "{category}");
    }
}

#[test]
fn a_text_that_cannot_be_seen_is_no_text() {
    for unseen in [
        r#"{"resourceType":"Device","id":"d","patient":{"reference":"Patient/1"},"type":{"text":"\u0001\uFFFE"}}"#,
        r#"{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"\uFFFF"},"valueString":"\u0001"}"#,
        r#"{"resourceType":"Procedure","id":"p","status":"completed","code":{"text":"\u0001 \uFFFE"}}"#,
    ] {
        let root = document(&[unseen], request());
        assert_eq!(faults(&root), Vec::<String>::new(), "{unseen}");
    }
}

#[test]
fn html_in_a_note_is_shown_as_text() {
    // `<p>Fine.</p><script>alert(1)</script>`
    let note = r#"{"resourceType":"DocumentReference","id":"n","status":"current","type":{"text":"Progress note"},"date":"2020-01-01T10:00:00Z",
        "content":[{"attachment":{"contentType":"text/html","data":"PHA+RmluZS48L3A+PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}}]}"#;
    let root = document(&[note], request());
    let text = root.section("34109-9").expect("notes").text();
    assert!(text.contains("Fine.") && !text.contains("alert"), "{text}");
}
