//! Cases 204 to 220: the Binary page of HL7, on the standard DSTU2 endpoint. Answers in a FHIR form name
//! their charset.

use reqwest::Method;

use super::{
    BASE64, CDA_BYTES, Document, Expected::*, HTML_BYTES, JSON_FHIR, PDF_BYTES, PNG_BYTES, Site, XML_FHIR,
    ZIP_BYTES, case,
};
use crate::app::{Answer, TestApp};

const BASE: &str = "/dstu2";

const JSON_UTF8: &str = "application/json+fhir; charset=UTF-8";
const XML_UTF8: &str = "application/xml+fhir; charset=UTF-8";

const DOCUMENTS: &[Document] = &[
    Document { id: "4", content_type: "text/xml", bytes: CDA_BYTES },
    Document { id: "pdf", content_type: "application/pdf", bytes: PDF_BYTES },
    Document { id: "text", content_type: "text/plain; charset=ISO-8859-1", bytes: b"caf\xe9\r\n\0" },
    Document { id: "image", content_type: "image/png", bytes: PNG_BYTES },
    Document { id: "zip", content_type: "application/zip", bytes: ZIP_BYTES },
    Document { id: "long", content_type: "text/html", bytes: &[b'x'; 1001] },
    Document { id: "limit", content_type: "text/html", bytes: &[b'x'; 1000] },
];

#[tokio::test]
async fn form_follows_accept() {
    Site::start(BASE, DOCUMENTS)
        .await
        .check(&[
            case("case_204_no_accept", "Binary/pdf", None, Native),
            case("case_204_no_fhir_type", "Binary/pdf", Some("application/pdf, text/html;q=0.5"), Native),
            case("case_205_fhir_json", "Binary/pdf", Some(JSON_FHIR), Json(JSON_UTF8)),
            case("case_206_fhir_xml", "Binary/pdf", Some(XML_FHIR), Xml(XML_UTF8)),
            case("case_209_text", "Binary/text", None, Native),
            case("case_209_image", "Binary/image", None, Native),
            case("case_209_pdf", "Binary/pdf", None, Native),
            case("case_209_zip", "Binary/zip", None, Native),
            // Decided: the Binary, as later FHIR has it.
            case("case_213_format", "Binary/4?_format=json", None, Json(JSON_UTF8)),
            // Decided: native.
            case("case_220_png_of_pdf", "Binary/pdf", Some("image/png"), Native),
        ])
        .await;
}

#[tokio::test]
async fn case_207_and_case_208_metadata_is_in_the_headers() {
    let site = Site::start(BASE, DOCUMENTS).await;
    for (name, path, accept) in
        [("case_207_cda", "Binary/4", Some("*/*")), ("case_208_pdf", "Binary/pdf", None)]
    {
        let answer = site.get(path, accept).await;
        site.is_native(name, path, &answer);
        let modified = httpdate::parse_http_date(answer.header("last-modified"));
        assert!(modified.is_ok(), "{name}: {:?}", answer.headers);
        // Decided: strong in native form, so that ranges can be continued; the source prints `1`.
        assert_eq!(answer.header("etag"), "\"1-n\"", "{name}");
        let place = format!("{}{BASE}/{path}/_history/1", site.app.url);
        assert_eq!(answer.header("content-location"), place, "{name}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{name}");
    }
}

#[tokio::test]
async fn case_211_created_as_it_is() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/dstu2/Binary").header("Content-Type", "application/zip");
    let created = Answer::of(request.body(ZIP_BYTES)).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let place = created.header("location").strip_prefix(&app.url).expect("an absolute URL here").to_owned();
    let read = app.get(&place, None).await;
    assert_eq!((read.status, read.header("content-type")), (200, "application/zip"));
    assert_eq!(read.body, ZIP_BYTES);
}

#[tokio::test]
async fn case_212_body_of_an_update_is_the_document() {
    let app = TestApp::start();
    for (text, status) in [("first", 201), ("second", 200)] {
        let request = app.request(Method::PUT, "/dstu2/Binary/x").header("Content-Type", "text/plain");
        assert_eq!(Answer::of(request.body(text)).await.status, status, "{text}");
        let read = app.get("/dstu2/Binary/x", None).await;
        assert_eq!((read.header("content-type"), read.text().as_str()), ("text/plain", text));
    }
}

#[tokio::test]
async fn searches_give_binaries_in_fhir_form() {
    let site = Site::start(BASE, DOCUMENTS).await;
    for (name, path, ids) in [
        ("case_214_contenttype", "Binary?contenttype=application/pdf", &["pdf"][..]),
        ("case_214_no_match", "Binary?contenttype=application/msword", &[]),
        ("case_215_id", "Binary?_id=4", &["4"]),
        // Bytes, as the source has it in a part that was taken out.
        ("case_216_size", "Binary?size=gt1000", &["long"]),
    ] {
        let answer = site.get(path, Some(JSON_FHIR)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, JSON_UTF8), "{name}");
        let bundle = answer.json();
        assert_eq!(
            (&bundle["resourceType"], &bundle["type"]),
            (&"Bundle".into(), &"searchset".into()),
            "{name}"
        );
        assert_eq!(bundle["total"], ids.len(), "{name}: {bundle}");
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        assert_eq!(entries.len(), ids.len(), "{name}: {bundle}");
        for (entry, id) in entries.iter().zip(ids) {
            let resource = &entry["resource"];
            let document = site.document(&format!("Binary/{id}"));
            assert_eq!(
                (&resource["resourceType"], &resource["id"]),
                (&"Binary".into(), &(*id).into()),
                "{name}"
            );
            assert_eq!(resource["contentType"], document.content_type, "{name}");
            assert!(site.payload(resource) == document.bytes, "{name}: other bytes");
            assert_eq!(entry["fullUrl"], format!("{}{BASE}/Binary/{id}", site.app.url), "{name}");
        }
    }
}

#[tokio::test]
async fn resources_that_break_the_rules_are_refused() {
    let site = Site::start(BASE, &[]).await;
    let content = BASE64.encode_to_string(HTML_BYTES);
    for (name, element, status, code) in [
        ("case_217_no_type", "", 400, "required"),
        ("case_218_no_media_type", r#""contentType":"nonsense","#, 422, "code-invalid"),
    ] {
        let body = format!(r#"{{"resourceType":"Binary",{element}"content":"{content}"}}"#);
        let request = site.request(Method::POST, "Binary").header("Content-Type", JSON_FHIR).body(body);
        site.is_refused(name, status, code, &Answer::of(request).await);
    }
}
