//! Rows 1 to 11: stored content that a browser is led to.

use reqwest::Method;

use super::raw;
use crate::app::{Answer, TestApp};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Every header that keeps content inert, on an answer to a browser.
fn assert_inert(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 200, "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("sandbox;") && policy.contains("default-src 'none'"), "{what}: {policy}");
    assert!(!policy.contains("allow-"), "{what}: {policy}");
    assert_eq!(answer.header("cross-origin-resource-policy"), "same-site", "{what}");
    assert_eq!(answer.header("x-frame-options"), "DENY", "{what}");
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
}

#[tokio::test]
async fn row_01_stored_script_is_saved_and_never_shown() {
    let app = TestApp::start();
    for (content_type, body) in [
        ("text/html", "<script>steal()</script>"),
        ("text/html; charset=utf-8", "<img src=x onerror=steal()>"),
        (
            "application/xhtml+xml",
            "<html xmlns='http://www.w3.org/1999/xhtml'><script>steal()</script></html>",
        ),
        ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'><script>steal()</script></svg>"),
        ("text/xml", "<?xml-stylesheet type='text/xsl' href='//evil.example/x.xsl'?><a/>"),
        ("application/xml", "<a/>"),
        ("application/javascript", "steal()"),
        ("text/css", "@import '//evil.example'"),
        ("application/x-unknown", "<html>"),
        ("TEXT/HTML", "<script>steal()</script>"),
    ] {
        app.put("/r4/Binary/evil", content_type, body).await;
        let answer = app.get("/r4/Binary/evil", BROWSER).await;
        assert_inert(&answer, content_type);
        assert!(answer.header("content-disposition").starts_with("attachment;"), "{content_type}");
        assert_eq!((answer.header("content-type"), answer.text().as_str()), (content_type, body));
    }
    // What is shown in place is in the sandbox too: a PDF with script has no origin to act on.
    app.put("/r4/Binary/pdf", "application/pdf", "%PDF-1.7 /JavaScript").await;
    let pdf = app.get("/r4/Binary/pdf", BROWSER).await;
    assert_inert(&pdf, "a PDF");
    assert!(pdf.header("content-disposition").starts_with("inline;"));
}

#[tokio::test]
async fn row_02_a_type_that_the_bytes_contradict_is_not_shown() {
    let app = TestApp::start();
    for (content_type, body) in [
        ("image/png", &b"<html><script>"[..]),
        ("image/jpeg", b"GIF89a"),
        ("application/pdf", b"<html>%PDF-"),
        ("image/gif", b"GIF8"),
        ("image/webp", b"RIFFxxxxHTML"),
    ] {
        app.put("/r4/Binary/lie", content_type, body).await;
        let answer = app.get("/r4/Binary/lie", BROWSER).await;
        assert_inert(&answer, content_type);
        assert!(answer.header("content-disposition").starts_with("attachment;"), "{content_type}");
    }
}

#[tokio::test]
async fn row_03_a_type_cannot_bring_headers_along() {
    let app = TestApp::start();
    for content_type in ["text/html, text/plain", "text/plain;a=\"x", "text/plain; a=b,c", "text/pl\u{e9}in"]
    {
        let request = format!(
            "PUT /r4/Binary/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: 1\r\n\r\nx"
        );
        let answer = raw(&app, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 415 "), "{content_type}: {answer}");
    }
    for inside in ["text/plain\\r\\nX-Evil: 1", "text/plain\\u0000", "text/plain\\n"] {
        let body = format!(
            "{{\"resourceType\":\"Binary\",\"id\":\"1\",\"contentType\":\"{inside}\",\"data\":\"YQ==\"}}"
        );
        let request =
            app.request(Method::PUT, "/r4/Binary/1").header("Content-Type", "application/fhir+json");
        let answer = Answer::of(request.body(body)).await;
        assert!(matches!(answer.status, 400 | 422), "{inside}: {}", answer.status);
        assert_eq!(answer.header("x-evil"), "");
    }
    assert_eq!(app.get("/r4/Binary/1", None).await.status, 404);
}

#[tokio::test]
async fn row_04_a_file_name_is_made_of_the_id_alone() {
    let app = TestApp::start();
    app.put("/r4/Binary/..a.-", "text/html; name=\"../../x.exe\"", "x").await;
    let shown = app.get("/r4/Binary/..a.-", None).await;
    assert_eq!(
        shown.header("content-disposition"),
        "attachment; filename=\"..a.-.html\"; filename*=UTF-8''..a.-.html"
    );
}

#[tokio::test]
async fn row_06_a_cda_is_never_rendered_where_its_bytes_are() {
    let app = TestApp::start();
    let cda = "<?xml-stylesheet type='text/xsl' href='CDA.xsl'?><ClinicalDocument xmlns='urn:hl7-org:v3'>\
               <component><nonXMLBody><text><reference value='javascript:steal()'/></text></nonXMLBody></component>\
               </ClinicalDocument>";
    for content_type in ["text/xml", "application/hl7-v3+xml", "application/cda+xml"] {
        app.put("/r4/Binary/cda", content_type, cda).await;
        let answer = app.get("/r4/Binary/cda", BROWSER).await;
        assert_inert(&answer, content_type);
        assert!(answer.header("content-disposition").starts_with("attachment;"), "{content_type}");
        assert_eq!(answer.text(), cda, "and its bytes stay as they are");
    }
}

/// The attacks on style sheets for CDA, at the page that is made here.
#[tokio::test]
async fn row_06_a_page_of_a_cda_has_nothing_of_its_markup() {
    let app = TestApp::start();
    let attacks = [
        "<nonXMLBody><text mediaType='text/html'><reference value='javascript:steal()'/></text></nonXMLBody>",
        "<nonXMLBody><text mediaType='text/html' representation='B64'>PHNjcmlwdD5zdGVhbCgpPC9zY3JpcHQ+</text></nonXMLBody>",
        "<nonXMLBody><text mediaType='text/plain'>&lt;script&gt;steal()&lt;/script&gt;</text></nonXMLBody>",
        "<structuredBody><component><section><title>&lt;script&gt;steal()&lt;/script&gt;</title><text>\
         <table onmouseover='steal()' style='background:url(//evil.example)'><tr><td onclick='steal()'>a</td></tr></table>\
         <linkHtml href='javascript:steal()'>b</linkHtml><renderMultiMedia referencedObject='m'/><script>steal()</script>\
         <img xmlns='http://www.w3.org/1999/xhtml' src='//evil.example/x.png' onerror='steal()'/></text>\
         <entry><observationMedia ID='m'><value mediaType='image/svg+xml'><reference value='//evil.example/x.svg'/></value></observationMedia></entry>\
         </section></component></structuredBody>",
    ];
    for attack in attacks {
        let cda = format!(
            "<?xml-stylesheet type='text/xsl' href='//evil.example/x.xsl'?><ClinicalDocument xmlns='urn:hl7-org:v3'>\
             <component>{attack}</component></ClinicalDocument>"
        );
        app.put("/r4/Binary/cda", "text/xml", cda).await;
        let answer = app.get("/r4/Binary/cda/$view", BROWSER).await;
        let (page, policy) = (answer.text(), answer.header("content-security-policy").to_owned());
        assert_eq!(answer.status, 200, "{page}");
        assert!(policy.starts_with("default-src 'none';") && policy.contains("; sandbox"), "{policy}");
        assert!(!policy.contains("allow-scripts") && !policy.contains("allow-same-origin"), "{policy}");
        for markup in [
            "<script",
            "<iframe",
            "<object",
            "<svg",
            "<img",
            "onerror=",
            "onclick=",
            "onmouseover=",
            "url(",
            "=\"javascript",
            "src=\"//",
        ] {
            assert!(!page.contains(markup), "{markup} of {attack} in {page}");
        }
    }
}

#[tokio::test]
async fn row_07_a_stylesheet_instruction_is_kept_and_never_run() {
    let app = TestApp::start();
    let xml = "<?xml-stylesheet type='text/xsl' href='/r4/Binary/evil-xsl'?><a/>";
    app.put("/r4/Binary/styled", "application/xml", xml).await;
    let answer = app.get("/r4/Binary/styled", BROWSER).await;
    assert_inert(&answer, "styled XML");
    assert_eq!(answer.text(), xml);
}

#[tokio::test]
async fn row_08_nothing_can_be_framed() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "text/plain", "x").await;
    for path in ["/r4/Binary/1", "/r4/Binary/1?_format=json", "/r4/metadata", "/r4/Binary/no"] {
        let answer = app.get(path, BROWSER).await;
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-site", "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn row_09_a_form_of_another_site_finds_no_session_to_ride_on() {
    let app = TestApp::start();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
    {
        let form = |path| {
            let request = app.request(Method::POST, path).header("Content-Type", content_type);
            Answer::of(
                request
                    .header("Cookie", "session=stolen")
                    .header("Origin", "http://evil.example")
                    .body("a=b"),
            )
        };
        assert_eq!(form("/secure/Binary").await.status, 401, "{content_type}: a cookie is no token");
        assert_eq!(form("/r4/Binary").await.header("set-cookie"), "", "{content_type}");
    }
}

#[tokio::test]
async fn row_10_a_polyglot_has_no_scripts_to_run() {
    let app = TestApp::start();
    app.put("/r4/Binary/gifjs", "image/gif", "GIF89a/*<script>*/=steal()//").await;
    let answer = app.get("/r4/Binary/gifjs", BROWSER).await;
    assert_inert(&answer, "GIF and script");
    assert_eq!(answer.header("content-type"), "image/gif", "nosniff keeps it one");
}

#[tokio::test]
async fn row_11_a_token_in_a_url_is_no_token() {
    let app = TestApp::start();
    for path in
        ["/secure/Binary/1?access_token=abc", "/secure/Binary/1?token=abc", "/secure/Binary?access_token=a"]
    {
        let answer = app.get(path, None).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}
