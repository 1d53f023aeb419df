//! delete: what is gone stays known, its older versions stay readable.

use reqwest::Method;

use crate::app::{Answer, TestApp};

const VERSIONS: [&str; 5] = ["/dstu2", "/stu3", "/r4", "/r4b", "/r5"];

async fn delete(app: &TestApp, path: &str) -> Answer {
    Answer::of(app.request(Method::DELETE, path)).await
}

#[tokio::test]
async fn a_deleted_document_is_gone_and_its_versions_are_not() {
    let app = TestApp::start();
    for base in VERSIONS {
        let path = format!("{base}/Binary/gone{}", &base[1..]);
        app.put(&path, "text/plain", "was here").await;
        let deleted = delete(&app, &path).await;
        assert_eq!((deleted.status, deleted.header("etag")), (204, "W/\"2\""), "{base}");
        for accept in [None, Some("text/plain"), Some("application/fhir+json"), Some("image/png")] {
            let gone = app.get(&path, accept).await;
            let code = if base.starts_with("/r") { "deleted" } else { "not-found" };
            assert_eq!((gone.status, gone.issue_code().as_str()), (410, code), "{base} {accept:?}");
        }
        assert_eq!(app.get(&format!("{path}/_history/1"), None).await.text(), "was here", "{base}");
        assert_eq!(app.get(&format!("{path}/_history/2"), None).await.status, 410, "{base}");
        assert_eq!(app.get(&format!("{path}/_history/3"), None).await.status, 404, "{base}");
        assert_eq!(delete(&app, &path).await.status, 204, "{base}: again");
        let revived = app.put(&path, "text/plain", "back").await;
        assert_eq!((revived.status, revived.header("etag")), (201, "W/\"3\""), "{base}: numbers go on");
        assert_eq!(app.get(&path, None).await.text(), "back");
    }
}

#[tokio::test]
async fn deleting_what_never_was_is_fine() {
    let app = TestApp::start();
    for base in VERSIONS {
        assert_eq!(delete(&app, &format!("{base}/Binary/never")).await.status, 204, "{base}");
        assert_eq!(app.get(&format!("{base}/Binary/never"), None).await.status, 404, "{base}: not 410");
    }
}

#[tokio::test]
async fn a_stale_delete_is_refused() {
    let app = TestApp::start();
    app.put("/r4/Binary/kept", "text/plain", "one").await;
    app.put("/r4/Binary/kept", "text/plain", "two").await;
    let request = app.request(Method::DELETE, "/r4/Binary/kept").header("If-Match", "W/\"1\"");
    assert_eq!(Answer::of(request).await.status, 412);
    assert_eq!(app.get("/r4/Binary/kept", None).await.text(), "two");
}

#[tokio::test]
async fn a_conditional_delete_takes_the_one_match() {
    let app = TestApp::start();
    for base in VERSIONS {
        let ids = ["one", "two"].map(|name| format!("{name}{}", &base[1..]));
        for id in &ids {
            app.put(&format!("{base}/Binary/{id}"), "text/plain", "x").await;
        }
        let several = delete(&app, &format!("{base}/Binary?_id={},{}", ids[0], ids[1])).await;
        assert_eq!(several.status, 412, "{base}");
        let one = delete(&app, &format!("{base}/Binary?_id={}", ids[0])).await;
        assert_eq!(one.status, 204, "{base}");
        assert_eq!(app.get(&format!("{base}/Binary/{}", ids[0]), None).await.status, 410, "{base}");
        assert_eq!(app.get(&format!("{base}/Binary/{}", ids[1]), None).await.status, 200, "{base}");
        let none = delete(&app, &format!("{base}/Binary?_id=nowhere")).await;
        assert_eq!(none.status, if base == "/dstu2" { 404 } else { 204 }, "{base}");
        let all = delete(&app, &format!("{base}/Binary")).await;
        assert!(matches!(all.status, 400 | 412), "{base}: never everything");
        let unknown = delete(&app, &format!("{base}/Binary?colour=red")).await;
        assert!(matches!(unknown.status, 400 | 412), "{base}: an unknown criterion narrows nothing");
    }
}

#[tokio::test]
async fn a_read_only_endpoint_deletes_nothing() {
    let app = TestApp::start();
    app.put("/r4/Binary/safe", "text/plain", "x").await;
    let refused = delete(&app, "/read-only/Binary/safe").await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD, OPTIONS"));
    assert_eq!(app.get("/r4/Binary/safe", None).await.status, 200);
}
