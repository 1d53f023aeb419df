//! history of a document and of the type.

use reqwest::Method;
use serde_json::{Value, json};

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

const JSON: &str = "application/fhir+json";

async fn send(app: &TestApp, method: Method, path: &str, content_type: &str, body: &Value) -> Answer {
    let request = app.request(method, path).header("Content-Type", content_type).body(body.to_string());
    Answer::of(request).await
}

fn document(description: &str) -> Value {
    json!({"resourceType":"DocumentReference","id":"d","status":"current","description":description,
        "type":{"text":"t"},"indexed":"2020-01-01T00:00:00Z",
        "content":[{"attachment":{"contentType":"text/plain","url":"http://else/d"}}]})
}

/// `DocumentReference/d` by every kind of write: created in STU3, changed in R4 by a transaction, by a condition and by
/// a patch, deleted in a batch, brought back in R5; and a Patient and an Observation beside it.
async fn written() -> TestApp {
    let app = TestApp::start();
    let ok = |answer: Answer| assert!(matches!(answer.status, 200 | 201 | 204), "{}", answer.text());
    ok(send(&app, Method::PUT, "/stu3/DocumentReference/d", JSON, &document("one")).await);
    let in_r4 = |description: &str| {
        let mut document = document(description);
        let indexed = document.as_object_mut().unwrap().remove("indexed").unwrap();
        document["date"] = indexed;
        document["identifier"] = json!([{"system":"http://i","value":"1"}]);
        document
    };
    let put = json!({"resource":in_r4("two"),"request":{"method":"PUT","url":"DocumentReference/d"}});
    let patient = json!({"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}});
    let transaction = json!({"resourceType":"Bundle","type":"transaction","entry":[put, patient]});
    ok(send(&app, Method::POST, "/r4", JSON, &transaction).await);
    let by_condition = "/r4/DocumentReference?identifier=http://i%7C1";
    ok(send(&app, Method::PUT, by_condition, JSON, &in_r4("three")).await);
    let patch = json!([{"op":"replace","path":"/description","value":"four"}]);
    ok(send(&app, Method::PATCH, "/r4/DocumentReference/d", "application/json-patch+json", &patch).await);
    let delete = json!({"resourceType":"Bundle","type":"batch",
        "entry":[{"request":{"method":"DELETE","url":"DocumentReference/d"}}]});
    ok(send(&app, Method::POST, "/r4", JSON, &delete).await);
    ok(send(&app, Method::PUT, "/r5/DocumentReference/d", JSON, &in_r4("six")).await);
    let observation = json!({"resourceType":"Observation","id":"o","status":"final","code":{"text":"c"}});
    ok(send(&app, Method::PUT, "/r4/Observation/o", JSON, &observation).await);
    app
}

#[tokio::test]
async fn every_kind_of_write_is_told_as_a_direct_one_in_every_version() {
    let app = written().await;
    for (base, _) in VERSIONS {
        let bundle = app.get(&format!("{base}/DocumentReference/d/_history"), JSON).await.json();
        assert_eq!((&bundle["type"], &bundle["total"]), (&json!("history"), &json!(6)), "{base}");
        let told: Vec<_> = entries(&bundle)
            .iter()
            .map(|entry| {
                let request = &entry["request"];
                (
                    request["method"].as_str().unwrap(),
                    request["url"].as_str().unwrap(),
                    entry["resource"]["description"].as_str(),
                )
            })
            .collect();
        let own = "DocumentReference/d";
        assert_eq!(
            told,
            [
                ("PUT", own, Some("six")),
                ("DELETE", own, None),
                ("PUT", own, Some("four")),
                ("PUT", own, Some("three")),
                ("PUT", own, Some("two")),
                ("POST", "DocumentReference", Some("one")),
            ],
            "{base}"
        );
        let is_r4_or_later = base.starts_with("/r");
        for (entry, (version, status)) in entries(&bundle).iter().zip([
            ("6", "201 Created"),
            ("5", "204 No Content"),
            ("4", "200 OK"),
            ("3", "200 OK"),
            ("2", "200 OK"),
            ("1", "201 Created"),
        ]) {
            let response = &entry["response"];
            let has_url = base != "/dstu2" || version != "5";
            assert_eq!(
                entry["fullUrl"].as_str().map(str::to_owned),
                has_url.then(|| format!("{}{base}/{own}", app.url))
            );
            assert_eq!(response.is_null(), !is_r4_or_later, "{base}: earlier versions forbid it");
            if is_r4_or_later {
                assert_eq!(
                    (&response["status"], &response["etag"]),
                    (&json!(status), &json!(format!("W/\"{version}\"")))
                );
                assert!(
                    response["lastModified"].as_str().is_some_and(|time| time.ends_with('Z')),
                    "{response}"
                );
            }
            if !entry["resource"].is_null() {
                let meta = &entry["resource"]["meta"];
                assert_eq!(meta["versionId"], version, "{base}");
                let date = if is_r4_or_later { "date" } else { "indexed" };
                assert_eq!(entry["resource"][date], "2020-01-01T00:00:00Z", "{base}: as the version has it");
            }
        }
        let head =
            Answer::of(app.request(Method::HEAD, &format!("{base}/DocumentReference/d/_history"))).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{base}");
    }
}

#[tokio::test]
async fn the_history_of_the_system_has_what_the_version_shows() {
    let app = written().await;
    for (base, _) in VERSIONS {
        let bundle = app.get(&format!("{base}/_history"), JSON).await.json();
        let kinds: Vec<_> = entries(&bundle)
            .iter()
            .map(|entry| entry["request"]["url"].as_str().unwrap().split('/').next().unwrap().to_owned())
            .collect();
        let documents = ["DocumentReference"; 4];
        let mut expected = vec!["DocumentReference", "DocumentReference"];
        expected.extend(&documents[..2]);
        // What one transaction wrote comes in the order in which it was carried out.
        expected.extend(["DocumentReference", "Patient", "DocumentReference"]);
        if base == "/r4" {
            expected.insert(0, "Observation");
        }
        assert_eq!(kinds, expected, "{base}");
        assert_eq!(bundle["total"], expected.len(), "{base}");
        let of_type = app.get(&format!("{base}/Observation/_history"), JSON).await.json();
        assert_eq!(of_type["total"], u8::from(base == "/r4"), "{base}");
        let patients = app.get(&format!("{base}/Patient/_history"), JSON).await.json();
        assert_eq!(patients["total"], 1, "{base}");
    }
}

#[tokio::test]
async fn times_choose_what_was_written_since_or_current_then() {
    let app = written().await;
    for path in ["DocumentReference/d/_history", "DocumentReference/_history", "_history"] {
        let all = app.get(&format!("/r5/{path}"), JSON).await.json();
        // Version, resource, from when, and until when: the next version of the same resource.
        let mut versions: Vec<(String, String, String, Option<String>)> = Vec::new();
        for entry in entries(&all) {
            let of = entry["fullUrl"].as_str().unwrap().to_owned();
            let from = entry["response"]["lastModified"].as_str().unwrap().to_owned();
            let until =
                versions.iter().rev().find(|(_, other, ..)| *other == of).map(|(_, _, from, _)| from.clone());
            versions.push((entry["response"]["etag"].as_str().unwrap().to_owned(), of, from, until));
        }
        let tags = |bundle: &Value| -> Vec<String> {
            let tag = |entry: &Value| entry["response"]["etag"].as_str().unwrap().to_owned();
            entries(bundle).iter().map(tag).collect()
        };
        for (_, _, time, _) in &versions {
            let since = app.get(&format!("/r5/{path}?_since={time}"), JSON).await.json();
            let expected: Vec<_> =
                versions.iter().filter(|(_, _, from, _)| from >= time).map(|v| v.0.clone()).collect();
            assert_eq!(tags(&since), expected, "{path} since {time}: at or after");
            assert_eq!(since["total"], expected.len());
            let at = app.get(&format!("/r5/{path}?_at={time}"), JSON).await.json();
            let current = |(_, _, from, until): &&(String, String, String, Option<String>)| {
                from <= time && until.as_ref().is_none_or(|until| until > time)
            };
            let expected: Vec<_> = versions.iter().filter(current).map(|v| v.0.clone()).collect();
            assert_eq!(tags(&at), expected, "{path} at {time}: what was current");
        }
        for query in ["_since=2999-01-01T00:00:00Z", "_at=1999"] {
            assert_eq!(
                app.get(&format!("/r5/{path}?{query}"), JSON).await.json()["total"],
                0,
                "{path}?{query}"
            );
        }
        for query in ["_since=then", "_at=noon", "_count=few", "_since=2020-13-01", "_sort=name"] {
            assert_eq!(app.get(&format!("/r5/{path}?{query}"), JSON).await.status, 400, "{path}?{query}");
        }
        for query in ["_sort=-_lastUpdated", "_sort=none"] {
            assert_eq!(app.get(&format!("/r5/{path}?{query}"), JSON).await.json()["total"], all["total"]);
        }
        // DSTU2 does not know `_at`: it is left out, and the self link says so.
        let ignored = app.get(&format!("/dstu2/{path}?_at=1999&_count=50"), JSON).await.json();
        assert!(entries(&ignored).len() >= 6, "{path}");
        let own = ignored["link"][0]["url"].as_str().unwrap();
        assert!(own.contains("_count=50") && !own.contains("_at"), "{own}");
    }
}

#[tokio::test]
async fn pages_of_a_history_hold_still_while_others_write() {
    let app = written().await;
    for (base, _) in VERSIONS {
        for path in ["DocumentReference/d/_history", "DocumentReference/_history", "_history"] {
            let whole = app.get(&format!("{base}/{path}?_count=100"), JSON).await.json();
            let name =
                |entry: &Value| (entry["request"].clone(), entry["resource"]["meta"]["versionId"].clone());
            let expected: Vec<_> = entries(&whole).iter().map(name).collect();
            let mut next_path = Some(format!("{base}/{path}?_count=2"));
            let mut seen = Vec::new();
            while let Some(path) = next_path {
                let page = app.get(&path, JSON).await.json();
                assert!(entries(&page).len() <= 2, "{path}");
                seen.extend(entries(&page).iter().map(name));
                next_path = next(&page).map(|link| link.strip_prefix(&app.url).unwrap().to_owned());
                let count = seen.len();
                if count > 4 {
                    continue; // or no page could hold the whole any more
                }
                app.put(&format!("/r4/DocumentReference/d{count}"), JSON, {
                    let mut other = document(&format!("meanwhile {base} {path}"));
                    other["id"] = json!(format!("d{count}"));
                    other.as_object_mut().unwrap().remove("indexed");
                    other.to_string()
                })
                .await;
            }
            assert_eq!(seen, expected, "{base}/{path}");
        }
    }
}

#[tokio::test]
async fn a_history_in_xml_is_the_same() {
    let app = written().await;
    for (base, _) in VERSIONS {
        let xml =
            app.get(&format!("{base}/DocumentReference/d/_history"), "application/fhir+xml").await.text();
        assert!(
            xml.contains("<type value=\"history\"/>") && xml.contains("<total value=\"6\"/>"),
            "{base}: {xml}"
        );
        assert_eq!(xml.matches("<method value=\"PUT\"/>").count(), 4, "{base}");
        assert_eq!(xml.matches("<DocumentReference xmlns=\"http://hl7.org/fhir\">").count(), 5, "{base}");
    }
    for path in ["/r4/DocumentReference/none/_history", "/r4/Animal/_history", "/stu3/Observation/o/_history"]
    {
        assert_eq!(app.get(path, JSON).await.status, 404, "{path}");
    }
    let post = Answer::of(app.request(Method::POST, "/r4/_history").body("x")).await;
    assert_eq!(post.status, 405);
}
