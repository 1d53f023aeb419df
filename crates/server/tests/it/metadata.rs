//! What an endpoint says of itself, compared with what it does.

use reqwest::Method;

use crate::app::{Answer, TENANT, TestApp};

async fn binary_of(app: &TestApp, base: &str, resource_type: &str) -> serde_json::Value {
    let answer = app.get(&format!("{base}/metadata"), None).await;
    assert_eq!(answer.status, 200, "{base}");
    assert!(answer.header("etag").starts_with("W/\""), "{base}");
    let statement = answer.json();
    assert_eq!(statement["resourceType"], resource_type, "{base}");
    assert_eq!(statement["kind"], "instance", "{base}");
    assert_eq!(statement["implementation"]["url"], format!("{}{base}", app.url), "{base}");
    let resources = statement["rest"][0]["resource"].as_array().expect("a list").clone();
    assert!(resources.len() > 80, "{base}: all types of the version");
    resources.into_iter().find(|resource| resource["type"] == "Binary").unwrap()
}

fn codes(binary: &serde_json::Value) -> Vec<String> {
    let listed = binary["interaction"].as_array().expect("a list");
    listed.iter().map(|interaction| interaction["code"].as_str().unwrap().to_owned()).collect()
}

/// Tries each interaction on a document that is there; whether it is supported.
async fn does(app: &TestApp, base: &str, id: &str, code: &str) -> bool {
    let (method, path) = match code {
        "read" => (Method::GET, format!("{base}/Binary/{id}")),
        "vread" => (Method::GET, format!("{base}/Binary/{id}/_history/1")),
        "history-instance" => (Method::GET, format!("{base}/Binary/{id}/_history")),
        "history-type" => (Method::GET, format!("{base}/Binary/_history?_count=1&_summary=true")),
        "search-type" => (Method::GET, format!("{base}/Binary?_count=1&_summary=true")),
        "create" => (Method::POST, format!("{base}/Binary")),
        "update" => (Method::PUT, format!("{base}/Binary/{id}")),
        "patch" => (Method::PATCH, format!("{base}/Binary/{id}")),
        "delete" => (Method::DELETE, format!("{base}/Binary/does-not-matter")),
        other => panic!("{other} is not known to this test"),
    };
    let request = app.request(method, &path).header("Content-Type", "text/plain").body("x");
    let status = Answer::of(request).await.status;
    assert!(status < 300 || matches!(status, 404 | 405), "{code} at {base}: {status}");
    status < 300
}

#[tokio::test]
async fn each_endpoint_lists_exactly_what_it_does() {
    let app = TestApp::start();
    app.put("/r4/Binary/there", "text/plain", "x").await;
    app.put("/writer/Binary/there", "text/plain", "x").await;
    let (millennium, soarian) = (format!("/millennium/r4/{TENANT}"), format!("/soarian/r4/{TENANT}"));
    let dstu2 = format!("/millennium/dstu2/{TENANT}");
    for (base, resource_type) in [
        ("/dstu2", "Conformance"),
        ("/stu3", "CapabilityStatement"),
        ("/r4", "CapabilityStatement"),
        ("/r4b", "CapabilityStatement"),
        ("/r5", "CapabilityStatement"),
        ("/read-only", "CapabilityStatement"),
        (millennium.as_str(), "CapabilityStatement"),
        (dstu2.as_str(), "Conformance"),
        (soarian.as_str(), "CapabilityStatement"),
        ("/ccri/STU3", "CapabilityStatement"),
    ] {
        let listed = codes(&binary_of(&app, base, resource_type).await);
        for code in [
            "read",
            "vread",
            "history-instance",
            "history-type",
            "search-type",
            "create",
            "update",
            "patch",
            "delete",
        ] {
            let claimed = listed.iter().any(|found| found == code);
            assert_eq!(does(&app, base, "there", code).await, claimed, "{code} at {base}");
        }
    }
}

#[tokio::test]
async fn the_statement_names_its_version_and_comes_as_xml_too() {
    let app = TestApp::start();
    for (base, number, root) in [
        ("/dstu2", "1.0.2", "<Conformance xmlns"),
        ("/stu3", "3.0.2", "<CapabilityStatement xmlns"),
        ("/r4", "4.0.1", "<CapabilityStatement xmlns"),
        ("/r4b", "4.3.0", "<CapabilityStatement xmlns"),
        ("/r5", "5.0.0", "<CapabilityStatement xmlns"),
    ] {
        let json = app.get(&format!("{base}/metadata"), None).await.json();
        assert_eq!(json["fhirVersion"], number, "{base}");
        let xml = app.get(&format!("{base}/metadata"), "application/fhir+xml").await;
        assert!(xml.text().contains(root) && xml.text().contains(number), "{base}");
        assert_eq!(app.get(&format!("{base}/metadata"), "image/png").await.status, 406, "{base}");
    }
}

#[tokio::test]
async fn a_secured_endpoint_shows_its_statement_and_nothing_else() {
    let app = TestApp::start();
    let statement = app.get("/secure/metadata", None).await;
    assert_eq!(statement.status, 200);
    assert!(statement.text().contains("SMART-on-FHIR"));
    for path in
        ["/secure/Binary/1", "/secure/Binary/_history", "/secure/Patient/1", "/secure", "/secure/Binary/$x"]
    {
        let answer = app.get(path, None).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (401, "login"), "{path}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
    }
}
