//! Real patients' records go in by import and come back as they were.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    app::{self, TestApp},
    command::{charta, show, text},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Folder, FHIR version, endpoint, and how many resources break the rules of their version: lists and a procedure
/// without status, arrays where there is one value, a narrative without text.
const FOLDERS: [(&str, &str, &str, u64); 4] = [
    ("r4-synthea", "R4", "/r4", 0),
    ("r4-us-core", "R4", "/r4", 1),
    ("stu3-smart", "STU3", "/stu3", 55),
    ("dstu2-smart", "DSTU2", "/dstu2", 7),
];

#[tokio::test]
async fn sample_records_are_imported_and_come_back_equal() {
    for (folder, version, base, refused) in FOLDERS {
        let folder = Path::new(ROOT).join("../shared/sample-data").join(folder);
        if !folder.is_dir() {
            show(&format!("LEFT OUT: {} is not here", folder.display()));
            continue;
        }
        let directory = tempfile::tempdir().expect("a directory for the test");
        let configuration = app::configured(&directory);
        let import =
            || charta(&["import", "--config", text(&configuration), "--fhir", version, text(&folder)]);
        let first = import();
        assert!(first.summary().ends_with(&format!(" {refused} refused")), "{version}: {}", first.summary());
        let second = import();
        assert!(
            second.summary().starts_with("0 stored, "),
            "a second time changes nothing: {}",
            second.summary()
        );
        assert_eq!(charta(&["check", "--config", text(&configuration)]).ok(), "clean\n");
        let app = TestApp::in_directory(directory, "");
        let mut compared = 0;
        for resource in resources(&folder) {
            let (kind, id) =
                (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap_or_default());
            let answer = app.get(&format!("{base}/{kind}/{id}"), "application/fhir+json").await;
            if answer.status != 200 || id.is_empty() {
                continue; // refused, or under an id made of its content
            }
            assert_eq!(normal(&answer.json()), normal(&resource), "{kind}/{id}");
            compared += 1;
        }
        show(&format!("{compared} resources of {} came back as they were", folder.display()));
        assert!(compared > 200, "{compared}");
    }
}

/// The resources of the Bundles in a folder; of several with one id, which differ in nothing, one.
fn resources(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let mut found = BTreeMap::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let bundle: Value = serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
        for entry in bundle["entry"].as_array().expect("entries") {
            let resource = entry["resource"].clone();
            found.insert(format!("{}/{}", resource["resourceType"], resource["id"]), resource);
        }
    }
    found.into_values().collect()
}

/// What has to be equal: not what the server sets, nor links that became real, nor content that moved out. Numbers
/// are compared as text by the tests of the reader.
fn normal(resource: &Value) -> Value {
    match resource {
        Value::Object(members) => {
            let kept =
                members.iter().filter(|(name, _)| !["versionId", "lastUpdated"].contains(&name.as_str()));
            let mut kept: serde_json::Map<String, Value> =
                kept.map(|(name, value)| (name.clone(), normal(value))).collect();
            if kept.contains_key("contentType") && !kept.contains_key("resourceType") {
                kept.retain(|name, _| !["url", "data", "size", "hash"].contains(&name.as_str()));
            }
            if let Some(reference) = kept.get_mut("reference").filter(|reference| reference.is_string()) {
                *reference = Value::Null;
            }
            kept.retain(|_, value| !is_empty(value));
            Value::Object(kept)
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(normal).filter(|item| !is_empty(item) || item.is_null()).collect())
        }
        other => other.clone(),
    }
}

/// Elements that say nothing are dropped by an import.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
