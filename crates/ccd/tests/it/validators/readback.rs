//! What an independent converter (ccda-to-fhir) reads back out of the documents of all sample patients.
//!
//! Codes are counted as its tool does, the first of each resource, but where the converter puts them: it makes one
//! panel of a systolic and a diastolic pressure whatever they were before, and notes become DocumentReferences.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::Write as _,
    path::Path,
};

use charta_fhir::{Node, json};

use super::{folder, run, sample_documents, text};

/// Kinds that are compared, and the least share of their codes that comes back, in thousandths.
const KINDS: [(&str, usize); 9] = [
    ("AllergyIntolerance", 1000),
    // The converter reads health concerns as part of a care plan only.
    ("Condition", 995),
    ("DiagnosticReport", 1000),
    ("Encounter", 1000),
    ("Immunization", 1000),
    ("Medication*", 1000),
    // The converter does not read the items of an Assessment Scale Observation.
    ("Observation", 994),
    ("Procedure", 1000),
    // It does not read a Planned Observation, as which an order of a laboratory test stands in the plan.
    ("ServiceRequest", 700),
];

/// It looks for what was dispensed as `product/manufacturedMaterial`; the schema has
/// `product/manufacturedProduct/manufacturedMaterial`. So it reads none, from no valid document.
const UNREAD: &str = "MedicationDispense";

/// How many there are of each kind and code.
type Codes = HashMap<(String, String), usize>;

/// The codes of a CodeableConcept, or of the first of several.
fn codes_of(concept: Option<&Node>) -> Vec<&str> {
    let concept = match concept {
        Some(Node::Array(items)) => items.first(),
        other => other,
    };
    let codings = concept.map(|concept| concept.items_at("coding")).unwrap_or_default();
    codings.iter().filter_map(|coding| coding.text_at("code")).collect()
}

/// The kind that a resource counts as, and what it is.
fn kind_and_code(resource: &Node) -> Option<(String, Option<&Node>)> {
    let kind = resource.text_at("resourceType")?;
    let code = match kind {
        "Encounter" => resource.member("type"),
        "Immunization" => resource.member("vaccineCode"),
        _ => ["code", "medicationCodeableConcept", "substance"].iter().find_map(|name| resource.member(name)),
    };
    let kind = match kind {
        "MedicationRequest" | "MedicationStatement" | "MedicationOrder" => "Medication*",
        other => other,
    };
    Some((kind.to_owned(), code))
}

/// A blood pressure panel was called otherwise once; LOINC maps the old code to the new one.
fn current(code: &str) -> String {
    if code == "55284-4" { "85354-9" } else { code }.to_owned()
}

fn of_record(bundle: &Node) -> Codes {
    let mut codes = Codes::new();
    for resource in bundle.items_at("entry").iter().filter_map(|entry| entry.member("resource")) {
        let Some((kind, concept)) = kind_and_code(resource) else { continue };
        if let Some(code) = codes_of(concept).first() {
            *codes.entry((kind, current(code))).or_default() += 1;
        }
    }
    codes
}

fn of_converter(bundle: &Node) -> Codes {
    let mut codes = Codes::new();
    let mut add = |kind: &str, found: Vec<&str>| {
        for code in found {
            *codes.entry((kind.to_owned(), current(code))).or_default() += 1;
        }
    };
    for resource in bundle.items_at("entry").iter().filter_map(|entry| entry.member("resource")) {
        if let Some((kind, concept)) = kind_and_code(resource) {
            add(&kind, codes_of(concept));
        }
        for component in resource.items_at("component") {
            add("Observation", codes_of(component.member("code")));
        }
        if resource.text_at("resourceType") == Some("DocumentReference") {
            add("DiagnosticReport", codes_of(resource.member("type")));
        }
    }
    codes
}

fn read(path: &Path) -> Node {
    let bytes = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    json::read(&bytes).unwrap_or_else(|| panic!("{}: not JSON", path.display()))
}

#[test]
#[ignore = "needs ../shared/validators"]
fn nearly_all_codes_are_read_back() {
    let folder = folder("ccd-read-back");
    // Of each kind how many there were, and how many came back.
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (bundle, document) in sample_documents(&folder) {
        let out = document.with_extension("json");
        let (is_read, said) = run("ccd-roundtrip", &[text(&document), "--out", text(&out)]);
        assert!(is_read, "{}: {said}", document.display());
        let back = of_converter(&read(&out));
        for (key, count) in of_record(&read(&bundle)) {
            let (all, found) = kinds.entry(key.0.clone()).or_default();
            *all += count;
            *found += back.get(&key).copied().unwrap_or_default().min(count);
        }
    }
    let mut stderr = std::io::stderr().lock();
    let (mut all, mut found) = (0, 0);
    for (kind, least) in KINDS {
        let (of, back) = kinds.get(kind).copied().unwrap_or_default();
        // Not caught with the output of the tests, so that the figures are seen.
        let _ = writeln!(stderr, "read back: {kind} {back} of {of}");
        assert!(of > 0 && back * 1000 >= of * least, "{kind}: {back} of {of} are read back");
        (all, found) = (all + of, found + back);
    }
    let _ = writeln!(stderr, "read back: {found} of {all} codes");
    assert!(found * 100 >= all * 99, "{found} of {all}");
    // Should the converter learn to, this is to be counted.
    assert_eq!(kinds.get(UNREAD).map(|(_, back)| *back), Some(0));
}
