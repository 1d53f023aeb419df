//! `$view`: CDA documents as pages, for whoever may read them.

use reqwest::Method;
use serde_json::Value;

use crate::{
    app::{Answer, TestApp},
    command::{charta, text},
};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const CCD: &str = include_str!("../../../../testdata/demo/ccd.xml");
const CDA: &str = "<ClinicalDocument xmlns='urn:hl7-org:v3'><title>Letter</title><languageCode code='de'/><component>\
    <structuredBody><component><section><title>Findings</title><text>Fine.</text></section></component></structuredBody>\
    </component></ClinicalDocument>";

async fn with_documents() -> TestApp {
    let app = TestApp::start();
    app.put("/r4/Binary/ccd", "text/xml", CCD).await;
    app.put("/r4/Binary/cda", "application/hl7-v3+xml", CDA).await;
    app
}

fn assert_page(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}");
    assert!(answer.text().starts_with("<!DOCTYPE html>"), "{what}");
}

async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = app.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn a_stored_document_is_a_page_in_every_version() {
    let app = with_documents().await;
    for version in ["dstu2", "stu3", "r4", "r4b", "r5"] {
        for accept in [None, Some(BROWSER), Some("text/html"), Some("*/*")] {
            let page = app.get(&format!("/{version}/Binary/ccd/$view"), accept).await;
            assert_page(&page, version);
            let text = page.text();
            assert!(
                text.contains("<h2>Ida Htest Testperson</h2>") && text.contains("Penicillin G"),
                "{version}"
            );
            assert!(
                text.contains(&format!("{}/{version}/Binary/ccd\"", app.url)),
                "the way to the document itself"
            );
        }
    }
}

#[tokio::test]
async fn a_page_says_how_a_browser_is_to_treat_it() {
    let app = with_documents().await;
    let page = app.get("/r4/Binary/cda/$view", BROWSER).await;
    assert_page(&page, "a letter");
    let policy = page.header("content-security-policy");
    for part in
        ["default-src 'none'", "style-src 'sha256-", "img-src data:", "frame-ancestors 'none'", "sandbox"]
    {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("script") && !policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for (name, value) in [
        ("content-disposition", "inline; filename=\"document.html\""),
        ("content-language", "de"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "private, no-store"),
        ("x-frame-options", "DENY"),
        ("etag", "W/\"1-view1\""),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_client_that_names_a_fhir_type_gets_a_binary_that_holds_the_page() {
    let app = with_documents().await;
    let page = app.get("/r4/Binary/cda/$view", None).await;
    for (path, accept) in
        [("/r4/Binary/cda/$view", "application/fhir+json"), ("/r4/Binary/cda/$view?_format=json", BROWSER)]
    {
        let answer = app.get(path, accept).await;
        let binary = answer.json();
        assert_eq!(
            (&binary["resourceType"], &binary["contentType"]),
            (&"Binary".into(), &"text/html; charset=utf-8".into())
        );
        let data = base64_simd::STANDARD.decode_to_vec(binary["data"].as_str().unwrap()).unwrap();
        assert!(data == page.body, "{path}");
    }
    let strict = app.get("/strict/Binary/cda/$view", "application/pdf").await;
    assert_eq!((strict.status, strict.issue_code().as_str()), (406, "not-supported"));
}

#[tokio::test]
async fn a_page_that_the_client_has_is_not_sent_again() {
    let app = with_documents().await;
    let known = |tag: &'static str| [("If-None-Match", tag)];
    assert_eq!(get(&app, "/r4/Binary/cda/$view", &known("W/\"1-view1\"")).await.status, 304);
    // The tag of the document itself says nothing about the page.
    assert_page(&get(&app, "/r4/Binary/cda/$view", &known("\"1-n\"")).await, "another tag");
    app.put("/r4/Binary/cda", "text/xml", CDA.replace("Fine", "Worse")).await;
    let changed = get(&app, "/r4/Binary/cda/$view", &known("W/\"1-view1\"")).await;
    assert_page(&changed, "another version");
    assert!(changed.text().contains("Worse."));
}

#[tokio::test]
async fn a_page_is_compressed_and_has_its_length() {
    let app = with_documents().await;
    let whole = app.get("/r4/Binary/ccd/$view", None).await;
    assert_eq!(whole.header("content-length"), whole.body.len().to_string());
    let head = Answer::of(app.request(Method::HEAD, "/r4/Binary/ccd/$view")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), whole.body.len().to_string());
    let coded = get(&app, "/r4/Binary/ccd/$view", &[("Accept-Encoding", "gzip")]).await;
    assert_eq!(coded.header("content-encoding"), "gzip");
    assert!(coded.body.len() < whole.body.len() / 2);
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_with_its_reason() {
    let app = TestApp::start();
    let deep = format!("<ClinicalDocument xmlns='urn:hl7-org:v3'>{}", "<a>".repeat(200));
    for (content_type, bytes, status, code) in [
        ("application/pdf", "%PDF-1.4", 406, "not-supported"),
        ("application/xml", "<html/>", 406, "not-supported"),
        ("text/xml", "Dear colleague", 406, "not-supported"),
        ("text/xml", "<ClinicalDocument xmlns='urn:hl7-org:v3'><a>", 422, "processing"),
        ("text/xml", "<!DOCTYPE a []><ClinicalDocument xmlns='urn:hl7-org:v3'/>", 422, "processing"),
        ("text/xml", "<?xml version='1.0' encoding='UTF-7'?><a/>", 422, "processing"),
        ("text/xml", &*deep, 422, "too-costly"),
    ] {
        app.put("/r4/Binary/x", content_type, bytes).await;
        let answer = app.get("/r4/Binary/x/$view", "text/html").await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (status, code), "{bytes:.60}");
        assert_eq!(answer.essence(), "application/fhir+json", "and never as HTML");
    }
    let large = format!("<ClinicalDocument xmlns='urn:hl7-org:v3'>{}", " ".repeat(16 << 20));
    app.put("/r4/Binary/x", "text/xml", large).await;
    let answer = app.get("/r4/Binary/x/$view", "text/html").await;
    assert_eq!((answer.status, answer.issue_code().as_str()), (422, "too-costly"));
}

#[tokio::test]
async fn what_is_not_there_is_not_there_as_a_page() {
    let app = with_documents().await;
    assert_eq!(app.get("/r4/Binary/nobody/$view", BROWSER).await.status, 404);
    let deleted = Answer::of(app.request(Method::DELETE, "/r4/Binary/cda")).await;
    assert!(matches!(deleted.status, 200 | 204));
    assert_eq!(app.get("/r4/Binary/cda/$view", BROWSER).await.status, 410);
    assert_eq!(app.get("/r4/Patient/ccd/$view", BROWSER).await.status, 404);
    assert_eq!(app.get("/r4/Binary/ccd/_history/1/$view", BROWSER).await.status, 404);
    assert_eq!(Answer::of(app.request(Method::PUT, "/r4/Binary/ccd/$view")).await.status, 405);
}

fn token(app: &TestApp, arguments: &[&str]) -> String {
    let data = app.data();
    charta(&[&["token", "--data", text(&data)], arguments].concat()).ok().trim_end().to_owned()
}

#[tokio::test]
async fn whoever_may_read_the_document_may_see_the_page_and_nobody_else() {
    let app = TestApp::with("[[issuer]]\ndevelopment = true");
    app.put("/r4/Binary/cda", "text/xml", CDA).await;
    for patient in ["p1", "p2"] {
        let body = format!(r#"{{"resourceType":"Patient","id":"{patient}"}}"#);
        app.put(&format!("/r4/Patient/{patient}"), "application/fhir+json", body).await;
    }
    let letter = r#"{"resourceType":"DocumentReference","id":"d","status":"current","subject":{"reference":"Patient/p1"},"content":[{"attachment":{"url":"Binary/cda"}}]}"#;
    app.put("/r4/DocumentReference/d", "application/fhir+json", letter).await;
    let both = "patient/Binary.rs patient/DocumentReference.rs";
    for (arguments, status) in [
        (&["--scope", both, "--patient", "p1"][..], 200),
        (&["--scope", both, "--patient", "p2"], 404),
        (&["--scope", "patient/DocumentReference.rs", "--patient", "p1"], 403),
        (&["--scope", "system/*.rs"], 200),
    ] {
        let token = token(&app, arguments);
        for path in ["/secure/Binary/cda", "/secure/Binary/cda/$view"] {
            let answer = Answer::of(app.request(Method::GET, path).bearer_auth(&token)).await;
            assert_eq!(answer.status, status, "{path} {arguments:?}");
        }
    }
    assert_eq!(app.get("/secure/Binary/cda/$view", BROWSER).await.status, 401);
}

#[tokio::test]
async fn a_look_at_a_page_is_recorded_like_a_read() {
    let app = TestApp::with("[audit]\nopen_endpoints = true\n");
    app.put("/r4/Patient/p1", "application/fhir+json", r#"{"resourceType":"Patient","id":"p1"}"#).await;
    app.put("/r4/Binary/cda", "text/xml", CDA).await;
    let letter = r#"{"resourceType":"DocumentReference","id":"d","status":"current","subject":{"reference":"Patient/p1"},"content":[{"attachment":{"url":"Binary/cda"}}]}"#;
    app.put("/r4/DocumentReference/d", "application/fhir+json", letter).await;
    let seen = get(&app, "/r4/Binary/cda/$view", &[("X-Request-Id", "the-look")]).await;
    assert_page(&seen, "a letter");
    let events = app.get("/r4/AuditEvent?patient=p1&action=E", "application/fhir+json").await.json();
    let events: Vec<&Value> = events["entry"].as_array().into_iter().flatten().collect();
    let found = events.iter().find(|event| event.to_string().contains("the-look")).expect("it is recorded");
    assert!(found.to_string().contains("Binary/cda/_history/1"), "{found}");
}

#[tokio::test]
async fn a_record_is_a_page_too() {
    let app = TestApp::start();
    let patient = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Testperson","given":["Nora"]}],"birthDate":"1961-03-14","gender":"female"}"#;
    app.put("/r4/Patient/p1", "application/fhir+json", patient).await;
    let allergy = r#"{"resourceType":"AllergyIntolerance","id":"a","patient":{"reference":"Patient/p1"},"code":{"text":"Peanut <b>"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]}}"#;
    app.put("/r4/AllergyIntolerance/a", "application/fhir+json", allergy).await;
    let page = app.get("/r4/Binary/$view?patient=p1", BROWSER).await;
    assert_page(&page, "a record");
    let text = page.text();
    assert!(text.contains("<h2>Nora Testperson</h2>") && text.contains("Peanut &lt;b&gt;"), "{text}");
    assert_eq!(page.header("etag"), "", "it is made anew each time");
    for (path, status) in [
        ("/r4/Binary/$view", 400),
        ("/r4/Binary/$view?patient=nobody", 404),
        ("/r4/Binary/$view?patient=p1&start=yesterday", 400),
    ] {
        assert_eq!(app.get(path, BROWSER).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_operations_are_declared_and_defined() {
    let app = TestApp::start();
    for version in ["dstu2", "stu3", "r4", "r4b", "r5"] {
        for id in ["binary-view", "binary-view-record"] {
            let definition =
                app.get(&format!("/{version}/OperationDefinition/{id}"), "application/json").await.json();
            assert_eq!(
                (&definition["code"], &definition["instance"]),
                (&"view".into(), &(id == "binary-view").into())
            );
            let statement = app.get(&format!("/{version}/metadata"), "application/json").await.text();
            assert!(statement.contains(&format!("/OperationDefinition/{id}")), "{version}");
        }
    }
}
