//! Every search parameter of DocumentReference and DiagnosticReport in every version: it finds a resource by a value
//! that the resource has, and not by another one. A version that lacks a parameter leaves it out, which the self link
//! shows, or refuses it where the client prefers that.

mod resources;
mod table;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp};
use resources::{diagnostic_report, document_reference};
use table::{DIAGNOSTIC_REPORT, DOCUMENT_REFERENCE, Row};

/// The standard endpoints, one of each version.
const VERSIONS: [&str; 5] = ["dstu2", "stu3", "r4", "r4b", "r5"];

/// A server with one resource for each version, written in it; its id is the version's name.
async fn filled(kind: &str, resource: fn(&str) -> Value) -> TestApp {
    let app = TestApp::start();
    for version in VERSIONS {
        let body = resource(version).to_string();
        app.put(&format!("/{version}/{kind}/{version}"), "application/fhir+json", body).await;
    }
    app
}

/// A search for the resource of a version, in that version.
fn path(version: &str, kind: &str, name: &str, value: &str) -> String {
    let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    format!("/{version}/{kind}?_id={version}&{name}={value}")
}

async fn total(app: &TestApp, path: &str) -> Result<u64, String> {
    let answer = app.get(path, None).await;
    match answer.json()["total"].as_u64() {
        Some(total) if answer.status == 200 => Ok(total),
        _ => Err(format!("{path}: {} {}", answer.status, answer.text())),
    }
}

/// What is wrong with a parameter of a version that has it.
async fn finds(app: &TestApp, version: &str, kind: &str, row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    for (value, expected) in [(row.matches, 1), (row.misses, 0)] {
        let path = path(version, kind, row.name, value);
        match total(app, &path).await {
            Ok(total) if total == expected => {}
            Ok(total) => wrong.push(format!("{path}: {total} instead of {expected}")),
            Err(error) => wrong.push(error),
        }
    }
    wrong
}

/// What is wrong with a parameter of a version that lacks it.
async fn leaves_out(app: &TestApp, version: &str, kind: &str, row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    let path = path(version, kind, row.name, row.misses);
    let lenient = app.get(&path, None).await.json();
    let self_link = lenient["link"][0]["url"].as_str().unwrap_or_default().to_owned();
    if lenient["total"] != 1 || !self_link.contains("_id=") || self_link.contains(&format!("{}=", row.name)) {
        wrong.push(format!("{path}: it counts: {lenient}"));
    }
    let strict = Answer::of(app.request(Method::GET, &path).header("Prefer", "handling=strict")).await;
    if (strict.status, strict.issue_code().as_str()) != (400, "not-supported") {
        wrong.push(format!("{path}: strictly {} {}", strict.status, strict.text()));
    }
    wrong
}

async fn check(kind: &str, resource: fn(&str) -> Value, table: &[Row]) {
    let app = filled(kind, resource).await;
    let mut wrong = Vec::new();
    for version in VERSIONS {
        let known: BTreeSet<_> =
            table.iter().filter(|row| row.versions.contains(&version)).map(|row| row.name).collect();
        for row in table {
            wrong.extend(match (row.versions.contains(&version), known.contains(row.name)) {
                (true, _) => finds(&app, version, kind, row).await,
                (false, false) => leaves_out(&app, version, kind, row).await,
                // Another row of the same parameter is of this version.
                (false, true) => Vec::new(),
            });
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn documents_are_found_by_every_parameter_of_their_version() {
    check("DocumentReference", document_reference, DOCUMENT_REFERENCE).await;
}

#[tokio::test]
async fn reports_are_found_by_every_parameter_of_their_version() {
    check("DiagnosticReport", diagnostic_report, DIAGNOSTIC_REPORT).await;
}

/// Also for whoever reads the capability statement, these are the parameters that there are.
#[tokio::test]
async fn the_capability_statement_lists_what_is_tested() {
    let app = TestApp::start();
    for version in VERSIONS {
        let statement = app.get(&format!("/{version}/metadata"), None).await.json();
        let resources = statement["rest"][0]["resource"].as_array().expect("resources").clone();
        for (kind, table) in
            [("DocumentReference", DOCUMENT_REFERENCE), ("DiagnosticReport", DIAGNOSTIC_REPORT)]
        {
            let of = resources.iter().find(|resource| resource["type"] == kind).expect("the type is served");
            let listed = of["searchParam"].as_array().expect("it is searched").iter();
            let listed: BTreeSet<_> = listed
                .filter_map(|parameter| parameter["name"].as_str())
                .filter(|name| !name.starts_with('_'))
                .collect();
            let tested = table.iter().filter(|row| row.versions.contains(&version) && !row.is_ours(version));
            let tested: BTreeSet<_> = tested.map(|row| row.name).collect();
            assert_eq!(listed, tested, "{kind} in {version}");
        }
    }
}
