//! search on Binary, in DSTU2 and STU3; nowhere else.

use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp};

/// Three documents: `a` text of 1 byte, `b` text of 2000, `c` a tagged PDF of 3.
async fn filled() -> TestApp {
    let app = TestApp::start();
    app.put("/r4/Binary/a", "text/plain", "x").await;
    app.put("/r4/Binary/b", "text/plain;charset=utf-8", vec![b'x'; 2000]).await;
    let tagged = r#"{"resourceType":"Binary","id":"c","meta":{"tag":[{"system":"urn:t","code":"k"}],
        "profile":["http://example.org/p"]},"contentType":"application/pdf","data":"JVBE"}"#;
    app.put("/r4/Binary/c", "application/fhir+json", tagged).await;
    app
}

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

fn link(bundle: &Value, relation: &str) -> Option<String> {
    let links = bundle["link"].as_array().expect("a searchset has links");
    let found = links.iter().find(|link| link["relation"] == relation)?;
    Some(found["url"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn parameters_find_what_they_say() {
    let app = filled().await;
    for base in ["/dstu2", "/stu3"] {
        for (query, expected) in [
            ("", vec!["a", "b", "c"]),
            ("contenttype=application/pdf", vec!["c"]),
            ("contenttype=TEXT/PLAIN", vec!["a"]),
            ("contenttype:below=text/plain", vec!["a", "b"]),
            ("contenttype:not=application/pdf", vec!["a", "b"]),
            ("contenttype=application/pdf,text/plain", vec!["a", "c"]),
            ("_id=b", vec!["b"]),
            ("_id=a,c,nowhere", vec!["a", "c"]),
            ("size=gt1000", vec!["b"]),
            ("size=le3", vec!["a", "c"]),
            ("_tag=urn:t%7Ck", vec!["c"]),
            ("_tag:missing=true", vec!["a", "b"]),
            ("_profile=http://example.org/p", vec!["c"]),
            ("_lastUpdated=gt2000-01-01", vec!["a", "b", "c"]),
            ("_lastUpdated=lt2000-01-01", vec![]),
            ("_id=a&size=gt1000", vec![]),
        ] {
            let path = format!("{base}/Binary?{query}");
            let answer = app.get(&path, None).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let bundle = answer.json();
            assert_eq!(bundle["type"], "searchset");
            assert_eq!(ids(&bundle), expected, "{path}");
            assert_eq!(bundle["total"], expected.len(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_match_carries_its_bytes_in_the_resource_form() {
    let app = filled().await;
    let bundle = app.get("/dstu2/Binary?_id=a", "application/pdf, */*").await.json();
    let entry = &bundle["entry"][0];
    assert_eq!(entry["resource"]["content"], "eA==");
    assert_eq!(entry["fullUrl"], format!("{}/dstu2/Binary/a", app.url));
    assert_eq!(entry["search"]["mode"], "match");
}

#[tokio::test]
async fn unknown_parameters_are_left_out_or_refused() {
    let app = filled().await;
    let bundle = app.get("/stu3/Binary?_id=a&colour=red", None).await.json();
    let own = link(&bundle, "self").unwrap();
    assert!(own.contains("_id=a") && !own.contains("colour"), "{own}");
    let request =
        app.request(Method::GET, "/stu3/Binary?_id=a&colour=red").header("Prefer", "handling=strict");
    let refused = Answer::of(request).await;
    assert_eq!((refused.status, refused.issue_code().as_str()), (400, "not-supported"));
    for query in
        ["contenttype:above=text/plain", "size=many", "_lastUpdated=yesterday", "_lastUpdated=zz2020"]
    {
        let refused = app.get(&format!("/stu3/Binary?{query}"), None).await;
        assert_eq!(refused.status, 400, "{query}");
        assert!(!refused.text().contains("yesterday"), "values are not echoed");
    }
}

#[tokio::test]
async fn pages_lose_and_repeat_nothing() {
    let app = filled().await;
    let mut path = "/stu3/Binary?_count=1&_sort=-_id".to_owned();
    let mut seen = Vec::new();
    loop {
        let bundle = app.get(&path, None).await.json();
        seen.extend(ids(&bundle));
        assert_eq!(bundle["total"], 3);
        let Some(next) = link(&bundle, "next") else { break };
        path = next.strip_prefix(&app.url).expect("links name the server that was called").to_owned();
    }
    assert_eq!(seen, ["c", "b", "a"]);
}

#[tokio::test]
async fn a_page_link_holds_for_its_own_search_only() {
    let app = filled().await;
    let bundle = app.get("/stu3/Binary?_count=1", None).await.json();
    let next = link(&bundle, "next").unwrap();
    let token = next.split("_page=").nth(1).unwrap();
    for path in [
        format!("/stu3/Binary?_count=1&_id=a&_page={token}"),
        format!("/dstu2/Binary?_count=1&_page={token}"),
        format!("/stu3/Binary/_history?_count=1&_page={token}"),
        "/stu3/Binary?_count=1&_page=AAAAAAAAAAE".to_owned(),
        "/stu3/Binary?_count=1&_page=%F0".to_owned(),
    ] {
        assert_eq!(app.get(&path, None).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_search_by_form_is_the_same_search() {
    let app = filled().await;
    let form = |content_type: &'static str| {
        let request = app.request(Method::POST, "/dstu2/Binary/_search").header("Content-Type", content_type);
        Answer::of(request.body("contenttype=application%2Fpdf"))
    };
    assert_eq!(ids(&form("application/x-www-form-urlencoded").await.json()), ["c"]);
    assert_eq!(form("application/json").await.status, 415);
}

#[tokio::test]
async fn counting_alone_gives_no_entries() {
    let app = filled().await;
    for query in ["_summary=count", "_count=0"] {
        let bundle = app.get(&format!("/stu3/Binary?{query}"), None).await.json();
        assert_eq!((bundle["total"].as_u64(), ids(&bundle).len()), (Some(3), 0), "{query}");
    }
}

#[tokio::test]
async fn from_r4_on_binary_is_not_searchable() {
    let app = filled().await;
    for base in ["/r4", "/r4b", "/r5"] {
        let refused = app.get(&format!("{base}/Binary?_id=a"), None).await;
        assert_eq!((refused.status, refused.issue_code().as_str()), (405, "not-supported"), "{base}");
        assert_eq!(refused.header("allow"), "POST, PUT, DELETE, OPTIONS", "{base}");
        let request = app.request(Method::POST, &format!("{base}/Binary/_search"));
        let form = request.header("Content-Type", "application/x-www-form-urlencoded").body("_id=a");
        assert_eq!(Answer::of(form).await.status, 405, "{base}");
    }
}
