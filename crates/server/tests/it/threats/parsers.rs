//! Rows 12 to 20: bodies that are made to break or feed on their reader.

use reqwest::Method;

use crate::app::{Answer, TestApp};

async fn put(app: &TestApp, format: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request =
        app.request(Method::PUT, "/r4/Binary/1").header("Content-Type", format!("application/fhir+{format}"));
    Answer::of(request.body(body.into())).await
}

fn json(members: &str) -> String {
    format!("{{\"resourceType\":\"Binary\",\"id\":\"1\",\"contentType\":\"a/b\",\"data\":\"YQ==\"{members}}}")
}

fn xml(before: &str, inside: &str) -> String {
    format!(
        "{before}<Binary xmlns=\"http://hl7.org/fhir\"><id value=\"1\"/>{inside}<contentType value=\"a/b\"/>\
         <data value=\"YQ==\"/></Binary>"
    )
}

async fn refused(app: &TestApp, format: &str, body: impl Into<Vec<u8>>, what: &str) {
    let answer = put(app, format, body).await;
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert_eq!(app.get("/r4/Binary/1", None).await.status, 404, "{what}: nothing is stored");
}

#[tokio::test]
async fn row_12_an_external_entity_is_never_fetched() {
    let app = TestApp::start();
    let doctype = "<!DOCTYPE Binary [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
    refused(&app, "xml", xml(doctype, "<language value=\"&e;\"/>"), "file").await;
    let parameter = "<!DOCTYPE Binary [<!ENTITY % p SYSTEM \"http://127.0.0.1:9/\"> %p;]>";
    refused(&app, "xml", xml(parameter, ""), "parameter entity").await;
    refused(&app, "xml", xml("", "<language value=\"&e;\"/>"), "undeclared entity").await;
}

#[tokio::test]
async fn row_13_entities_do_not_multiply() {
    let app = TestApp::start();
    let laughs =
        "<!DOCTYPE Binary [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>";
    refused(&app, "xml", xml(laughs, "<language value=\"&c;\"/>"), "laughs").await;
}

#[tokio::test]
async fn row_14_depth_and_number_are_bounded() {
    let app = TestApp::start();
    let (_, before) = app.memory_bytes();
    let deep = format!(",\"extension\":{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    refused(&app, "json", json(&deep), "deep JSON").await;
    let nested = "<extension url=\"x\">".repeat(100_000) + &"</extension>".repeat(100_000);
    refused(&app, "xml", xml("", &nested), "deep XML").await;
    let many = "<extension url=\"x\"/>".repeat(20_000);
    refused(&app, "xml", xml("", &format!("<meta>{many}</meta>")), "many elements").await;
    let giant = format!(",\"language\":\"{}\"", "x".repeat(2 << 20));
    refused(&app, "json", json(&giant), "giant string").await;
    let (peak, _) = app.memory_bytes();
    assert!(peak - before < 64 << 20, "{} MiB more", (peak - before) >> 20);
}

#[tokio::test]
async fn row_15_json_that_two_readers_could_read_differently_is_refused() {
    let app = TestApp::start();
    for (what, body) in [
        ("key twice", json(",\"contentType\":\"text/html\"").into_bytes()),
        ("payload twice", json(",\"data\":\"Yg==\"").into_bytes()),
        ("escaped key twice", json(",\"d\\u0061ta\":\"Yg==\"").into_bytes()),
        ("lone surrogate", json(",\"language\":\"\\ud800\"").into_bytes()),
        ("not UTF-8", [json(",\"language\":\"").as_bytes(), b"\xff\"}"].concat()),
        ("byte order mark", [b"\xef\xbb\xbf", json("").as_bytes()].concat()),
        ("something behind", (json("") + "{}").into_bytes()),
        ("null", json(",\"language\":null").into_bytes()),
        ("empty string", json(",\"language\":\"\"").into_bytes()),
    ] {
        refused(&app, "json", body, what).await;
    }
}

#[tokio::test]
async fn row_16_a_compression_bomb_stops_at_the_limit() {
    let app = TestApp::with("[limits]\ndocument_bytes = 1000000\n");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![b' '; 100 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    let (_, before) = app.memory_bytes();
    for content_type in ["text/plain", "application/fhir+json", "application/fhir+xml"] {
        let request = app.request(Method::POST, "/r4/Binary").header("Content-Type", content_type);
        match request.header("Content-Encoding", "gzip").body(bomb.clone()).send().await {
            Ok(answer) => assert_eq!(answer.status(), 413, "{content_type}"),
            Err(error) => assert!(error.is_request(), "{content_type}: {error}"),
        }
    }
    let (peak, _) = app.memory_bytes();
    assert!(peak - before < 32 << 20, "{} MiB more", (peak - before) >> 20);
    // A stored archive is never opened.
    app.put("/r4/Binary/zip", "application/zip", bomb).await;
}

#[tokio::test]
async fn row_17_base64_is_decoded_on_its_way_to_the_disk() {
    let app = TestApp::start();
    let (_, before) = app.memory_bytes();
    let body = json("").replace("YQ==", &"YWFh".repeat(32 << 20));
    assert_eq!(put(&app, "json", body).await.status, 201);
    let (peak, _) = app.memory_bytes();
    // On its way to S3 two parts of 8 MiB are in memory, and what the allocator keeps beside them.
    assert!(peak - before < 48 << 20, "96 MiB of content took {} MiB", (peak - before) >> 20);
}

#[tokio::test]
async fn row_17_one_bad_character_at_the_end_is_seen() {
    let app = TestApp::start();
    for end in ["YWE*", "YWE", "YWE=YQ==", "YW==YWFh", "YWF="] {
        let text = "YWFh".repeat(1 << 18) + end;
        refused(&app, "json", json("").replace("YQ==", &text), end).await;
        refused(&app, "xml", xml("", "").replace("YQ==", &text), end).await;
    }
}

#[tokio::test]
async fn row_18_a_small_request_does_not_make_an_answer_without_bounds() {
    let app = TestApp::start();
    for n in 0..5_u8 {
        app.put("/r4/Binary/large", "a/b", vec![n; 20 << 20]).await;
    }
    for path in ["/r4/Binary/large/_history?_count=100000", "/r4/Binary/_history?_count=100000"] {
        let answer = app.get(path, None).await;
        assert!(answer.body.len() < 100 << 20, "{path}: {} MiB", answer.body.len() >> 20);
    }
}

#[tokio::test]
async fn row_20_a_name_counts_with_its_namespace() {
    let app = TestApp::start();
    for (what, body) in [
        (
            "no namespace",
            "<Binary><id value=\"1\"/><contentType value=\"a/b\"/><data value=\"YQ==\"/></Binary>",
        ),
        (
            "another",
            "<Binary xmlns=\"urn:x\"><id value=\"1\"/><contentType value=\"a/b\"/><data value=\"YQ==\"/></Binary>",
        ),
    ] {
        let answer = put(&app, "xml", body).await;
        assert!(matches!(answer.status, 200 | 201), "{what}");
        let stored = app.get("/r4/Binary/1", None).await;
        assert_eq!(
            (stored.header("content-type"), stored.text().as_str()),
            ("application/fhir+xml", body),
            "{what}"
        );
    }
    let foreign = "<Binary xmlns=\"http://hl7.org/fhir\" xmlns:e=\"urn:x\"><id value=\"2\"/>\
                   <contentType value=\"a/b\"/><e:data value=\"YQ==\"/></Binary>";
    let request = app.request(Method::PUT, "/r4/Binary/2").header("Content-Type", "application/fhir+xml");
    assert_eq!(Answer::of(request.body(foreign)).await.status, 400);
}

/// Wherever XML is read.
#[tokio::test]
async fn row_12_no_path_reads_a_doctype() {
    let app = TestApp::start();
    let doctype = "<!DOCTYPE a [<!ENTITY e \"read\">]>";
    for version in ["dstu2", "stu3", "r4", "r4b", "r5"] {
        let content_type = if version == "dstu2" { "application/xml+fhir" } else { "application/fhir+xml" };
        let patient =
            "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"x\"/><language value=\"en\"/></Patient>";
        let bundle = "<Bundle xmlns=\"http://hl7.org/fhir\"><type value=\"batch\"/><entry><request>\
                      <method value=\"GET\"/><url value=\"Patient/x\"/></request></entry></Bundle>";
        for (method, path, body) in [
            (Method::PUT, "/Patient/x", patient),
            (Method::POST, "/Patient", patient),
            (Method::POST, "", bundle),
        ] {
            let path = format!("/{version}{path}");
            let send = |body: String| {
                let request = app.request(method.clone(), &path).header("Content-Type", content_type);
                Answer::of(request.body(body))
            };
            let refused = send(format!("{doctype}{body}")).await;
            assert_eq!(refused.status, 400, "{method} {path}: {}", refused.text());
            let taken = send(body.to_owned()).await;
            assert!(matches!(taken.status, 200 | 201), "{method} {path}: {}", taken.text());
        }
        let patch = format!("{doctype}<diff><remove sel=\"Patient/language\"/></diff>");
        let request = app.request(Method::PATCH, &format!("/{version}/Patient/x"));
        let answer =
            Answer::of(request.header("Content-Type", "application/xml-patch+xml").body(patch)).await;
        assert!(matches!(answer.status, 400 | 405 | 415), "{version}: {}", answer.text());
        assert_eq!(
            app.get(&format!("/{version}/Patient/x"), None).await.json()["language"],
            "en",
            "{version}"
        );
    }
}
