//! What an independent converter (ccda-to-fhir) reads back out of the documents of all sample patients, by the count
//! of its own tool: of each resource the first code, and whether a resource of the same type comes back with it.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path};

use charta_fhir::{Node, json};

use super::{folder, run, sample_documents, text};
use crate::support::{node, request, written};

/// Types that are compared, and the least share of their codes that comes back, in thousandths.
const KINDS: [(&str, usize); 11] = [
    ("AllergyIntolerance", 1000),
    // The converter reads health concerns as part of a care plan only.
    ("Condition", 995),
    ("DiagnosticReport", 1000),
    ("Encounter", 1000),
    ("Immunization", 1000),
    // It makes no lists.
    ("List", 0),
    ("Medication*", 1000),
    // See `a_dispense_is_read_only_where_the_schema_forbids_it`.
    ("MedicationDispense", 0),
    // See `two_pressures_come_back_as_one_panel`.
    ("Observation", 983),
    ("Procedure", 1000),
    // It does not read a Planned Observation, as which an order of a laboratory test stands in the plan.
    ("ServiceRequest", 700),
];

/// Types of which it reads no code out of any document that is valid.
const UNREAD: [&str; 2] = ["List", "MedicationDispense"];

/// What the tool says of a type: `Observation  15/16`.
fn counted(line: &str) -> Option<(&str, usize, usize)> {
    let (kind, counts) = line.split_once(' ')?;
    let (found, all) = counts.trim().split_once('/')?;
    Some((kind, found.parse().ok()?, all.parse().ok()?))
}

/// The codes of a CodeableConcept.
fn codes(resource: &Node) -> Vec<&str> {
    let concept = ["code", "medicationCodeableConcept"].iter().find_map(|name| resource.member(name));
    let codings = concept.map(|concept| concept.items_at("coding")).unwrap_or_default();
    codings.iter().filter_map(|coding| coding.text_at("code")).collect()
}

fn read(path: &Path) -> Node {
    let bytes = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    json::read(&bytes).unwrap_or_else(|| panic!("{}: not JSON", path.display()))
}

/// What comes back of a document: its resources.
fn back(path: &Path) -> Vec<Node> {
    let out = path.with_extension("json");
    let (is_read, said) = run("ccd-roundtrip", &[text(path), "--out", text(&out)]);
    assert!(is_read, "{}: {said}", path.display());
    read(&out).items_at("entry").iter().filter_map(|entry| entry.member("resource")).cloned().collect()
}

fn of_kind<'a>(resources: &'a [Node], kind: &str) -> Vec<&'a Node> {
    resources.iter().filter(|one| one.text_at("resourceType") == Some(kind)).collect()
}

#[test]
#[ignore = "needs ../shared/validators"]
fn nearly_all_codes_are_read_back() {
    // Of each type how many there were, and how many came back. Pressures that came back as parts of a panel.
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut pressures = 0;
    for (bundle, document) in sample_documents(&folder("ccd-read-back")) {
        let out = document.with_extension("json");
        let (is_read, said) = run("ccd-roundtrip", &[text(&document), text(&bundle), "--out", text(&out)]);
        assert!(is_read, "{}: {said}", document.display());
        for (kind, found, all) in said.lines().filter_map(counted) {
            let counts = kinds.entry(kind.to_owned()).or_default();
            *counts = (counts.0 + all, counts.1 + found);
        }
        pressures += parted_pressures(&read(&bundle)).min(panel_parts(&read(&out)));
    }
    let mut stderr = std::io::stderr().lock();
    let (mut all, mut found, mut readable) = (0, 0, 0);
    for (kind, (of, back)) in &kinds {
        // Not caught with the output of the tests, so that the figures are seen.
        let _ = writeln!(stderr, "read back: {kind} {back} of {of}");
        let least = KINDS.iter().find(|known| known.0 == kind).map(|known| known.1);
        let least = least.unwrap_or_else(|| panic!("{kind} has no limit"));
        assert!(*of > 0 && back * 1000 >= of * least, "{kind}: {back} of {of} are read back");
        (all, found) = (all + of, found + back);
        readable += if UNREAD.contains(&kind.as_str()) { 0 } else { *of };
    }
    assert_eq!(kinds.len(), KINDS.len(), "{kinds:?}");
    let _ = writeln!(stderr, "read back: {found} of {all} codes; {pressures} pressures as parts of a panel");
    assert!(found * 1000 >= all * 966, "{found} of {all}");
    assert!((found + pressures) * 100 >= readable * 99, "{found} and {pressures} of {readable}");
    // Should the converter learn to, these are to be held.
    assert!(UNREAD.iter().all(|kind| kinds.get(*kind).is_some_and(|(_, back)| *back == 0)), "{kinds:?}");
}

const SYSTOLIC: &str = "8480-6";
const DIASTOLIC: &str = "8462-4";

/// How many pressures of a record are resources of their own.
fn parted_pressures(bundle: &Node) -> usize {
    let resources = bundle.items_at("entry").iter().filter_map(|entry| entry.member("resource"));
    let observations = resources.filter(|one| one.text_at("resourceType") == Some("Observation"));
    observations.filter(|one| matches!(codes(one)[..], [SYSTOLIC | DIASTOLIC, ..])).count()
}

/// How many pressures are parts of a panel.
fn panel_parts(bundle: &Node) -> usize {
    let resources = bundle.items_at("entry").iter().filter_map(|entry| entry.member("resource"));
    let parts = resources.flat_map(|resource| resource.items_at("component"));
    parts.filter(|part| matches!(codes(part)[..], [SYSTOLIC | DIASTOLIC])).count()
}

#[test]
#[ignore = "needs ../shared/validators"]
fn a_dispense_is_read_only_where_the_schema_forbids_it() {
    let folder = folder("ccd-read-back-dispense");
    let dispense = node(
        r#"{"resourceType":"MedicationDispense","id":"d","status":"completed","whenHandedOver":"2020-01-01",
        "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"197361"}]}}"#,
    );
    let valid = written(&[dispense], request());
    let path = folder.join("valid.xml");
    fs::write(&path, &valid).expect("a document is written");
    let (is_valid, said) = run("validate-ccd", &["--strict-lint", text(&path)]);
    assert!(is_valid, "{said}");
    assert!(of_kind(&back(&path), "MedicationDispense").is_empty());

    // It looks for the material right below the product. That gives it its dispense, and is no document.
    let (before, rest) = valid.split_once("<product>").expect("a product of a supply");
    let (product, after) = rest.split_once("</product>").expect("its end");
    let opened = product.split_once('>').expect("a manufactured product").1;
    let bare = opened.strip_suffix("</manufacturedProduct>").expect("its end");
    let path = folder.join("bare.xml");
    fs::write(&path, format!("{before}<product>{bare}</product>{after}")).expect("a document is written");
    let resources = back(&path);
    let dispenses = of_kind(&resources, "MedicationDispense");
    assert_eq!(dispenses.iter().map(|one| codes(one)).collect::<Vec<_>>(), [["197361"]]);
    let (is_valid, said) = run("validate-ccd", &[text(&path)]);
    assert!(!is_valid && said.contains("XSD"), "{said}");
}

#[test]
#[ignore = "needs ../shared/validators"]
fn two_pressures_come_back_as_one_panel() {
    let folder = folder("ccd-read-back-pressures");
    let pressure = |id: &str, code: &str, time: &str| {
        node(&format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","effectiveDateTime":"{time}",
            "category":[{{"coding":[{{"code":"vital-signs"}}]}}],
            "code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},
            "valueQuantity":{{"value":100,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}"#
        ))
    };
    let read = |name: &str, times: [&str; 2]| {
        let resources = [pressure("s", SYSTOLIC, times[0]), pressure("d", DIASTOLIC, times[1])];
        let path = folder.join(name);
        fs::write(&path, written(&resources, request())).expect("a document is written");
        back(&path)
    };
    let codes_of = |resources: &[Node]| {
        let observations = of_kind(resources, "Observation");
        let mut codes: Vec<String> =
            observations.iter().flat_map(|one| codes(one)).map(str::to_owned).collect();
        codes.sort();
        codes
    };
    // The panel of each organizer is 85353-1, whatever the organizer says.
    let together = read("together.xml", ["2020-01-01T10:00:00Z", "2020-01-01T10:00:00Z"]);
    assert_eq!(codes_of(&together), ["85353-1", "85354-9"]);
    let parts: Vec<&str> = of_kind(&together, "Observation")
        .into_iter()
        .flat_map(|one| one.items_at("component"))
        .flat_map(codes)
        .collect();
    assert_eq!(parts, [SYSTOLIC, DIASTOLIC]);
    let apart = read("apart.xml", ["2020-01-01T10:00:00Z", "2020-01-02T10:00:00Z"]);
    assert_eq!(codes_of(&apart), [DIASTOLIC, SYSTOLIC, "85353-1", "85353-1"]);
}
