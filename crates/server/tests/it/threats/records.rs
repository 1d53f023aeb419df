//! Rows 5, 19 and 22: resources with narrative, patches and searches that are made to run or to cost something.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

async fn send(app: &TestApp, method: Method, path: &str, content_type: &str, body: &Value) -> Answer {
    Answer::of(app.request(method, path).header("Content-Type", content_type).body(body.to_string())).await
}

#[tokio::test]
async fn row_05_a_narrative_has_nothing_that_runs() {
    let app = TestApp::start();
    let patient = |inside: &str| {
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>");
        json!({"resourceType":"Patient","id":"n","text":{"status":"generated","div":div}})
    };
    for inside in [
        "<script>alert(1)</script>",
        "<p onclick=\"alert(1)\">a</p>",
        "<a href=\"javascript:alert(1)\">a</a>",
        "<a href=\"JaVa\tScript:alert(1)\">a</a>",
        "<a href=\"&#106;avascript:alert(1)\">a</a>",
        "<a href=\"vbscript:x\">a</a>",
        "<a href=\"data:text/html,x\">a</a>",
        "<img src=\"data:image/svg+xml,x\"/>",
        "<p style=\"background:url(http://evil)\">a</p>",
        "<iframe src=\"http://evil\"/>",
        "<object data=\"x\"/>",
        "<form action=\"/x\"/>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        "<?xml-stylesheet href=\"x\"?>",
        "<!DOCTYPE a>",
        "<p>not closed",
    ] {
        let answer =
            send(&app, Method::PUT, "/r4/Patient/n", "application/fhir+json", &patient(inside)).await;
        assert_eq!(answer.status, 400, "{inside}: {}", answer.text());
    }
    assert_eq!(app.get("/r4/Patient/n", None).await.status, 404);
    let harmless = "<p style=\"color: red\">a <a href=\"Patient/1\">b</a><img src=\"#pic\" alt=\"\"/></p>";
    let answer = send(&app, Method::PUT, "/r4/Patient/n", "application/fhir+json", &patient(harmless)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let shown = app.get("/r4/Patient/n", None).await;
    assert!(shown.header("content-security-policy").contains("default-src 'none'"));
}

#[tokio::test]
async fn row_19_expressions_of_a_client_have_a_budget() {
    let app = TestApp::start();
    app.put("/r4/Patient/p", "application/fhir+json", r#"{"resourceType":"Patient","id":"p","active":true}"#)
        .await;
    let begun = Instant::now();
    let operation = json!({"op":"add","path":"/name/-","value":{"family":"x".repeat(1000)}});
    let mut operations = vec![json!({"op":"add","path":"/name","value":[{"family":"a"}]})];
    operations.extend(std::iter::repeat_n(operation, 5000));
    let patch = "application/json-patch+json";
    let answer = send(&app, Method::PATCH, "/r4/Patient/p", patch, &Value::Array(operations)).await;
    assert_eq!((answer.status, answer.issue_code().as_str()), (422, "too-costly"));
    let path = format!("Patient{}", ".name.where(family='a')".repeat(2000));
    let by_path = json!({"resourceType":"Parameters","parameter":[{"name":"operation","part":[
        {"name":"type","valueCode":"delete"},{"name":"path","valueString":path}]}]});
    let answer = send(&app, Method::PATCH, "/r4/Patient/p", "application/fhir+json", &by_path).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
    let deep = format!("/r4/Observation?{}name=x", "subject:Patient.link.".repeat(50));
    assert!(app.get(&deep, None).await.status < 500);
    let many = format!("/r4/Patient?{}", "family=a&".repeat(1000));
    assert_eq!(app.get(&many, None).await.status, 400);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn row_22_a_patch_changes_no_identity() {
    let app = TestApp::start();
    app.put("/r4/Patient/p", "application/fhir+json", r#"{"resourceType":"Patient","id":"p","active":true}"#)
        .await;
    for operations in [
        json!([{"op":"replace","path":"/id","value":"q"}]),
        json!([{"op":"remove","path":"/id"}]),
        json!([{"op":"replace","path":"/resourceType","value":"Group"}]),
        json!([{"op":"replace","path":"/meta/versionId","value":"9"}]),
        json!([{"op":"remove","path":"/meta"}]),
        json!([{"op":"replace","path":"","value":{"resourceType":"Patient","id":"q"}}]),
        json!([{"op":"copy","from":"","path":"/contained"}]),
    ] {
        let patch = "application/json-patch+json";
        let answer = send(&app, Method::PATCH, "/r4/Patient/p", patch, &operations).await;
        assert!(matches!(answer.status, 400 | 422), "{operations}: {} {}", answer.status, answer.text());
    }
    let kept = app.get("/r4/Patient/p", None).await;
    assert_eq!((kept.header("etag"), kept.json()["active"].as_bool()), ("W/\"1\"", Some(true)));
    assert_eq!(app.get("/r4/Patient/q", None).await.status, 404);
}
