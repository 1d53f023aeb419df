//! Cases 237 to 248: GP Connect, a neighbour whose clients the standard STU3 endpoint serves as far as they ask
//! for what FHIR has. There is no profile of its own.

use reqwest::Method;

use super::{Document, Expected::*, PDF_BYTES, Site, case};
use crate::app::Answer;

const DOCUMENTS: &[Document] = &[Document { id: "1", content_type: "application/pdf", bytes: PDF_BYTES }];

const JSON_UTF8: &str = "application/fhir+json; charset=UTF-8";

#[tokio::test]
async fn form_follows_accept() {
    let site = Site::start("/stu3", DOCUMENTS).await;
    site.check(&[
        case("case_237_fhir_json", "Binary/1", Some("application/fhir+json;charset=utf-8"), Json(JSON_UTF8)),
        // Decided: native without Accept, in every profile.
        case("case_238_no_accept", "Binary/1", None, Native),
        case("case_239_unknown", "Binary/unknown", None, Refused(404, "not-found")),
        // Decided: native where the endpoint is lenient, 406 where it is strict; never 415.
        case("case_241_other_type", "Binary/1", Some("text/plain"), Native),
    ])
    .await;
    let strict = Site { base: "/strict", ..site };
    strict
        .check(&[case("case_241_strict", "Binary/1", Some("text/plain"), Refused(406, "not-supported"))])
        .await;
}

#[tokio::test]
async fn case_237_headers_of_the_spine_change_nothing() {
    let site = Site::start("/stu3", DOCUMENTS).await;
    let request = site
        .request(Method::GET, "Binary/1")
        .header("Accept", "application/fhir+json;charset=utf-8")
        .header("Ssp-TraceID", "09a01679-2564-0fb4-5129-aecc81ea2706")
        .header("Ssp-From", "200000000359")
        .header("Ssp-To", "918999198993")
        .header("Ssp-InteractionID", "urn:nhs:names:services:gpconnect:documents:fhir:rest:read:binary-1");
    let answer = Answer::of(request).await;
    site.is_json("case_237", "Binary/1", JSON_UTF8, &answer);
    assert_eq!(answer.json().get("securityContext"), None);
    assert!(answer.header("cache-control").contains("no-store"), "{:?}", answer.headers);
}

/// Decided: 409 in DSTU2 and STU3, 412 from R4.
#[tokio::test]
async fn case_248_stale_update_is_a_conflict() {
    let site = Site::start("/stu3", DOCUMENTS).await;
    site.app.put("/stu3/Binary/1", "text/plain", "second").await;
    for (base, status) in [("/dstu2", 409), ("/stu3", 409), ("/r4", 412), ("/r4b", 412), ("/r5", 412)] {
        let request = site.app.request(Method::PUT, &format!("{base}/Binary/1"));
        let request = request.header("Content-Type", "text/plain").header("If-Match", "W/\"1\"");
        let answer = Answer::of(request.body("third")).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (status, "conflict"), "{base}");
    }
    assert_eq!(site.get("Binary/1", None).await.text(), "second");
    let request = site.request(Method::PUT, "Binary/1").header("Content-Type", "text/plain");
    let current = Answer::of(request.header("If-Match", "W/\"2\"").body("third")).await;
    assert_eq!(current.status, 200, "{}", current.text());
}
