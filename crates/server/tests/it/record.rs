//! Resources of all types: stored, changed, found, shown in other versions.

use base64_simd::STANDARD as BASE64;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

const JSON: &str = "application/fhir+json";

async fn send(app: &TestApp, method: Method, path: &str, body: &Value) -> Answer {
    let request = app.request(method, path).header("Content-Type", JSON).body(body.to_string());
    Answer::of(request).await
}

async fn put(app: &TestApp, path: &str, resource: Value) -> Answer {
    let answer = send(app, Method::PUT, path, &resource).await;
    assert!(matches!(answer.status, 200 | 201), "{path}: {} {}", answer.status, answer.text());
    answer
}

/// The ids that a search finds, in its order; those that come along have a `+`.
async fn found(app: &TestApp, path: &str) -> Vec<String> {
    let answer = app.get(path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let bundle = answer.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let shown = entries.iter().map(|entry| {
        let mark = if entry["search"]["mode"] == "include" { "+" } else { "" };
        format!("{mark}{}", entry["resource"]["id"].as_str().unwrap())
    });
    shown.collect()
}

async fn check(app: &TestApp, cases: &[(&str, &[&str])]) {
    for (path, expected) in cases {
        let mut ids = found(app, path).await;
        ids.sort();
        assert_eq!(ids, *expected, "{path}");
    }
}

/// A few patients with what belongs to them.
async fn filled() -> TestApp {
    let app = TestApp::start();
    let quantity = |value: &str| -> Value {
        serde_json::from_str(&format!(
            r#"{{"value":{value},"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}"#
        ))
        .unwrap()
    };
    for (path, resource) in [
        ("Organization/o1", json!({"resourceType":"Organization","id":"o1","name":"Müller Clinic"})),
        (
            "Practitioner/d1",
            json!({"resourceType":"Practitioner","id":"d1","identifier":[{"system":"http://n","value":"D1"}],
            "name":[{"family":"House"}]}),
        ),
        (
            "Patient/p1",
            json!({"resourceType":"Patient","id":"p1","name":[{"family":"Strömberg","given":["Åsa"]}],
            "gender":"female","birthDate":"1970-05-12","managingOrganization":{"reference":"Organization/o1"},
            "identifier":[{"system":"http://mrn","value":"A-1"}]}),
        ),
        (
            "Patient/p2",
            json!({"resourceType":"Patient","id":"p2","name":[{"family":"Stone"}],"gender":"male","birthDate":"1980"}),
        ),
        (
            "Encounter/e1",
            json!({"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},
            "subject":{"reference":"Patient/p1"}}),
        ),
        (
            "Observation/g1",
            json!({"resourceType":"Observation","id":"g1","status":"final","subject":{"reference":"Patient/p1"},
            "code":{"coding":[{"system":"http://loinc.org","code":"15074-8"}]},"effectiveDateTime":"2020-03-01T10:00:00Z",
            "valueQuantity":quantity("6.30"),"performer":[{"reference":"Practitioner/d1"}]}),
        ),
        (
            "Observation/g2",
            json!({"resourceType":"Observation","id":"g2","status":"final","subject":{"reference":"Patient/p2"},
            "code":{"coding":[{"system":"http://loinc.org","code":"15074-8"}]},"effectivePeriod":{"start":"2021-01-01"},
            "valueQuantity":quantity("5.1")}),
        ),
        (
            "DocumentReference/n1",
            json!({"resourceType":"DocumentReference","id":"n1","status":"current",
            "type":{"coding":[{"system":"http://loinc.org","code":"11506-3"}]},
            "category":[{"coding":[{"system":"http://c","code":"clinical-note"}]}],
            "subject":{"reference":"Patient/p1"},"date":"2020-03-02T00:00:00Z","author":[{"reference":"Practitioner/d1"}],
            "content":[{"attachment":{"contentType":"text/plain; charset=utf-8","url":"http://else/doc"}}]}),
        ),
        (
            "Provenance/v1",
            json!({"resourceType":"Provenance","id":"v1","target":[{"reference":"DocumentReference/n1"}],
            "recorded":"2020-03-02T00:00:00Z","agent":[{"who":{"reference":"Practitioner/d1"}}]}),
        ),
    ] {
        put(&app, &format!("/r4/{path}"), resource).await;
    }
    app
}

#[tokio::test]
async fn a_resource_lives_through_all_its_interactions() {
    let app = TestApp::start();
    let patient = json!({"resourceType":"Patient","id":"ignored","active":true,"name":[{"family":"A"}]});
    let created = send(&app, Method::POST, "/r4/Patient", &patient).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.json()["active"], true, "the resource comes back unless the client prefers otherwise");
    let location = created.header("location").strip_prefix(&app.url).expect("on this server").to_owned();
    let path = location.strip_suffix("/_history/1").expect("the first version").to_owned();
    let read = app.get(&path, None).await;
    assert_eq!((read.status, read.header("etag")), (200, "W/\"1\""));
    let mut resource = read.json();
    assert_eq!(resource["meta"]["versionId"], "1");
    resource["active"] = json!(false);
    assert_eq!(send(&app, Method::PUT, &path, &resource).await.status, 200);
    assert_eq!(send(&app, Method::PUT, &path, &resource).await.header("etag"), "W/\"2\"", "nothing new");
    assert_eq!(app.get(&location, None).await.json()["active"], true, "vread");
    let history = app.get(&format!("{path}/_history"), None).await.json();
    assert_eq!(history["total"], 2);
    assert_eq!(history["entry"][0]["request"]["method"], "PUT");
    assert_eq!(app.get("/r4/Patient/_history", None).await.json()["total"], 2);
    assert_eq!(app.get("/r4/_history", None).await.json()["total"], 2);
    assert_eq!(Answer::of(app.request(Method::DELETE, &path)).await.status, 204);
    assert_eq!(app.get(&path, None).await.status, 410);
    assert_eq!(app.get("/r4/Patient", None).await.json()["total"], 0);
}

#[tokio::test]
async fn xml_and_json_are_the_same_resource() {
    let app = TestApp::start();
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><id value="x"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><b>A &amp; B</b></div></text><active value="true"/><name><family value="F"/><given value="G"/></name></Patient>"#;
    app.put("/r4/Patient/x", "application/fhir+xml", xml).await;
    let json = app.get("/r4/Patient/x", None).await.json();
    assert_eq!(json["name"], json!([{"family":"F","given":["G"]}]));
    assert_eq!(json["text"]["div"], r#"<div xmlns="http://www.w3.org/1999/xhtml"><b>A &amp; B</b></div>"#);
    let back = app.get("/r4/Patient/x", "application/fhir+xml").await.text();
    let (start, _) = xml.split_once("<text>").unwrap();
    assert!(back.contains(xml.strip_prefix(start).unwrap()), "{back}");
}

#[tokio::test]
async fn what_breaks_rules_is_refused_with_every_place() {
    let app = TestApp::start();
    let wrong = json!({"resourceType":"Patient","id":"w","gender":"f","birthDate":"1970-02-40","nme":[]});
    let answer = send(&app, Method::PUT, "/r4/Patient/w", &wrong).await;
    assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
    let issues = answer.json()["issue"].as_array().unwrap().clone();
    let places: Vec<_> =
        issues.iter().map(|issue| issue["expression"][0].as_str().unwrap().to_owned()).collect();
    assert_eq!(places, ["Patient.birthDate", "Patient.gender", "Patient.nme"]);
    let in_dstu2 = send(&app, Method::PUT, "/dstu2/Patient/w", &wrong).await.json();
    assert_eq!(in_dstu2["issue"][0]["location"][0], "/f:Patient/f:birthDate");
    let elsewhere = json!({"resourceType":"Observation","id":"w"});
    assert_eq!(send(&app, Method::PUT, "/r4/Patient/w", &elsewhere).await.status, 400, "another type");
    assert_eq!(app.get("/r4/Patient/w", None).await.status, 404);
    assert_eq!(app.get("/r4/Animal/1", None).await.status, 404, "no such type");
}

#[tokio::test]
async fn searches_find_by_the_kind_of_parameter() {
    let app = filled().await;
    check(
        &app,
        &[
            ("/r4/Patient?family=strom", &["p1"]),
            ("/r4/Patient?name=asa", &["p1"]),
            ("/r4/Patient?family:exact=Stone", &["p2"]),
            ("/r4/Patient?family:contains=to", &["p2"]),
            ("/r4/Patient?gender=female,male", &["p1", "p2"]),
            ("/r4/Patient?gender:not=female", &["p2"]),
            ("/r4/Patient?identifier=http://mrn|A-1", &["p1"]),
            ("/r4/Patient?identifier=http://mrn|", &["p1"]),
            ("/r4/Patient?identifier=|A-1", &[]),
            ("/r4/Patient?identifier:missing=true", &["p2"]),
            ("/r4/Patient?birthdate=1970-05", &["p1"]),
            ("/r4/Patient?birthdate=ge1975", &["p2"]),
            ("/r4/Patient?birthdate=lt1975", &["p1"]),
            ("/r4/Patient?organization=o1", &["p1"]),
            ("/r4/Patient?organization:Organization=o1", &["p1"]),
            ("/r4/Organization?name=muller", &["o1"]),
            ("/r4/Observation?patient=p1", &["g1"]),
            ("/r4/Observation?patient=Patient/p1", &["g1"]),
            ("/r4/Observation?subject=Patient/p2&code=15074-8", &["g2"]),
            ("/r4/Observation?date=2020-03-01", &["g1"]),
            ("/r4/Observation?date=ge2022", &["g2"]),
            ("/r4/Observation?value-quantity=6.3", &["g1"]),
            ("/r4/Observation?value-quantity=gt5.1", &["g1"]),
            ("/r4/Observation?value-quantity=le5.1||mmol/L", &["g2"]),
            ("/r4/Observation?code-value-quantity=15074-8$gt6", &["g1"]),
            ("/r4/Observation?code-value-quantity=1-1$gt6", &[]),
            ("/r4/DocumentReference?patient=p1&category=clinical-note&date=ge2020-01-01", &["n1"]),
            ("/r4/DocumentReference?contenttype:below=text/plain", &["n1"]),
            ("/r4/DocumentReference?location=http://else/doc", &["n1"]),
            ("/r4/DocumentReference?location:below=http://else", &["n1"]),
            ("/r4/Patient?_id=p1,p2&_sort=-birthdate", &["p1", "p2"]),
        ],
    )
    .await;
    let absolute = format!("/r4/Observation?patient={}/r5/Patient/p1", app.url);
    assert_eq!(found(&app, &absolute).await, ["g1"]);
    assert_eq!(found(&app, "/r4/Patient?_sort=-birthdate").await, ["p2", "p1"]);
    assert_eq!(found(&app, "/r4/Patient?_sort=birthdate").await, ["p1", "p2"]);
    for refused in [
        "Patient?family:above=x",
        "Observation?date=2020-99",
        "Observation?value-quantity=x",
        "Observation?date=xx2020",
    ] {
        assert_eq!(app.get(&format!("/r4/{refused}"), None).await.status, 400, "{refused}");
    }
}

#[tokio::test]
async fn searches_follow_references() {
    let app = filled().await;
    check(
        &app,
        &[
            ("/r4/Observation?patient.family=Strom", &["g1"]),
            ("/r4/Observation?subject:Patient.gender=male", &["g2"]),
            ("/r4/DocumentReference?author:Practitioner.identifier=http://n|D1", &["n1"]),
            ("/r4/Patient?_has:Observation:patient:code=15074-8", &["p1", "p2"]),
            ("/r4/Patient?_has:DocumentReference:patient:status=current", &["p1"]),
            ("/r4/Observation?patient.organization.name=muller", &["g1"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_matches_refer_to_comes_along() {
    let app = filled().await;
    check(
        &app,
        &[
            ("/r4/Observation?_id=g1&_include=Observation:patient", &["+p1", "g1"]),
            (
                "/r4/Observation?_id=g1&_include=Observation:patient&_include:iterate=Patient:organization",
                &["+o1", "+p1", "g1"],
            ),
            ("/r4/DocumentReference?patient=p1&_revinclude=Provenance:target", &["+v1", "n1"]),
            ("/r4/Patient?_id=p1&_revinclude=Observation:patient", &["+g1", "p1"]),
        ],
    )
    .await;
    let counted = app.get("/r4/Observation?_id=g1&_include=Observation:patient", None).await.json();
    assert_eq!(counted["total"], 1, "matches alone are counted");
}

#[tokio::test]
async fn a_compartment_holds_what_belongs_to_the_patient() {
    let app = filled().await;
    check(
        &app,
        &[
            ("/r4/Patient/p1/Observation", &["g1"]),
            ("/r4/Patient/p1/DocumentReference?status=current", &["n1"]),
            ("/r4/Patient/p1/*", &["e1", "g1", "n1"]),
        ],
    )
    .await;
    assert_eq!(app.get("/r4/Patient/p9/Observation", None).await.status, 404);
    assert_eq!(app.get("/r4/Patient/p1/Organization", None).await.status, 404, "belongs to nobody");
}

#[tokio::test]
async fn the_whole_system_is_searched() {
    let app = filled().await;
    assert_eq!(app.get("/r4/?_summary=count", None).await.json()["total"], 9);
    check(&app, &[("/r4/?_type=Patient,Encounter", &["e1", "p1", "p2"])]).await;
    assert_eq!(app.get("/r4/?_type=Animal", None).await.status, 400);
}

#[tokio::test]
async fn whoever_asks_for_no_total_still_gets_all_pages() {
    let app = filled().await;
    let mut path = "/r4/Patient?_count=1&_total=none".to_owned();
    let mut seen = Vec::new();
    loop {
        let bundle = app.get(&path, None).await.json();
        assert_eq!(bundle.get("total"), None);
        seen.push(bundle["entry"][0]["resource"]["id"].clone());
        let links = bundle["link"].as_array().expect("a page has links");
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        let url = next["url"].as_str().expect("a link has a URL");
        path = url.strip_prefix(&app.url).expect("links name the server that was called").to_owned();
    }
    assert_eq!(seen, ["p1", "p2"]);
    assert_eq!(app.get("/r4/Patient?_count=1&_total=accurate", None).await.json()["total"], 2);
}

#[tokio::test]
async fn parts_of_resources_are_marked() {
    let app = filled().await;
    let summary = app.get("/r4/DocumentReference/n1?_summary=true", None).await.json();
    assert_eq!(summary["meta"]["tag"][0]["code"], "SUBSETTED");
    assert_eq!(summary["status"], "current");
    let elements = app.get("/r4/Patient/p1?_elements=gender", None).await.json();
    assert_eq!((&elements["gender"], &elements["name"]), (&json!("female"), &Value::Null));
    let mut partial = elements;
    partial["active"] = json!(true);
    assert_eq!(
        send(&app, Method::PUT, "/r4/Patient/p1", &partial).await.status,
        422,
        "never in place of a whole one"
    );
}

#[tokio::test]
async fn a_patch_changes_a_part() {
    let app = filled().await;
    let patch = |body: Value, content_type: &'static str| {
        let request = app.request(Method::PATCH, "/r4/Patient/p2");
        Answer::of(request.header("Content-Type", content_type).body(body.to_string()))
    };
    let by_json = json!([{"op":"replace","path":"/birthDate","value":"1981-02-03"}]);
    let answer = patch(by_json, "application/json-patch+json").await;
    assert_eq!((answer.status, answer.header("etag")), (200, "W/\"2\""), "{}", answer.text());
    let by_path = json!({"resourceType":"Parameters","parameter":[{"name":"operation","part":[
        {"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"active"},
        {"name":"value","valueBoolean":true}]}]});
    assert_eq!(patch(by_path, JSON).await.status, 200);
    let read = app.get("/r4/Patient/p2", None).await.json();
    assert_eq!((&read["birthDate"], &read["active"]), (&json!("1981-02-03"), &json!(true)));
    let wrong = json!([{"op":"replace","path":"/gender","value":"m"}]);
    assert!(matches!(patch(wrong, "application/json-patch+json").await.status, 400 | 422));
    let nowhere = json!([{"op":"remove","path":"/photo"}]);
    assert_eq!(patch(nowhere, "application/json-patch+json").await.status, 422);
    assert_eq!(patch(json!("<a/>"), "application/xml-patch+xml").await.status, 415);
    let stale = app.request(Method::PATCH, "/r4/Patient/p2").header("If-Match", "W/\"1\"");
    let stale = stale.header("Content-Type", "application/json-patch+json").body("[]");
    assert_eq!(Answer::of(stale).await.status, 412);
    assert_eq!(Answer::of(app.request(Method::PATCH, "/dstu2/Patient/p2").body("[]")).await.status, 405);
}

#[tokio::test]
async fn content_inside_an_attachment_becomes_a_binary() {
    let app = TestApp::start();
    let report = json!({"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"text":"CT"},
        "presentedForm":[{"contentType":"text/plain","data":BASE64.encode_to_string("a finding")}]});
    put(&app, "/r4/DiagnosticReport/r", report.clone()).await;
    let form = app.get("/r4/DiagnosticReport/r", None).await.json()["presentedForm"][0].clone();
    assert_eq!((&form["data"], &form["size"]), (&Value::Null, &json!(9)));
    assert_eq!(form["hash"], "FClff8zPPYIc+2BptjHMhejzPis=");
    let url = form["url"].as_str().unwrap().strip_prefix(&app.url).expect("absolute").to_owned();
    assert_eq!(app.get(&url, None).await.text(), "a finding");
    // On another version's endpoint the link is that endpoint's.
    let in_r5 = app.get("/r5/DiagnosticReport/r", None).await.json()["presentedForm"][0].clone();
    assert_eq!(in_r5["size"], "9", "a string in R5");
    assert!(in_r5["url"].as_str().unwrap().starts_with(&format!("{}/r5/Binary/", app.url)));
    // The same again changes nothing, not even the Binary.
    assert_eq!(put(&app, "/r4/DiagnosticReport/r", report).await.header("etag"), "W/\"1\"");
    // Decision 11: the bytes behind the link do not change.
    let changed = app.request(Method::PUT, &url).header("Content-Type", "text/plain").body("another");
    let refused = Answer::of(changed).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("DiagnosticReport/r"), "{}", refused.text());
    assert_eq!(Answer::of(app.request(Method::DELETE, &url)).await.status, 409);
}

#[tokio::test]
async fn declared_sizes_and_hashes_must_fit() {
    let app = TestApp::start();
    app.put("/r4/Binary/b", "text/plain", "hello").await;
    let document = |attachment: Value| json!({"resourceType":"DocumentReference","id":"d","status":"current","content":[{"attachment":attachment}]});
    for wrong in [
        json!({"contentType":"text/plain","url":"Binary/b","size":4}),
        json!({"contentType":"text/plain","url":"Binary/b","hash":"AAAA"}),
        json!({"contentType":"text/plain","data":"aGVsbG8=","size":6}),
        json!({"data":"aGVsbG8="}),
    ] {
        let answer = send(&app, Method::PUT, "/r4/DocumentReference/d", &document(wrong.clone())).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text());
        assert_eq!(answer.json()["issue"][0]["expression"][0], "DocumentReference.content[0].attachment");
    }
    assert_eq!(app.get("/r4/DocumentReference/d", None).await.status, 404);
    let right =
        json!({"contentType":"text/plain","url":"Binary/b","size":5,"hash":"qvTGHdzF6KLavt4PO0gs2a6pQ00="});
    put(&app, "/r4/DocumentReference/d", document(right)).await;
}

#[tokio::test]
async fn a_document_is_shown_and_found_in_every_version() {
    let app = TestApp::start();
    app.put("/r4/Binary/b", "text/plain", "hello").await;
    let document = json!({"resourceType":"DocumentReference","id":"d","status":"current","type":{"coding":[{"code":"t"}]},
        "class":{"coding":[{"code":"c"}]},"subject":{"reference":"Patient/p"},"indexed":"2020-01-02T00:00:00Z",
        "content":[{"attachment":{"contentType":"text/plain","url":format!("{}/stu3/Binary/b", app.url)}}]});
    put(&app, "/stu3/DocumentReference/d", document).await;
    for (path, date) in [
        ("/dstu2/DocumentReference?class=c&indexed=2020-01-02", "indexed"),
        ("/stu3/DocumentReference?class=c&indexed=2020-01-02", "indexed"),
        ("/r4/DocumentReference?category=c&date=2020-01-02", "date"),
        ("/r4b/DocumentReference?category=c&date=2020-01-02", "date"),
        ("/r5/DocumentReference?category=c&date=2020-01-02", "date"),
    ] {
        let bundle = app.get(path, None).await.json();
        assert_eq!(bundle["total"], 1, "{path}: {bundle}");
        let entry = &bundle["entry"][0];
        assert_eq!(entry["resource"][date], "2020-01-02T00:00:00Z", "{path}");
        let base = &path[..path.find("/Doc").unwrap()];
        let url = entry["resource"]["content"][0]["attachment"]["url"].as_str().unwrap();
        assert_eq!(url, format!("{}{base}/Binary/b", app.url), "{path}");
        assert_eq!(entry["fullUrl"], format!("{}{base}/DocumentReference/d", app.url), "{path}");
        assert_eq!(app.get(url.strip_prefix(&app.url).unwrap(), None).await.text(), "hello");
    }
    // `category` is no parameter of STU3: left out, and so absent from the self link.
    let ignored = app.get("/stu3/DocumentReference?category=x", None).await.json();
    assert_eq!(ignored["total"], 1);
    assert!(!ignored["link"][0]["url"].as_str().unwrap().contains("category"));
}

#[tokio::test]
async fn other_types_stay_in_their_version() {
    let app = filled().await;
    let answer = app.get("/stu3/Observation/g1", None).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("R4"), "{}", answer.text());
    assert_eq!(app.get("/stu3/Observation/g1/_history", None).await.status, 404);
    assert_eq!(app.get("/stu3/Observation?patient=p1", None).await.json()["total"], 0);
    assert_eq!(app.get("/stu3/Patient?family=strom", None).await.json()["total"], 1);
}

#[tokio::test]
async fn a_conditional_create_searches_the_type() {
    let app = filled().await;
    let create = |criteria: &'static str| {
        let request = app.request(Method::POST, "/r4/Patient").header("Content-Type", JSON);
        Answer::of(request.header("If-None-Exist", criteria).body(r#"{"resourceType":"Patient"}"#))
    };
    assert_eq!(create("identifier=http://mrn|A-1").await.status, 200);
    assert_eq!(create("identifier=http://mrn|B-2").await.status, 201);
    assert_eq!(create("gender=male,female").await.status, 412);
}

#[tokio::test]
async fn rules_of_the_profiles_are_kept() {
    let app = TestApp::start();
    for (id, date) in [("d1", "2020-01-10T09:00:00Z"), ("d2", "2020-02-10T09:00:00Z")] {
        let document = json!({"resourceType":"DocumentReference","id":id,"status":"current","date":date,
            "category":[{"coding":[{"code":"clinical-note"}]}],"subject":{"reference":"Patient/1"},
            "content":[{"attachment":{"contentType":"text/plain","data":"aGVsbG8="}}]});
        put(&app, &format!("/writer/DocumentReference/{id}"), document).await;
    }
    let tenant = crate::app::TENANT;
    for (path, expected) in [
        ("millennium/r4/T/DocumentReference", 400),
        ("millennium/r4/T/DocumentReference?patient=1", 200),
        ("millennium/r4/T/DocumentReference?_id=d1&patient=1", 400),
        ("millennium/r4/T/DocumentReference?patient=1&date=ge2020-01-01&date=le2020-01-31", 400),
        ("millennium/r4/T/DocumentReference?patient=1&period=ge2017-01-01", 400),
        ("millennium/r4/T/DocumentReference?patient=1&_revinclude=Patient:link", 400),
        ("millennium/r4/T/DiagnosticReport", 400),
        ("soarian/r4/T/DocumentReference", 400),
        ("soarian/r4/T/DocumentReference?patient=1&foo=bar", 400),
        ("soarian/r4/T/DocumentReference?patient=1&category=other", 400),
        ("soarian/r4/T/DocumentReference?patient=1&category=clinical-note", 200),
    ] {
        let path = format!("/{}", path.replace("/T/", &format!("/{tenant}/")));
        assert_eq!(app.get(&path, None).await.status, expected, "{path}");
    }
    let within = format!(
        "/millennium/r4/{tenant}/DocumentReference?patient=1&date=ge2020-01-01T00:00:00Z&date=le2020-01-31T00:00:00Z"
    );
    assert_eq!(found(&app, &within).await, ["d1"]);
    let refused = app.request(Method::DELETE, &format!("/millennium/r4/{tenant}/DocumentReference/d1"));
    assert_eq!(Answer::of(refused).await.status, 405);
}
