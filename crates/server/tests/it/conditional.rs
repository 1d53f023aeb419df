//! Conditions on reads and writes, and what racing clients see of them.

use reqwest::Method;

use crate::app::{Answer, TestApp};

const VERSIONS: [(&str, bool); 5] =
    [("/dstu2", false), ("/stu3", false), ("/r4", true), ("/r4b", true), ("/r5", true)];

async fn put_if(app: &TestApp, path: &str, header: &str, value: &str, text: &str) -> Answer {
    let request = app.request(Method::PUT, path).header("Content-Type", "text/plain").header(header, value);
    Answer::of(request.body(text.to_owned())).await
}

#[tokio::test]
async fn a_stale_if_match_is_409_before_r4_and_412_from_r4() {
    let app = TestApp::start();
    for (base, from_r4) in VERSIONS {
        let path = format!("{base}/Binary/stale{}", &base[1..]);
        app.put(&path, "text/plain", "one").await;
        let fresh = put_if(&app, &path, "If-Match", "W/\"1\"", "two").await;
        assert_eq!((fresh.status, fresh.header("etag")), (200, "W/\"2\""), "{base}");
        let stale = put_if(&app, &path, "If-Match", "W/\"1\"", "three").await;
        assert_eq!(stale.status, if from_r4 { 412 } else { 409 }, "{base}");
        assert_eq!(stale.issue_code(), "conflict", "{base}");
        assert_eq!(app.get(&path, None).await.text(), "two", "{base}: a refused write changes nothing");
    }
}

#[tokio::test]
async fn if_match_takes_either_spelling_of_a_tag_and_nothing_malformed() {
    let app = TestApp::start();
    app.put("/r4/Binary/tags", "text/plain", "1").await;
    for (version, tag) in ["W/\"1\"", "\"2\"", "\"3-n\"", "W/\"9\", \"4-n\"", "*"].iter().enumerate() {
        let answer = put_if(&app, "/r4/Binary/tags", "If-Match", tag, &format!("after {version}")).await;
        assert_eq!(answer.status, 200, "{tag}");
    }
    for tag in ["6", "", "W/6", "\"6"] {
        let answer = put_if(&app, "/r4/Binary/tags", "If-Match", tag, "x").await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (400, "value"), "{tag:?}");
    }
}

#[tokio::test]
async fn if_match_on_what_is_not_there_is_refused() {
    let app = TestApp::start();
    for (base, from_r4) in VERSIONS {
        let answer = put_if(&app, &format!("{base}/Binary/absent"), "If-Match", "W/\"1\"", "x").await;
        assert_eq!(answer.status, if from_r4 { 412 } else { 404 }, "{base}");
        assert_eq!(app.get(&format!("{base}/Binary/absent"), None).await.status, 404, "{base}");
    }
}

#[tokio::test]
async fn if_none_match_star_makes_a_put_create_only() {
    let app = TestApp::start();
    assert_eq!(put_if(&app, "/r5/Binary/once", "If-None-Match", "*", "first").await.status, 201);
    assert_eq!(put_if(&app, "/r5/Binary/once", "If-None-Match", "*", "second").await.status, 412);
    assert_eq!(app.get("/r5/Binary/once", None).await.text(), "first");
}

#[tokio::test]
async fn a_reader_who_has_the_version_gets_304() {
    let app = TestApp::start();
    let stored = app.put("/r4/Binary/cached", "text/plain", "text").await;
    let modified = stored.header("last-modified").to_owned();
    for (accept, own) in [("*/*", "\"1-n\""), ("application/fhir+json", "W/\"1\"")] {
        let whole = app.get("/r4/Binary/cached", accept).await;
        assert_eq!(whole.header("etag"), own);
        for (header, value, status) in [
            ("If-None-Match", "W/\"1\"", 304),
            ("If-None-Match", "\"1-n\"", 304),
            ("If-None-Match", "*", 304),
            ("If-None-Match", "\"7\", W/\"1\"", 304),
            ("If-None-Match", "W/\"2\"", 200),
            ("If-Modified-Since", modified.as_str(), 304),
            ("If-Modified-Since", "Thu, 01 Jan 2015 00:00:00 GMT", 200),
        ] {
            let request = app.request(Method::GET, "/r4/Binary/cached").header("Accept", accept);
            let answer = Answer::of(request.header(header, value)).await;
            assert_eq!(answer.status, status, "{accept} {header}: {value}");
            assert_eq!(answer.body.is_empty(), status == 304, "{accept} {header}: {value}");
        }
    }
}

#[tokio::test]
async fn a_conditional_create_stores_once() {
    let app = TestApp::start();
    for (base, _) in VERSIONS {
        let tag = format!("http://example.org/t|{}", &base[1..]);
        let element = if matches!(base, "/dstu2" | "/stu3") { "content" } else { "data" };
        let body = format!(
            "{{\"resourceType\":\"Binary\",\"meta\":{{\"tag\":[{{\"system\":\"http://example.org/t\",\
             \"code\":\"{}\"}}]}},\"contentType\":\"text/plain\",\"{element}\":\"YQ==\"}}",
            &base[1..]
        );
        let create = |condition: Option<String>| {
            let mut request = app.request(Method::POST, &format!("{base}/Binary"));
            if let Some(condition) = condition {
                request = request.header("If-None-Exist", condition);
            }
            Answer::of(request.header("Content-Type", "application/fhir+json").body(body.clone()))
        };
        let first = create(Some(format!("_tag={tag}"))).await;
        assert_eq!(first.status, 201, "{base}: {}", first.text());
        let second = create(Some(format!("?_tag={tag}"))).await;
        assert_eq!((second.status, second.header("location")), (200, first.header("location")), "{base}");
        assert_eq!(create(None).await.status, 201, "{base}");
        let third = create(Some(format!("_tag={tag}"))).await;
        assert_eq!(third.status, 412, "{base}: two match now");
        let nothing = create(Some("_format=json".into())).await;
        assert_eq!(nothing.status, if base.starts_with("/r") { 400 } else { 412 }, "{base}");
    }
}

#[tokio::test]
async fn of_racing_writers_one_wins() {
    let app = TestApp::start();
    app.put("/r4/Binary/race", "text/plain", "start").await;
    let writes = (0..20).map(|n| {
        let request = app.request(Method::PUT, "/r4/Binary/race").header("If-Match", "W/\"1\"");
        tokio::spawn(Answer::of(request.header("Content-Type", "text/plain").body(format!("writer {n}"))))
    });
    let mut won = 0;
    for write in writes.collect::<Vec<_>>() {
        won += usize::from(write.await.unwrap().status == 200);
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn of_racing_conditional_creates_one_stores() {
    let app = TestApp::start();
    let creates = (0..20).map(|_| {
        let request =
            app.request(Method::POST, "/stu3/Binary").header("If-None-Exist", "contenttype=text/race");
        tokio::spawn(Answer::of(request.header("Content-Type", "text/race").body("same")))
    });
    let mut places = std::collections::BTreeSet::new();
    for create in creates.collect::<Vec<_>>() {
        let answer = create.await.unwrap();
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        places.insert(answer.header("location").to_owned());
    }
    assert_eq!(places.len(), 1);
}

#[tokio::test]
async fn racing_puts_make_versions_without_gaps() {
    let app = TestApp::start();
    let puts = (0..16).map(|n| {
        let request = app.request(Method::PUT, "/r4/Binary/many").header("Content-Type", "text/plain");
        tokio::spawn(Answer::of(request.body(format!("text {n}"))))
    });
    for put in puts.collect::<Vec<_>>() {
        assert!(matches!(put.await.unwrap().status, 200 | 201));
    }
    let mut texts = std::collections::BTreeSet::new();
    for version in 1..=16 {
        let answer = app.get(&format!("/r4/Binary/many/_history/{version}"), None).await;
        assert_eq!(answer.status, 200, "version {version}");
        texts.insert(answer.text());
    }
    assert_eq!(texts.len(), 16, "every write is a version of its own");
}
