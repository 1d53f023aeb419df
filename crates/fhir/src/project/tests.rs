mod diagnostic_report;
mod document_reference;
mod frame;
mod patient;
mod properties;
mod values;

use super::*;
use crate::Version::{Dstu2, R4, R4b, R5, Stu3};
use crate::json;

const UPDATED: &str = "2024-05-01T10:00:00.000Z";

fn read(text: &str) -> Node {
    json::read(text).unwrap_or_else(|| panic!("{text}"))
}

/// Members in the order of their names: JSON has none.
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

fn written(node: &Node) -> String {
    crate::node::testing::text_of(&json::write(node, true))
}

/// The least that a resource of this type has in this version.
fn least(resource_type: &str, version: Version) -> &'static str {
    match (resource_type, version) {
        ("DocumentReference", Dstu2 | Stu3) => {
            r#"{"resourceType":"DocumentReference","status":"current","type":{"text":"Letter"},"indexed":"2020-01-01T00:00:00Z"}"#
        }
        ("DocumentReference", _) => {
            r#"{"resourceType":"DocumentReference","status":"current","type":{"text":"Letter"},"date":"2020-01-01T00:00:00Z"}"#
        }
        ("DiagnosticReport", Dstu2) => {
            r#"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"ECG"},"subject":{"reference":"Patient/1"},
                "effectiveDateTime":"2020","issued":"2020-01-01T00:00:00Z","performer":{"display":"Dr. A"}}"#
        }
        ("DiagnosticReport", Stu3) => {
            r#"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"ECG"},"subject":{"reference":"Patient/1"},
                "effectiveDateTime":"2020","issued":"2020-01-01T00:00:00Z","performer":[{"actor":{"display":"Dr. A"}}]}"#
        }
        ("DiagnosticReport", _) => {
            r#"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"ECG"},"subject":{"reference":"Patient/1"},
                "effectiveDateTime":"2020","issued":"2020-01-01T00:00:00Z","performer":[{"display":"Dr. A"}]}"#
        }
        _ => r#"{"resourceType":"Patient"}"#,
    }
}

/// The least resource with `members`, where null takes one away.
fn resource(resource_type: &str, version: Version, members: &str) -> Node {
    let Node::Object(members) = read(members) else { panic!("{members}") };
    Members::edit(read(least(resource_type, version)), |resource| {
        for (name, value) in members {
            resource.put(name, value);
        }
        resource.0.retain(|(_, value)| *value != Node::Null);
    })
}

/// The versions to test what is said of `version`: R4B builds these types as R4 does.
fn alike(version: Version) -> Vec<Version> {
    if version == R4 { vec![R4, R4b] } else { vec![version] }
}

#[track_caller]
fn becomes(resource_type: &str, from: Version, given: &str, to: Version, expected: &str) {
    for (from, to) in alike(from).into_iter().flat_map(|from| alike(to).into_iter().map(move |to| (from, to)))
    {
        let given = resource(resource_type, from, given);
        let expected = resource(resource_type, to, expected);
        let shown = project(&given, from, to, UPDATED).unwrap();
        assert_eq!(
            written(&sorted(&shown)),
            written(&sorted(&expected)),
            "{from} to {to}: {}",
            written(&given)
        );
    }
}

/// Each side becomes the other.
#[track_caller]
fn equal(resource_type: &str, one: Version, this: &str, other: Version, that: &str) {
    becomes(resource_type, one, this, other, that);
    becomes(resource_type, other, that, one, this);
}

#[test]
fn types_without_a_map_have_no_projection() {
    for (resource_type, expected) in [
        ("DocumentReference", true),
        ("DiagnosticReport", true),
        ("Patient", true),
        ("Observation", false),
        ("Binary", false),
        ("", false),
    ] {
        assert_eq!(is_projected(resource_type), expected, "{resource_type}");
        let resource = read(&format!(r#"{{"resourceType":"{resource_type}"}}"#));
        assert_eq!(project(&resource, R4, R5, UPDATED).is_some(), expected, "{resource_type}");
    }
}

#[test]
fn every_extension_has_a_path_in_the_version_that_names_it() {
    for rows in [super::document_reference::ROWS, super::diagnostic_report::ROWS, super::patient::ROWS] {
        for row in rows {
            let everywhere = row.places.iter().all(|place| place.is_some_and(|place| place.repeats));
            // These are written where R5 wants them before the rows are.
            let is_released = row.name.starts_with("context.");
            assert!(everywhere || is_released || row.place(row.home).is_some(), "{}", row.name);
        }
    }
}
