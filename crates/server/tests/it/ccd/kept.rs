//! `persist=true`: the document is kept, with a DocumentReference.

use charta_model::Digest;
use serde_json::{Value, json};

use super::*;

async fn references(app: &TestApp) -> Vec<Value> {
    let bundle = app.get("/r4/DocumentReference?patient=1", None).await.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|entry| entry["resource"].clone()).collect()
}

#[tokio::test]
async fn a_document_that_is_kept_is_read_like_any_other() {
    let app = filled().await;
    for (number, method) in [Method::GET, Method::POST].into_iter().enumerate() {
        let path = format!("/r4/{MAKE}?patient=1&start=2015-01-01T00:00:00Z&persist=true");
        let answer = Answer::of(app.request(method.clone(), &path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let place = answer.header("content-location");
        let place = place.strip_prefix(&app.url).expect("a URL of this server");
        assert!(place.starts_with("/r4/Binary/") && place.ends_with("/_history/1"), "{place}");
        assert!(answer.header("etag").starts_with('"'), "it has a version now");
        let read = app.get(place, None).await;
        assert_eq!((read.status, read.header("content-type")), (200, "application/xml"));
        assert!(read.body == answer.body && read.text().contains("Sodium"));
        let digest = BASE64.encode_to_string(Digest::of(&read.body).as_bytes());
        assert_eq!(read.header("repr-digest"), format!("sha-256=:{digest}:"));

        let references = references(&app).await;
        assert_eq!(references.len(), number + 1, "one for each");
        let url = format!("{}{}", app.url, place.trim_end_matches("/_history/1"));
        let of = |reference: &&Value| reference["content"][0]["attachment"]["url"] == url;
        let reference = references.iter().find(of).unwrap_or_else(|| panic!("{references:?}"));
        assert_eq!(reference["type"]["coding"][0]["code"], "34133-9");
        assert_eq!(reference["subject"]["reference"], "Patient/1");
        assert_eq!(reference["context"]["period"], json!({"start": "2015-01-01T00:00:00Z"}));
        assert_eq!(reference["content"][0]["attachment"]["size"], read.body.len());
        assert!(reference["content"][0]["attachment"]["hash"].is_string(), "{reference}");
    }
    // What was kept does not stand in the next.
    let next = app.get(&format!("/r4/{MAKE}?patient=1"), None).await.text();
    assert!(!next.contains("Summarization of Episode Note</"), "{next}");
    assert_eq!(references(&app).await.len(), 2, "nothing is kept without being asked");
}

#[tokio::test]
async fn it_is_kept_in_every_version_that_writes() {
    let app = filled().await;
    for (number, (base, _)) in STANDARD.into_iter().enumerate() {
        let path = format!("{base}/{MAKE}?patient=1&persist=true&_format=json");
        let resource = app.get(&path, None).await.json();
        assert_eq!(
            (&resource["resourceType"], &resource["meta"]["versionId"]),
            (&json!("Binary"), &json!("1"))
        );
        assert_eq!(references(&app).await.len(), number + 1, "{base}");
        let id = resource["id"].as_str().expect("an id");
        assert_eq!(
            app.get(&format!("{base}/Binary/{id}"), None).await.header("content-type"),
            "application/xml"
        );
    }
}

#[tokio::test]
async fn where_nothing_is_written_nothing_is_kept() {
    let app = filled().await;
    Record::new("1").patient(&app, "/writer").await;
    for base in ["/read-only", &format!("/millennium/r4/{TENANT}")] {
        let answer = app.get(&format!("{base}/{MAKE}?patient=1&persist=true"), None).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (400, "not-supported"), "{base}");
        assert_eq!(
            app.get(&format!("{base}/{MAKE}?patient=1&persist=false"), None).await.status,
            200,
            "{base}"
        );
        let definition = app.get(&format!("{base}/OperationDefinition/binary-autogen-ccd-if"), None).await;
        assert!(!definition.text().contains("persist"), "{base}");
    }
    let head = app.request(Method::HEAD, &format!("/r4/{MAKE}?patient=1&persist=true"));
    assert_eq!(Answer::of(head).await.status, 200);
    let bad = app.get(&format!("/r4/{MAKE}?patient=1&persist=perhaps"), None).await;
    assert_eq!((bad.status, bad.issue_code().as_str()), (400, "value"));
    let unknown = app.get(&format!("/r4/{MAKE}?patient=unknown&persist=true"), None).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(references(&app).await.len(), 0);
    let definition = app.get("/r4/OperationDefinition/binary-autogen-ccd-if", None).await.json();
    assert_eq!(definition["affectsState"], true, "{definition}");
}
