//! The patterns of IHE BALP that real requests leave in the log. What each asks for is compared rule by rule in
//! `crates/fhir/src/represent/audit_event/balp.rs`.

use reqwest::Method;
use serde_json::{Value, json};

use super::scopes::token;
use crate::app::{Answer, TestApp};

const FHIR: &str = "application/fhir+json";

/// What is asked: method, path, type and body; and the pattern, action and outcome of each event that it leaves.
type Row =
    (Method, &'static str, &'static str, String, &'static [(&'static str, &'static str, &'static str)]);

fn pattern(event: &Value) -> &str {
    let profile = event["meta"]["profile"][0].as_str().unwrap_or("none");
    profile
        .strip_prefix("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.")
        .unwrap_or(profile)
}

/// References of the entities, in order.
fn entities(event: &Value) -> Vec<&str> {
    let entities = event["entity"].as_array().map(Vec::as_slice).unwrap_or_default();
    entities.iter().filter_map(|entity| entity["what"]["reference"].as_str()).collect()
}

async fn events(app: &TestApp, caller: &str, search: &str) -> Vec<Value> {
    let request = app.request(Method::GET, &format!("/secure/AuditEvent?{search}")).bearer_auth(caller);
    let found = Answer::of(request.header("Accept", FHIR)).await.json();
    let entries = found["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|entry| entry["resource"].clone()).collect()
}

#[tokio::test]
async fn every_kind_of_request_leaves_its_pattern() {
    let app = TestApp::with("[[issuer]]\ndevelopment = true");
    let caller = token(&app, "system/*.cruds system/AuditEvent.rs", &["--client", "ward"]);
    let document = |binary: &str| {
        json!({"resourceType": "DocumentReference", "id": "d1", "status": "current",
            "subject": {"reference": "Patient/p1"}, "content": [{"attachment": {"url": binary}}]})
        .to_string()
    };
    let patient = r#"{"resourceType":"Patient","id":"p1"}"#.to_owned();
    let organization = r#"{"resourceType":"Organization","name":"x"}"#.to_owned();
    let patch = r#"[{"op":"add","path":"/birthDate","value":"2001-02-03"}]"#.to_owned();
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": "Patient/p1"}}, {"request": {"method": "GET", "url": "Patient/none"}}]});
    let json_patch = "application/json-patch+json";
    let rows: Vec<Row> = vec![
        (Method::PUT, "Patient/p1", FHIR, patient.clone(), &[("PatientUpdate", "U", "0")]),
        (Method::POST, "Organization", FHIR, organization, &[("Create", "C", "0")]),
        (
            Method::POST,
            "Patient",
            FHIR,
            patient.replace(",\"id\":\"p1\"", ""),
            &[("PatientCreate", "C", "0")],
        ),
        (Method::PUT, "Binary/b1", "text/plain", "a letter".into(), &[("Update", "U", "0")]),
        (Method::GET, "Binary/b1", "", String::new(), &[("Read", "R", "0")]),
        (Method::PUT, "DocumentReference/d1", FHIR, document("Binary/b1"), &[("PatientUpdate", "U", "0")]),
        (Method::GET, "Binary/b1", "", String::new(), &[("PatientRead", "R", "0")]),
        (Method::GET, "Binary/b1/_history/1", "", String::new(), &[("PatientRead", "R", "0")]),
        (Method::GET, "DocumentReference/d1", "", String::new(), &[("PatientRead", "R", "0")]),
        (Method::GET, "DocumentReference?patient=p1", "", String::new(), &[("PatientQuery", "E", "0")]),
        (Method::GET, "Organization?name=x", "", String::new(), &[("Query", "E", "0")]),
        (Method::GET, "DocumentReference/d1/_history", "", String::new(), &[("none", "E", "0")]),
        (Method::PATCH, "Patient/p1", json_patch, patch, &[("PatientUpdate", "U", "0")]),
        (Method::GET, "Patient/none", "", String::new(), &[("none", "R", "4")]),
        (Method::POST, "Patient", FHIR, "no resource".into(), &[("none", "C", "4")]),
        (Method::GET, "Patient/p1/$unknown?patient=p1", "", String::new(), &[("none", "E", "4")]),
        (
            Method::POST,
            "",
            FHIR,
            batch.to_string(),
            &[("PatientRead", "R", "0"), ("none", "R", "4"), ("none", "E", "0")],
        ),
        (Method::DELETE, "DocumentReference/d1", "", String::new(), &[("PatientDelete", "D", "0")]),
        // Nothing says any more whose it was.
        (Method::DELETE, "Binary/b1", "", String::new(), &[("Delete", "D", "0")]),
    ];
    for (number, (method, path, content_type, body, expected)) in rows.into_iter().enumerate() {
        let name = format!("row-{number}-");
        let request = app.request(method.clone(), &format!("/secure/{path}")).bearer_auth(&caller);
        let mut request = request.header("X-Request-Id", &name);
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type).body(body);
        }
        let answer = Answer::of(request).await;
        let events = events(&app, &caller, "_count=100").await;
        let mut left: Vec<&Value> = events.iter().filter(|event| event.to_string().contains(&name)).collect();
        left.reverse();
        let code = |event: &'_ Value, member: &str| event[member].as_str().unwrap_or_default().to_owned();
        let seen: Vec<_> = left
            .iter()
            .map(|event| (pattern(event), code(event, "action"), code(event, "outcome")))
            .collect();
        let seen: Vec<_> =
            seen.iter().map(|(name, action, outcome)| (*name, &**action, &**outcome)).collect();
        assert_eq!(seen, expected, "{method} {path}: {} {}", answer.status, answer.text());
        if path.starts_with("Binary/b1") && seen[0].0 == "PatientRead" {
            assert_eq!(
                entities(left[0]),
                ["Binary/b1/_history/1", "Patient/p1"],
                "the patient of the anchor"
            );
        }
    }
}

#[tokio::test]
async fn an_operation_is_recorded_as_one_with_what_was_asked() {
    let app = TestApp::with("[[issuer]]\ndevelopment = true");
    let caller = token(&app, "system/*.rs system/AuditEvent.rs", &["--client", "ward"]);
    for path in
        ["DocumentReference/$unknown?patient=p1", "Binary/$unknown?patient=Patient/p1", "$unknown?patient=p1"]
    {
        let request = app.request(Method::GET, &format!("/secure/{path}")).bearer_auth(&caller);
        assert_eq!(Answer::of(request).await.status, 404, "{path}");
    }
    let events = events(&app, &caller, "patient=p1&subtype=operation").await;
    assert_eq!(events.len(), 3, "{events:?}");
    for event in &events {
        assert_eq!((&event["type"]["code"], &event["action"]), (&json!("rest"), &json!("E")));
        assert_eq!(event["subtype"].as_array().map(Vec::len), Some(1), "{event}");
        let query = event["entity"].as_array().unwrap().iter().find_map(|entity| entity["query"].as_str());
        let text = base64_simd::STANDARD.decode_to_vec(query.expect("what was asked")).expect("base64");
        assert!(String::from_utf8(text).unwrap().contains("$unknown?patient="), "{event}");
    }
}
