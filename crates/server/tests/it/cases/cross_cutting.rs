//! Cases 226 to 236: what holds for every profile.

use reqwest::Method;

use super::{BASE64, Document, Expected::*, FHIR_JSON, HTML_BYTES, PDF_BYTES, Site, case};
use crate::app::{Answer, TestApp};

const MILLENNIUM: &str = "/millennium/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d";

const DOCUMENTS: &[Document] = &[
    Document { id: "1", content_type: "text/html", bytes: HTML_BYTES },
    Document { id: "pdf", content_type: "application/pdf", bytes: &LONG_PDF },
];

/// Longer than the range of case 233.
const LONG_PDF: [u8; 300] = {
    let mut bytes = [b'%'; 300];
    let mut at = 0;
    while at < PDF_BYTES.len() {
        bytes[at] = PDF_BYTES[at];
        at += 1;
    }
    bytes
};

#[tokio::test]
async fn case_226_millennium_is_open_to_other_origins() {
    let site = Site::start(MILLENNIUM, &[]).await;
    let answer =
        Answer::of(site.request(Method::GET, "metadata").header("Origin", "http://example.com")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(
        answer.header("access-control-expose-headers"),
        "ETag, Content-Location, Location, X-Request-Id, WWW-Authenticate, Date"
    );
    assert_eq!(answer.header("access-control-max-age"), "0");
}

#[tokio::test]
async fn case_227_preflight_gives_back_the_headers() {
    let site = Site::start(MILLENNIUM, &[]).await;
    // As the list has it, and as browsers send it.
    for browser in [&[][..], &[("Origin", "http://example.com"), ("Access-Control-Request-Method", "GET")]] {
        let request = site.request(Method::OPTIONS, "metadata");
        let request = request.header("Access-Control-Request-Headers", "authorization,content-type");
        let request = browser.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 200, "{browser:?}");
        let allowed = answer.header("access-control-allow-headers");
        assert_eq!(allowed, "authorization, content-type", "{browser:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{browser:?}");
        assert!(answer.body.is_empty(), "{browser:?}: {}", answer.text());
    }
}

/// The paths and `Accept`s of one answer of each kind: 200 native, 200 JSON, 404, 406.
const ANSWERS: [(&str, Option<&str>, u16); 4] = [
    ("Binary/1", None, 200),
    ("Binary/1", Some(FHIR_JSON), 200),
    ("Binary/unknown", None, 404),
    ("Binary/1?_format=foo", None, 406),
];

#[tokio::test]
async fn every_answer_has_its_headers() {
    let mut site = Site::start(MILLENNIUM, DOCUMENTS).await;
    site.app.put("/stu3/Binary/1", "text/html", HTML_BYTES).await;
    // The standard endpoint has what GP Connect asks for.
    for (base, cache) in [(MILLENNIUM, "no-cache"), ("/stu3", "no-store")] {
        site.base = base;
        for (path, accept, status) in ANSWERS {
            let at = format!("{base}/{path} {accept:?}");
            let answer = site.get(path, accept).await;
            assert_eq!(answer.status, status, "{at}");
            let has = |name: &str, value: &str| {
                answer.header(name).split(',').any(|found| found.trim().eq_ignore_ascii_case(value))
            };
            assert!(!answer.header("x-request-id").is_empty(), "case_228_request_id {at}");
            assert!(has("cache-control", cache), "case_229_cache_control {at}: {:?}", answer.headers);
            assert!(
                has("vary", "Origin") && has("vary", "Accept"),
                "case_230_vary {at}: {:?}",
                answer.headers
            );
        }
    }
}

#[tokio::test]
async fn case_228_request_ids_differ_and_a_client_may_choose() {
    let site = Site::start(MILLENNIUM, DOCUMENTS).await;
    let first = site.get("Binary/1", None).await;
    let second = site.get("Binary/1", None).await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    let chosen = Answer::of(site.request(Method::GET, "Binary/1").header("X-Request-Id", "mine-7")).await;
    assert_eq!(chosen.header("x-request-id"), "mine-7");
}

#[tokio::test]
async fn case_231_method_override_is_understood_and_patch_is_not_there() {
    let site = Site::start(MILLENNIUM, DOCUMENTS).await;
    let patch = Answer::of(site.request(Method::POST, "Binary/1?_method=patch")).await;
    site.is_refused("case_231", 405, "not-supported", &patch);
    let header = site.request(Method::POST, "Binary/1").header("X-HTTP-Method-Override", "PATCH");
    site.is_refused("case_231 header", 405, "not-supported", &Answer::of(header).await);
    let get = Answer::of(site.request(Method::POST, "Binary/1?_method=get")).await;
    assert_eq!((get.status, get.body.as_slice()), (200, HTML_BYTES), "the override is understood");
}

#[tokio::test]
async fn case_232_unchanged_document_is_not_sent_again() {
    let site = Site::start("/r4", DOCUMENTS).await;
    for accept in ["*/*", FHIR_JSON] {
        let request = || site.request(Method::GET, "Binary/1").header("Accept", accept);
        let first = Answer::of(request()).await;
        for etag in ["W/\"1\"", first.header("etag")] {
            let again = Answer::of(request().header("If-None-Match", etag)).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{accept} {etag}");
            assert_eq!(again.header("etag"), first.header("etag"), "{accept} {etag}");
        }
        let other = Answer::of(request().header("If-None-Match", "W/\"2\"")).await;
        assert_eq!((other.status, other.body), (200, first.body), "{accept}");
    }
}

#[tokio::test]
async fn case_233_range_gives_a_part() {
    let site = Site::start("/r4", DOCUMENTS).await;
    let answer = Answer::of(site.request(Method::GET, "Binary/pdf").header("Range", "bytes=0-99")).await;
    assert_eq!((answer.status, answer.header("content-type")), (206, "application/pdf"));
    assert_eq!(answer.header("content-range"), "bytes 0-99/300");
    assert_eq!(answer.header("content-length"), "100");
    assert_eq!(answer.body, &LONG_PDF[..100]);
}

#[tokio::test]
async fn case_235_security_context_is_a_header_of_the_native_form() {
    let app = TestApp::start();
    let resource = format!(
        r#"{{"resourceType":"Binary","id":"2","contentType":"application/pdf","data":"{}",
            "securityContext":{{"reference":"Patient/1"}}}}"#,
        BASE64.encode_to_string(PDF_BYTES)
    );
    app.put("/r4/Binary/2", FHIR_JSON, resource).await;
    app.put("/r4/Binary/3", "application/pdf", PDF_BYTES).await;
    for (path, context) in
        [("/r4/Binary/2", "Patient/1"), ("/stu3/Binary/2", "Patient/1"), ("/r4/Binary/3", "")]
    {
        let answer = app.get(path, None).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/pdf"), "{path}");
        assert_eq!(answer.header("x-security-context"), context, "{path}");
        assert_eq!(answer.body, PDF_BYTES, "{path}");
    }
}

#[tokio::test]
async fn summary_does_nothing_to_the_native_form() {
    let cases = [case("case_236_summary", "Binary/pdf?_summary=true", None, Native)];
    Site::start("/r4", DOCUMENTS).await.check(&cases).await;
}
