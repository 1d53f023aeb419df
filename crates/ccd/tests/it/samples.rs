//! The sample records beside the project, if they are there: every document keeps to the rules, and nothing
//! depends on anything but the record and the request.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use charta_ccd::Document;
use charta_fhir::{Format, Node, Version, facts::FactsBuilder, resource};
use charta_model::facts::Facts;

use crate::support::{Element, faults, request};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Bundles of patients, with their version and the Bundles beside that they refer to.
pub(crate) fn bundles() -> Vec<(Version, PathBuf, Vec<PathBuf>)> {
    let folders = [
        ("r4-us-core", Version::R4),
        ("r4-synthea", Version::R4),
        ("stu3-smart", Version::Stu3),
        ("dstu2-smart", Version::Dstu2),
        ("paired-ccda-on-fhir/myra-jones", Version::R4),
    ];
    let mut found = Vec::new();
    for (folder, version) in folders {
        let folder = Path::new(ROOT).join("../shared/sample-data").join(folder);
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let is_shared =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("0-"));
        let (shared, own): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_shared);
        found.extend(own.into_iter().map(|path| (version, path, shared.clone())));
    }
    if found.is_empty() {
        // Not caught with the output of the tests, so that it is seen.
        let _ = writeln!(std::io::stderr().lock(), "LEFT OUT: ../shared/sample-data is not here");
    }
    found
}

/// The facts of the patient of a Bundle.
pub(crate) fn facts(version: Version, path: &Path, shared: &[PathBuf]) -> Facts {
    let paths = std::iter::once(path).chain(shared.iter().map(PathBuf::as_path));
    let bundles: Vec<Node> = paths
        .map(|path| {
            let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            resource::read_unchecked(&bytes, Format::Json, version)
                .unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
        })
        .collect();
    let entries = bundles.iter().flat_map(|bundle| bundle.items_at("entry"));
    let mut resources: Vec<(Option<&str>, &Node)> =
        entries.filter_map(|entry| Some((entry.text_at("fullUrl"), entry.member("resource")?))).collect();
    resources.sort_by_key(|(_, resource)| resource.text_at("resourceType") != Some("Patient"));
    let mut builder = FactsBuilder::new();
    for (url, resource) in resources {
        builder.add_named(url.unwrap_or_default(), resource);
    }
    builder.finish()
}

#[test]
fn documents_of_all_sample_patients_keep_to_the_rules() {
    for (version, path, shared) in bundles() {
        let text: String = Document::new(facts(version, &path, &shared), request()).collect();
        let root = Element::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let faults = faults(&root);
        assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
        assert!(text.len() > 5_000, "{}: {} bytes", path.display(), text.len());
    }
}

#[test]
fn the_same_request_twice_gives_the_same_bytes() {
    for (version, path, shared) in
        bundles().into_iter().filter(|(_, path, _)| !path.ends_with("kristie-treutel.json"))
    {
        let write = || Document::new(facts(version, &path, &shared), request()).collect::<String>();
        assert!(write() == write(), "{}", path.display());
    }
}
