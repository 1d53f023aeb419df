//! Who may read the audit log: those whose scopes name it, each as far as they reach; and nobody adds to it.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    backends::event_id,
    command::{charta, text},
};

const TRUSTING: &str = "[[issuer]]\ndevelopment = true";
const FHIR: &str = "application/fhir+json";

/// A token for these scopes, and what else `charta token` is told.
pub fn token(app: &TestApp, scope: &str, more: &[&str]) -> String {
    let data = app.data();
    let output = charta(&[&["token", "--data", text(&data), "--scope", scope], more].concat()).ok();
    output.trim_end().to_owned()
}

fn with(app: &TestApp, token: &str, method: Method, path: &str) -> RequestBuilder {
    app.request(method, &format!("/secure/{path}")).bearer_auth(token).header("Accept", FHIR)
}

async fn get(app: &TestApp, token: &str, path: &str) -> Answer {
    Answer::of(with(app, token, Method::GET, path)).await
}

/// The resources of a searchset. Reads of events are events too; they are left out.
async fn found(app: &TestApp, token: &str, search: &str) -> Vec<Value> {
    let answer = get(app, token, search).await;
    assert_eq!(answer.status, 200, "{search}: {}", answer.text());
    let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
    let resources = entries.into_iter().map(|entry| entry["resource"].clone());
    resources.filter(|event| !event.to_string().contains("AuditEvent/")).collect()
}

/// Two patients with a letter each, and that a practitioner and an app read them.
async fn read_letters(app: &TestApp) {
    for n in ["1", "2"] {
        app.put(&format!("/r4/Patient/p{n}"), FHIR, format!(r#"{{"resourceType":"Patient","id":"p{n}"}}"#))
            .await;
        app.put(&format!("/r4/Binary/b{n}"), "text/plain", "a letter").await;
        let document = json!({"resourceType": "DocumentReference", "id": format!("d{n}"), "status": "current",
            "subject": {"reference": format!("Patient/p{n}")},
            "content": [{"attachment": {"url": format!("Binary/b{n}")}}]});
        app.put(&format!("/r4/DocumentReference/d{n}"), FHIR, document.to_string()).await;
    }
    let practitioner = token(app, "user/*.rs", &["--user", "Practitioner/7", "--client", "ward"]);
    for path in ["Binary/b1", "Binary/b2", "DocumentReference/d2"] {
        assert_eq!(get(app, &practitioner, path).await.status, 200, "{path}");
    }
    let backend = token(app, "system/*.rs", &["--client", "archive"]);
    assert_eq!(get(app, &backend, "Patient/p1").await.status, 200);
}

#[tokio::test]
async fn whose_scopes_name_it_finds_events_by_patient_date_agent_and_entity() {
    let app = TestApp::with(TRUSTING);
    read_letters(&app).await;
    for scope in ["system/AuditEvent.rs", "user/AuditEvent.rs", "system/AuditEvent.read"] {
        let auditor = token(&app, scope, &[]);
        for (search, number) in [
            ("patient=p1", 2),
            ("patient=Patient/p2", 2),
            ("patient=p1,p2", 4),
            ("patient=nobody", 0),
            ("agent=ward", 3),
            ("agent=Practitioner/7", 3),
            ("agent=archive", 1),
            ("agent=somebody", 0),
            ("entity=Binary/b1", 1),
            ("entity=Patient/p1", 2),
            ("entity=Binary/none", 0),
            ("date=gt2020-01-01", 4),
            ("date=lt2020-01-01", 0),
            ("patient=p2&agent=ward&entity=DocumentReference/d2&date=ge2020", 1),
            ("patient=p2&agent=archive", 0),
        ] {
            let events = found(&app, &auditor, &format!("AuditEvent?action=R&{search}")).await;
            assert_eq!(events.len(), number, "{scope} {search}: {events:?}");
        }
        let event = &found(&app, &auditor, "AuditEvent?entity=Binary/b1&action=R").await[0];
        let id = event["id"].as_str().expect("an id");
        assert_eq!(get(&app, &auditor, &format!("AuditEvent/{id}")).await.json(), *event);
    }
}

#[tokio::test]
async fn whose_scopes_do_not_name_it_is_refused() {
    let app = TestApp::with(TRUSTING);
    read_letters(&app).await;
    let request = app.request(Method::GET, "/secure/AuditEvent?patient=p1");
    assert_eq!(Answer::of(request).await.status, 401);
    // Of the letters `r` is for reads and `s` for searches; `*` is for what is stored.
    for (scope, read, search) in [
        ("system/*.rs", 403, 403),
        ("system/*.cruds user/*.cruds", 403, 403),
        ("user/Patient.rs", 403, 403),
        ("system/AuditEvent.cud", 403, 403),
        ("system/AuditEvent.r", 200, 403),
        ("system/AuditEvent.s", 403, 200),
        ("patient/*.rs", 403, 403),
        ("system/Auditevent.rs", 403, 403),
        ("system/AuditEvent.rs", 200, 200),
    ] {
        let caller = token(&app, scope, &["--patient", "p1"]);
        let statuses = (
            get(&app, &caller, &format!("AuditEvent/{}", event_id(1))).await.status,
            get(&app, &caller, "AuditEvent?patient=p1").await.status,
        );
        assert_eq!(statuses, (read, search), "{scope}");
    }
}

#[tokio::test]
async fn a_patients_app_sees_the_patients_own_trail_and_nothing_of_others() {
    let app = TestApp::with(TRUSTING);
    read_letters(&app).await;
    let auditor = token(&app, "system/AuditEvent.rs", &[]);
    let anothers = &found(&app, &auditor, "AuditEvent?entity=Binary/b2&action=R").await[0];
    let anothers = anothers["id"].as_str().expect("an id");
    for (scope, more) in [
        ("patient/AuditEvent.rs", vec!["--patient", "p1"]),
        ("user/AuditEvent.rs", vec!["--user", "Patient/p1"]),
    ] {
        let own = token(&app, scope, &more);
        let events = found(&app, &own, "AuditEvent?action=R").await;
        assert_eq!(events.len(), 2, "{scope}: {events:?}");
        assert!(events.iter().all(|event| !event.to_string().contains("p2")), "{events:?}");
        for search in ["patient=p2", "entity=Binary/b2", "patient=p2,nobody", "entity=Patient/p2"] {
            assert_eq!(found(&app, &own, &format!("AuditEvent?action=R&{search}")).await, [] as [Value; 0]);
        }
        // A page is full although events of another lie between, and the last one leads nowhere.
        let page = get(&app, &own, "AuditEvent?action=R&_count=2").await.json();
        assert_eq!(page["entry"].as_array().map(Vec::len), Some(2), "{page}");
        let id = events[0]["id"].as_str().expect("an id");
        assert_eq!(get(&app, &own, &format!("AuditEvent/{id}")).await.status, 200);
        let (theirs, never) = (
            get(&app, &own, &format!("AuditEvent/{anothers}")).await,
            get(&app, &own, "AuditEvent/999999").await,
        );
        assert_eq!((theirs.status, never.status), (404, 404), "one answer for both");
        assert_eq!(theirs.json()["issue"][0]["details"], never.json()["issue"][0]["details"]);
    }
    let nobodys = token(&app, "patient/AuditEvent.rs", &[]);
    assert_eq!(get(&app, &nobodys, "AuditEvent").await.status, 403, "patient/ without a patient");
}

#[tokio::test]
async fn nobody_adds_to_it_changes_it_or_removes_from_it() {
    let app = TestApp::with(TRUSTING);
    read_letters(&app).await;
    let mighty = token(&app, "system/*.cruds system/AuditEvent.cruds", &[]);
    let event = json!({"resourceType": "AuditEvent", "id": "1", "recorded": "2026-01-01T00:00:00Z",
        "type": {"code": "rest"}, "source": {"observer": {"display": "x"}},
        "agent": [{"requestor": true}]});
    let first = format!("AuditEvent/{}", event_id(1));
    let before = get(&app, &mighty, &first).await.text();
    for (method, path) in [
        (Method::POST, "AuditEvent"),
        (Method::PUT, "AuditEvent/1"),
        (Method::PUT, "AuditEvent/new"),
        (Method::PUT, "AuditEvent?agent=ward"),
        (Method::PATCH, "AuditEvent/1"),
        (Method::DELETE, "AuditEvent/1"),
        (Method::DELETE, "AuditEvent?agent=ward"),
    ] {
        let request = with(&app, &mighty, method.clone(), path).header("Content-Type", FHIR);
        let answer = Answer::of(request.body(event.to_string())).await;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
    }
    let marker = json!({"resource": {"resourceType": "Patient", "id": "beside"},
        "request": {"method": "PUT", "url": "Patient/beside"}});
    let entry =
        |method: &str, url: &str| json!({"resource": event, "request": {"method": method, "url": url}});
    for (method, url) in [
        ("POST", "AuditEvent"),
        ("PUT", "AuditEvent/1"),
        ("PUT", "AuditEvent?agent=ward"),
        ("PATCH", "AuditEvent/1"),
        ("DELETE", "AuditEvent/1"),
        ("DELETE", "AuditEvent?agent=ward"),
    ] {
        let send = async |kind: &str, entries: Value| {
            let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
            let request = with(&app, &mighty, Method::POST, "").header("Content-Type", FHIR);
            Answer::of(request.body(bundle.to_string())).await
        };
        let whole = send("transaction", json!([marker, entry(method, url)])).await;
        assert!((400..500).contains(&whole.status), "{method} {url}: {}", whole.text());
        assert_eq!(
            get(&app, &mighty, "Patient/beside").await.status,
            404,
            "{method} {url}: nothing is stored"
        );
        let batch = send("batch", json!([entry(method, url)])).await.json();
        let status = batch["entry"][0]["response"]["status"].as_str().unwrap_or_default().to_owned();
        assert!(status.starts_with('4'), "{method} {url}: {batch}");
    }
    assert_eq!(get(&app, &mighty, &first).await.text(), before);
    assert_eq!(get(&app, &mighty, "AuditEvent/new").await.status, 404);
}

#[test]
fn an_import_takes_no_audit_event_and_says_so() {
    let event = r#"{"resourceType":"AuditEvent","id":"forged","recorded":"2026-01-01T00:00:00Z","type":{"code":"rest"},"source":{"observer":{"display":"x"}},"agent":[{"requestor":true}]}"#;
    let patient = r#"{"resourceType":"Patient","id":"p1"}"#;
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{event}}},{{"resource":{patient}}}]}}"#
    );
    for (name, content) in [
        ("one.json", event.to_owned()),
        ("many.ndjson", format!("{patient}\n{event}\n")),
        ("bundle.json", bundle),
    ] {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let (data, file) = (directory.path().join("data"), directory.path().join(name));
        std::fs::write(&file, content).expect("a file");
        let ended = charta(&["import", "--data", text(&data), text(&file)]);
        assert_eq!(ended.code, 1, "{name}: {ended:?}");
        let said = format!("{}{}", ended.out, ended.err);
        assert!(said.contains("AuditEvents come from the audit log alone"), "{name}: {said}");
        let shown = charta(&["audit", "--data", text(&data)]).ok();
        assert_eq!(shown, "", "{name}");
    }
}

#[tokio::test]
async fn no_other_search_tells_of_events() {
    let app = TestApp::with(TRUSTING);
    read_letters(&app).await;
    let reader = token(&app, "system/*.rs", &[]);
    let auditor = token(&app, "system/*.rs system/AuditEvent.rs", &[]);
    for caller in [&reader, &auditor] {
        for path in [
            "Patient?_revinclude=AuditEvent:patient",
            "Patient?_revinclude=AuditEvent:*",
            "Binary/b1/_history",
            "Patient?_has:AuditEvent:patient:action=R",
            "DocumentReference?_has:AuditEvent:entity:action=R",
            "?_type=AuditEvent",
            "?_type=AuditEvent,Patient",
            "?_id=1",
            "_history",
            "Patient/p1/*",
            "Patient/p1/AuditEvent",
        ] {
            let answer = get(&app, caller, path).await;
            assert!(answer.status < 500, "{path}: {}", answer.text());
            let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
            let kinds: Vec<_> =
                entries.iter().map(|entry| entry["resource"]["resourceType"].clone()).collect();
            assert!(!kinds.contains(&json!("AuditEvent")), "{path}: {kinds:?}");
            if path.contains("_has") {
                assert_eq!(kinds, [] as [Value; 0], "{path}: whether there are events cannot be asked");
            }
        }
    }
    // What an event names is not given along, and is not asked about.
    for search in
        ["_include=AuditEvent:patient", "_include=AuditEvent:entity", "_include=*", "_include:iterate=*:*"]
    {
        let answer = get(&app, &auditor, &format!("AuditEvent?action=R&{search}")).await;
        let entries = answer.json()["entry"].as_array().cloned().unwrap_or_default();
        let all = entries.iter().all(|entry| entry["resource"]["resourceType"] == "AuditEvent");
        assert!(matches!(answer.status, 200 | 400) && all, "{search}: {}", answer.text());
    }
    for search in
        ["patient.name=x", "patient:Patient.name=x", "entity:Binary._id=b1", "_has:Patient:link:_id=p1"]
    {
        let strict = with(&app, &auditor, Method::GET, &format!("AuditEvent?{search}"));
        let strict = Answer::of(strict.header("Prefer", "handling=strict")).await;
        assert_eq!(strict.status, 400, "{search}: {}", strict.text());
    }
}
