//! Cases 249 to 262: tests that other projects have, as requests to this server. Answers in a FHIR form of
//! DSTU2 and STU3 name their charset.

use reqwest::Method;

use super::{
    BASE64, BROWSER, Document, Expected::*, FHIR_JSON, FHIR_XML, JPEG_BYTES, PDF_BYTES, Site,
    binary_interactions, case,
};
use crate::app::{Answer, TestApp};

/// HAPI's tests call it `foo`, which is not a media type; case 218 is about that.
const FOUR_BYTES: &[Document] =
    &[Document { id: "1", content_type: "application/foo", bytes: &[1, 2, 3, 4] }];

const BUNDLE: &str = r#"<Bundle xmlns="http://hl7.org/fhir"><type value="document"/></Bundle>"#;

#[tokio::test]
async fn case_250_document_bundle_is_content() {
    let app = TestApp::start();
    app.put("/writer/Binary/composition", FHIR_XML, BUNDLE).await;
    let answer = app.get("/ccri/STU3/Binary/composition", None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, FHIR_XML));
    assert_eq!(answer.text(), BUNDLE);
    let wrapped = app.get("/ccri/STU3/Binary/composition", FHIR_JSON).await.json();
    assert_eq!((&wrapped["resourceType"], &wrapped["contentType"]), (&"Binary".into(), &FHIR_XML.into()));
    let content = wrapped["content"].as_str().expect("the bytes");
    assert_eq!(BASE64.decode_to_vec(content).expect("base64"), BUNDLE.as_bytes());
}

#[tokio::test]
async fn case_257_and_case_258_four_bytes_in_three_forms() {
    let site = Site::start("/dstu2", FOUR_BYTES).await;
    site.check(&[
        case("case_257_xml", "Binary/1?_format=xml", None, Xml("application/xml+fhir; charset=UTF-8")),
        case("case_257_json", "Binary/1?_format=json", None, Json("application/json+fhir; charset=UTF-8")),
        case("case_258_no_accept", "Binary/1", None, Native),
        case("case_258_browser", "Binary/1", Some(BROWSER), Native),
    ])
    .await;
    let resource = site.get("Binary/1?_format=json", None).await.json();
    assert_eq!(resource["content"], "AQIDBA==");
    let native = site.get("Binary/1", None).await;
    assert!(native.header("content-disposition").starts_with("attachment;"), "{:?}", native.headers);
}

#[tokio::test]
async fn creates_take_bytes_and_both_forms() {
    let app = TestApp::start();
    let json = r#"{"resourceType":"Binary","contentType":"application/foo","content":"AQIDBA=="}"#;
    let xml = r#"<Binary xmlns="http://hl7.org/fhir"><contentType value="application/foo"/><content value="AQIDBA=="/></Binary>"#;
    for (name, content_type, body, status) in [
        ("case_251_post", Some("application/foo"), &[1, 2, 3, 4][..], 201),
        ("case_259_raw", Some("application/foo"), &[1, 2, 3, 4], 201),
        ("case_259_json", Some(FHIR_JSON), json.as_bytes(), 201),
        ("case_259_xml", Some(FHIR_XML), xml.as_bytes(), 201),
        // Decided: 415; HAPI stores what it does not know the type of.
        ("case_259_no_type", None, &[1, 2, 3, 4], 415),
    ] {
        let mut request = app.request(Method::POST, "/stu3/Binary").body(body.to_vec());
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        if status == 201 {
            let place = answer.header("location").strip_prefix(&app.url).expect("an absolute URL here");
            let read = app.get(place, None).await;
            assert_eq!((read.status, read.header("content-type")), (200, "application/foo"), "{name}");
            assert_eq!(read.body, [1, 2, 3, 4], "{name}");
        }
    }
}

#[tokio::test]
async fn case_261_metadata_lists_read_of_binary() {
    let site = Site::start("/stu3", &[]).await;
    let answer = site.get("metadata", None).await;
    assert_eq!((answer.status, answer.essence()), (200, FHIR_JSON));
    let statement = answer.json();
    assert!(binary_interactions(&statement).contains(&"read"), "{statement}");
}

#[tokio::test]
async fn case_262_large_documents_have_type_and_content_in_json() {
    let site = Site::start("/stu3", &[]).await;
    let mut large = PDF_BYTES.to_vec();
    large.resize(6 << 20, b'%');
    for (id, content_type, bytes) in
        [("small", "image/jpeg", JPEG_BYTES), ("large", "application/pdf", &large)]
    {
        site.app.put(&site.writer(id), content_type, bytes).await;
        let answer = site.get(&format!("Binary/{id}"), Some(FHIR_JSON)).await;
        assert_eq!((answer.status, answer.essence()), (200, FHIR_JSON), "{id}");
        let resource = answer.json();
        assert_eq!(resource["contentType"], content_type, "{id}");
        assert!(site.payload(&resource) == bytes, "{id}: other bytes");
        assert_eq!(resource.get("securityContext"), None, "{id}");
    }
}
