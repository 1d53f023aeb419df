//! HL7's own rules over many documents, what is missing in them, and what an independent converter reads
//! back. `./test` runs this where `../shared/validators` is there; it takes minutes.

mod coverage;
mod readback;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use charta_ccd::{Document, Request};
use charta_fhir::Node;
use charta_model::facts::Facts;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};

use crate::{
    properties,
    samples::{bundles, facts},
    support::{moment, node, request, written},
};

const VALIDATORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/validators");

/// How many documents about parts of a record, with anything in them, are looked at.
const CASES: usize = 160;

/// A folder for the documents, below that of the build.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder for documents");
    folder
}

/// What a tool says, and whether it is content.
fn run(tool: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(format!("{VALIDATORS}/{tool}"));
    // Sets in the order of hashes, which Python makes up anew each time, decide what the tools find first.
    let output =
        command.args(arguments).env("PYTHONHASHSEED", "0").output().expect("../shared/validators is there");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

fn name_of(path: &Path) -> String {
    path.file_stem().expect("a file").to_string_lossy().into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of a test is text")
}

/// Writes the documents of all sample patients and gives their Bundles beside them.
fn sample_documents(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let write = |(version, bundle, shared): (_, PathBuf, Vec<PathBuf>)| {
        let path = folder.join(format!("{}.xml", name_of(&bundle)));
        let document: String = Document::new(facts(version, &bundle, &shared), request()).collect();
        fs::write(&path, document).expect("a document is written");
        (bundle, path)
    };
    let written: Vec<_> = bundles().into_iter().map(write).collect();
    assert!(!written.is_empty(), "the sample patients are beside the validators");
    written
}

/// A request for a part of the time.
fn between(start: Option<&str>, end: Option<&str>) -> Request {
    let mut request = request();
    request.start = start.map(moment);
    request.end = end.map(moment);
    request
}

/// Parts of records, a record without a patient, and patients without a record.
fn partial_documents(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut write = |name: String, facts: Facts, request: Request| {
        let path = folder.join(format!("{name}.xml"));
        fs::write(&path, Document::new(facts, request).collect::<String>()).expect("a document is written");
        paths.push(path);
    };
    write("nobody".to_owned(), Facts::default(), request());
    write("nobody-between".to_owned(), Facts::default(), between(Some("2020-01-01T00:00:00Z"), None));
    for (version, bundle, shared) in bundles() {
        let name = name_of(&bundle);
        if !["example", "joshua-hill", "ruth-cook", "quintin-willms"].contains(&name.as_str()) {
            continue;
        }
        let read = || facts(version, &bundle, &shared);
        let alone = Facts { patient: read().patient, ..Facts::default() };
        write(format!("{name}-alone"), alone, request());
        write(format!("{name}-before"), read(), between(None, Some("2003-01-01T00:00:00Z")));
        let within = between(Some("2010-01-01T00:00:00-05:00"), Some("2021-06-30T12:00:00-05:00"));
        write(format!("{name}-within"), read(), within);
        write(format!("{name}-after"), read(), between(Some("2025-06-01T00:00:00Z"), None));
    }
    paths
}

/// One of everything, and parts of it with anything in them. The same cases every time.
fn made_documents(folder: &Path) -> Vec<PathBuf> {
    let everything: Vec<Node> = properties::everything().iter().map(|text| node(text)).collect();
    let mut runner = TestRunner::deterministic();
    let cases = (0..CASES).map(|_| {
        let case = properties::a_case().new_tree(&mut runner).expect("a case");
        case.current()
    });
    let all = std::iter::once((everything, request())).chain(cases);
    let write = |(n, (resources, asked)): (usize, (Vec<Node>, Request))| {
        let path = folder.join(format!("case-{n}.xml"));
        fs::write(&path, written(&resources, asked)).expect("a document is written");
        path
    };
    all.enumerate().map(write).collect()
}

/// The larger half and the smaller half by bytes: two processes, each of which compiles the rules once.
fn halves(mut paths: Vec<PathBuf>) -> [Vec<PathBuf>; 2] {
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |about| about.len());
    paths.sort_by_key(|path| std::cmp::Reverse(size(path)));
    let mut halves = [(0, Vec::new()), (0, Vec::new())];
    for path in paths {
        let smaller = usize::from(halves[1].0 < halves[0].0);
        // A document costs something however short it is.
        halves[smaller].0 += size(&path) + 100_000;
        halves[smaller].1.push(path);
    }
    halves.map(|(_, paths)| paths)
}

fn validate(paths: &[PathBuf]) {
    let mut arguments = vec!["--release", "all", "--strict-lint"];
    arguments.extend(paths.iter().map(|path| text(path)));
    let (is_valid, said) = run("validate-ccd", &arguments);
    let complaints: Vec<&str> = said.lines().filter(|line| !line.starts_with("PASS ")).collect();
    assert!(is_valid, "{}", complaints.join("\n"));
    assert_eq!(said.lines().filter(|line| line.starts_with("PASS ")).count(), paths.len(), "{said}");
}

#[test]
#[ignore = "needs ../shared/validators"]
fn every_document_keeps_to_hl7s_rules() {
    let folder = folder("ccd-valid");
    let mut paths: Vec<PathBuf> = sample_documents(&folder).into_iter().map(|(_, path)| path).collect();
    paths.extend(partial_documents(&folder));
    paths.extend(made_documents(&folder));
    let halves = halves(paths);
    std::thread::scope(|scope| {
        // A panic in one of them is one here.
        for half in &halves {
            scope.spawn(|| validate(half));
        }
    });
}
