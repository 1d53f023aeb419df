//! Rows 25, 29, 31, 36 and 37: searches, links and tokens that are made to be read as more than they are. What
//! forged signatures come to is in the tests of `auth`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use reqwest::Method;
use serde_json::json;

use super::access::{Caller, naming};
use crate::{
    access::Site,
    app::{Answer, TestApp},
};

/// Searches patients by one parameter.
async fn search(app: &TestApp, parameter: &str, value: &str) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair(parameter, value).finish();
    app.get(&format!("/r4/Patient?{query}"), None).await
}

#[tokio::test]
async fn row_25_text_of_a_search_stays_text() {
    let app = TestApp::start();
    let patient = json!({"resourceType": "Patient", "id": "p", "name": [{"family": "O'Neill"}]});
    app.put("/r4/Patient/p", "application/fhir+json", patient.to_string()).await;
    for value in [
        "' OR '1'='1",
        "x' OR 1=1 --",
        "'; DROP TABLE document; --",
        "\") OR (\"1\"=\"1",
        "%",
        "_",
        "x\\' OR 1=1 --",
        "p UNION SELECT 1",
        "a\u{0}b",
    ] {
        for parameter in
            ["family", "family:exact", "family:contains", "_id", "identifier", "birthdate", "organization"]
        {
            let answer = search(&app, parameter, value).await;
            assert!(matches!(answer.status, 200 | 400), "{parameter}={value}: {}", answer.text());
            if answer.status == 200 {
                assert_eq!(answer.json()["total"], 0, "{parameter}={value} finds nothing");
            }
        }
        for parameter in ["_sort", "_filter", "_has:Observation:patient:code", value] {
            let status = search(&app, parameter, value).await.status;
            assert!(matches!(status, 200 | 400), "{parameter}={value}: {status}");
        }
    }
    assert_eq!(app.get("/r4/Patient?family=O'Neill", None).await.json()["total"], 1, "and all is there");
}

#[tokio::test]
async fn row_29_no_url_of_a_client_is_fetched() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/r4/Binary/bait", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let app = TestApp::start();
    for version in ["dstu2", "stu3", "r4", "r4b", "r5"] {
        let json = if version == "dstu2" { "application/json+fhir" } else { "application/fhir+json" };
        let mut document = naming(version, &url);
        document["subject"]["reference"] = json!(url.replace("Binary", "Patient"));
        document["meta"] = json!({"profile": [url]});
        let post = |path: &str| app.request(Method::POST, path).header("Content-Type", json);
        let created =
            Answer::of(post(&format!("/{version}/DocumentReference")).body(document.to_string())).await;
        assert_eq!(created.status, 201, "{version}: {}", created.text());
        let entry = json!({"fullUrl": url, "resource": document,
            "request": {"method": "POST", "url": "DocumentReference"}});
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
        let sent = Answer::of(post(&format!("/{version}")).body(bundle.to_string())).await;
        assert_eq!(sent.status, 200, "{version}: {}", sent.text());
        for path in [
            format!("DocumentReference?subject={url}"),
            format!("DocumentReference?_include=*&_profile={url}"),
            "DocumentReference?_include=DocumentReference:subject".to_owned(),
        ] {
            assert_eq!(app.get(&format!("/{version}/{path}"), None).await.status, 200, "{version} {path}");
        }
        let native = post(&format!("/{version}/Binary")).header("Content-Type", "text/plain");
        let native = Answer::of(native.header("X-Security-Context", &url).body("x")).await;
        assert!(native.status < 500, "{version}: {}", native.text());
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0, "nobody called");
}

#[tokio::test]
async fn row_31_a_host_that_names_another_opens_nothing() {
    let site = Site::start("").await;
    for host in ["evil.example", "169.254.169.254", "localhost:1"] {
        let request = site.app.request(Method::GET, "/s/r4/Binary/own").header("Host", host);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 401, "{host}: a page of that name has no token to send");
        assert!(!answer.header("www-authenticate").contains(host), "{host}");
    }
    let caller =
        Caller::new(&site, "r4", &["--scope", "system/*.rs", "--audience", "http://evil.example/s/r4"]);
    let request = caller.request("GET", "Binary/own").header("Host", "evil.example");
    assert_eq!(Answer::of(request).await.status, 401, "what a token is for is not the caller's to say");
}

/// A page whose name leads to this machine is, for the browser, of the same origin as what it reads here.
#[tokio::test]
async fn row_31_a_page_that_gave_its_name_this_address_reads_nothing_that_is_open() {
    let app = crate::app::TestApp::with("hosts = [\"charta.intern\"]\n");
    app.put("/r4/Binary/1", "text/plain", "a letter").await;
    let status = async |path: &str, host: &str| {
        Answer::of(app.request(reqwest::Method::GET, path).header("Host", host)).await
    };
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "x"]
    {
        for path in ["/r4/Binary/1", "/r4/metadata", "/r5/DocumentReference", "/stu3", "/r4/Binary/none"] {
            let answer = status(path, host).await;
            assert_eq!(answer.status, 421, "{host} {path}");
            assert!(!answer.text().contains("letter"), "{}", answer.text());
            assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{path}");
        }
        let write = app.request(reqwest::Method::PUT, "/r4/Binary/1").header("Host", host);
        assert_eq!(
            Answer::of(write.header("Content-Type", "text/plain").body("x")).await.status,
            421,
            "{host}"
        );
        assert_eq!(status("/health/live", host).await.status, 200, "health says nothing");
    }
    for host in ["127.0.0.1", "localhost:1", "[::1]:80", "charta.intern:8080", "192.0.2.1"] {
        let answer = status("/r4/Binary/1", host).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "a letter"), "{host}");
    }
}

#[tokio::test]
async fn row_36_a_token_for_something_else_is_no_token_here() {
    let site = Site::start("").await;
    let audience = |path: &str| format!("{}{path}", site.app.url);
    for (here, elsewhere) in
        [("r4", "/s/r5"), ("r4", "/s/r4b"), ("stu3", "/s/r4"), ("r5", "/r5"), ("r4", "/s/r4x")]
    {
        let audience = audience(elsewhere);
        let caller = Caller::new(&site, here, &["--scope", "system/*.rs", "--audience", &audience]);
        assert_eq!(caller.get("Binary/own").await.status, 401, "{here} with a token for {elsewhere}");
    }
    let own = audience("/s/r4");
    let caller = Caller::new(&site, "r4", &["--scope", "system/*.rs", "--audience", &own]);
    assert_eq!(caller.get("Binary/own").await.status, 200);
    let caller = Caller::new(&site, "r4", &["--scope", "system/*.rs", "--tenant", crate::app::TENANT]);
    assert_ne!(caller.get("Binary/own").await.status, 200, "a token for another tenant");
}

#[tokio::test]
async fn row_37_a_scope_is_read_to_the_letter_or_not_at_all() {
    let site = Site::start("").await;
    for version in ["dstu2", "stu3", "r4", "r4b", "r5"] {
        for (scope, patient, expected) in [
            ("patient/DocumentReference.rs", Some("a"), 200),
            ("patient/DocumentReference.read", Some("a"), 200),
            ("patient/DocumentReference.dr", Some("a"), 403),
            ("patient/DocumentReference.sr", Some("a"), 403),
            ("patient/DocumentReference.rread", Some("a"), 403),
            ("patient/DocumentReference.rs", None, 403),
            ("patient/*.cruds", None, 403),
            ("patient/documentreference.rs", Some("a"), 403),
            ("PATIENT/DocumentReference.rs", Some("a"), 403),
            ("patient/DocumentReference.rs?", Some("a"), 403),
            ("patient/DocumentReference.rs?nothing=x", Some("a"), 403),
            ("patient/DocumentReference.rs?_id:not=x", Some("a"), 403),
            ("patient/DocumentReference.rs?patient.name=x", Some("a"), 403),
            ("patient/DocumentReference.rs?status=current&nothing=x", Some("a"), 403),
            ("patient/DocumentReference.rs?status=superseded", Some("a"), 404),
            ("patient/DocumentReference.rs?status=current", Some("a"), 200),
            ("patient/DocumentReference.write", Some("a"), 403),
            ("patient/Observation.rs", Some("a"), 403),
            ("system/DocumentReference.rs%20system/*.rs", Some("a"), 403),
            ("system/DocumentReference.rs\tsystem/*.rs", Some("a"), 403),
        ] {
            let mut arguments = vec!["--scope", scope];
            arguments.extend(patient.iter().flat_map(|id| ["--patient", id]));
            let caller = Caller::new(&site, version, &arguments);
            let answer = caller.get("DocumentReference/own").await;
            assert_eq!(answer.status, expected, "{version} with {scope} for {patient:?}: {}", answer.text());
            if expected != 200 {
                let found = caller.get("DocumentReference?_id=own").await;
                let total = (found.status == 200).then(|| found.json()["total"].clone());
                assert!(matches!(total, None | Some(serde_json::Value::Number(_))), "{version} {scope}");
                assert!(
                    total.is_none_or(|total| total == 0),
                    "{version} with {scope}: what is not read is not found"
                );
            }
        }
    }
}
