//! update, upsert and conditional update.

use reqwest::Method;

use crate::app::{Answer, TestApp};

const VERSIONS: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

async fn put(app: &TestApp, path: &str, content_type: &str, body: impl Into<String>) -> Answer {
    let request = app.request(Method::PUT, path).header("Content-Type", content_type);
    Answer::of(request.body(body.into())).await
}

fn resource(id: Option<&str>, element: &str, base64: &str, tag: Option<&str>) -> String {
    let id = id.map_or(String::new(), |id| format!("\"id\":\"{id}\","));
    let meta = tag.map_or(String::new(), |tag| {
        format!("\"meta\":{{\"tag\":[{{\"system\":\"urn:t\",\"code\":\"{tag}\"}}]}},")
    });
    format!(
        "{{\"resourceType\":\"Binary\",{id}{meta}\"contentType\":\"text/plain\",\"{element}\":\"{base64}\"}}"
    )
}

#[tokio::test]
async fn a_put_creates_then_updates_then_changes_nothing() {
    let app = TestApp::start();
    for (base, element) in VERSIONS {
        let id = format!("up{}", &base[1..]);
        let path = format!("{base}/Binary/{id}");
        for (content_type, body, status, version) in [
            ("text/plain", "a".to_owned(), 201, "W/\"1\""),
            ("text/plain", "a".to_owned(), 200, "W/\"1\""),
            ("text/plain; charset=utf-8", "a".to_owned(), 200, "W/\"2\""),
            ("text/plain", "b".to_owned(), 200, "W/\"3\""),
            ("application/fhir+json", resource(Some(&id), element, "Yg==", None), 200, "W/\"3\""),
            ("application/fhir+json", resource(Some(&id), element, "Yw==", None), 200, "W/\"4\""),
        ] {
            let answer = put(&app, &path, content_type, body.as_str()).await;
            assert_eq!(
                (answer.status, answer.header("etag")),
                (status, version),
                "{base} {content_type} {body}"
            );
            assert_eq!(
                answer.header("location").is_empty(),
                status == 200,
                "{base}: Location with 201 alone"
            );
        }
        assert_eq!(app.get(&path, None).await.text(), "c", "{base}");
        assert_eq!(app.get(&format!("{path}/_history/1"), None).await.text(), "a", "{base}");
    }
}

#[tokio::test]
async fn the_id_in_the_body_must_be_the_one_in_the_url() {
    let app = TestApp::start();
    for (base, element) in VERSIONS {
        for id in [None, Some("other")] {
            let body = resource(id, element, "YQ==", None);
            let refused = put(&app, &format!("{base}/Binary/this"), "application/fhir+json", body).await;
            assert_eq!((refused.status, refused.issue_code().as_str()), (400, "value"), "{base} {id:?}");
        }
        assert_eq!(app.get(&format!("{base}/Binary/this"), None).await.status, 404, "{base}");
    }
}

#[tokio::test]
async fn tags_are_merged() {
    let app = TestApp::start();
    let fhir = "application/fhir+json";
    put(&app, "/r4/Binary/tagged", fhir, resource(Some("tagged"), "data", "YQ==", Some("one"))).await;
    put(&app, "/r4/Binary/tagged", fhir, resource(Some("tagged"), "data", "Yg==", Some("two"))).await;
    put(&app, "/r4/Binary/tagged", "text/plain", "c").await;
    let tags = app.get("/r4/Binary/tagged?_format=json", None).await.json()["meta"]["tag"].clone();
    let codes: Vec<_> = tags.as_array().unwrap().iter().map(|tag| tag["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["one", "two"], "an update without tags removes none");
}

#[tokio::test]
async fn a_conditional_update_follows_its_versions_rules() {
    let app = TestApp::start();
    for (base, element) in VERSIONS {
        let name = &base[1..];
        let from_r4 = base.starts_with("/r");
        let update = |criteria: String, id: Option<String>, base64: &'static str| {
            let body = resource(id.as_deref(), element, base64, Some(name));
            let path = format!("{base}/Binary?{criteria}");
            let request = app.request(Method::PUT, &path).header("Content-Type", "application/fhir+json");
            Answer::of(request.body(body))
        };
        let tag = format!("_tag=urn:t%7C{name}");
        let claimed = format!("claimed{name}");
        // None matches: created, from R4 on under the id that the body claims.
        let created = update(tag.clone(), Some(claimed.clone()), "YQ==").await;
        assert_eq!(created.status, 201, "{base}: {}", created.text());
        assert_eq!(created.header("location").contains(&claimed), from_r4, "{base}");
        // One matches: updated.
        let updated = update(tag.clone(), None, "Yg==").await;
        assert_eq!((updated.status, updated.header("etag")), (200, "W/\"2\""), "{base}");
        // One matches, but the body claims another id: 400 from R4 on, ignored before.
        let other = update(tag.clone(), Some("another".into()), "Yw==").await;
        assert_eq!(other.status, if from_r4 { 400 } else { 200 }, "{base}");
        // None matches and the claimed id exists: updated in R4, refused in R5.
        let exists = update("_id=nowhere".into(), Some(claimed.clone()), "ZA==").await;
        let expected = match base {
            "/r5" => 409,
            _ if from_r4 => 200,
            _ => 201,
        };
        assert_eq!(exists.status, expected, "{base}: {}", exists.text());
        // Several match: refused.
        put(
            &app,
            &format!("{base}/Binary/second{name}"),
            "application/fhir+json",
            resource(Some(&format!("second{name}")), element, "ZQ==", Some(name)),
        )
        .await;
        assert_eq!(update(tag, None, "Zg==").await.status, 412, "{base}");
    }
}

#[tokio::test]
async fn a_read_only_endpoint_takes_nothing() {
    let app = TestApp::start();
    for (method, path) in [(Method::PUT, "/read-only/Binary/1"), (Method::POST, "/read-only/Binary")] {
        let request = app.request(method, path).header("Content-Type", "text/plain").body("x");
        assert_eq!(Answer::of(request).await.status, 405, "{path}");
    }
}
