//! What labels keep from a caller is said to be withheld, and is not there.

use serde_json::{Value, json};

use super::*;
use crate::app::run;

const SECURED: &str = r#"
[[issuer]]
development = true
[[endpoint]]
path = "/s"
fhir = "R4"
auth = "smart"
[confidentiality]
restricted = { scopes = ["sensitive"] }
"#;

const WITHHELD: &str = "Some information is withheld from this document.";

fn labelled(mut resource: Value) -> Value {
    resource["meta"] = json!({"security": [{
        "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]});
    resource
}

fn token(app: &TestApp, scope: &str, more: &[&str]) -> String {
    let configuration = app.directory.path().join("charta.toml");
    let mut all = vec!["token", "--config", configuration.to_str().expect("UTF-8"), "--scope", scope];
    all.extend(more);
    let output = run(&all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn made(app: &TestApp, scope: &str, patient: &str) -> Answer {
    let request = app.request(Method::GET, &format!("/s/{MAKE}?patient={patient}"));
    Answer::of(request.bearer_auth(token(app, scope, &[]))).await
}

/// The section with this LOINC code.
fn section<'t>(text: &'t str, code: &str) -> &'t str {
    let at =
        text.find(&format!("<code code=\"{code}\"")).unwrap_or_else(|| panic!("no section {code}: {text}"));
    let start = text[..at].rfind("<section").expect("it begins");
    text[start..].split("</section>").next().unwrap_or_default()
}

const SCOPES: &str = "user/Binary.rs user/DocumentReference.rs";
const RESULTS: &str = "30954-2";
const ALLERGIES: &str = "48765-2";
const NOTES: &str = "34109-9";

#[tokio::test]
async fn a_labelled_part_is_left_out_and_said_to_be() {
    let app = TestApp::with(SECURED);
    let record = Record::new("1");
    record.patient(&app, "/r4").await;
    record.result(&app, "/r4", "Sodium", "2015-03-04").await;
    put(&app, "/r4", &labelled(record.observation("Secret test", "2015-03-05"))).await;
    let allergy = json!({"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/1"},
        "code": {"text": "Secret substance"}});
    put(&app, "/r4", &labelled(allergy)).await;

    let text = made(&app, SCOPES, "1").await.text();
    assert!(!text.contains("Secret"), "{text}");
    let results = section(&text, RESULTS);
    assert!(results.contains("Sodium") && results.contains(WITHHELD), "{results}");
    // Where nothing is left the section is masked, which is not the same as nothing known.
    let allergies = section(&text, ALLERGIES);
    assert!(
        allergies.starts_with("<section nullFlavor=\"MSK\">") && allergies.contains(WITHHELD),
        "{allergies}"
    );
    assert!(!section(&text, "10160-0").contains(WITHHELD), "nothing of the medications is withheld");

    let text = made(&app, &format!("{SCOPES} sensitive"), "1").await.text();
    assert!(section(&text, RESULTS).contains("Secret test"), "{text}");
    assert!(section(&text, ALLERGIES).contains("Secret substance"), "{text}");
    assert!(!text.contains(WITHHELD), "{text}");
}

#[tokio::test]
async fn the_words_of_a_labelled_note_are_withheld() {
    let app = TestApp::with(SECURED);
    Record::new("1").patient(&app, "/r4").await;
    let note = |id: &str, binary: &str| {
        json!({"resourceType": "DocumentReference", "id": id, "status": "current", "type": {"text": "Progress note"},
            "subject": {"reference": "Patient/1"}, "date": "2015-03-04T10:00:00Z",
            "content": [{"attachment": {"contentType": "text/plain", "url": format!("Binary/{binary}")}}]})
    };
    let binary = |id: &str, text: &str| {
        json!({"resourceType": "Binary", "id": id, "contentType": "text/plain",
            "data": BASE64.encode_to_string(text)})
    };
    put(&app, "/r4", &binary("open", "Open words.")).await;
    put(&app, "/r4", &labelled(binary("secret", "Secret words."))).await;
    put(&app, "/r4", &note("open", "open")).await;
    put(&app, "/r4", &note("half-secret", "secret")).await;
    let text = made(&app, SCOPES, "1").await.text();
    assert!(text.contains("Open words.") && !text.contains("Secret words."), "{text}");
    assert!(section(&text, NOTES).contains(WITHHELD), "{text}");
    let text = made(&app, &format!("{SCOPES} sensitive"), "1").await.text();
    assert!(text.contains("Secret words.") && !text.contains(WITHHELD), "{text}");
}

#[tokio::test]
async fn a_labelled_patient_has_no_document() {
    let app = TestApp::with(SECURED);
    let patient = json!({"resourceType": "Patient", "id": "1", "birthDate": "1975-05-01"});
    put(&app, "/r4", &labelled(patient)).await;
    assert_eq!(made(&app, SCOPES, "1").await.status, 404);
    assert_eq!(made(&app, &format!("{SCOPES} sensitive"), "1").await.status, 200);
    let request = app.request(Method::GET, "/s/DocumentReference/$docref?patient=1");
    let found = Answer::of(request.bearer_auth(token(&app, SCOPES, &[]))).await;
    assert_eq!(found.json()["total"], 0, "as if there were none");
}

#[tokio::test]
async fn another_patients_record_stays_out() {
    let app = TestApp::with(SECURED);
    for patient in ["1", "2"] {
        let record = Record::new(patient);
        record.patient(&app, "/r4").await;
        record.result(&app, "/r4", &format!("Result of {patient}"), "2015-03-04").await;
    }
    // One that refers to both patients is about its subject alone.
    let mut shared = Record::new("2").observation("Reported result", "2015-03-05");
    shared["performer"] = json!([{"reference": "Patient/1"}]);
    put(&app, "/r4", &shared).await;
    let scope = "patient/Binary.rs patient/DocumentReference.rs";
    let get = async |patient: &str| {
        let request = app.request(Method::GET, &format!("/s/{MAKE}?patient={patient}"));
        Answer::of(request.bearer_auth(token(&app, scope, &["--patient", "1"]))).await
    };
    let text = get("1").await.text();
    assert!(text.contains("Result of 1"), "{text}");
    assert!(!text.contains("Result of 2") && !text.contains("Reported result"), "{text}");
    assert_eq!(get("2").await.status, 404);
}

/// A scope with a constraint opens what fulfils it: the document is one of the type 34133-9.
#[tokio::test]
async fn a_constraint_is_held_against_the_document() {
    let app = TestApp::with(SECURED);
    Record::new("1").patient(&app, "/r4").await;
    for (constraint, expected) in [
        ("type=http://loinc.org|34133-9", 200),
        ("category=clinical-note", 200),
        ("type=http://loinc.org|34117-2", 403),
    ] {
        let scope = format!("user/Binary.rs user/DocumentReference.rs?{constraint}");
        assert_eq!(made(&app, &scope, "1").await.status, expected, "{constraint}");
    }
}

#[tokio::test]
async fn every_document_is_in_the_audit_log_of_its_patient() {
    let app = TestApp::with(SECURED);
    Record::new("1").patient(&app, "/r4").await;
    assert_eq!(made(&app, SCOPES, "1").await.status, 200);
    let request = app.request(Method::GET, "/s/AuditEvent?patient=1");
    let bundle = Answer::of(request.bearer_auth(token(&app, "user/AuditEvent.rs", &[]))).await.json();
    let subtypes: Vec<_> = bundle["entry"]
        .as_array()
        .expect("events")
        .iter()
        .map(|entry| entry["resource"]["subtype"][0]["code"].clone())
        .collect();
    assert_eq!(subtypes, ["operation"], "{bundle}");
    let entities = bundle["entry"][0]["resource"]["entity"].to_string();
    assert!(entities.contains("Patient/1"), "{entities}");
}

#[tokio::test]
async fn a_refusal_names_the_scopes_that_it_takes() {
    let app = TestApp::with(SECURED);
    for (path, scopes) in [
        (format!("/s/{MAKE}?patient=1"), "user/Binary.r user/DocumentReference.r"),
        ("/s/DocumentReference/$docref?patient=1".to_owned(), "user/DocumentReference.rs"),
    ] {
        let request = app.request(Method::GET, &path).bearer_auth(token(&app, "user/Patient.rs", &[]));
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 403, "{path}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(&format!("scope=\"{scopes}\"")), "{challenge}");
        let enough = app.request(Method::GET, &path).bearer_auth(token(&app, scopes, &[]));
        assert_ne!(Answer::of(enough).await.status, 403, "{path}");
    }
}
