//! Resources of many types, in both formats and every version.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use super::*;
use crate::{json, node::testing::text_of, xml};

fn json_of(text: &str) -> Node {
    json::read(text).expect("JSON")
}

fn as_xml(resource: &Node, version: Version) -> String {
    text_of(&xml::write(&in_order(resource.clone(), version), false))
}

/// The tree with the members of every object in one order, to be compared.
fn sorted(node: &Node) -> Node {
    match node {
        Node::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Node::Object(members)
        }
        Node::Array(items) => Node::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Each problem as `expression: message`.
fn problems(text: &str, format: Format, version: Version) -> Vec<String> {
    match read(text.as_bytes(), format, version) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn json_and_xml_say_the_same() {
    let resource = r##"{"resourceType":"Patient","id":"a","meta":{"tag":[{"system":"s","code":"c"}]},
        "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>A &amp; B</p></div>"},
        "contained":[{"resourceType":"Organization","id":"o","name":"O"}],
        "extension":[{"url":"http://e","valueDecimal":1.10},{"url":"http://f","extension":[{"url":"g","valueCode":"x"}]}],
        "active":true,"name":[{"family":"F","_family":{"extension":[{"url":"http://x","valueString":"v"}]},
        "given":["a",null,"c"],"_given":[null,{"id":"n"},null]}],"birthDate":"1970-01-01","_birthDate":{"id":"b"},
        "multipleBirthInteger":2,"managingOrganization":{"reference":"#o"}}"##;
    let read_json = read(resource.as_bytes(), Format::Json, Version::R4).expect("a valid resource");
    let xml = as_xml(&read_json, Version::R4);
    let read_xml = read(xml.as_bytes(), Format::Xml, Version::R4).expect("its XML is valid");
    assert_eq!(sorted(&read_xml), sorted(&read_json), "{xml}");
    assert!(xml.contains(r#"<given value="a"/><given id="n"/><given value="c"/>"#), "{xml}");
    assert!(xml.contains(r#"<valueDecimal value="1.10"/>"#), "{xml}");
}

#[test]
fn every_problem_is_told_with_its_place() {
    let cases: [(&str, &[&str]); 9] = [
        (
            r#"{"resourceType":"Patient","gendr":"male","gender":"man","birthDate":"1970-13-01","active":"yes"}"#,
            &[
                "Patient.gendr: the element is unknown here",
                "Patient.gender: the code is not one of those that the element can have",
                "Patient.birthDate: the value is not one of its type",
                "Patient.active: the value is not one of its type",
            ],
        ),
        (
            r#"{"resourceType":"Observation","code":{},"valueString":"a","valueInteger":1}"#,
            &[
                "Observation.code: the element has neither value nor children",
                "Observation.valueInteger: there is one value, of one type",
                "Observation.status: the element is required",
            ],
        ),
        (
            r#"{"resourceType":"Patient","name":{"family":"F"}}"#,
            &["Patient.name: a repeated element is an array"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"given":[1]}]}"#,
            &["Patient.name[0].given[0]: the value is not one of its type"],
        ),
        (r#"{"resourceType":"Nothing"}"#, &["R4: this version has no resource of this type"]),
        (
            r##"{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}"##,
            &["Patient: a reference to a contained resource leads nowhere"],
        ),
        (
            r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>1</script></div>"}}"#,
            &["Patient.text.div: the narrative has an element that is not allowed there"],
        ),
        (
            r#"{"resourceType":"Patient","name":[{"given":["a",null],"_given":[{"id":"x"}]}]}"#,
            &["Patient.name[0].given: an item has neither value nor extension"],
        ),
        (
            r#"{"resourceType":"Patient","extension":[{"valueString":"a"},{"url":"u"}]}"#,
            &[
                "Patient.extension[0].url: the element is required",
                "Patient.extension[1]: an extension has either a value or extensions",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(text, Format::Json, Version::R4), expected, "{text}");
    }
}

#[test]
fn xml_has_a_namespace_and_no_order_that_counts() {
    let patient = |inside: &str| format!("<Patient xmlns=\"http://hl7.org/fhir\">{inside}</Patient>");
    let name = r#"<name><family value="F"/></name>"#;
    let cases = [
        (patient(&format!(r#"{name}<gender value="male"/>"#)), vec![]),
        (patient(&format!(r#"<gender value="male"/>{name}"#)), vec![]),
        (
            patient(r#"<gender value="male"/><gender value="male"/>"#),
            // What follows from it is told as well.
            vec!["Patient.gender: the element is given twice"],
        ),
        (patient(r#"<gendr value="male"/>"#), vec!["Patient.gendr: the element is unknown here"]),
        (patient(r#"<gender code="male"/>"#), vec!["Patient.gender: an attribute is unknown here"]),
        (patient(r#"<a xmlns="http://else"/>"#), vec!["Patient: an element is not in the FHIR namespace"]),
        (patient("text"), vec!["Patient: there is text where only elements can be"]),
        (patient("<name>"), vec!["Patient.name[0]: not well-formed XML"]),
        ("<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>".to_owned(), vec![": not well-formed XML"]),
    ];
    for (text, expected) in cases {
        let found = problems(&text, Format::Xml, Version::R4);
        let first: Vec<&str> = found.iter().map(String::as_str).take(1).collect();
        assert_eq!(first, expected, "{text}");
    }
}

#[test]
fn what_is_no_tree_is_refused() {
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    for (text, message) in [
        ("", "the body ends early"),
        ("[]", "not a JSON object"),
        ("{} {}", "there is more after the resource"),
        (r#"{"a":1,"a":2}"#, "the member is given twice"),
        (r#"{"a":"\ud800"}"#, "not a well-formed JSON string"),
        ("{\"a\":\"\u{1}\"}", "not a well-formed JSON string"),
        (r#"{"a":01}"#, "not well-formed JSON"),
        (r#"{"a":1,}"#, "not well-formed JSON"),
        (&format!(r#"{{"a":{deep}}}"#), "too many or too deep elements"),
    ] {
        let found = read(text.as_bytes(), Format::Json, Version::R4).expect_err(text);
        assert_eq!(found[0].message, message, "{text:.40}");
    }
}

/// Says, past what captures the output of tests, that something was left out.
fn show(missing: &Path) {
    let _ = writeln!(std::io::stderr(), "    LEFT OUT: {} is not there", missing.display());
}

fn samples(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sample-data").join(folder);
    let Ok(files) = std::fs::read_dir(&root) else {
        show(&root);
        return Vec::new();
    };
    let mut files: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files
}

/// What is wrong with samples, apart from elements without content.
const FAULTY: [&str; 10] = [
    "carl-lee.json: List.status: the element is required",
    "carl-lee.json: Procedure.status: the element is required",
    "example.json: DiagnosticReport.text.div: the element is required",
    "joseph-ross.json: List.status: the element is required",
    "richard-robinson.json: AllergyIntolerance.category: a repeated element is an array",
    "ruth-black.json: Observation.extension[0].valueString: the element has another form",
    "ruth-cook.json: List.status: the element is required",
    "tiffany-westin.json: AllergyIntolerance.category: a repeated element is an array",
    "tiffany-westin.json: Observation.extension[0].valueString: the element has another form",
    "william-thomas.json: List.status: the element is required",
];

#[test]
fn sample_resources_are_valid_and_survive_both_formats() {
    let mut faulty = Vec::new();
    for (folder, version) in [
        ("r4-synthea", Version::R4),
        ("r4-us-core", Version::R4),
        ("stu3-smart", Version::Stu3),
        ("dstu2-smart", Version::Dstu2),
    ] {
        for file in samples(folder) {
            let bytes = std::fs::read(&file).expect("a readable file");
            let bundle = read_unchecked(&bytes, Format::Json, version);
            let bundle = bundle.unwrap_or_else(|problems| panic!("{}: {problems:?}", file.display()));
            assert_eq!(
                json::text(&bundle).trim(),
                String::from_utf8_lossy(&bytes).trim(),
                "{}",
                file.display()
            );
            for entry in bundle.items_at("entry") {
                let resource = entry.member("resource").expect("entries have resources");
                let (resource, _) = without_empty(resource.clone());
                let resource = &resource;
                let found: Vec<_> = check(resource, version).iter().map(ToString::to_string).collect();
                if !found.is_empty() {
                    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
                    faulty.push((name.unwrap_or_default(), found.join("; ")));
                    continue;
                }
                let xml = as_xml(resource, version);
                let back = read(xml.as_bytes(), Format::Xml, version);
                let back = back.unwrap_or_else(|problems| panic!("{}: {problems:?}: {xml}", file.display()));
                assert_eq!(sorted(&back), sorted(resource), "{}", file.display());
            }
        }
    }
    faulty.sort();
    faulty.dedup();
    let faulty: Vec<_> = faulty.iter().map(|(file, found)| format!("{file}: {found}")).collect();
    if !faulty.is_empty() {
        assert_eq!(faulty, FAULTY, "what deserves to be refused");
    }
}

#[test]
fn sample_xml_is_read_but_for_empty_codes_and_missing_statuses() {
    for (file, has_faults) in [("ruth-cook.xml", true), ("joseph-ross.xml", true)] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sample-data/dstu2-smart");
        let Ok(bytes) = std::fs::read(root.join(file)) else {
            show(&root.join(file));
            continue;
        };
        let problems = read(&bytes, Format::Xml, Version::Dstu2).err().unwrap_or_default();
        let is_known = |problem: &ReadError| {
            problem.expression.ends_with(".valueQuantity.code") || problem.expression.ends_with(".status")
        };
        assert!(problems.iter().all(is_known), "{file}: {problems:?}");
        assert_eq!(!problems.is_empty(), has_faults, "{file}");
    }
}

#[test]
fn labels_stand_apart_from_the_rest() {
    let resource = json_of(
        r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"3","lastUpdated":"2020-01-01T00:00:00Z",
        "source":"x","profile":["p"],"tag":[{"code":"t"}]},"active":true}"#,
    );
    let parts = Parts::of(resource).expect("a resource");
    assert_eq!(parts.id.as_ref().map(charta_model::ResourceId::as_str), Some("a"));
    assert_eq!((parts.labels.profiles.len(), parts.labels.tags.len()), (1, 1));
    assert_eq!(
        parts.source(Version::R4).body,
        r#"{"resourceType":"Patient","meta":{"source":"x"},"active":true}"#
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, version in 0..5_usize) {
        let version = Version::ALL[version];
        let _ = read(&bytes, Format::Json, version);
        let _ = read(&bytes, Format::Xml, version);
    }

    #[test]
    fn no_almost_resource_panics(text in r#"(\{"resourceType":"(Patient|Bundle|Observation)",)?["a-z:,\[\]{}0-9_ null]{0,80}"#) {
        let _ = read(text.as_bytes(), Format::Json, Version::R4);
    }

    #[test]
    fn no_almost_xml_panics(text in r#"<(Patient|Bundle) xmlns="http://hl7.org/fhir">(<(name|given|div|text|contained)( value="a")?/?>|</(name|text)>|a|<!--b-->){0,8}(</Patient>)?"#) {
        let _ = read(text.as_bytes(), Format::Xml, Version::Stu3);
    }
}

#[test]
fn an_element_called_resource_type_makes_no_resource() {
    let scenario = r#"{"resourceType":"ExampleScenario","status":"draft","instance":[{"resourceType":"Patient","resourceId":"p","name":"a"}]}"#;
    for version in [Version::R4, Version::R4b] {
        let resource = read(scenario.as_bytes(), Format::Json, version).expect("valid");
        let xml =
            crate::node::testing::text_of(&crate::represent::write(resource, version, Format::Xml, false));
        let instance =
            r#"<instance><resourceId value="p"/><resourceType value="Patient"/><name value="a"/></instance>"#;
        assert!(xml.contains(instance), "{version}: {xml}");
        let again = read(xml.as_bytes(), Format::Xml, version).expect("valid");
        assert_eq!(again.items_at("instance")[0].text_at("resourceType"), Some("Patient"));
    }
}
