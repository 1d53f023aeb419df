//! create: a document as its bytes, or inside a Binary resource, in every version.

use reqwest::Method;

use crate::app::{Answer, TestApp};

const VERSIONS: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

async fn post(app: &TestApp, base: &str, content_type: Option<&str>, body: &str) -> Answer {
    let mut request = app.request(Method::POST, &format!("{base}/Binary"));
    if let Some(content_type) = content_type {
        request = request.header("Content-Type", content_type);
    }
    Answer::of(request.body(body.to_owned())).await
}

/// The path of what an answer's Location names, without its version.
fn place(app: &TestApp, answer: &Answer) -> String {
    let location = answer.header("location").strip_prefix(&app.url).expect("on this server");
    location.split("/_history/").next().unwrap().to_owned()
}

#[tokio::test]
async fn bytes_become_a_document_under_an_id_of_ours() {
    let app = TestApp::start();
    for (base, _) in VERSIONS {
        let created = post(&app, base, Some("foo/bar; charset=UTF-8"), "bytes").await;
        assert_eq!((created.status, created.body.len()), (201, 0), "{base}");
        assert_eq!(created.header("etag"), "W/\"1\"");
        assert!(created.header("last-modified").ends_with("GMT"));
        let location = created.header("location");
        assert!(location.starts_with(&format!("{}{base}/Binary/", app.url)), "{location}");
        assert!(location.ends_with("/_history/1"), "{location}");
        let content_location = created.header("content-location");
        assert_eq!(content_location, if base == "/dstu2" { location } else { "" }, "{base}");
        let read = app.get(&place(&app, &created), None).await;
        assert_eq!((read.header("content-type"), read.text().as_str()), ("foo/bar; charset=UTF-8", "bytes"));
    }
}

#[tokio::test]
async fn a_binary_resource_is_unwrapped() {
    let app = TestApp::start();
    for (base, element) in VERSIONS {
        let json = format!(
            "{{\"{element}\":\"aGVs\\nbG8=\",\"resourceType\":\"Binary\",\"id\":\"mine\",\"contentType\":\"text/x\"}}"
        );
        let xml = format!(
            "<?xml version='1.0'?><f:Binary xmlns:f='http://hl7.org/fhir'><f:id value='mine'/>\
             <f:contentType value='text/x'/><f:{element} value='aGVs bG8='/></f:Binary>"
        );
        for (content_type, body) in [
            ("application/fhir+json", &json),
            ("application/json+fhir; charset=utf-8", &json),
            ("application/json", &json),
            ("application/fhir+xml", &xml),
            ("application/xml+fhir", &xml),
            ("text/xml", &xml),
        ] {
            let created = post(&app, base, Some(content_type), body).await;
            assert_eq!(created.status, 201, "{base} {content_type}: {}", created.text());
            let path = place(&app, &created);
            assert!(!path.ends_with("/mine"), "the id inside is not taken");
            let read = app.get(&path, None).await;
            assert_eq!(
                (read.header("content-type"), read.text().as_str()),
                ("text/x", "hello"),
                "{content_type}"
            );
        }
    }
}

#[tokio::test]
async fn another_resource_is_a_document_like_any_other() {
    let app = TestApp::start();
    for (base, _) in VERSIONS {
        for (content_type, body) in [
            ("application/fhir+json", "{\"resourceType\":\"Patient\",\"id\":\"1\"}"),
            ("application/fhir+xml", "<Patient xmlns=\"http://hl7.org/fhir\"/>"),
            ("application/json", "[1,2]"),
            ("application/fhir+json", "not even JSON"),
            ("application/xml", "<!DOCTYPE x><x/>"),
        ] {
            let created = post(&app, base, Some(content_type), body).await;
            assert_eq!(created.status, 201, "{base} {body}: {}", created.text());
            let read = app.get(&place(&app, &created), None).await;
            assert_eq!((read.header("content-type"), read.text().as_str()), (content_type, body));
        }
    }
}

#[tokio::test]
async fn what_is_no_document_is_refused_with_its_place() {
    let app = TestApp::start();
    let fhir = Some("application/fhir+json");
    for (content_type, body, status, code) in [
        (None, "x", 415, "not-supported"),
        (Some("nonsense"), "x", 415, "not-supported"),
        (Some("text/plain"), "", 400, "required"),
        (fhir, r#"{"resourceType":"Binary","contentType":"text/plain"}"#, 400, "required"),
        (fhir, r#"{"resourceType":"Binary","data":"YQ=="}"#, 400, "required"),
        (fhir, r#"{"resourceType":"Binary","contentType":"nonsense","data":"YQ=="}"#, 422, "code-invalid"),
        (fhir, r#"{"resourceType":"Binary","contentType":"a/b","data":"YQ="}"#, 400, "value"),
        (fhir, r#"{"resourceType":"Binary","contentType":"a/b","data":"Y_=="}"#, 400, "value"),
        (fhir, r#"{"resourceType":"Binary","contentType":"a/b","data":"YQ==""#, 400, "structure"),
        (fhir, r#"{"resourceType":"Binary","contentType":"a/b","data":"YQ==","colour":1}"#, 400, "structure"),
        (Some("application/fhir+json; charset=latin1"), "{}", 415, "not-supported"),
        (Some("application/fhir+json; fhirVersion=3.0"), "{}", 415, "not-supported"),
    ] {
        let refused = post(&app, "/r4", content_type, body).await;
        assert_eq!((refused.status, refused.issue_code().as_str()), (status, code), "{body}");
    }
    let history = app.get("/r4/Binary/_history", None).await.json();
    assert_eq!(history["total"], 0, "nothing was stored");
}

#[tokio::test]
async fn a_subset_is_not_taken_for_the_whole() {
    let app = TestApp::start();
    let body = r#"{"resourceType":"Binary","meta":{"tag":[{"system":
        "http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},
        "contentType":"a/b","data":"YQ=="}"#;
    let refused = post(&app, "/r5", Some("application/fhir+json"), body).await;
    assert_eq!((refused.status, refused.issue_code().as_str()), (422, "business-rule"));
}

#[tokio::test]
async fn the_guard_is_named_once_and_lies_on_this_server() {
    let app = TestApp::start();
    let guarded = |content_type: &'static str, guard: String, body: &'static str| {
        let request = app.request(Method::POST, "/r4/Binary").header("Content-Type", content_type);
        Answer::of(request.header("X-Security-Context", guard).body(body))
    };
    let resource = r#"{"resourceType":"Binary","contentType":"a/b","securityContext":{"reference":"Patient/1"},
        "data":"YQ=="}"#;
    let fhir = "application/fhir+json";
    assert_eq!(guarded(fhir, "Patient/1".into(), resource).await.status, 201);
    assert_eq!(guarded(fhir, "Patient/2".into(), resource).await.status, 400);
    let absolute = guarded("text/plain", format!("{}/stu3/Patient/7", app.url), "x").await;
    assert_eq!(absolute.status, 201);
    let read = app.get(&place(&app, &absolute), None).await;
    assert_eq!(read.header("x-security-context"), "Patient/7", "stored relative");
    for guard in ["https://elsewhere.example/Patient/1", "nonsense", "Patient/../1"] {
        assert_eq!(guarded("text/plain", guard.into(), "x").await.status, 422, "{guard}");
    }
}

#[tokio::test]
async fn a_client_gets_back_what_it_prefers() {
    let app = TestApp::start();
    let preferring = |prefer: &'static str, accept: &'static str| {
        let request = app.request(Method::POST, "/r4/Binary").header("Content-Type", "text/plain");
        Answer::of(request.header("Prefer", prefer).header("Accept", accept).body("hello"))
    };
    let native = preferring("return=representation", "*/*").await;
    assert_eq!((native.status, native.text().as_str()), (201, "hello"));
    let resource = preferring("return=representation", "application/fhir+json").await;
    assert_eq!((resource.status, resource.json()["data"].as_str()), (201, Some("aGVsbG8=")));
    assert_eq!(resource.header("preference-applied"), "return=representation");
    let outcome = preferring("return=OperationOutcome", "*/*").await;
    assert_eq!((outcome.status, outcome.issue_code().as_str()), (201, "informational"));
    assert!(preferring("return=minimal", "application/fhir+json").await.body.is_empty());
    let by_default = |accept| preferring("handling=lenient", accept);
    let resource = by_default("application/fhir+json").await;
    assert_eq!((resource.status, resource.json()["data"].as_str()), (201, Some("aGVsbG8=")));
    assert!(by_default("*/*").await.body.is_empty(), "bytes are not sent back unasked");
}
