//! HL7's own rules, and the record's, over the documents of all sample patients. Takes minutes.

use std::{path::PathBuf, process::Command};

use charta_ccd::Document;
use charta_model::facts::Facts;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};

use crate::{
    samples::{bundles, facts},
    support::{moment, node, request, written},
};

const VALIDATORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/validators");

/// A folder for the documents, below that of the build.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder for documents");
    folder
}

fn run(tool: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(format!("{VALIDATORS}/{tool}"));
    let output = command.args(arguments).output().expect("../shared/validators is there");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

fn validate(paths: &[PathBuf]) {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    for some in paths.chunks(12) {
        let mut arguments = vec!["--release", "all", "--strict-lint"];
        arguments.extend(some.iter().map(String::as_str));
        let (is_valid, text) = run("validate-ccd", &arguments);
        assert!(is_valid, "{text}");
    }
}

#[test]
#[ignore = "needs ../shared/validators"]
fn all_sample_patients_are_valid_and_nothing_is_missing() {
    let folder = folder("ccd-samples");
    let mut paths = Vec::new();
    for (version, bundle, shared) in bundles() {
        let text: String = Document::new(facts(version, &bundle, &shared), request()).collect();
        let path = folder.join(bundle.with_extension("xml").file_name().expect("a file"));
        std::fs::write(&path, text).expect("a document is written");
        let (bundle, document) = (bundle.display().to_string(), path.display().to_string());
        let (is_whole, text) = run("ccd-coverage", &[&bundle, &document]);
        assert!(is_whole, "{document}: {text}");
        let (is_read, text) = run("ccd-roundtrip", &[&document]);
        assert!(is_read, "{document}: {text}");
        paths.push(path);
    }
    assert!(!paths.is_empty());
    validate(&paths);
}

#[test]
#[ignore = "needs ../shared/validators"]
fn parts_of_records_are_valid() {
    let folder = folder("ccd-parts");
    let mut paths = Vec::new();
    let mut write = |name: &str, facts: Facts, start: Option<&str>, end: Option<&str>| {
        let mut request = request();
        request.start = start.map(moment);
        request.end = end.map(moment);
        let path = folder.join(name);
        std::fs::write(&path, Document::new(facts, request).collect::<String>())
            .expect("a document is written");
        paths.push(path);
    };
    write("nobody.xml", Facts::default(), None, None);
    for (version, bundle, shared) in bundles() {
        let name = bundle.file_stem().expect("a file").to_string_lossy().into_owned();
        if ["example", "joshua-hill", "ruth-cook", "quintin-willms"].contains(&name.as_str()) {
            let read = || facts(version, &bundle, &shared);
            write(&format!("{name}-before.xml"), read(), None, Some("2003-01-01T00:00:00Z"));
            write(
                &format!("{name}-within.xml"),
                read(),
                Some("2010-01-01T00:00:00-05:00"),
                Some("2021-06-30T12:00:00-05:00"),
            );
            write(&format!("{name}-after.xml"), read(), Some("2025-06-01T00:00:00Z"), None);
        }
    }
    validate(&paths);
}

#[test]
#[ignore = "needs ../shared/validators"]
fn a_patient_with_one_of_everything_is_valid() {
    let path = folder("ccd-synthetic").join("everything.xml");
    let resources: Vec<_> = crate::properties::everything().iter().map(|text| node(text)).collect();
    std::fs::write(&path, written(&resources, request())).expect("a document is written");
    validate(&[path]);
}

#[test]
#[ignore = "needs ../shared/validators"]
fn any_part_with_anything_in_it_is_valid() {
    let folder = folder("ccd-cases");
    // The same cases every time.
    let mut runner = TestRunner::deterministic();
    let mut paths = Vec::new();
    for n in 0..96 {
        let case = crate::properties::a_case().new_tree(&mut runner).expect("a case");
        let (resources, asked) = case.current();
        let path = folder.join(format!("{n}.xml"));
        std::fs::write(&path, written(&resources, asked)).expect("a document is written");
        paths.push(path);
    }
    validate(&paths);
}
