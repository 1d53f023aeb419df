//! Cases 144 to 166: Soarian, R4.

use reqwest::Method;
use serde_json::json;

use super::{BROWSER, CDA_BYTES, Document, Expected::*, FHIR_JSON, FHIR_XML, JSON_FHIR, Site, case, said};
use crate::app::Answer;

const BASE: &str = "/soarian/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d";

const PATH: &str = "Binary/5BDAC5A796D242FAA4FC038CCD357065.DM.YNIULMDWZQI6XAIPABIFNDRONA";

const DOCUMENTS: &[Document] = &[Document {
    id: "5BDAC5A796D242FAA4FC038CCD357065.DM.YNIULMDWZQI6XAIPABIFNDRONA",
    content_type: "application/hl7-v3+xml",
    bytes: CDA_BYTES,
}];

const LOCKED: &str = r#"
[[endpoint]]
path = "/locked/{tenant}"
fhir = "R4"
profile = "soarian"
auth = "smart"
"#;

#[tokio::test]
async fn form_follows_accept() {
    Site::start(BASE, DOCUMENTS)
        .await
        .check(&[
            case("case_144_fhir_json", PATH, Some(FHIR_JSON), Json(FHIR_JSON)),
            case("case_144_older_spelling", PATH, Some(JSON_FHIR), Json(JSON_FHIR)),
            case("case_152_json", PATH, Some("application/json"), Json(FHIR_JSON)),
            // Decided: native.
            case("case_153_no_accept", PATH, None, Native),
            case("case_154_anything", PATH, Some("*/*"), Native),
            case("case_155_stored_type", PATH, Some("application/hl7-v3+xml"), Native),
            case("case_155_other_type", PATH, Some("image/png"), Refused(406, "not-supported")),
            case("case_160_unknown", "Binary/unknown", Some(FHIR_JSON), Refused(404, "not-found")),
            case(
                "case_166_operation",
                "Binary/$autogen-ccd-if?patient=1",
                Some(FHIR_JSON),
                Refused(404, "not-supported"),
            ),
        ])
        .await;
}

#[tokio::test]
async fn case_145_content_is_one_xml_document() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let resource = site.get(PATH, Some(FHIR_JSON)).await.json();
    let text = String::from_utf8(site.payload(&resource)).expect("XML in UTF-8");
    assert_eq!(text.matches("<ClinicalDocument").count(), 1);
    assert!(text.contains(r#"code="34133-9""#) && text.ends_with("</ClinicalDocument>"), "{text}");
}

#[tokio::test]
async fn case_146_read_gives_the_most_current_content() {
    let site = Site::start(BASE, DOCUMENTS).await;
    let before = site.get(PATH, Some(FHIR_JSON)).await.json();
    assert_eq!(site.payload(&before), CDA_BYTES);
    let changed = b"<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><title>later</title></ClinicalDocument>";
    site.app.put(&site.writer(DOCUMENTS[0].id), "application/hl7-v3+xml", changed).await;
    let after = site.get(PATH, Some(FHIR_JSON)).await.json();
    assert_eq!(site.payload(&after), changed);
    assert_eq!(site.get(PATH, None).await.body, changed);
}

/// Decided: 405, as HL7 has it; one page of the source says 400.
#[tokio::test]
async fn case_147_writes_are_refused() {
    let site = Site::start(BASE, DOCUMENTS).await;
    for (method, path) in
        [(Method::POST, "Binary"), (Method::PUT, PATH), (Method::PATCH, PATH), (Method::DELETE, PATH)]
    {
        let request = site.request(method.clone(), path).header("Content-Type", "text/plain").body("changed");
        let answer = Answer::of(request).await;
        site.is_refused(&format!("case_147 {method}"), 405, "not-supported", &answer);
        assert!(!answer.header("allow").contains(method.as_str()), "{method}: {:?}", answer.headers);
    }
    assert_eq!(site.get(PATH, None).await.body, CDA_BYTES);
}

#[tokio::test]
async fn case_156_resources_other_than_binary_have_no_xml() {
    let site = Site::start(BASE, DOCUMENTS).await;
    for (path, accept) in [
        ("DocumentReference?patient=1", Some("application/xml")),
        ("DocumentReference?patient=1", Some(FHIR_XML)),
        ("DocumentReference?patient=1&_format=xml", None),
        ("DocumentReference?patient=1&_format=application/fhir%2Bxml", Some(FHIR_JSON)),
        ("metadata", Some(FHIR_XML)),
    ] {
        let answer = site.get(path, accept).await;
        assert_eq!((answer.status, answer.header("content-length")), (406, "0"), "{path} {accept:?}");
        assert!(answer.body.is_empty() && answer.header("content-type").is_empty(), "{}", answer.text());
    }
    let statement = site.get("metadata", None).await.json();
    assert_eq!(statement["format"], json!([FHIR_JSON, JSON_FHIR, "json"]));
    let browser = site.get("DocumentReference?patient=1", Some(BROWSER)).await;
    assert_eq!((browser.status, browser.essence()), (200, FHIR_JSON), "whoever takes anything gets JSON");
    site.check(&[case("case_156_binary", PATH, Some(FHIR_XML), Xml(FHIR_XML))]).await;
}

/// Also elsewhere: a search by POST is a form and nothing else.
#[tokio::test]
async fn case_157_a_search_by_post_is_a_form() {
    let site = Site::start(BASE, &[]).await;
    let form = "application/x-www-form-urlencoded";
    for (base, content_type, status) in [
        (BASE, "application/xml", 415),
        (BASE, FHIR_JSON, 415),
        (BASE, "text/plain", 415),
        (BASE, form, 200),
        ("/millennium/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d", "application/xml", 415),
        ("/millennium/dstu2/ec2458f2-1e24-41c8-b71b-0e701af7583d", "application/xml", 415),
        ("/ccri/STU3", "application/xml", 415),
        ("/dstu2", "multipart/form-data; boundary=x", 415),
        ("/r4", "application/json", 415),
        ("/r5", FHIR_XML, 415),
        ("/r5", form, 200),
    ] {
        let request = site.app.request(Method::POST, &format!("{base}/DocumentReference/_search"));
        let answer = Answer::of(request.header("Content-Type", content_type).body("patient=1")).await;
        assert_eq!(answer.status, status, "{base} {content_type}: {}", answer.text());
        let is_soarian = base == BASE;
        assert_eq!(answer.body.is_empty(), is_soarian && status == 415, "{base} {content_type}");
    }
}

#[tokio::test]
async fn case_163_more_than_499_matches_are_too_many() {
    let site = Site::start(BASE, &[]).await;
    let search = |count: &str| format!("DocumentReference?patient=1&_count={count}");
    add_notes(&site, 0..499).await;
    let whole = site.get(&search("5"), Some(FHIR_JSON)).await.json();
    assert_eq!(whole["total"], 499, "{whole}");
    add_notes(&site, 499..500).await;
    for path in [search("5"), search("0"), "DocumentReference?patient=1".to_owned()] {
        let answer = site.get(&path, Some(FHIR_JSON)).await;
        site.is_refused("case_163", 400, "business-rule", &answer);
        assert!(said(&answer).starts_with("More than 499 search results qualify"), "{}", answer.text());
    }
    let narrower = site.get("DocumentReference?patient=1&date=2020-01-01", Some(FHIR_JSON)).await.json();
    assert_eq!(narrower["total"], 1, "{narrower}");
}

/// Notes of one patient, one of each day from the first of 2020 on, where others write them.
async fn add_notes(site: &Site, numbers: std::ops::Range<u32>) {
    let entry = |n: u32| {
        let day = format!("{}-{:02}-{:02}", 2020 + n / 336, n / 28 % 12 + 1, n % 28 + 1);
        json!({"request": {"method": "PUT", "url": format!("DocumentReference/n{n}")}, "resource": {
            "resourceType": "DocumentReference", "id": format!("n{n}"), "status": "current",
            "subject": {"reference": "Patient/1"}, "date": format!("{day}T00:00:00Z"),
            "content": [{"attachment": {"contentType": "text/html", "url": "http://example.org/1"}}]}})
    };
    let entries: Vec<_> = numbers.map(entry).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let request = site.app.request(Method::POST, "/writer").header("Content-Type", FHIR_JSON);
    let answer = Answer::of(request.body(bundle.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn case_158_no_token_is_unauthorized() {
    let site = Site::with(LOCKED, "/locked/ec2458f2-1e24-41c8-b71b-0e701af7583d", &[]).await;
    let answer = site.get(PATH, Some(FHIR_JSON)).await;
    // Decided: the code as FHIR has it, the source prints `Unknown`.
    site.is_refused("case_158", 401, "unknown", &answer);
    assert_eq!(answer.header("content-type"), FHIR_JSON);
    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{:?}", answer.headers);
}

#[tokio::test]
async fn case_159_unknown_tenant_is_forbidden() {
    let site = Site::start("/soarian/r4/unknown", &[]).await;
    let answer = site.get(PATH, Some(FHIR_JSON)).await;
    site.is_refused("case_159", 403, "security", &answer);
}

#[tokio::test]
async fn case_160_unknown_id_is_told_in_the_words_of_the_source() {
    let site = Site::start(BASE, &[]).await;
    let answer = site.get("Binary/unknown", Some(FHIR_JSON)).await;
    assert_eq!(said(&answer), "No matching results are found.");
}

#[tokio::test]
async fn case_165_preflight_echoes_the_origin() {
    let site = Site::start(BASE, &[]).await;
    let request = site.request(Method::OPTIONS, "metadata").header("Origin", "http://example.com");
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 204);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("access-control-allow-origin"), "http://example.com");
    assert_eq!(answer.header("access-control-allow-methods"), "GET, POST");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
}
