//! From FHIR in JSON to a document, and what every document has to keep to.

mod plausible;
mod tree;

use charta_ccd::{Custodian, Document, Request};
use charta_fhir::{Node, facts::FactsBuilder, json};
use charta_model::facts::Moment;

pub(crate) use plausible::faults;
pub(crate) use tree::Element;

/// A patient with everything that a header wants.
pub(crate) const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","gender":"female","birthDate":"1975-05-01",
    "name":[{"use":"official","family":"Betterhalf","given":["Eve"]}],
    "identifier":[{"system":"http://example.org/mrn","value":"12345"}]}"#;

pub(crate) fn moment(text: &str) -> Moment {
    Moment::new(text).expect("a moment of a test")
}

/// A request without limits, made at the same time always.
pub(crate) fn request() -> Request {
    Request {
        document_id: "5d3c1f2e-6b7a-4c8d-9e0f-1a2b3c4d5e6f".to_owned(),
        time: moment("2026-01-02T03:04:05Z"),
        namespace: "http://example.org/r4".to_owned(),
        start: None,
        end: None,
        encounter: None,
        custodian: Custodian { name: "Example Clinic".to_owned(), ..Custodian::default() },
        software: ("Charta".to_owned(), "Charta 0".to_owned()),
    }
}

pub(crate) fn node(text: &str) -> Node {
    json::read(text).unwrap_or_else(|| panic!("not JSON: {text}"))
}

/// The document about the resources, the first of which is the patient.
pub(crate) fn written(resources: &[Node], request: Request) -> String {
    let mut builder = FactsBuilder::new();
    resources.iter().for_each(|resource| builder.add(resource));
    Document::new(builder.finish(), request).collect()
}

/// The document about [`PATIENT`] and `resources`, which keeps to all rules.
pub(crate) fn document(resources: &[&str], request: Request) -> Element {
    let nodes: Vec<Node> = std::iter::once(&PATIENT).chain(resources).map(|text| node(text)).collect();
    let text = written(&nodes, request);
    let root = Element::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let faults = faults(&root);
    assert!(faults.is_empty(), "{faults:#?} in {text}");
    root
}
