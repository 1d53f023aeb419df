//! Cases 1 to 109: Millennium, R4.

use reqwest::Method;

use super::{
    BROWSER, CDA_BYTES, Document, Expected::*, FHIR_JSON, FHIR_XML, HTML_BYTES, JSON_FHIR, PDF_BYTES, Site,
    binary_interactions, case, said,
};
use crate::app::Answer;

const BASE: &str = "/millennium/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d";

const DOCUMENTS: &[Document] = &[
    Document { id: "TR-21961261", content_type: "text/html", bytes: HTML_BYTES },
    Document { id: "TR-197198634", content_type: "text/html; charset=utf-8", bytes: HTML_BYTES },
    Document { id: "XR-197198634", content_type: "application/pdf", bytes: PDF_BYTES },
    Document { id: "JS-1", content_type: "application/json", bytes: b"{\"resourceType\": \"none\"}" },
    Document { id: "489580643.0.-4.prsnl", content_type: "text/html", bytes: HTML_BYTES },
    Document { id: "CCD-1", content_type: "application/xml", bytes: CDA_BYTES },
    Document { id: "AP-1", content_type: "application/pdf", bytes: PDF_BYTES },
    Document { id: "RAD-1", content_type: "text/rtf", bytes: b"{\\rtf1 No acute findings.}" },
    // The event whose PDF cannot be made has the other renditions only.
    Document { id: "TR-5", content_type: "text/html", bytes: HTML_BYTES },
    Document { id: "XML-5", content_type: "text/xml", bytes: b"<report/>" },
];

const LOCKED: &str = r#"
[[endpoint]]
path = "/locked/{tenant}"
fhir = "R4"
profile = "millennium"
auth = "smart"
"#;

#[tokio::test]
async fn form_follows_accept() {
    Site::start(BASE, DOCUMENTS)
        .await
        .check(&[
            case("case_001_fhir_json", "Binary/TR-21961261", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_002_html", "Binary/TR-21961261", Some("text/html"), Native),
            case("case_004_pdf", "Binary/XR-197198634", Some("application/pdf"), Native),
            case("case_005_pdf_as_json", "Binary/XR-197198634", Some(FHIR_JSON), Json(FHIR_JSON)),
            // Decided: native, as HL7 has it; one box of the source shows JSON.
            case("case_006_no_accept", "Binary/XR-197198634", None, Native),
            case("case_007_anything", "Binary/TR-21961261", Some("*/*"), Native),
            case(
                "case_008_json",
                "Binary/TR-21961261",
                Some("application/json"),
                Refused(406, "not-supported"),
            ),
            case("case_009_json_that_is_json", "Binary/JS-1", Some("application/json"), Native),
            case("case_010_json_wrapped", "Binary/JS-1", Some(FHIR_JSON), Json(FHIR_JSON)),
            // Decided: native, with the type that it has.
            case("case_011_png_of_html", "Binary/TR-21961261", Some("image/png"), Native),
            case("case_012_fhir_xml", "Binary/TR-21961261", Some(FHIR_XML), Xml(FHIR_XML)),
            // Decided: the type that the client named.
            case("case_013_older_spelling", "Binary/TR-21961261", Some(JSON_FHIR), Json(JSON_FHIR)),
            case(
                "case_014_quality",
                "Binary/TR-21961261",
                Some("text/html;q=0.5, application/fhir+json"),
                Json(FHIR_JSON),
            ),
            case("case_015_browser", "Binary/TR-21961261", Some(BROWSER), Native),
            case("case_018_unknown", "Binary/TR-0", Some(FHIR_JSON), Refused(404, "not-found")),
            case("case_019_unknown_as_html", "Binary/TR-0", Some("text/html"), Refused(404, "not-found")),
            case("case_020_no_id", "Binary/a_b", Some(FHIR_JSON), Refused(404, "not-found")),
            case("case_021_no_pdf", "Binary/XR-5", Some("application/pdf"), Refused(404, "not-found")),
            case("case_021_html_of_the_same", "Binary/TR-5", Some("text/html"), Native),
            case("case_021_xml_of_the_same", "Binary/XML-5", Some("text/xml"), Native),
            case("case_022_url_sections", "Binary/XR-6", Some("application/pdf"), Refused(404, "not-found")),
            case("case_024_parameter", "Binary/TR-21961261?foo=bar", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_024_odd_query", "Binary/TR-21961261?%00=%ff&&=", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_025_ccd", "Binary/CCD-1", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_025_clinical_document", "Binary/TR-21961261", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_025_anatomic_pathology", "Binary/AP-1", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_025_radiology", "Binary/RAD-1", Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_026_html", "Binary/489580643.0.-4.prsnl", Some("text/html"), Native),
            case("case_026_fhir_json", "Binary/489580643.0.-4.prsnl", Some(FHIR_JSON), Json(FHIR_JSON)),
            // Decided: native, as for every document; the source refuses. It also shows no `meta` here;
            // ours is there as in every Binary.
            case("case_026_png", "Binary/489580643.0.-4.prsnl", Some("image/png"), Native),
            case("case_030_parameters", "Binary/TR-197198634", Some("text/html"), Native),
            case("case_034_open", "Binary/TR-21961261", None, Native),
        ])
        .await;
}

#[tokio::test]
async fn case_003_both_forms_hold_the_same_bytes() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let resource = site.get("Binary/TR-21961261", Some(FHIR_JSON)).await.json();
    let native = site.get("Binary/TR-21961261", Some("text/html")).await;
    assert!(!native.body.is_empty());
    assert_eq!(site.payload(&resource), native.body);
}

#[tokio::test]
async fn case_008_refusal_holds_no_binary() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let answer = site.get("Binary/TR-21961261", Some("application/json")).await;
    assert_eq!(answer.status, 406);
    assert_eq!(answer.json().get("data"), None);
}

#[tokio::test]
async fn case_016_only_valued_elements_are_there() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let resource = site.get("Binary/TR-21961261", Some(FHIR_JSON)).await.json();
    let mut names: Vec<_> = resource.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["contentType", "data", "id", "meta", "resourceType"]);
    let meta = resource["meta"].as_object().expect("an object");
    assert!(meta.values().all(|value| value.as_str().is_some_and(|text| !text.is_empty())), "{resource}");
}

/// Decided: no version stores zero bytes, so none has to be shown.
#[tokio::test]
async fn case_017_zero_bytes_are_refused() {
    let site = Site::start(BASE, &[]).await;
    for (base, content_type, body) in [
        ("/writer", "text/html", ""),
        ("/dstu2", "text/html", ""),
        ("/r5", "text/html", ""),
        ("/writer", FHIR_JSON, r#"{"resourceType":"Binary","id":"E-1","contentType":"text/html"}"#),
        (
            "/stu3",
            FHIR_JSON,
            r#"{"resourceType":"Binary","id":"E-1","contentType":"text/html","content":""}"#,
        ),
    ] {
        let request = site.app.request(Method::PUT, &format!("{base}/Binary/E-1"));
        let answer = Answer::of(request.header("Content-Type", content_type).body(body)).await;
        assert_eq!(answer.status, 400, "{base} {body}: {}", answer.text());
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
    }
    assert_eq!(site.get("Binary/E-1", None).await.status, 404);
}

#[tokio::test]
async fn case_018_unknown_id_is_told_in_the_words_of_the_source() {
    let site = Site::start(BASE, &[]).await;
    let answer = site.get("Binary/TR-0", Some(FHIR_JSON)).await;
    assert_eq!(answer.header("content-type"), FHIR_JSON);
    assert_eq!(said(&answer), "Resource not found");
}

#[tokio::test]
async fn case_027_head_has_the_length_and_no_body() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let request = site.request(Method::HEAD, "Binary/TR-21961261").header("Accept", "text/html");
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/html");
    assert_eq!(answer.header("content-length"), HTML_BYTES.len().to_string());
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn what_is_not_read_is_refused() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let get = Method::GET;
    for (name, method, path, status, code) in [
        // Decided: 405.
        ("case_028_search", &get, "Binary?contenttype=text/html", 405, "not-supported"),
        ("case_029_create", &Method::POST, "Binary", 405, "not-supported"),
        (
            "case_068_operation_on_a_document",
            &get,
            "Binary/TR-21961261/$autogen-ccd-if",
            404,
            "not-supported",
        ),
        ("case_069_unknown_operation", &get, "Binary/$nothing", 404, "not-supported"),
    ] {
        let answer = Answer::of(site.request(method.clone(), path).header("Accept", FHIR_JSON)).await;
        site.is_refused(name, status, code, &answer);
    }
}

#[tokio::test]
async fn secured_endpoint_refuses_before_it_looks() {
    let site = Site::with(LOCKED, "/locked/ec2458f2-1e24-41c8-b71b-0e701af7583d", &[]).await;
    site.app.put("/writer/Binary/TR-1", "text/html", HTML_BYTES).await;
    for (name, path, authorization, accept) in [
        ("case_031_no_token", "Binary/TR-1", None, FHIR_JSON),
        ("case_032_garbage", "Binary/TR-1", Some("Bearer garbage"), FHIR_JSON),
        ("case_046_unknown_and_png", "Binary/unknown", None, "image/png"),
    ] {
        let mut request = site.request(Method::GET, path).header("Accept", accept);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        let answer = Answer::of(request).await;
        site.is_refused(name, 401, "login", &answer);
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{name}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn case_045_unknown_tenant_is_forbidden() {
    let site = Site::start("/millennium/r4/0b8a0111-e8e6-4c26-a91c-5069cbc6b1ca", &[]).await;
    for id in ["TR-1", "unknown"] {
        let answer = site.get(&format!("Binary/{id}"), Some(FHIR_JSON)).await;
        site.is_refused("case_045", 403, "forbidden", &answer);
        assert_eq!(said(&answer), "Tenant not valid or accessible");
    }
}

#[tokio::test]
async fn case_074_binaries_are_read_only() {
    let site = Site::start(BASE, &[]).await;
    let answer = site.get("metadata", None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, FHIR_JSON));
    let statement = answer.json();
    assert_eq!(statement["resourceType"], "CapabilityStatement");
    assert_eq!(binary_interactions(&statement), ["read"]);
}
