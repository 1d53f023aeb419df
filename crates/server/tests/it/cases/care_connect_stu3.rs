//! Cases 167 to 203: Care Connect, STU3. Answers in a FHIR form name their charset.

use reqwest::Method;

use super::{
    BASE64, Document, Expected::*, FHIR_JSON, FHIR_XML, HTML_BYTES, JPEG_BYTES, PDF_BYTES, PNG_BYTES, Site,
    binary_interactions, case,
};
use crate::app::{Answer, TestApp};

const BASE: &str = "/ccri/STU3";

const JSON_UTF8: &str = "application/fhir+json; charset=UTF-8";
const XML_UTF8: &str = "application/fhir+xml; charset=UTF-8";

const PATH: &str = "Binary/5b1e91f0ccf84d0001fffe6d";

const DOCUMENTS: &[Document] = &[
    Document { id: "5b1e91f0ccf84d0001fffe6d", content_type: "application/pdf", bytes: PDF_BYTES },
    Document { id: "html", content_type: "text/html", bytes: HTML_BYTES },
    Document { id: "png", content_type: "image/png", bytes: PNG_BYTES },
    Document { id: "jpeg", content_type: "image/jpeg", bytes: JPEG_BYTES },
    Document { id: "fhir", content_type: "application/fhir+json", bytes: br#"{"resourceType":"Basic"}"# },
];

const LOCKED: &str = r#"
[[endpoint]]
path = "/locked/STU3"
fhir = "STU3"
profile = "care-connect"
auth = "smart"
tenant = "ec2458f2-1e24-41c8-b71b-0e701af7583d"
"#;

#[tokio::test]
async fn form_follows_accept() {
    Site::start(BASE, DOCUMENTS)
        .await
        .check(&[
            case("case_167_no_accept", PATH, None, Native),
            case("case_168_anything", PATH, Some("*/*"), Native),
            case("case_169_pdf", PATH, Some("application/pdf"), Native),
            case("case_170_html", "Binary/html", Some("text/html"), Native),
            case("case_170_png", "Binary/png", Some("image/png"), Native),
            case("case_170_jpeg", "Binary/jpeg", Some("image/jpeg"), Native),
            case("case_171_fhir_json", PATH, Some(FHIR_JSON), Json(JSON_UTF8)),
            case("case_172_letter_case", PATH, Some("application/fhir+JSON"), Json(JSON_UTF8)),
            case("case_173_fhir_xml", PATH, Some(FHIR_XML), Xml(XML_UTF8)),
            // Decided: native, where nothing that fits is named.
            case("case_182_png_of_pdf", PATH, Some("image/png"), Native),
            case("case_183_stored_as_fhir", "Binary/fhir", None, Native),
            case("case_184_stored_as_fhir_wrapped", "Binary/fhir", Some(FHIR_JSON), Json(JSON_UTF8)),
            case("case_185_plain_by_default", PATH, None, Native),
            case("case_185_and_as_binary", PATH, Some(FHIR_JSON), Json(JSON_UTF8)),
            case("case_186_elements", PATH, Some(FHIR_JSON), Json(JSON_UTF8)),
            case("case_187_unknown", "Binary/unknown", None, Refused(404, "not-found")),
            case(
                "case_187_unknown_pdf",
                "Binary/unknown",
                Some("application/pdf"),
                Refused(404, "not-found"),
            ),
            case("case_187_unknown_json", "Binary/unknown", Some(FHIR_JSON), Refused(404, "not-found")),
            // Decided: 405.
            case(
                "case_194_search",
                "Binary?_id=5b1e91f0ccf84d0001fffe6d",
                None,
                Refused(405, "not-supported"),
            ),
            // Decided: JSON, as asked for, whatever the caption says.
            case("case_195_example", PATH, Some(FHIR_JSON), Json(JSON_UTF8)),
            // The sentence is ours, not the reference implementation's.
            case("case_200_no_object_id", "Binary/xyz", None, Refused(404, "not-found")),
        ])
        .await;
}

#[tokio::test]
async fn form_follows_the_format_parameter() {
    const JSON: &str = "Binary/5b1e91f0ccf84d0001fffe6d?_format=application/fhir%2Bjson";
    const XML: &str = "Binary/5b1e91f0ccf84d0001fffe6d?_format=application/fhir%2Bxml";
    const RAW_PLUS: &str = "Binary/5b1e91f0ccf84d0001fffe6d?_format=application/fhir+json";
    const STORED: &str = "Binary/5b1e91f0ccf84d0001fffe6d?_format=application/pdf";
    Site::start(BASE, DOCUMENTS)
        .await
        .check(&[
            case("case_174_fhir_json", JSON, None, Json(JSON_UTF8)),
            case("case_175_fhir_xml", XML, None, Xml(XML_UTF8)),
            case("case_176_json", "Binary/5b1e91f0ccf84d0001fffe6d?_format=json", None, Json(JSON_UTF8)),
            case("case_176_xml", "Binary/5b1e91f0ccf84d0001fffe6d?_format=xml", None, Xml(XML_UTF8)),
            case("case_177_raw_plus", RAW_PLUS, None, Json(JSON_UTF8)),
            case("case_178_xml_over_accept", XML, Some(FHIR_JSON), Xml(XML_UTF8)),
            case("case_179_json_over_accept", JSON, Some("application/pdf"), Json(JSON_UTF8)),
            // Decided: another value that equals the stored type is native, any other is 406.
            case("case_180_stored_type", STORED, Some(FHIR_JSON), Native),
            case(
                "case_181_other_value",
                "Binary/5b1e91f0ccf84d0001fffe6d?_format=foo",
                None,
                Refused(406, "not-supported"),
            ),
        ])
        .await;
}

#[tokio::test]
async fn case_188_deleted_is_gone_in_every_form() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let deleted = Answer::of(site.app.request(Method::DELETE, &site.writer("html"))).await;
    assert_eq!(deleted.status, 204);
    for accept in [None, Some("*/*"), Some("text/html"), Some(FHIR_JSON)] {
        let answer = site.get("Binary/html", accept).await;
        // STU3 has no code `deleted`.
        site.is_refused(&format!("case_188 {accept:?}"), 410, "not-found", &answer);
    }
    let in_xml = site.get("Binary/html", Some(FHIR_XML)).await;
    assert_eq!((in_xml.status, in_xml.essence()), (410, FHIR_XML));
    assert!(in_xml.text().contains("<OperationOutcome xmlns=\"http://hl7.org/fhir\">"), "{}", in_xml.text());
}

#[tokio::test]
async fn secured_endpoint_needs_authorization() {
    let site = Site::with(LOCKED, "/locked/STU3", &[]).await;
    for (name, header) in
        [("case_190_no_authorization", None), ("case_191_misspelt_header", Some("Authorisation"))]
    {
        let mut request = site.request(Method::GET, PATH);
        if let Some(header) = header {
            request = request.header(header, "BEARER cn389ncoiwuencr");
        }
        let answer = Answer::of(request).await;
        site.is_refused(name, 401, "login", &answer);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{name}: {:?}", answer.headers);
    }
}

/// Decided: the profile is read-only. The creates of the source's server are those of the standard endpoint.
#[tokio::test]
async fn case_196_to_199_profile_takes_no_writes() {
    let site = Site::start(BASE, &[]).await;
    let request = site.request(Method::POST, "Binary").header("Content-Type", "image/jpeg").body(JPEG_BYTES);
    site.is_refused("case_196", 405, "not-supported", &Answer::of(request).await);
}

#[tokio::test]
async fn created_bytes_come_back_with_their_type() {
    let app = TestApp::start();
    let wrapped = format!(
        r#"{{"resourceType":"Binary","contentType":"application/pdf","content":"{}"}}"#,
        BASE64.encode_to_string(PDF_BYTES)
    );
    for (name, sent_type, body, stored_type, bytes) in [
        ("case_196_raw", "image/jpeg", JPEG_BYTES, "image/jpeg", JPEG_BYTES),
        ("case_197_resource", FHIR_JSON, wrapped.as_bytes(), "application/pdf", PDF_BYTES),
        ("case_198_parameters", "foo/bar; charset=UTF-8", b"foo", "foo/bar; charset=UTF-8", b"foo"),
    ] {
        let request = app.request(Method::POST, "/stu3/Binary").header("Content-Type", sent_type);
        let created = Answer::of(request.body(body.to_vec())).await;
        assert_eq!(created.status, 201, "{name}: {}", created.text());
        let place = created.header("location").strip_prefix(&app.url).expect("an absolute URL here");
        let (document, version) = place.split_once("/_history/").expect("the URL of a version");
        assert!(document.starts_with("/stu3/Binary/") && version == "1", "{name}: {place}");
        let read = app.get(document, None).await;
        assert_eq!((read.status, read.header("content-type")), (200, stored_type), "{name}");
        assert!(read.body == bytes, "{name}: other bytes");
        let resource = app.get(document, Some(FHIR_JSON)).await.json();
        assert_eq!(resource["contentType"], stored_type, "{name}");
    }
}

/// Decided: 415.
#[tokio::test]
async fn case_199_create_without_type_is_refused() {
    let app = TestApp::start();
    let answer = Answer::of(app.request(Method::POST, "/stu3/Binary").body(JPEG_BYTES)).await;
    assert_eq!(answer.status, 415, "{}", answer.text());
    assert_eq!(answer.issue_code(), "not-supported");
}

#[tokio::test]
async fn case_201_capability_statement_has_read_and_both_formats() {
    let site = Site::start(BASE, &[]).await;
    for accept in [None, Some(FHIR_JSON)] {
        let answer = site.get("metadata", accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, JSON_UTF8));
        let statement = answer.json();
        assert_eq!(statement["resourceType"], "CapabilityStatement");
        assert_eq!(statement["fhirVersion"], "3.0.2");
        assert_eq!(binary_interactions(&statement), ["read"]);
        let formats = statement["format"].as_array().expect("it names formats");
        for wanted in [FHIR_JSON, FHIR_XML] {
            assert!(formats.iter().any(|format| format == wanted), "{statement}");
        }
    }
    let in_xml = site.get("metadata", Some(FHIR_XML)).await;
    assert_eq!((in_xml.status, in_xml.header("content-type")), (200, XML_UTF8));
}

#[tokio::test]
async fn case_202_large_document_has_its_length() {
    let site = Site::start(BASE, &[]).await;
    let size = 24 << 20;
    let mut bytes = PDF_BYTES.to_vec();
    bytes.extend((bytes.len()..size).map(|at| u8::try_from(at * 31 % 251).expect("below 251")));
    site.app.put(&site.writer("large"), "application/pdf", bytes.clone()).await;
    let answer = site.get("Binary/large", None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/pdf"));
    assert_eq!(answer.header("content-length"), size.to_string());
    assert!(answer.body == bytes, "other bytes");
}
