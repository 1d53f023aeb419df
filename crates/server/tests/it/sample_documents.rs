//! Real files go in by `charta import` and come back byte for byte, in every version and form.

use std::path::{Path, PathBuf};

use base64_simd::STANDARD as BASE64;

use crate::{
    app::{self, TestApp},
    command::{charta, show, text},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A version's endpoint and the element that holds the bytes.
const VERSIONS: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

#[tokio::test]
async fn demo_files_come_back_byte_for_byte_in_every_version_and_form() {
    let folder = Path::new(ROOT).join("testdata/demo");
    // An import takes a FHIR resource for what it is; over HTTP it can be a document as well.
    round_trip(&folder, &["patient-summary.fhir.json", "record.json"]).await;
}

#[tokio::test]
async fn sample_documents_come_back_byte_for_byte_in_every_version_and_form() {
    let folder = Path::new(ROOT).join("../shared/sample-data/documents");
    if !folder.is_dir() {
        show("LEFT OUT: ../shared/sample-data is not here");
        return;
    }
    round_trip(&folder, &[]).await;
}

async fn round_trip(folder: &Path, resources: &[&str]) {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let configuration = app::configured(&directory);
    let ended = charta(&["import", "--config", text(&configuration), text(folder)]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let files = files(folder);
    assert!(files.len() > 10, "the folder is there: {files:?}");
    let app = TestApp::in_directory(directory, "");
    let mut compared = 0;
    for file in files {
        let name = file.file_name().expect("a file").to_string_lossy();
        let line = ended.line(text(&file));
        let bytes = std::fs::read(&file).expect("the file is there");
        if resources.contains(&&*name) {
            assert!(!line.contains("Binary/"), "{line}");
            app.put("/r4/Binary/by-hand", "application/fhir+json", bytes.clone()).await;
            compare(&app, "by-hand", &bytes).await;
        } else {
            let (_, id) = line.split_once(" -> Binary/").unwrap_or_else(|| panic!("not taken: {line}"));
            compare(&app, id, &bytes).await;
        }
        compared += 1;
    }
    let folder = folder.canonicalize().expect("the folder is there");
    show(&format!(
        "{compared} files of {} are the same in 5 versions, natively, in JSON and XML",
        folder.display()
    ));
}

async fn compare(app: &TestApp, id: &str, bytes: &[u8]) {
    for (base, element) in VERSIONS {
        let url = format!("{base}/Binary/{id}");
        let native = app.get(&url, None).await;
        assert_eq!(native.status, 200, "{url}");
        assert!(native.body == bytes, "{url} natively");
        let json = app.get(&format!("{url}?_format=json"), None).await;
        let json = json.json();
        assert_eq!((&json["resourceType"], &json["id"]), (&"Binary".into(), &id.into()), "{url}");
        assert_eq!(json["contentType"], native.header("content-type"), "{url}");
        let data = json[element].as_str().unwrap_or_else(|| panic!("{url} has {element}"));
        assert!(BASE64.decode_to_vec(data).expect("base64") == bytes, "{url} in JSON");
        let xml = app.get(&format!("{url}?_format=xml"), None).await.text();
        let (_, data) = xml.split_once(&format!("<{element} value=\"")).expect("the element is there");
        let (data, _) = data.split_once('"').expect("the attribute ends");
        assert!(BASE64.decode_to_vec(data).expect("base64") == bytes, "{url} in XML");
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files
}
