//! Cases 110 to 143: Millennium, DSTU2. Answers in a FHIR form name their charset.

use super::{Document, Expected::*, FHIR_JSON, HTML_BYTES, JSON_FHIR, Site, binary_interactions, case, said};

const BASE: &str = "/millennium/dstu2/ec2458f2-1e24-41c8-b71b-0e701af7583d";

const JSON_FHIR_UTF8: &str = "application/json+fhir; charset=UTF-8";

const DOCUMENTS: &[Document] = &[Document { id: "TR-5927259", content_type: "text/html", bytes: HTML_BYTES }];

#[tokio::test]
async fn form_follows_accept() {
    Site::start(BASE, DOCUMENTS)
        .await
        .check(&[
            case("case_110_fhir_json", "Binary/TR-5927259", Some(JSON_FHIR), Json(JSON_FHIR_UTF8)),
            case("case_111_html", "Binary/TR-5927259", Some("text/html"), Native),
            // Decided: content with the type that it has.
            case("case_112_xhtml", "Binary/TR-5927259", Some("application/xhtml+xml"), Native),
            case("case_113_html_alone", "Binary/TR-5927259", Some("html"), Native),
            // Decided: the Binary, under the endpoint's own type.
            case("case_114_json", "Binary/TR-5927259", Some("application/json"), Json(JSON_FHIR_UTF8)),
            case("case_115_no_accept", "Binary/TR-5927259", None, Native),
            case("case_116_anything", "Binary/TR-5927259", Some("*/*"), Native),
            // Decided: both spellings are taken everywhere, and the answer has the one that was named.
            case(
                "case_117_newer_spelling",
                "Binary/TR-5927259",
                Some(FHIR_JSON),
                Json("application/fhir+json; charset=UTF-8"),
            ),
            case("case_118_unknown", "Binary/TR-0", Some(JSON_FHIR), Refused(404, "not-found")),
        ])
        .await;
}

/// What `html` and XHTML mean is only seen where something else could be given.
#[tokio::test]
async fn html_by_other_names_wins_over_a_form_that_is_wanted_less() {
    Site::start(BASE, DOCUMENTS)
        .await
        .check(&[
            case(
                "case_112_xhtml_first",
                "Binary/TR-5927259",
                Some("application/xhtml+xml, application/json+fhir;q=0.5"),
                Native,
            ),
            case(
                "case_113_html_first",
                "Binary/TR-5927259",
                Some("html, application/json+fhir;q=0.5"),
                Native,
            ),
        ])
        .await;
}

#[tokio::test]
async fn case_110_meta_has_the_version() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let resource = site.get("Binary/TR-5927259", Some(JSON_FHIR)).await.json();
    assert_eq!(resource["meta"]["versionId"], "1");
    assert!(resource["meta"]["lastUpdated"].is_string(), "{resource}");
}

#[tokio::test]
async fn case_118_outcome_has_the_elements_of_dstu2() {
    let site = Site::start(BASE, &[]).await;
    let answer = site.get("Binary/TR-0", Some(JSON_FHIR)).await;
    assert_eq!(said(&answer), "Resource not found");
    let outcome = answer.json();
    assert_eq!(outcome["issue"][0].get("expression"), None, "an element of STU3: {outcome}");
}

#[tokio::test]
async fn case_142_conformance_names_json_and_cors() {
    let site = Site::start(BASE, &[]).await;
    let answer = site.get("metadata", None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type").to_ascii_lowercase(), "application/json+fhir; charset=utf-8");
    let statement = answer.json();
    assert_eq!(statement["resourceType"], "Conformance");
    assert_eq!(statement["fhirVersion"], "1.0.2");
    let formats = statement["format"].as_array().expect("it names formats");
    assert!(formats.iter().any(|format| format == "json"), "{statement}");
    assert_eq!(statement["rest"][0]["security"]["cors"], true);
    assert_eq!(binary_interactions(&statement), ["read"]);
}
