//! history of a document and of the type.

use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp};

const VERSIONS: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

/// `doc`: created, updated, deleted, created again; `other`: created.
async fn filled() -> TestApp {
    let app = TestApp::start();
    app.put("/r4/Binary/doc", "text/plain", "one").await;
    app.put("/r4/Binary/doc", "text/plain", "two").await;
    Answer::of(app.request(Method::DELETE, "/r4/Binary/doc")).await;
    app.put("/r4/Binary/doc", "text/plain", "four").await;
    app.put("/r4/Binary/other", "text/plain", "x").await;
    app
}

fn entries(bundle: &Value) -> &[Value] {
    bundle["entry"].as_array().map_or(&[], Vec::as_slice)
}

fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array()?;
    let next = links.iter().find(|link| link["relation"] == "next")?;
    Some(next["url"].as_str()?.to_owned())
}

#[tokio::test]
async fn versions_come_newest_first_and_deletions_without_resource() {
    let app = filled().await;
    for (base, element) in VERSIONS {
        let bundle = app.get(&format!("{base}/Binary/doc/_history"), None).await.json();
        assert_eq!((bundle["type"].as_str(), bundle["total"].as_u64()), (Some("history"), Some(4)), "{base}");
        let shown: Vec<_> = entries(&bundle)
            .iter()
            .map(|entry| {
                let method = entry["request"]["method"].as_str().unwrap();
                (method, entry["resource"]["meta"]["versionId"].as_str(), entry["resource"][element].as_str())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("PUT", Some("4"), Some("Zm91cg==")),
                ("DELETE", None, None),
                ("PUT", Some("2"), Some("dHdv")),
                ("POST", Some("1"), Some("b25l")),
            ],
            "{base}"
        );
    }
}

#[tokio::test]
async fn the_history_of_the_type_has_every_document() {
    let app = filled().await;
    for (base, _) in VERSIONS {
        let bundle = app.get(&format!("{base}/Binary/_history"), "application/fhir+json").await.json();
        assert_eq!(bundle["total"], 5, "{base}");
        assert_eq!(entries(&bundle)[0]["resource"]["id"], "other", "{base}");
        let xml = app.get(&format!("{base}/Binary/_history?_format=xml"), None).await;
        assert!(xml.text().contains("<type value=\"history\"/>"), "{base}");
    }
}

#[tokio::test]
async fn pages_lose_and_repeat_nothing_also_after_a_restart() {
    let mut app = filled().await;
    let mut path = "/r4/Binary/_history?_count=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let bundle = app.get(&path, None).await.json();
        seen.extend(entries(&bundle).iter().map(|entry| entry["response"]["etag"].to_string()));
        let Some(link) = next(&bundle) else { break };
        path = link.strip_prefix(&app.url).expect("links name the server that was called").to_owned();
        app = TestApp::in_directory(app.stop(), "");
    }
    let expected = ["1", "4", "3", "2", "1"].map(|version| format!("\"W/\\\"{version}\\\"\""));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_link_that_was_made_up_leads_nowhere() {
    let app = filled().await;
    let bundle = app.get("/r4/Binary/_history?_count=1", None).await.json();
    let link = next(&bundle).unwrap();
    let token = link.split("_page=").nth(1).unwrap();
    let changed = format!("B{}", &token[1..]);
    for path in [
        format!("/r4/Binary/_history?_count=1&_page={changed}"),
        format!("/r4/Binary/doc/_history?_count=1&_page={token}"),
        format!("/r5/Binary/_history?_count=1&_page={token}"),
        "/r4/Binary/_history?_count=1&_page=".to_owned(),
    ] {
        assert_eq!(app.get(&path, None).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn since_at_and_summary_narrow_the_list() {
    let app = filled().await;
    let bundle = app.get("/r4/Binary/doc/_history", None).await.json();
    let last = entries(&bundle)[0]["response"]["lastModified"].as_str().unwrap().replace('+', "%2B");
    let since = app.get(&format!("/r4/Binary/doc/_history?_since={last}"), None).await.json();
    assert_eq!(entries(&since).len(), 1, "at or after");
    let none = app.get("/r4/Binary/doc/_history?_since=2999-01-01T00:00:00Z", None).await.json();
    assert_eq!(entries(&none).len(), 0);
    let at = app.get("/r4/Binary/doc/_history?_at=2000", None).await.json();
    assert_eq!(entries(&at).len(), 0, "nothing was current then");
    let summary = app.get("/r4/Binary/doc/_history?_summary=true", None).await.json();
    assert!(entries(&summary).iter().all(|entry| entry["resource"].get("data").is_none()));
    for query in ["_since=yesterday", "_count=-1", "_at=noon"] {
        assert_eq!(app.get(&format!("/r4/Binary/doc/_history?{query}"), None).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn what_never_was_has_no_history() {
    let app = filled().await;
    assert_eq!(app.get("/r4/Binary/never/_history", None).await.status, 404);
    Answer::of(app.request(Method::DELETE, "/r4/Binary/other")).await;
    assert_eq!(app.get("/r4/Binary/other/_history", None).await.json()["total"], 2, "what was deleted has");
}

#[tokio::test]
async fn a_page_of_large_documents_ends_before_it_grows_too_large() {
    let app = TestApp::start();
    for n in 0..4 {
        app.put("/r4/Binary/large", "application/x-noise", vec![n; 30 << 20]).await;
    }
    let bundle = app.get("/r4/Binary/large/_history", None).await;
    let bundle: Value = serde_json::from_slice(&bundle.body).unwrap();
    assert_eq!(entries(&bundle).len(), 2, "64 MiB of content end a page");
    assert!(next(&bundle).is_some());
    let small = app.get("/r4/Binary/large/_history?_summary=true", None).await.json();
    assert_eq!(entries(&small).len(), 4);
}
