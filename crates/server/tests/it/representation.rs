//! The resource form: element names, summaries, subsets, indentation.

use reqwest::Method;

use crate::app::{Answer, TestApp};

const VERSIONS: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

async fn guarded(app: &TestApp) {
    let request = app.request(Method::PUT, "/r4/Binary/doc").header("Content-Type", "text/plain");
    let answer = Answer::of(request.header("X-Security-Context", "Patient/1").body("hello")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn each_version_names_its_own_elements() {
    let app = TestApp::start();
    guarded(&app).await;
    for (base, element) in VERSIONS {
        let resource = app.get(&format!("{base}/Binary/doc?_format=json"), None).await.json();
        assert_eq!(resource["id"], "doc");
        assert_eq!(resource["meta"]["versionId"], "1");
        assert_eq!(resource["contentType"], "text/plain");
        assert_eq!(resource[element], "aGVsbG8=", "{base}");
        let guard = &resource["securityContext"]["reference"];
        assert_eq!(guard.as_str(), if base == "/dstu2" { None } else { Some("Patient/1") }, "{base}");
        let xml = app.get(&format!("{base}/Binary/doc?_format=xml"), None).await.text();
        assert!(xml.contains("<Binary xmlns=\"http://hl7.org/fhir\">"), "{xml}");
        let places = ["<id ", "<meta>", "<contentType ", &format!("<{element} value=\"aGVsbG8=\"/>")]
            .map(|part| xml.find(part).unwrap_or_else(|| panic!("{base}: no {part} in {xml}")));
        assert!(places.is_sorted(), "{base}: schema order in {xml}");
    }
}

#[tokio::test]
async fn the_native_form_names_its_guard_in_a_header() {
    let app = TestApp::start();
    guarded(&app).await;
    for (base, _) in VERSIONS {
        let native = app.get(&format!("{base}/Binary/doc"), None).await;
        assert_eq!(native.header("x-security-context"), "Patient/1", "{base}");
    }
}

#[tokio::test]
async fn a_summary_drops_content_where_the_version_says_so_and_is_marked() {
    let app = TestApp::start();
    guarded(&app).await;
    for (base, element) in VERSIONS {
        for (summary, content_kept, marked) in [
            ("true", base == "/dstu2", true),
            ("text", matches!(base, "/dstu2" | "/stu3"), true),
            ("data", true, false),
            ("false", true, false),
        ] {
            let path = format!("{base}/Binary/doc?_format=json&_summary={summary}");
            let resource = app.get(&path, None).await.json();
            assert_eq!(resource.get(element).is_some(), content_kept, "{path}");
            let tagged = resource["meta"]["tag"][0]["code"] == "SUBSETTED";
            assert_eq!(tagged, marked, "{path}");
        }
        let native = app.get(&format!("{base}/Binary/doc?_summary=true"), None).await;
        assert_eq!(native.text(), "hello", "{base}: no effect on the native form");
        let unknown = app.get(&format!("{base}/Binary/doc?_format=json&_summary=everything"), None).await;
        assert_eq!(unknown.status, 400, "{base}");
    }
}

#[tokio::test]
async fn elements_keep_what_is_named_and_what_is_mandatory() {
    let app = TestApp::start();
    guarded(&app).await;
    let resource = app.get("/r4/Binary/doc?_format=json&_elements=securityContext", None).await.json();
    assert!(resource.get("data").is_none() && resource.get("securityContext").is_some());
    assert_eq!(resource["contentType"], "text/plain");
    let resource = app.get("/stu3/Binary/doc?_format=json&_elements=contentType", None).await.json();
    assert!(resource.get("content").is_some(), "1..1 in STU3");
}

#[tokio::test]
async fn pretty_changes_white_space_alone() {
    let app = TestApp::start();
    guarded(&app).await;
    let plain = app.get("/r4/Binary/doc?_format=json", None).await;
    let pretty = app.get("/r4/Binary/doc?_format=json&_pretty=true", None).await;
    assert_eq!(plain.json(), pretty.json());
    assert!(!plain.text().contains('\n') && pretty.text().contains("\n  \"contentType\""));
}

#[tokio::test]
async fn what_a_client_sent_beside_the_bytes_comes_back_in_its_version() {
    let app = TestApp::start();
    let sent = r#"{"resourceType":"Binary","id":"ext","language":"de","contentType":"text/plain",
        "_contentType":{"extension":[{"url":"http://example.org/e","valueString":"x"}]},
        "securityContext":{"reference":"Patient/1","display":"Nora"},"data":"aGVsbG8="}"#;
    app.put("/r4/Binary/ext", "application/fhir+json", sent).await;
    let same = app.get("/r4/Binary/ext?_format=json", None).await.json();
    let sent: serde_json::Value = serde_json::from_str(sent).unwrap();
    for member in ["language", "contentType", "_contentType", "securityContext", "data"] {
        assert_eq!(same[member], sent[member], "{member}");
    }
    let other = app.get("/stu3/Binary/ext?_format=json", None).await.json();
    assert_eq!(other["content"], "aGVsbG8=");
    assert!(other.get("_contentType").is_none(), "no projection of it into another version");
}
