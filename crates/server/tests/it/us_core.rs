//! Searches that US Core asks of a server (R4, releases 6.1 to 9.0): each combination that it SHALL or SHOULD support
//! on DocumentReference, DiagnosticReport and Patient, by GET and by POST, alone and with `_revinclude`.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

const JSON: &str = "application/fhir+json";
const CATEGORIES: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category";
const NOTE_CATEGORY: &str =
    "category=http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note";

/// A search: parameters, joined by `&`, and the ids that it finds.
type Search<'a> = (&'a str, &'a [&'a str]);

fn coded(system: &str, code: &str) -> Value {
    json!([{"coding": [{"system": system, "code": code}]}])
}

fn note(id: &str, patient: &str, of: [&str; 5]) -> (String, Value) {
    let [kind, category, status, day, care] = of;
    let system = if category == "clinical-note" { CATEGORIES } else { "http://loinc.org" };
    let resource = json!({
        "resourceType": "DocumentReference", "id": id, "status": status,
        "type": coded("http://loinc.org", kind)[0], "category": coded(system, category),
        "subject": {"reference": format!("Patient/{patient}")}, "date": format!("{day}T10:00:00Z"),
        "content": [{"attachment": {"contentType": "text/plain;charset=utf-8", "url": format!("Binary/{id}")}}],
        "context": {"period": {"start": format!("{care}T08:00:00Z"), "end": format!("{care}T09:00:00Z")}},
    });
    (format!("DocumentReference/{id}"), resource)
}

fn report(id: &str, patient: &str, of: [&str; 4], effective: Value) -> (String, Value) {
    let [code, category, status, issued] = of;
    let mut resource = json!({
        "resourceType": "DiagnosticReport", "id": id, "status": status,
        "code": coded("http://loinc.org", code)[0], "category": coded("http://loinc.org", category),
        "subject": {"reference": format!("Patient/{patient}")}, "issued": format!("{issued}T10:00:00Z"),
        "presentedForm": [{"contentType": "text/plain;charset=utf-8", "url": format!("Binary/{id}")}],
    });
    let name = if effective.is_string() { "effectiveDateTime" } else { "effectivePeriod" };
    resource[name] = effective;
    (format!("DiagnosticReport/{id}"), resource)
}

fn patient(id: &str, family: &str, given: &str, gender: &str, born: &str) -> (String, Value) {
    let resource = json!({
        "resourceType": "Patient", "id": id, "gender": gender, "birthDate": born,
        "name": [{"family": family, "given": [given]}],
        "identifier": [{"system": "http://hospital.example/mrn", "value": format!("mrn-{id}")}],
    });
    (format!("Patient/{id}"), resource)
}

fn provenance(id: &str, target: &str) -> (String, Value) {
    let resource = json!({"resourceType": "Provenance", "id": id, "target": [{"reference": target}],
        "recorded": "2024-01-10T10:00:00Z", "agent": [{"who": {"reference": "Practitioner/a1"}}]});
    (format!("Provenance/{id}"), resource)
}

/// Two patients with notes and reports, some of which say where they come from.
async fn filled() -> TestApp {
    let app = TestApp::start();
    let (spring, winter) =
        (json!({"start": "2024-03-01", "end": "2024-03-05"}), json!("2024-01-10T09:30:00Z"));
    for (path, resource) in [
        patient("p1", "Shaw", "Amy", "female", "1987-02-20"),
        patient("p2", "Shaw", "Brian", "male", "1990-01-01"),
        note("n1", "p1", ["11488-4", "clinical-note", "current", "2024-01-10", "2024-01-09"]),
        note("n2", "p1", ["18842-5", "clinical-note", "superseded", "2024-02-20", "2024-02-19"]),
        note("n3", "p1", ["11488-4", "LP173421-1", "current", "2024-03-30", "2024-03-29"]),
        note("n4", "p2", ["11488-4", "clinical-note", "current", "2024-01-10", "2024-01-09"]),
        report("r1", "p1", ["18748-4", "LP29684-5", "final", "2024-01-11"], winter.clone()),
        report("r2", "p1", ["11526-1", "LP7839-6", "preliminary", "2024-02-21"], json!("2024-02-20")),
        report("r3", "p1", ["18748-4", "LP29684-5", "final", "2024-03-06"], spring),
        report("r4", "p2", ["18748-4", "LP29684-5", "final", "2024-01-11"], winter),
        provenance("v1", "DocumentReference/n1"),
        provenance("v2", "DocumentReference/n4"),
        provenance("v3", "DiagnosticReport/r3"),
    ] {
        app.put(&format!("/r4/{path}"), JSON, resource.to_string()).await;
    }
    app
}

/// Where the resources that come along belong.
fn origin_of(id: &str) -> Option<&'static str> {
    [("n1", "v1"), ("n4", "v2"), ("r3", "v3")].into_iter().find(|(of, _)| *of == id).map(|(_, origin)| origin)
}

/// The ids of an answer, by search mode.
fn ids(answer: &Answer, what: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    assert_eq!((answer.status, answer.essence()), (200, JSON), "{what}: {}", answer.text());
    let bundle = answer.json();
    assert_eq!(bundle["type"], "searchset", "{what}");
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let of = |mode: &str| {
        let entries = entries.iter().filter(|entry| entry["search"]["mode"] == mode);
        entries.map(|entry| entry["resource"]["id"].as_str().expect("an id").to_owned()).collect()
    };
    (of("match"), of("include"))
}

/// Sends a search both ways.
async fn both_ways(app: &TestApp, kind: &str, parameters: &str) -> [Answer; 2] {
    let pairs = parameters.split('&').map(|pair| pair.split_once('=').expect("name=value"));
    let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let get = app.get(&format!("/r4/{kind}?{encoded}"), JSON).await;
    let post = app.request(Method::POST, &format!("/r4/{kind}/_search")).header("Accept", JSON);
    let post = post.header("Content-Type", "application/x-www-form-urlencoded").body(encoded);
    [get, Answer::of(post).await]
}

async fn check(kind: &str, searches: &[Search<'_>]) {
    let app = filled().await;
    for (parameters, expected) in searches {
        let expected: BTreeSet<String> = expected.iter().map(|id| (*id).to_owned()).collect();
        let origins: BTreeSet<String> =
            expected.iter().filter_map(|id| origin_of(id)).map(str::to_owned).collect();
        for answer in both_ways(&app, kind, parameters).await {
            assert_eq!(ids(&answer, parameters), (expected.clone(), BTreeSet::new()), "{kind} {parameters}");
        }
        let with_origin = format!("{parameters}&_revinclude=Provenance:target");
        for answer in both_ways(&app, kind, &with_origin).await {
            assert_eq!(ids(&answer, parameters), (expected.clone(), origins.clone()), "{with_origin}");
        }
    }
}

#[tokio::test]
async fn notes_are_found_by_every_combination() {
    let with_category = |rest: &str| format!("patient=p1&{NOTE_CATEGORY}{rest}");
    let (note, between) = (with_category(""), with_category("&date=ge2024-01-01&date=le2024-01-31"));
    let dates =
        ["gt2024-01-10", "lt2024-02-20", "ge2024-02-20T10:00:00Z", "le2024-01-10", "2024-02", "gt2024-12-31"]
            .map(|date| with_category(&format!("&date={date}")));
    let [after, before, from, until, month, never] = &dates;
    let kind = "patient=p1&type=http://loinc.org|11488-4";
    let with_period = |period: &str| format!("{kind}&period={period}");
    let (care, later) = (with_period("ge2024-01-09"), with_period("gt2024-01-10"));
    let day = with_period("ge2024-01-09T00:00:00Z") + "&period=lt2024-01-10T00:00:00Z";
    check(
        "DocumentReference",
        &[
            // SHALL
            ("_id=n1", &["n1"]),
            ("_id=n1,n4", &["n1", "n4"]),
            ("patient=p1", &["n1", "n2", "n3"]),
            ("patient=Patient/p1", &["n1", "n2", "n3"]),
            ("patient=nobody", &[]),
            (&note, &["n1", "n2"]),
            ("patient=p1&category=clinical-note", &["n1", "n2"]),
            ("patient=p1&category=http://loinc.org|LP173421-1", &["n3"]),
            (&between, &["n1"]),
            (after, &["n2"]),
            (before, &["n1"]),
            (from, &["n2"]),
            (until, &["n1"]),
            (month, &["n2"]),
            (never, &[]),
            (kind, &["n1", "n3"]),
            ("patient=p1&type=http://loinc.org|11488-4,http://loinc.org|18842-5", &["n1", "n2", "n3"]),
            ("patient=p1&type=http://loinc.org|34117-2", &[]),
            // SHOULD
            ("patient=p1&status=current", &["n1", "n3"]),
            ("patient=p1&status=current,superseded", &["n1", "n2", "n3"]),
            ("patient=p1&status=entered-in-error", &[]),
            (&care, &["n1", "n3"]),
            (&later, &["n3"]),
            (&day, &["n1"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn reports_are_found_by_every_combination() {
    let with_category = |rest: &str| format!("patient=p1&category=http://loinc.org|LP29684-5{rest}");
    let with_code = |rest: &str| format!("patient=p1&code=http://loinc.org|18748-4{rest}");
    let (radiology, imaging) = (with_category(""), with_code(""));
    let of_category = ["&date=ge2024-03-04", "&date=lt2024-03-01", "&date=ge2024-01-10&date=le2024-01-10"];
    let [from, before, day] = of_category.map(with_category);
    let of_code = ["&date=gt2024-03-04", "&date=le2024-01-10T09:30:00Z", "&date=2024-03"].map(with_code);
    let [in_period, until, month] = of_code;
    let [updated, untouched] =
        ["ge2024-01-01", "lt2024-01-01"].map(|date| with_category(&format!("&_lastUpdated={date}")));
    check(
        "DiagnosticReport",
        &[
            // SHALL
            ("patient=p1", &["r1", "r2", "r3"]),
            (&radiology, &["r1", "r3"]),
            ("patient=p1&category=LP7839-6", &["r2"]),
            ("patient=p1&category=http://loinc.org|LP29708-2", &[]),
            (&from, &["r3"]),
            (&before, &["r1"]),
            (&day, &["r1"]),
            (&imaging, &["r1", "r3"]),
            ("patient=p1&code=http://loinc.org|18748-4,http://loinc.org|11526-1", &["r1", "r2", "r3"]),
            // SHOULD
            ("patient=p1&status=final", &["r1", "r3"]),
            ("patient=p1&status=final,preliminary", &["r1", "r2", "r3"]),
            (&in_period, &["r3"]),
            (&until, &["r1"]),
            (&month, &["r3"]),
            (&updated, &["r1", "r3"]),
            (&untouched, &[]),
            // Not asked for by the guide for reports, and everybody expects it.
            ("_id=r2", &["r2"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn patients_are_found_by_every_combination() {
    check(
        "Patient",
        &[
            ("_id=p1", &["p1"]),
            ("identifier=http://hospital.example/mrn|mrn-p2", &["p2"]),
            ("name=shaw", &["p1", "p2"]),
            ("name=Amy", &["p1"]),
            ("birthdate=1987-02-20&name=Shaw", &["p1"]),
            ("birthdate=1987-02-21&name=Shaw", &[]),
            ("gender=male&name=Shaw", &["p2"]),
            ("family=Shaw&gender=female", &["p1"]),
            ("family=Shaw&birthdate=1990-01-01", &["p2"]),
        ],
    )
    .await;
}

/// What a search by POST used is said as of one by GET, so that the link can be followed.
#[tokio::test]
async fn a_search_by_post_links_to_the_same_search_by_get() {
    let app = filled().await;
    let parameters = format!("patient=p1&{NOTE_CATEGORY}&_count=1&_revinclude=Provenance:target");
    let [get, post] = both_ways(&app, "DocumentReference", &parameters).await.map(|answer| answer.json());
    assert_eq!(get["link"], post["link"]);
    assert_eq!((&get["total"], &post["total"]), (&2.into(), &2.into()));
    let mut found = BTreeSet::new();
    let mut link = post["link"][0]["url"].as_str().map(str::to_owned);
    while let Some(url) = link.take() {
        let page = app.get(url.strip_prefix(&app.url).expect("on this server"), JSON).await;
        assert!(found.is_disjoint(&ids(&page, &url).0), "a page repeats what another had");
        found.extend(ids(&page, &url).0);
        let links = page.json()["link"].as_array().expect("links").clone();
        let next = links.iter().find(|link| link["relation"] == "next");
        link = next.and_then(|next| next["url"].as_str()).map(str::to_owned);
    }
    assert_eq!(found, BTreeSet::from(["n1".to_owned(), "n2".to_owned()]));
}

/// The same document in both resources has one address.
#[tokio::test]
async fn a_report_and_a_note_lead_to_the_same_bytes() {
    let app = filled().await;
    app.put("/r4/Binary/r1", "text/plain;charset=utf-8", "No acute findings.").await;
    let (path, mut shared) =
        note("n5", "p1", ["18748-4", "clinical-note", "current", "2024-01-11", "2024-01-10"]);
    shared["content"][0]["attachment"]["url"] = json!("Binary/r1");
    app.put(&format!("/r4/{path}"), JSON, shared.to_string()).await;
    let note = app.get("/r4/DocumentReference/n5", JSON).await.json();
    let report = app.get("/r4/DiagnosticReport/r1", JSON).await.json();
    let url = &note["content"][0]["attachment"]["url"];
    assert_eq!(*url, report["presentedForm"][0]["url"]);
    let url = url.as_str().and_then(|url| url.strip_prefix(&app.url)).expect("an absolute URL here");
    assert_eq!(app.get(url, None).await.text(), "No acute findings.");
}
