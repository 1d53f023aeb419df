//! batch, transaction, and what IHE MHD makes of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

async fn post(app: &TestApp, base: &str, bundle: &Value) -> Answer {
    let request = app.request(Method::POST, base).header("Content-Type", "application/fhir+json");
    Answer::of(request.body(bundle.to_string())).await
}

fn bundle(kind: &str, entries: Value) -> Value {
    json!({"resourceType":"Bundle","type":kind,"entry":entries})
}

fn entry(method: &str, url: &str, resource: Value) -> Value {
    json!({"resource":resource,"request":{"method":method,"url":url}})
}

fn patient(id: &str) -> Value {
    json!({"resourceType":"Patient","id":id,"active":true})
}

fn statuses(answer: &Answer) -> Vec<String> {
    let entries = answer.json()["entry"].as_array().expect("entries").clone();
    entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap()[..3].to_owned()).collect()
}

#[tokio::test]
async fn a_transaction_stores_all_or_nothing() {
    let app = TestApp::start();
    app.put("/r4/Patient/old", "application/fhir+json", patient("old").to_string()).await;
    let entries = |last: Value| {
        json!([
            entry("PUT", "Patient/a", patient("a")),
            entry("POST", "Patient", json!({"resourceType":"Patient"})),
            {"request":{"method":"DELETE","url":"Patient/old"}},
            {"request":{"method":"GET","url":"Patient/a"}},
            last
        ])
    };
    let failing = entry("PUT", "Patient/b", json!({"resourceType":"Patient","id":"b","gender":"x"}));
    let answer = post(&app, "/r4", &bundle("transaction", entries(failing))).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
    assert_eq!(answer.json()["resourceType"], "OperationOutcome");
    assert_eq!(app.get("/r4/Patient/a", None).await.status, 404);
    let stale =
        json!({"resource":patient("b"),"request":{"method":"PUT","url":"Patient/b","ifMatch":"W/\"7\""}});
    let answer = post(&app, "/r4", &bundle("transaction", entries(stale))).await;
    assert_eq!(answer.status, 412, "{}", answer.text());
    assert!(answer.text().contains("entry[4]"), "{}", answer.text());
    assert_eq!(app.get("/r4/Patient/a", None).await.status, 404);
    let answer =
        post(&app, "/r4", &bundle("transaction", entries(entry("PUT", "Patient/b", patient("b"))))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["type"], "transaction-response");
    assert_eq!(statuses(&answer), ["201", "201", "204", "200", "201"]);
    assert_eq!(answer.json()["entry"][3]["resource"]["id"], "a", "reads come last");
    assert_eq!(answer.json()["entry"][0]["response"]["location"], "Patient/a/_history/1");
    assert_eq!(app.get("/r4/Patient/old", None).await.status, 410);
}

#[tokio::test]
async fn references_between_entries_become_real() {
    let app = TestApp::start();
    app.put(
        "/r4/Practitioner/d",
        "application/fhir+json",
        json!({"resourceType":"Practitioner","id":"d","identifier":[{"system":"http://n","value":"1"}]})
            .to_string(),
    )
    .await;
    let document = json!({"resourceType":"DocumentReference","status":"current","masterIdentifier":{"system":"urn:ietf:rfc:3986",
        "value":"urn:uuid:99999999-0000-4000-8000-000000000000"},
        "subject":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"},
        "author":[{"reference":"Practitioner?identifier=http://n|1"}],
        "content":[{"attachment":{"contentType":"text/plain","url":"urn:uuid:00000000-0000-4000-8000-000000000002","size":5,
        "hash":"qvTGHdzF6KLavt4PO0gs2a6pQ00="}}]});
    let of = |document: &Value| {
        bundle(
            "transaction",
            json!([
                {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000003","resource":document,
                 "request":{"method":"POST","url":"DocumentReference"}},
                {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{"resourceType":"Patient",
                 "identifier":[{"system":"http://mrn","value":"7"}]},
                 "request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=http://mrn|7"}},
                {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000002",
                 "resource":{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="},
                 "request":{"method":"POST","url":"Binary"}}
            ]),
        )
    };
    let answer = post(&app, "/r4", &of(&document)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(statuses(&answer), ["201", "201", "201"]);
    let place = |answer: &Answer, n: usize| {
        let location = answer.json()["entry"][n]["response"]["location"].as_str().unwrap().to_owned();
        location.split("/_history").next().unwrap().to_owned()
    };
    let stored = app.get(&format!("/r4/{}", place(&answer, 0)), None).await.json();
    assert_eq!(stored["subject"]["reference"], place(&answer, 1));
    assert_eq!(stored["author"][0]["reference"], "Practitioner/d");
    assert_eq!(
        stored["masterIdentifier"]["value"], "urn:uuid:99999999-0000-4000-8000-000000000000",
        "named by nobody"
    );
    let url = stored["content"][0]["attachment"]["url"].as_str().unwrap();
    assert_eq!(url, format!("{}/r4/{}", app.url, place(&answer, 2)));
    assert_eq!(app.get(url.strip_prefix(&app.url).unwrap(), None).await.text(), "hello");
    // The patient is there already; the document is another one.
    let again = post(&app, "/r4", &of(&document)).await;
    assert_eq!(statuses(&again), ["201", "200", "201"]);
    assert_eq!(place(&again, 1), place(&answer, 1));
    let mut wrong = document.clone();
    wrong["content"][0]["attachment"]["hash"] = json!("AAAA");
    assert_eq!(post(&app, "/r4", &of(&wrong)).await.status, 422);
    wrong = document.clone();
    wrong["author"][0]["reference"] = json!("Practitioner?identifier=http://n|2");
    assert_eq!(post(&app, "/r4", &of(&wrong)).await.status, 400);
    assert_eq!(app.get("/r4/DocumentReference", None).await.json()["total"], 2);
}

#[tokio::test]
async fn a_resource_appears_once() {
    let app = TestApp::start();
    let twice =
        json!([entry("PUT", "Patient/a", patient("a")), {"request":{"method":"DELETE","url":"Patient/a"}}]);
    assert_eq!(post(&app, "/r4", &bundle("transaction", twice)).await.status, 400);
    assert_eq!(post(&app, "/r4", &bundle("document", json!([]))).await.status, 400);
    assert_eq!(post(&app, "/r4", &patient("a")).await.status, 400);
    assert_eq!(post(&app, "/read-only", &bundle("batch", json!([]))).await.status, 405);
}

#[tokio::test]
async fn entries_of_a_batch_stand_alone() {
    let app = TestApp::start();
    let entries = json!([
        entry("PUT", "Patient/a", patient("a")),
        entry("PUT", "Patient/b", json!({"resourceType":"Patient","id":"b","gender":"x"})),
        {"request":{"method":"GET","url":"Patient/none"}},
        {"request":{"method":"GET","url":"Patient?active=true"}},
        entry("POST", "Animal", json!({"resourceType":"Animal"}))
    ]);
    let answer = post(&app, "/r4", &bundle("batch", entries)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["type"], "batch-response");
    let found = statuses(&answer);
    assert_eq!(
        (&*found[0], &*found[2], &*found[3], &*found[4]),
        ("201", "404", "200", "404"),
        "{}",
        answer.text()
    );
    assert!(matches!(&*found[1], "400" | "422"));
    assert_eq!(
        answer.json()["entry"][1]["response"]["outcome"]["issue"][0]["expression"][0],
        "Patient.gender"
    );
    assert_eq!(answer.json()["entry"][3]["resource"]["total"], 1);
}

#[tokio::test]
async fn entries_without_request_are_understood_in_dstu2() {
    let app = TestApp::start();
    let entries = json!([{"resource":patient("a")}, {"resource":{"resourceType":"Patient"}}]);
    let answer = post(&app, "/dstu2", &bundle("transaction", entries.clone())).await;
    assert_eq!(statuses(&answer), ["201", "201"], "{}", answer.text());
    assert_eq!(app.get("/dstu2/Patient/a", None).await.status, 200);
    assert_eq!(post(&app, "/r4", &bundle("transaction", entries)).await.status, 400);
}

#[tokio::test]
async fn bundles_come_in_xml_too() {
    let app = TestApp::start();
    let xml = r#"<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource><Patient><id value="x"/></Patient></resource><request><method value="PUT"/><url value="Patient/x"/></request></entry></Bundle>"#;
    let request = app.request(Method::POST, "/r4").header("Content-Type", "application/fhir+xml");
    let answer = Answer::of(request.header("Accept", "application/fhir+xml").body(xml)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains(r#"<status value="201 Created"/>"#), "{}", answer.text());
    assert_eq!(app.get("/r4/Patient/x", None).await.status, 200);
}

#[tokio::test]
async fn a_document_bundle_of_mhd_keeps_its_profile() {
    let app = TestApp::start();
    let provide = |profile: &str, document: Value| {
        json!({"resourceType":"Bundle","type":"transaction",
            "meta":{"profile":[format!("https://profiles.ihe.net/ITI/MHD/StructureDefinition/{profile}")]},
            "entry":[
                {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{"resourceType":"List","status":"current","mode":"working",
                 "code":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes","code":"submissionset"}]},
                 "entry":[{"item":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000002"}}]},
                 "request":{"method":"POST","url":"List"}},
                {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000002","resource":document,
                 "request":{"method":"POST","url":"DocumentReference"}},
                {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000003",
                 "resource":{"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="},
                 "request":{"method":"POST","url":"Binary"}}]})
    };
    let document = json!({"resourceType":"DocumentReference","status":"current","masterIdentifier":{"value":"urn:oid:1.2.3"},
        "content":[{"attachment":{"contentType":"text/plain","url":"urn:uuid:00000000-0000-4000-8000-000000000003","size":5}}]});
    let minimal = "IHE.MHD.Minimal.ProvideBundle";
    let answer = post(&app, "/r4", &provide(minimal, document.clone())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(statuses(&answer), ["201", "201", "201"]);
    let stored = app.get("/r4/DocumentReference?status=current", None).await.json();
    let url = stored["entry"][0]["resource"]["content"][0]["attachment"]["url"].as_str().unwrap().to_owned();
    assert_eq!(app.get(url.strip_prefix(&app.url).unwrap(), None).await.text(), "hello", "ITI-68");
    let mut without = document.clone();
    without.as_object_mut().unwrap().remove("masterIdentifier");
    for (profile, document) in [
        (minimal, without),
        ("IHE.MHD.Comprehensive.ProvideBundle", document.clone()),
        ("IHE.MHD.Unheard.ProvideBundle", document),
    ] {
        let answer = post(&app, "/r4", &provide(profile, document)).await;
        assert_eq!(answer.status, 422, "{profile}: {}", answer.text());
    }
    assert_eq!(app.get("/r4/DocumentReference", None).await.json()["total"], 1);
}
