//! Whether everything of a record reaches its document, and nothing else does.

use std::{collections::HashSet, fs, path::Path};

use charta_fhir::{Node, json};
use proptest::{collection::vec, prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::{folder, name_of, run, sample_documents, text};
use crate::{
    properties,
    support::{node, request, written},
};

/// Statements for which the tool sees no source, though there is one: patient, class, how many, why.
const EXPLAINED: [(&str, &str, u64, &str); 5] = [
    (
        "carl-lee",
        "AllergyIntolerance",
        1,
        "no known allergies, by a List that is empty because none are known",
    ),
    ("joseph-ross", "AllergyIntolerance", 1, "the same"),
    ("ruth-cook", "AllergyIntolerance", 1, "the same"),
    ("william-thomas", "AllergyIntolerance", 1, "the same"),
    ("example", "vital-signs", 1, "the flow of oxygen, a component of a saturation that has a value itself"),
];

/// Resources of the made record that the tool cannot judge, and why.
const BEYOND: [(&str, &str); 14] = [
    ("e2", "a planned encounter stands in the plan"),
    ("y", "what was refuted is said to be refuted; the tool wants it left out"),
    ("g", "it knows no administrations"),
    ("g2", "nor these"),
    ("p", "it knows no dispenses"),
    ("p2", "nor these"),
    ("k", "a value below a bound is an interval"),
    ("k2", "of a result without a code it finds the organizer, not the observation"),
    ("k3", "the same"),
    ("k4", "the same"),
    ("k5", "the same"),
    ("v2", "degF is written as UCUM has it"),
    ("fs", "a functional status stands among the results as well"),
    ("cs", "so does a cognitive status"),
];

/// What the tool counts, by class.
fn covered(bundle: &Path, document: &Path) -> Node {
    let (_, said) = run("ccd-coverage", &["--json", text(bundle), text(document)]);
    json::read(&said).unwrap_or_else(|| panic!("{}: {said}", document.display()))
}

fn count(node: Option<&Node>) -> u64 {
    match node {
        Some(Node::Number(digits)) => digits.parse().expect("a count"),
        other => panic!("{other:?} is no count"),
    }
}

/// Reports whose results are not there: the tool passes over them, and each has a statement that says what it found.
fn reports_in_words(bundle: &Path) -> u64 {
    let text = fs::read_to_string(bundle).expect("a Bundle is there");
    let bundle = json::read(&text).expect("a Bundle is JSON");
    let resources: Vec<&Node> =
        bundle.items_at("entry").iter().filter_map(|entry| entry.member("resource")).collect();
    let urls = bundle.items_at("entry").iter().filter_map(|entry| entry.text_at("fullUrl"));
    let ids = resources.iter().filter_map(|one| one.text_at("id")).map(|id| format!("Observation/{id}"));
    let known: HashSet<String> = urls.map(str::to_owned).chain(ids).collect();
    let has_results = |report: &&&Node| {
        let mut named = report.items_at("result").iter().filter_map(|result| result.text_at("reference"));
        named.any(|reference| known.contains(reference))
    };
    let reports = resources.iter().filter(|one| one.text_at("resourceType") == Some("DiagnosticReport"));
    let reports = reports.filter(|one| one.text_at("status") != Some("entered-in-error"));
    reports.filter(|report| !has_results(report)).count() as u64
}

/// What is missing in a document, and what nothing explains.
fn gaps(bundle: &Path, document: &Path) -> Vec<String> {
    let covered = covered(bundle, document);
    let mut gaps = Vec::new();
    let Some(Node::Object(classes)) = covered.member("classes") else { panic!("no classes") };
    for (class, counts) in classes {
        for (expected, found) in [("expected", "entry"), ("with_value", "value")] {
            let (expected, found) = (count(counts.member(expected)), count(counts.member(found)));
            if expected != found {
                gaps.push(format!("{class}: {found} of {expected}: {:?}", counts.member("missing")));
            }
        }
    }
    let Some(Node::Object(extra)) = covered.member("extra") else { panic!("no extra") };
    for (class, statements) in extra {
        let known = EXPLAINED.iter().find(|known| known.0 == name_of(bundle) && known.1 == class);
        let unused = count(Some(statements));
        let in_words = if class == "results" { reports_in_words(bundle) } else { 0 };
        if unused != known.map_or(in_words, |known| known.2) {
            gaps.push(format!("{class}: {unused} statements of nothing"));
        }
    }
    gaps
}

#[test]
#[ignore = "needs ../shared/validators"]
fn everything_of_all_sample_patients_is_there() {
    for (bundle, document) in sample_documents(&folder("ccd-coverage")) {
        assert_eq!(gaps(&bundle, &document), Vec::<String>::new(), "{}", bundle.display());
    }
}

#[test]
#[ignore = "needs ../shared/validators"]
fn everything_of_any_part_of_a_record_is_there() {
    let folder = folder("ccd-coverage-parts");
    let mut runner = TestRunner::deterministic();
    let parts = vec(any::<bool>(), 60);
    for n in 0..24 {
        let kept = parts.new_tree(&mut runner).expect("a part").current();
        // The first part is the whole. Nothing can be found of a medication whose name is not there.
        let keep = |at: usize, text: &str| {
            let names = text.contains(r#""Patient""#) || text.contains(r#""resourceType":"Medication""#);
            n == 0 || names || kept.get(at).copied().unwrap_or(true)
        };
        let judged = properties::everything().into_iter().filter(|text| {
            let id = node(text).text_at("id").map(str::to_owned);
            !BEYOND.iter().any(|(beyond, _)| id.as_deref() == Some(beyond))
        });
        let texts = judged.enumerate();
        let texts: Vec<&str> = texts.filter(|(at, text)| keep(*at, text)).map(|(_, text)| text).collect();
        let entries: Vec<String> = texts.iter().map(|text| format!(r#"{{"resource":{text}}}"#)).collect();
        let bundle = folder.join(format!("{n}.json"));
        let document = folder.join(format!("{n}.xml"));
        fs::write(&bundle, format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, entries.join(",")))
            .expect("a Bundle is written");
        let resources: Vec<Node> = texts.iter().map(|text| node(text)).collect();
        fs::write(&document, written(&resources, request())).expect("a document is written");
        assert_eq!(gaps(&bundle, &document), Vec::<String>::new(), "{}", bundle.display());
    }
}
