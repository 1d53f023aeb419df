//! Real documents, if they are there: each becomes a page, and every text of its narratives is on it.

use std::{
    collections::HashSet,
    io::Write as _,
    path::{Path, PathBuf},
};

use charta_ccd::Document;
use quick_xml::{Reader, events::Event};

use super::{Dom, dom::words, shown};
use crate::{
    samples::{bundles, facts},
    support::{Element, request},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

const ENVELOPE: &str = "xmlns=\"urn:hl7-org:v3\" xmlns:sdtc=\"urn:hl7-org:sdtc\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:cda=\"urn:hl7-org:v3\"";

#[test]
fn documents_of_the_demo_lose_no_text() {
    let folder = Path::new(ROOT).join("testdata/demo");
    for name in ["ccd.xml", "unstructured-cda.xml"] {
        let text = std::fs::read_to_string(folder.join(name)).expect("it is there");
        check(name, &text);
    }
}

#[test]
fn documents_of_other_systems_lose_no_text() {
    let folders =
        ["../shared/ccd", "../shared/sample-data/documents/cda", "../shared/sample-data/paired-ccda-on-fhir"];
    let mut count = 0;
    for path in folders.iter().flat_map(|folder| files(&Path::new(ROOT).join(folder))) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if let Some(document) = whole(&text) {
            check(&path.display().to_string(), &document);
            count += 1;
        }
    }
    if count == 0 {
        // Not caught with the output of the tests, so that it is seen.
        let _ = writeln!(std::io::stderr().lock(), "LEFT OUT: ../shared/ccd is not here");
    } else {
        assert!(count > 100, "{count} documents");
    }
}

#[test]
fn documents_that_are_made_here_lose_no_text() {
    for (version, path, shared) in bundles() {
        let text: String = Document::new(facts(version, &path, &shared), request()).collect();
        check(&path.display().to_string(), &text);
    }
}

/// The file as a document: examples are a section, an entry or a part of a header.
fn whole(text: &str) -> Option<String> {
    let text = text.trim_start_matches('\u{FEFF}');
    let root = Element::read(text).ok()?;
    let start = text.find(&format!("<{}", root.name))?;
    let part = &text[start..];
    let envelope = |inside: String| Some(format!("<ClinicalDocument {ENVELOPE}>{inside}</ClinicalDocument>"));
    let body = |inside: &str| format!("<component><structuredBody>{inside}</structuredBody></component>");
    match &*root.name {
        "ClinicalDocument" if root.attribute("xmlns") == Some("urn:hl7-org:v3") => Some(text.to_owned()),
        "component" => envelope(body(part)),
        "section" => envelope(body(&format!("<component>{part}</component>"))),
        "recordTarget" | "documentationOf" => envelope(part.to_owned()),
        _ => None,
    }
}

fn check(name: &str, document: &str) {
    let dom = shown(document.as_bytes());
    let page = squeezed(&dom);
    let root = Element::read(document).unwrap_or_else(|error| panic!("{name}: {error}"));
    let sections = root.named("section");
    for text in texts(document) {
        assert!(page.contains(&text.replace(' ', "")), "{name} lost: {text}");
    }
    let narratives = sections.iter().filter(|section| section.child("text").is_some()).count();
    assert!(dom.with_class("narrative").len() >= narratives, "{name}");
    for patient in root.named("recordTarget") {
        for family in patient.named("family") {
            assert!(page.contains(&family.text().replace(' ', "")), "{name}: {}", family.text());
        }
    }
}

/// The texts of titles and narratives, between one tag and the next.
fn texts(document: &str) -> HashSet<String> {
    let mut reader = Reader::from_str(document);
    let (mut open, mut found, mut text) = (Vec::new(), HashSet::new(), String::new());
    loop {
        let event = reader.read_event().expect("it was read before");
        match &event {
            Event::Text(part) => text.push_str(part),
            Event::GeneralRef(name) => {
                text += &quick_xml::escape::unescape(&format!("&{};", &**name)).expect("a character");
            }
            _ => {
                let is_narrative =
                    |pair: &[String]| pair[0] == "section" && matches!(&*pair[1], "text" | "title");
                if open.windows(2).any(is_narrative) && !open.contains(&"entry".to_owned()) {
                    found.insert(words(&text));
                }
                text.clear();
            }
        }
        match event {
            Event::Start(tag) => open.push(tag.local_name().into_inner().to_owned()),
            Event::End(_) => drop(open.pop()),
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// What is on the page, without any blanks: where words are apart is not compared.
fn squeezed(dom: &Dom) -> String {
    dom.text().replace(' ', "")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name == "xsd" || name == "schematron") => {}
            true => found.extend(files(&path)),
            false if path.extension().is_some_and(|extension| extension == "xml") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}
