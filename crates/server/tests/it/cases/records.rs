//! DocumentReference and DiagnosticReport on the endpoints of the source systems.

use serde_json::json;

use super::*;
use crate::app::TENANT;

const MILLENNIUM: &str = "/millennium/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d";
const MILLENNIUM_DSTU2: &str = "/millennium/dstu2/ec2458f2-1e24-41c8-b71b-0e701af7583d";
const SOARIAN: &str = "/soarian/r4/ec2458f2-1e24-41c8-b71b-0e701af7583d";
const CARE_CONNECT: &str = "/ccri/STU3";

/// Notes of one patient, a report whose forms are Binaries, and who wrote them.
async fn filled() -> TestApp {
    assert!(MILLENNIUM.ends_with(TENANT));
    let app = TestApp::start();
    app.put("/writer/Binary/TR-1", "text/html", HTML_BYTES).await;
    app.put("/writer/Binary/XR-1", "application/pdf", PDF_BYTES).await;
    for n in 1..=12 {
        let attachment = json!({"contentType":"text/html","url":"Binary/TR-1"});
        let mut note = json!({"resourceType":"DocumentReference","id":format!("note-{n:02}"),"status":"current",
            "type":{"coding":[{"system":"http://loinc.org","code":if n % 2 == 0 {"11488-4"} else {"11506-3"}}]},
            "category":[{"coding":[{"code":"clinical-note"}]}],"subject":{"reference":"Patient/1"},
            "date":format!("2020-01-{n:02}T10:00:00Z"),"content":[{"attachment":attachment}],
            "context":{"period":{"start":format!("2017-01-{n:02}T00:00:00Z"),"end":format!("2017-01-{n:02}T01:00:00Z")}}});
        if n == 3 {
            note["context"]["encounter"] = json!([{"reference":"Encounter/97966172"}]);
        }
        put(&app, &format!("DocumentReference/note-{n:02}"), &note).await;
    }
    put(
        &app,
        "DiagnosticReport/196151517",
        &json!({"resourceType":"DiagnosticReport","id":"196151517","status":"final","code":{"text":"CT"},
            "subject":{"reference":"Patient/1"},"effectiveDateTime":"2020-02-01T00:00:00Z","presentedForm":[
            {"contentType":"application/pdf","url":"Binary/XR-1"},{"contentType":"text/html","url":"Binary/TR-1"}]}),
    )
    .await;
    put(
        &app,
        "Provenance/p1",
        &json!({"resourceType":"Provenance","id":"p1","target":[{"reference":"DocumentReference/note-01"}],
            "recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"reference":"Practitioner/1"}}]}),
    )
    .await;
    app
}

async fn put(app: &TestApp, path: &str, resource: &Value) {
    app.put(&format!("/writer/{path}"), FHIR_JSON, resource.to_string()).await;
}

/// How many resources a search shows; what comes along does not count.
async fn shown(app: &TestApp, path: &str) -> usize {
    let answer = app.get(path, FHIR_JSON).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let bundle = answer.json();
    assert_eq!(bundle["type"], "searchset", "{path}");
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().filter(|entry| entry["search"]["mode"] == "match").count()
}

async fn refused(app: &TestApp, path: &str) {
    let answer = app.get(path, FHIR_JSON).await;
    assert_eq!(answer.status, 400, "{path}: {}", answer.text());
    assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{path}");
}

#[tokio::test]
async fn case_023_links_are_taken_verbatim() {
    let app = filled().await;
    let note = app.get(&format!("{MILLENNIUM}/DocumentReference/note-01"), FHIR_JSON).await.json();
    let report = app.get(&format!("{MILLENNIUM}/DiagnosticReport/196151517"), FHIR_JSON).await.json();
    for attachment in [&note["content"][0]["attachment"], &report["presentedForm"][0]] {
        let url = attachment["url"].as_str().unwrap();
        let path = url.strip_prefix(&app.url).expect("the host that was called");
        assert!(path.starts_with(&format!("{MILLENNIUM}/Binary/")), "{url}");
        let content_type = attachment["contentType"].as_str().unwrap();
        let raw = app.get(path, content_type).await;
        assert_eq!((raw.status, raw.header("content-type")), (200, content_type));
    }
}

#[tokio::test]
async fn case_076_to_case_081_documents_are_found_by_patient_or_id() {
    let app = filled().await;
    let search = |query: &str| format!("{MILLENNIUM}/DocumentReference{query}");
    let nothing = app.get(&search(""), FHIR_JSON).await;
    assert_eq!(nothing.status, 400, "case_076");
    assert!(nothing.text().contains("no supported search parameters provided"), "{}", nothing.text());
    assert_eq!(shown(&app, &search("?patient=1")).await, 10, "case_077");
    let with_provenance =
        app.get(&search("?_id=note-01&_revinclude=Provenance:target"), FHIR_JSON).await.json();
    assert_eq!(with_provenance["entry"][1]["search"]["mode"], "include", "case_078");
    assert_eq!(with_provenance["entry"][1]["resource"]["resourceType"], "Provenance");
    refused(&app, &search("?_id=note-01&patient=1")).await; // case_079
    assert_eq!(shown(&app, &search("?patient=1&_count=500")).await, 12, "case_080");
    let first = app.get(&search("?patient=1&_count=500"), FHIR_JSON).await.json();
    assert!(first["link"][0]["url"].as_str().unwrap().contains("_count=100"), "case_080: at most 100");
    let first = app.get(&search("?patient=1"), FHIR_JSON).await.json();
    let next = first["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap();
    let next = next["url"].as_str().unwrap().strip_prefix(&app.url).unwrap();
    assert_eq!(shown(&app, next).await, 2, "case_081");
}

#[tokio::test]
async fn case_082_to_case_091_rules_of_dates_and_lists() {
    let app = filled().await;
    let search = |query: &str| format!("{MILLENNIUM}/DocumentReference?patient=1&{query}");
    let both = "date=ge2020-01-01T08:00:00.000Z&date=le2020-01-03T17:00:00.000Z";
    assert_eq!(shown(&app, &search(both)).await, 3, "case_082");
    refused(&app, &search("date=ge2020-01-01&date=le2020-01-31")).await; // case_083
    assert_eq!(shown(&app, &search("date=2020-01-01")).await, 1, "case_084");
    refused(&app, &search("period=ge2017-01-01")).await; // case_085
    assert_eq!(shown(&app, &search("period=ge2017-01-01&period=lt2017-01-05")).await, 4, "case_086");
    refused(&app, &search("date=ge2020-01-01&period=ge2017-01-01&period=lt2017-01-05")).await; // case_087
    assert_eq!(shown(&app, &search("_lastUpdated=gt2014-09-24")).await, 10, "case_088");
    assert_eq!(shown(&app, &search("encounter=97966172,1")).await, 1, "case_089");
    let types = "type=http://loinc.org|11488-4,http://loinc.org|34133-9";
    assert_eq!(shown(&app, &search(types)).await, 6, "case_090");
    refused(&app, &search("_revinclude=Patient:link")).await; // case_091
    refused(&app, &search("_revinclude=Provenance:target&_revinclude=Provenance:target")).await; // case_091
}

#[tokio::test]
async fn case_107_to_case_109_reports_list_their_forms() {
    let app = filled().await;
    refused(&app, &format!("{MILLENNIUM}/DiagnosticReport")).await; // case_107
    let report = app.get(&format!("{MILLENNIUM}/DiagnosticReport/196151517"), FHIR_JSON).await.json();
    let forms: Vec<_> =
        report["presentedForm"].as_array().unwrap().iter().map(|form| form["contentType"].clone()).collect();
    assert_eq!(forms, ["application/pdf", "text/html"], "case_108");
    refused(
        &app,
        &format!("{MILLENNIUM}/DiagnosticReport?patient=1&date=ge2020-01-01&_lastUpdated=gt2020-01-01"),
    )
    .await;
}

#[tokio::test]
async fn case_137_case_138_and_case_143_dates_of_dstu2() {
    let app = filled().await;
    let search = |query: &str| format!("{MILLENNIUM_DSTU2}/{query}");
    let pair = app
        .get(&search("DocumentReference?patient=1&created=ge2020-01-01&created=le2020-12-31"), JSON_FHIR)
        .await;
    assert_eq!(pair.status, 200, "case_137: {}", pair.text());
    assert!(pair.json()["total"].is_number(), "case_137");
    let single = app.get(&search("DocumentReference?patient=1&created=ge2020-01-01"), JSON_FHIR).await;
    assert_eq!((single.status, single.essence()), (400, JSON_FHIR), "case_138");
    assert_eq!(
        app.get(&search("DiagnosticReport?patient=1&date=le2020-01-01"), JSON_FHIR).await.status,
        400,
        "case_143"
    );
}

#[tokio::test]
async fn case_161_case_162_and_case_164_soarian_wants_a_patient_and_knows_one_category() {
    let app = filled().await;
    let search = |query: &str| format!("{SOARIAN}/DocumentReference{query}");
    let nobody = app.get(&search(""), FHIR_JSON).await;
    assert_eq!((nobody.status, nobody.issue_code().as_str()), (400, "required"), "case_161");
    let strict = app.request(Method::GET, &search("?patient=1&foo=bar")).header("Prefer", "handling=strict");
    let strict = Answer::of(strict).await;
    assert_eq!((strict.status, strict.issue_code().as_str()), (400, "not-supported"), "case_162");
    refused(&app, &search("?patient=1&category=other")).await; // case_164
    assert_eq!(shown(&app, &search("?patient=1&category=clinical-note")).await, 12);
}

#[tokio::test]
async fn case_203_and_case_256_care_connect_finds_by_type_and_period() {
    let app = filled().await;
    let found =
        app.get(&format!("{CARE_CONNECT}/DocumentReference?patient=1&period=ge2017-01-12"), None).await;
    assert_eq!(found.json()["total"], 1, "case_203: {}", found.text());
    let resource = &found.json()["entry"][0]["resource"];
    let url = resource["content"][0]["attachment"]["url"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("{}{CARE_CONNECT}/Binary/TR-1", app.url), "case_203");
    assert_eq!(
        app.get(&format!("{CARE_CONNECT}/DocumentReference/note-01"), None).await.status,
        200,
        "case_256"
    );
}

#[tokio::test]
async fn case_210_and_case_219_a_binary_in_a_bundle_is_a_resource() {
    let app = filled().await;
    let batch = json!({"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Binary/TR-1"}}]});
    let request =
        app.request(Method::POST, "/writer").header("Content-Type", FHIR_JSON).body(batch.to_string());
    let entry = Answer::of(request).await.json()["entry"][0].clone();
    assert_eq!(entry["resource"]["resourceType"], "Binary", "case_210");
    assert_eq!(BASE64.decode_to_vec(entry["resource"]["data"].as_str().unwrap()).unwrap(), HTML_BYTES);
    let note = app.get("/writer/DocumentReference/note-01", None).await.json();
    let url =
        note["content"][0]["attachment"]["url"].as_str().unwrap().strip_prefix(&app.url).unwrap().to_owned();
    assert_eq!(app.get(&url, None).await.body, HTML_BYTES, "case_219");
}
