//! Rows 1 to 11: documents that would like to be a page of this server.

use reqwest::Method;

use crate::app::{Answer, TestApp};

/// What a browser sends for a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
const HTML: &[u8] = b"<!DOCTYPE html><html><script>fetch('/r4/Binary')</script></html>";
const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
const XHTML: &[u8] = b"<html xmlns=\"http://www.w3.org/1999/xhtml\"><script>alert(1)</script></html>";
const STYLED: &[u8] = b"<?xml-stylesheet type=\"text/xsl\" href=\"https://evil.example/x.xsl\"?><a/>";
const CDA: &[u8] = b"<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><component><nonXMLBody><text>\
    <reference value=\"javascript:alert(1)\"/></text></nonXMLBody></component></ClinicalDocument>";
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF";

/// Stores bytes, opens them as a browser does, and asserts that they come back inert and unchanged.
async fn open(app: &TestApp, content_type: &str, bytes: &[u8]) -> Answer {
    app.put("/r4/Binary/x", content_type, bytes).await;
    let answer = app.get("/r4/Binary/x", BROWSER).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, content_type));
    assert_eq!(answer.body, bytes, "{content_type}: bytes stay as they are");
    let policy = answer.header("content-security-policy");
    assert_eq!(policy, "sandbox; default-src 'none'; frame-ancestors 'none'", "{content_type}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{content_type}");
    assert!(!answer.headers.contains_key("set-cookie"), "{content_type}");
    answer
}

async fn is_saved(app: &TestApp, content_type: &str, bytes: &[u8]) {
    let answer = open(app, content_type, bytes).await;
    let disposition = answer.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"x."), "{content_type}: {disposition}");
}

#[tokio::test]
async fn row_01_pages_are_saved_not_opened() {
    let app = TestApp::start();
    is_saved(&app, "text/html", HTML).await;
    is_saved(&app, "text/html; charset=utf-7", HTML).await;
    is_saved(&app, "TEXT/HTML", HTML).await;
    is_saved(&app, "application/xhtml+xml", XHTML).await;
    is_saved(&app, "image/svg+xml", SVG).await;
    // Shown by the browser's own viewer, which the sandbox holds.
    let pdf = open(&app, "application/pdf", PDF).await;
    assert!(pdf.header("content-disposition").starts_with("inline; "), "{:?}", pdf.headers);
}

#[tokio::test]
async fn row_02_types_are_not_guessed() {
    let app = TestApp::start();
    for content_type in ["text/plain", "application/octet-stream", "application/x-unheard-of"] {
        open(&app, content_type, HTML).await;
    }
    is_saved(&app, "application/octet-stream", HTML).await;
    for bad in ["html", "text/", "/html", "text/html/x", "text html", "*/*", "text/*", "text/<html>"] {
        let request = app.request(Method::PUT, "/r4/Binary/x").header("Content-Type", bad).body(HTML);
        assert_eq!(Answer::of(request).await.status, 415, "{bad}");
    }
}

#[tokio::test]
async fn row_03_content_types_hide_nothing() {
    let app = TestApp::start();
    for bad in ["text/plain, text/html", "text/plain; a=b,text/html", "text/plain; a=\"b"] {
        let request = app.request(Method::PUT, "/r4/Binary/x").header("Content-Type", bad).body("x");
        assert_eq!(Answer::of(request).await.status, 415, "{bad}");
    }
    let twice = app.request(Method::PUT, "/r4/Binary/x").header("Content-Type", "text/plain");
    assert_eq!(Answer::of(twice.header("Content-Type", "text/html").body("x")).await.status, 415);
    for bad in [r"text/plain\r\nX-Evil: 1", r"text/plain\n", r"text/plain\u0000", r"text/pl\u00e4in"] {
        let body = format!(r#"{{"resourceType":"Binary","id":"x","contentType":"{bad}","data":"eA=="}}"#);
        let request =
            app.request(Method::PUT, "/r4/Binary/x").header("Content-Type", "application/fhir+json");
        let answer = Answer::of(request.body(body)).await;
        assert!(matches!(answer.status, 400 | 422), "{bad}: {} {}", answer.status, answer.text());
    }
    // A page's type inside a parameter does not become the type.
    open(&app, "text/plain; a=\"text/html\"", b"x").await;
}

#[tokio::test]
async fn row_04_clients_choose_no_file_name() {
    let app = TestApp::start();
    let request = app
        .request(Method::PUT, "/r4/Binary/x")
        .header("Content-Type", "application/pdf; name=\"../../evil.html\"")
        .header("Content-Disposition", "inline; filename=\"evil.html\"")
        .header("Slug", "evil.html")
        .body(PDF);
    assert_eq!(Answer::of(request).await.status, 201);
    let answer = app.get("/r4/Binary/x", BROWSER).await;
    let expected = "inline; filename=\"x.pdf\"; filename*=UTF-8''x.pdf";
    assert_eq!(answer.header("content-disposition"), expected);
}

#[tokio::test]
async fn row_06_clinical_documents_are_not_rendered() {
    let app = TestApp::start();
    for content_type in ["application/hl7-v3+xml", "application/cda+xml", "text/xml"] {
        is_saved(&app, content_type, CDA).await;
    }
}

#[tokio::test]
async fn row_07_stylesheets_stay_in_the_bytes_and_are_not_run() {
    let app = TestApp::start();
    for content_type in ["text/xml", "application/xml", "application/hl7-v3+xml"] {
        is_saved(&app, content_type, STYLED).await;
    }
}

#[tokio::test]
async fn row_08_other_sites_cannot_frame_or_embed() {
    let app = TestApp::start();
    app.put("/r4/Binary/x", "text/html", HTML).await;
    for (path, status) in [("Binary/x", 200), ("Binary/none", 404), ("Nothing/x", 404), ("metadata", 200)] {
        let answer = app.get(&format!("/r4/{path}"), BROWSER).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-site", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn row_09_forms_of_other_sites_have_no_rights() {
    let app = TestApp::start();
    for content_type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"]
    {
        for (base, status) in [("/secure", 401), ("/r4", 201)] {
            let request = app
                .request(Method::POST, &format!("{base}/Binary"))
                .header("Content-Type", content_type)
                .header("Origin", "https://evil.example")
                .header("Cookie", "session=1; access_token=1")
                .body("contentType=text/html");
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, status, "{base} {content_type}");
            assert!(!answer.headers.contains_key("set-cookie"), "{base} {content_type}");
            assert!(
                !answer.headers.contains_key("access-control-allow-credentials"),
                "{base} {content_type}"
            );
        }
    }
}

#[tokio::test]
async fn row_10_polyglots_are_what_their_type_says_or_saved() {
    let app = TestApp::start();
    for content_type in ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"] {
        is_saved(&app, content_type, HTML).await;
    }
    is_saved(&app, "text/javascript", b"GIF89a=1;alert(1)").await;
    is_saved(&app, "text/html", b"%PDF-1.7<script>alert(1)</script>").await;
    // Two formats at once: shown as the one that was stored, and sniffed by nobody.
    let both = open(&app, "image/gif", b"GIF89a/*<script>*/=1;alert(1)//</script>").await;
    assert!(both.header("content-disposition").starts_with("inline; filename=\"x.gif\""));
    // A part of a document is as inert as the whole.
    app.put("/r4/Binary/x", "image/png", HTML).await;
    let part = app.request(Method::GET, "/r4/Binary/x").header("Range", "bytes=15-30");
    let part = Answer::of(part).await;
    assert_eq!((part.status, part.header("content-type")), (206, "image/png"));
    assert!(part.header("content-disposition").starts_with("attachment; "), "{:?}", part.headers);
    assert!(part.header("content-security-policy").starts_with("sandbox"), "{:?}", part.headers);
}

#[tokio::test]
async fn row_11_urls_need_no_secrets() {
    let app = TestApp::start();
    let in_url = app.get("/secure/Binary/x?access_token=secret", None).await;
    assert_eq!(in_url.status, 401);
    assert!(!in_url.text().contains("secret"), "{}", in_url.text());
    app.put("/dstu2/Binary/x", "text/plain", "x").await;
    let request = app
        .request(Method::POST, "/dstu2/Binary/_search")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("_id=x");
    let found = Answer::of(request).await;
    assert_eq!((found.status, &found.json()["total"]), (200, &1.into()), "{}", found.text());
}
