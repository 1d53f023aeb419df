//! Cases 249 and 252 to 254: documents as Bundles, as the reference server of Care Connect has them. There `POST
//! [base]/Bundle` takes a document apart. Here it is a create like any other: the Bundle is stored as it came, since
//! a document may be signed, and nothing of it becomes a resource of its own. Whoever wants that sends a transaction.

use serde_json::json;

use super::*;

const SYSTEM: &str = "https://tools.ietf.org/html/rfc4122";

/// A document with a patient, a description and bytes in it.
fn document(identifier: &str, title: &str) -> Value {
    let date = "2018-06-02T10:00:00Z";
    let entry = |resource: Value| {
        let (kind, id) = (resource["resourceType"].as_str(), resource["id"].as_str());
        let url = format!("http://example.org/{}/{}", kind.expect("a type"), id.expect("an id"));
        json!({"fullUrl": url, "resource": resource})
    };
    json!({"resourceType": "Bundle", "type": "document", "identifier": {"system": SYSTEM, "value": identifier}, "entry": [
        entry(json!({"resourceType": "Composition", "id": "c1", "status": "final", "type": {"text": "letter"},
            "subject": {"reference": "Patient/inside"}, "date": date, "title": title,
            "author": [{"display": "Dr House"}]})),
        entry(patient("inside")),
        entry(description("http://example.org/Binary/inside", json!({"reference": "Patient/inside"}))),
        entry(json!({"resourceType": "Binary", "id": "inside", "contentType": "image/jpeg",
            "content": BASE64.encode_to_string(JPEG_BYTES)})),
    ]})
}

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9658218873"}]})
}

fn description(url: &str, subject: Value) -> Value {
    json!({"resourceType": "DocumentReference", "id": "inside", "status": "current", "type": {"text": "letter"},
        "subject": subject, "indexed": "2018-06-02T10:00:00Z",
        "content": [{"attachment": {"contentType": "image/jpeg", "url": url}}]})
}

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    if_none_exist: Option<&str>,
    body: &Value,
) -> Answer {
    let mut request = app.request(method, path).header("Content-Type", FHIR_JSON);
    if let Some(criteria) = if_none_exist {
        request = request.header("If-None-Exist", criteria);
    }
    Answer::of(request.body(body.to_string())).await
}

/// The titles of the documents with this identifier.
async fn titles(app: &TestApp, identifier: &str) -> Vec<Value> {
    let found = app.get(&format!("/stu3/Bundle?identifier={SYSTEM}%7C{identifier}"), FHIR_JSON).await.json();
    let entries = found["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["entry"][0]["resource"]["title"].clone()).collect()
}

#[tokio::test]
async fn case_252_a_document_is_stored_as_it_came() {
    let app = TestApp::start();
    let sent = document("d-1", "Letter");
    let created = send(&app, Method::POST, "/stu3/Bundle", None, &sent).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let place = created.header("location").strip_prefix(&app.url).expect("an absolute URL here").to_owned();
    let read = app.get(&place, FHIR_JSON).await.json();
    assert_eq!((&read["entry"], &read["identifier"]), (&sent["entry"], &sent["identifier"]));
    assert_eq!(titles(&app, "d-1").await, ["Letter"]);
    for kind in ["Patient", "DocumentReference", "Composition", "Binary"] {
        let found = app.get(&format!("/stu3/{kind}"), FHIR_JSON).await.json();
        assert_eq!(found["total"], 0, "{kind}: nothing is taken out of it");
    }
    let read_only = send(&app, Method::POST, "/ccri/STU3/Bundle", None, &sent).await;
    assert_eq!(read_only.status, 405, "Care Connect's endpoint never writes");
}

#[tokio::test]
async fn case_249_and_case_252_a_transaction_stores_each_resource() {
    let app = TestApp::start();
    let urn = |n: u8| format!("urn:uuid:a3f1c5de-0000-4000-8000-00000000000{n}");
    let entry = |n: u8, resource: Value| {
        let url = resource["resourceType"].clone();
        json!({"fullUrl": urn(n), "resource": resource, "request": {"method": "POST", "url": url}})
    };
    let bytes = json!({"resourceType": "Binary", "contentType": "image/jpeg",
        "content": BASE64.encode_to_string(JPEG_BYTES)});
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry(1, patient("ignored")),
        entry(2, description(&urn(3), json!({"reference": urn(1)}))),
        entry(3, bytes),
    ]});
    let answer = send(&app, Method::POST, "/stu3", None, &transaction).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let entries = answer.json()["entry"].as_array().expect("entries").clone();
    assert!(entries.iter().all(|entry| entry["response"]["status"] == "201 Created"), "case_252 {entries:?}");
    let found = app.get("/stu3/DocumentReference?patient.identifier=9658218873", FHIR_JSON).await.json();
    assert_eq!(found["total"], 1, "case_249 {found}");
    let url = &found["entry"][0]["resource"]["content"][0]["attachment"]["url"];
    let path = url.as_str().and_then(|url| url.strip_prefix(&app.url)).expect("an absolute URL here");
    let binary = app.get(path, FHIR_JSON).await.json();
    assert_eq!((&binary["resourceType"], &binary["contentType"]), (&"Binary".into(), &"image/jpeg".into()));
    let content = binary["content"].as_str().expect("the bytes");
    assert_eq!(BASE64.decode_to_vec(content).expect("base64"), JPEG_BYTES, "case_249");
}

#[tokio::test]
async fn case_253_an_update_by_identifier_changes_one_document() {
    let app = TestApp::start();
    for identifier in ["d-1", "d-2"] {
        let created = send(&app, Method::POST, "/stu3/Bundle", None, &document(identifier, "first")).await;
        assert_eq!(created.status, 201, "{}", created.text());
    }
    let path = format!("/stu3/Bundle?identifier={SYSTEM}%7Cd-1");
    let updated = send(&app, Method::PUT, &path, None, &document("d-1", "second")).await;
    assert_eq!((updated.status, updated.header("etag")), (200, "W/\"2\""), "{}", updated.text());
    assert_eq!(titles(&app, "d-1").await, ["second"]);
    assert_eq!(titles(&app, "d-2").await, ["first"]);
}

/// FHIR: a conditional create stores nothing and gives what is there. The source answers 409 to every second create.
#[tokio::test]
async fn case_254_a_document_that_is_there_is_not_stored_again() {
    let app = TestApp::start();
    let criteria = format!("identifier={SYSTEM}|d-1");
    let first = send(&app, Method::POST, "/stu3/Bundle", Some(&criteria), &document("d-1", "first")).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let again = send(&app, Method::POST, "/stu3/Bundle", Some(&criteria), &document("d-1", "second")).await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(titles(&app, "d-1").await, ["first"]);
    // Without the condition it is another document: an identifier is not unique in FHIR.
    let blind = send(&app, Method::POST, "/stu3/Bundle", None, &document("d-1", "third")).await;
    assert_eq!(blind.status, 201, "{}", blind.text());
    assert_eq!(titles(&app, "d-1").await.len(), 2);
    let ambiguous = send(&app, Method::POST, "/stu3/Bundle", Some(&criteria), &document("d-1", "x")).await;
    assert_eq!(ambiguous.status, 412, "{}", ambiguous.text());
}
