//! The project's own patients, those of `charta serve --demo`: whatever else is missing, these are here.

use std::{fs, path::Path};

use charta_ccd::{Document, Request};
use charta_fhir::{Node, facts::FactsBuilder};

use crate::support::{Element, faults, moment, node, request};

fn resources() -> Vec<Node> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/demo/record.json");
    let bundle = node(&fs::read_to_string(path).expect("the demo record is part of the project"));
    bundle.items_at("entry").iter().filter_map(|entry| entry.member("resource").cloned()).collect()
}

fn is(resource: &Node, kind: &str) -> bool {
    resource.text_at("resourceType") == Some(kind)
}

/// The document about one of the patients, out of the record of all.
fn document_of(patient: &Node, all: &[Node]) -> Element {
    let mut builder = FactsBuilder::new();
    builder.add(patient);
    all.iter().filter(|resource| !is(resource, "Patient")).for_each(|resource| builder.add(resource));
    // Some of it is younger than the other tests.
    let asked = Request { time: moment("2027-01-01T00:00:00Z"), ..request() };
    let text: String = Document::new(builder.finish(), asked).collect();
    Element::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn subject(resource: &Node) -> Option<&str> {
    resource.member("subject")?.text_at("reference")
}

#[test]
fn documents_of_the_demo_patients_keep_to_the_rules() {
    let all = resources();
    let patients: Vec<&Node> = all.iter().filter(|resource| is(resource, "Patient")).collect();
    assert_eq!(patients.len(), 5);
    for patient in patients {
        let root = document_of(patient, &all);
        assert_eq!(faults(&root), Vec::<String>::new(), "{:?}", patient.text_at("id"));
        let family = patient.items_at("name")[0].text_at("family").expect("a name");
        assert_eq!(root.named("recordTarget")[0].named("family")[0].text(), family);
    }
}

#[test]
fn a_demo_patient_has_all_notes_of_theirs_and_none_of_others() {
    let all = resources();
    for patient in all.iter().filter(|resource| is(resource, "Patient")) {
        let own = format!("Patient/{}", patient.text_at("id").expect("an id"));
        let is_note = |resource: &&Node| {
            let is_current = resource.text_at("status") == Some("current");
            is(resource, "DocumentReference") && is_current && subject(resource) == Some(own.as_str())
        };
        let root = document_of(patient, &all);
        let written = root.section("34109-9").map_or(0, |notes| notes.with_template(".4.202").len());
        let reports =
            all.iter().filter(|one| is(one, "DiagnosticReport") && subject(one) == Some(own.as_str()));
        assert_eq!(written, all.iter().filter(is_note).count() + reports.count(), "{own}");
    }
}
