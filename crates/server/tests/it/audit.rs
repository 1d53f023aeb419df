//! The audit log over HTTP: every request is in it, and nothing changes it.

mod patterns;
pub mod scopes;

use reqwest::Method;
use serde_json::Value;

use crate::{
    app::{self, Answer, TestApp},
    backends::event_id,
};

const RECORDED: &str = "[audit]\nopen_endpoints = true\n";

/// The events that a search finds, newest first.
async fn events(app: &TestApp, search: &str) -> Vec<Value> {
    let answer = app.get(&format!("/r4/AuditEvent?{search}"), "application/fhir+json").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|entry| entry["resource"].clone()).collect()
}

async fn send(app: &TestApp, method: Method, path: &str, body: &'static str) -> Answer {
    let request = app.request(method, path).header("Content-Type", "application/fhir+json").body(body);
    Answer::of(request).await
}

/// A patient with a letter.
async fn letter(app: &TestApp) {
    send(app, Method::PUT, "/r4/Patient/p1", r#"{"resourceType":"Patient","id":"p1"}"#).await;
    let text =
        app.request(Method::PUT, "/r4/Binary/b1").header("Content-Type", "text/plain").body("a letter");
    assert_eq!(Answer::of(text).await.status, 201);
    let document = r#"{"resourceType":"DocumentReference","id":"d1","status":"current",
        "subject":{"reference":"Patient/p1"},"content":[{"attachment":{"url":"Binary/b1"}}]}"#;
    let answer = send(app, Method::PUT, "/r4/DocumentReference/d1", document).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

fn summary(event: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subtype = event["subtype"].as_array().and_then(|codes| codes.last()).map(|code| text(&code["code"]));
    (subtype.unwrap_or_default(), text(&event["action"]), text(&event["outcome"]))
}

#[tokio::test]
async fn a_read_of_a_document_is_found_by_its_patient() {
    let app = TestApp::with(RECORDED);
    letter(&app).await;
    let read = app.request(Method::GET, "/r4/Binary/b1").header("X-Request-Id", "the-read");
    assert_eq!(Answer::of(read).await.status, 200);
    let found = events(&app, "patient=p1&action=R").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(summary(&found[0]), ("read".into(), "R".into(), "0".into()));
    let text = found[0].to_string();
    for said in ["Binary/b1/_history/1", "Patient/p1", "the-read", "127.0.0.1", "110152"] {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert_eq!(events(&app, "entity=Binary/b1&action=R").await, found);
    assert_eq!(events(&app, "patient=p2").await, [] as [Value; 0]);
    assert_eq!(events(&app, "patient=p1&action=R&date=lt2020").await, [] as [Value; 0]);
    let id = found[0]["id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/r4/AuditEvent/{id}"), "application/fhir+json").await.json(), found[0]);
    assert_eq!(app.get("/r5/AuditEvent?patient=p1", None).await.status, 200);
}

#[tokio::test]
async fn every_interaction_and_refusal_is_recorded() {
    let app = TestApp::with(RECORDED);
    letter(&app).await;
    for (method, path, body) in [
        (Method::GET, "/r4/Patient/p1", ""),
        (Method::GET, "/r4/Patient/p1/_history/1", ""),
        (Method::GET, "/r4/Patient/p1/_history", ""),
        (Method::GET, "/r4/DocumentReference?patient=p1", ""),
        (Method::GET, "/r4/Patient/nobody", ""),
        (Method::POST, "/r4/Patient", r#"{"resourceType":"Patient"}"#),
        (Method::DELETE, "/r4/DocumentReference/d1", ""),
    ] {
        send(&app, method, path, body).await;
    }
    let bundle = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":
        {"resourceType":"Patient","id":"p2"},"request":{"method":"PUT","url":"Patient/p2"}}]}"#;
    assert_eq!(send(&app, Method::POST, "/r4", bundle).await.status, 200);
    let found: Vec<_> = events(&app, "_count=100").await.iter().map(summary).rev().collect();
    let expected = [
        ("update", "U", "0"),
        ("update", "U", "0"),
        ("update", "U", "0"),
        ("read", "R", "0"),
        ("vread", "R", "0"),
        ("history-instance", "E", "0"),
        ("search-type", "E", "0"),
        ("read", "R", "4"),
        ("create", "C", "0"),
        ("delete", "D", "0"),
        ("update", "U", "0"),
        ("batch", "E", "0"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(a, b, c)| (a.to_string(), b.to_string(), c.to_string())).collect();
    assert_eq!(found, expected);
    let deleted = &events(&app, "subtype=delete").await[0];
    assert!(
        deleted.to_string().contains("Patient/p1"),
        "a deletion concerns whom the document did: {deleted}"
    );
    let query = &events(&app, "subtype=search-type&patient=p1").await;
    assert!(!query.is_empty(), "a query concerns whom it names");
}

#[tokio::test]
async fn pages_follow_one_another_without_gap() {
    let app = TestApp::with(RECORDED);
    for number in 0..7 {
        app.get(&format!("/r4/Patient/x{number}"), None).await;
    }
    let mut path = "/r4/AuditEvent?action=R&_count=3".to_owned();
    let mut ids = Vec::new();
    loop {
        let page = app.get(&path, "application/fhir+json").await.json();
        for entry in page["entry"].as_array().into_iter().flatten() {
            ids.push(entry["resource"]["id"].as_str().unwrap().to_owned());
        }
        let links = page["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        path = next["url"].as_str().unwrap().strip_prefix(&app.url).unwrap().to_owned();
    }
    assert_eq!(ids, [7, 6, 5, 4, 3, 2, 1].map(event_id));
}

#[tokio::test]
async fn nobody_changes_what_is_recorded() {
    let app = TestApp::with(RECORDED);
    app.get("/r4/Patient/x", None).await;
    let event = r#"{"resourceType":"AuditEvent"}"#;
    for (method, path) in [
        (Method::POST, "/r4/AuditEvent"),
        (Method::PUT, "/r4/AuditEvent/1"),
        (Method::PATCH, "/r4/AuditEvent/1"),
        (Method::DELETE, "/r4/AuditEvent/1"),
        (Method::DELETE, "/r4/AuditEvent?action=R"),
        (Method::GET, "/r4/AuditEvent/1/_history"),
        (Method::GET, "/r4/AuditEvent/_history"),
    ] {
        let answer = send(&app, method.clone(), path, event).await;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
    }
    let bundle = r#"{"resourceType":"Bundle","type":"batch","entry":[{
        "request":{"method":"DELETE","url":"AuditEvent/1"}}]}"#;
    let answer = send(&app, Method::POST, "/r4", bundle).await.json();
    assert!(answer["entry"][0]["response"]["status"].as_str().unwrap().starts_with("405"), "{answer}");
    assert_eq!(events(&app, "action=R").await[0]["id"], event_id(1));
}

#[tokio::test]
async fn open_endpoints_record_and_show_nothing_by_default_and_secured_ones_record_refusals() {
    let app = TestApp::start();
    app.get("/r4/Patient/x", None).await;
    assert_eq!(app.get("/r4/AuditEvent", None).await.status, 403);
    assert_eq!(app.get("/secure/Binary/b7", None).await.status, 401);
    let directory = app.stop();
    let config = directory.path().join("charta.toml");
    let output = app::run(&["audit", "--config", &config.to_string_lossy()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("401") && text.contains("Binary/b7"), "{text}");
    let output = app::run(&["audit", "--config", &config.to_string_lossy(), "--format", "ndjson"]);
    let event: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary(&event), ("read".into(), "R".into(), "4".into()));
    let output = app::run(&["audit", "--config", &config.to_string_lossy(), "--patient", "nobody"]);
    assert_eq!(output.stdout, b"");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_refuses_requests() {
    let app = TestApp::with("[audit]\nopen_endpoints = true\ndurability = \"each\"\n");
    // Nothing is written yet, so the first event begins a file, for which there is no directory.
    std::fs::remove_dir_all(app.data().join("audit")).unwrap();
    assert_eq!(app.get("/r4/Patient/x", None).await.status, 503);
    assert_eq!(app.get("/r4/Patient/x", None).await.status, 503, "refused before anything is looked up");
    assert_eq!(app.get("/r4/metadata", None).await.status, 200);
}

/// What `charta audit` shows of a server that was stopped, line by line.
fn shown(app: TestApp) -> Vec<String> {
    let directory = app.stop();
    let output = app::run(&["audit", "--config", &directory.path().join("charta.toml").to_string_lossy()]);
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_flood_that_the_limits_turn_away_leaves_one_event() {
    let app = TestApp::with(
        "[limits]\nclient_requests_per_second = 1\nclient_requests_burst = 2\nconnections = 50\n",
    );
    let mut refused = 0;
    for _ in 0..40 {
        refused += usize::from(app.get("/secure/Patient/p1", None).await.status == 429);
    }
    assert!(refused > 30, "{refused}");
    for path in ["/secure/metadata", "/secure/.well-known/smart-configuration"] {
        app.get(path, None).await;
    }
    let metrics = app.get("/metrics", None).await.text();
    assert!(metrics.contains("status=\"429\""), "every one is counted: {metrics}");
    let lines = shown(app);
    let of = |status: &str| lines.iter().filter(|line| line.contains(status)).count();
    assert_eq!((of(" 429"), of(" 401")), (1, 40 - refused), "{lines:?}");
    assert_eq!(lines.len(), 41 - refused, "nothing of what is public: {lines:?}");
}

#[tokio::test]
async fn a_bad_token_is_a_refusal_that_is_recorded_without_the_token() {
    let app = TestApp::with("[[issuer]]\ndevelopment = true");
    let good = scopes::token(&app, "user/*.rs", &[]);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for token in ["opaque-and-secret", &forged, "a.b.c"] {
        let request = app.request(Method::GET, "/secure/Patient/p1").bearer_auth(token);
        assert_eq!(Answer::of(request).await.status, 401, "{token}");
    }
    let lines = shown(app);
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in &lines {
        assert!(line.contains("401") && line.contains("Patient/p1"), "{line}");
        assert!(
            !line.contains("secret") && !line.contains(signature) && !line.contains("charta-token"),
            "{line}"
        );
    }
}
