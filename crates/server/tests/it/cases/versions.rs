//! Cases 221 to 225: R5, and one document in every version.

use reqwest::Method;

use super::{Document, Expected::*, FHIR_JSON, HTML_BYTES, JSON_FHIR, PDF_BYTES, Site, case};
use crate::app::Answer;

const DOCUMENTS: &[Document] = &[
    Document { id: "pdf", content_type: "application/pdf", bytes: PDF_BYTES },
    Document { id: "html", content_type: "text/html; charset=utf-8", bytes: HTML_BYTES },
];

#[tokio::test]
async fn r5_follows_the_rules_of_hl7() {
    Site::start("/r5", DOCUMENTS)
        .await
        .check(&[
            case("case_221_fhir_json", "Binary/pdf", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_222_generic_format", "Binary/pdf?_format=application/json", None, Json(FHIR_JSON)),
            // Decided: 406.
            case(
                "case_223_version_not_served",
                "Binary/pdf",
                Some("application/fhir+json; fhirVersion=3.0"),
                Refused(406, "not-supported"),
            ),
            case(
                "case_223_version_served",
                "Binary/pdf",
                Some("application/fhir+json; fhirVersion=5.0"),
                Json("application/fhir+json; fhirVersion=5.0"),
            ),
            // Decided: 405.
            case("case_225_search", "Binary?_id=pdf", Some(FHIR_JSON), Refused(405, "not-supported")),
        ])
        .await;
}

#[tokio::test]
async fn r4_serves_no_other_version() {
    Site::start("/r4", DOCUMENTS)
        .await
        .check(&[
            case(
                "case_223_version_not_served",
                "Binary/pdf",
                Some("application/fhir+json; fhirVersion=3.0"),
                Refused(406, "not-supported"),
            ),
            case(
                "case_223_version_served",
                "Binary/pdf",
                Some("application/fhir+json; fhirVersion=4.0"),
                Json("application/fhir+json; fhirVersion=4.0"),
            ),
        ])
        .await;
}

#[tokio::test]
async fn case_221_security_context_is_there_if_set() {
    let site = Site::start("/r5", DOCUMENTS).await;
    let request = site.request(Method::PUT, "Binary/guarded").header("X-Security-Context", "Patient/1");
    let answer = Answer::of(request.header("Content-Type", "application/pdf").body(PDF_BYTES)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let guarded = site.get("Binary/guarded", Some(FHIR_JSON)).await.json();
    assert_eq!(guarded["securityContext"]["reference"], "Patient/1", "{guarded}");
    let unguarded = site.get("Binary/pdf", Some(FHIR_JSON)).await.json();
    assert_eq!(unguarded.get("securityContext"), None, "{unguarded}");
}

#[tokio::test]
async fn case_224_bytes_are_the_same_in_every_version() {
    let mut site = Site::start("/r4", DOCUMENTS).await;
    for (base, accept, content_type) in [
        ("/dstu2", JSON_FHIR, "application/json+fhir; charset=UTF-8"),
        ("/stu3", FHIR_JSON, "application/fhir+json; charset=UTF-8"),
        ("/r4", FHIR_JSON, FHIR_JSON),
        ("/r4b", FHIR_JSON, FHIR_JSON),
        ("/r5", FHIR_JSON, FHIR_JSON),
    ] {
        site.base = base;
        for path in ["Binary/pdf", "Binary/html"] {
            let name = format!("case_224 {base}/{path}");
            site.is_json(&name, path, content_type, &site.get(path, Some(accept)).await);
        }
    }
}
