//! Whose a resource is: what it says that access is decided by.
//!
//! It is the *subject* that counts. A compartment may have more in it: by the definition a letter belongs to the
//! compartment of its author too, who may be another patient and has no claim to it. So where a type can say
//! whom it is about (`patient`, `subject`) nothing else is looked at.
//!
//! Clause: FHIR R4 compartmentdefinition-patient.html

use charta_model::{Confidentiality, Custody, EntryValue, Index, ResourceId, ResourceType};

use crate::{Node, Version};

/// The parameters that say whom a resource is about, the better one first.
const SUBJECT: [&str; 2] = ["patient", "subject"];

/// What `resource`, valid in `version` and found by `index`, says of itself.
#[must_use]
pub fn custody(resource: &Node, version: Version, index: &Index) -> Custody {
    let kind = resource.text_at("resourceType").unwrap_or_default();
    Custody {
        patients: patients(kind, version, index),
        confidentiality: confidentiality(kind, resource),
        withdrawn: resource.text_at("status") == Some("entered-in-error"),
    }
}

fn patients(kind: &str, version: Version, index: &Index) -> Vec<ResourceId> {
    let definitions = version.definitions();
    let known = |name: &&str| definitions.search_parameter(kind, name).is_some();
    let subject: Vec<&str> = SUBJECT.into_iter().filter(known).collect();
    let names = if subject.is_empty() { definitions.compartment("Patient", kind) } else { &subject[..] };
    let mut patients: Vec<ResourceId> = Vec::new();
    for entry in index.entries.iter().filter(|entry| names.contains(&&*entry.parameter)) {
        if let EntryValue::Reference { kind, id } = &entry.value
            && *kind == ResourceType::PATIENT
            && !patients.contains(id)
        {
            patients.push(id.clone());
        }
    }
    patients
}

/// What the elements of some types ask for, beside `meta.security`.
///
/// Clause: FHIR R4 documentreference-definitions.html#DocumentReference.securityLabel
fn confidentiality(kind: &str, resource: &Node) -> Confidentiality {
    match kind {
        "DocumentReference" => {
            let concepts = resource.items_at("securityLabel").iter();
            let codings = concepts.flat_map(|concept| concept.items_at("coding"));
            let of = |coding: &Node| {
                Confidentiality::of_code(coding.text_at("system"), coding.text_at("code").unwrap_or_default())
            };
            codings.map(of).max().unwrap_or_default()
        }
        "Composition" => match resource.text_at("confidentiality") {
            Some("R") => Confidentiality::Restricted,
            Some("V") => Confidentiality::VeryRestricted,
            _ => Confidentiality::Normal,
        },
        _ => Confidentiality::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{index::index, json};

    fn check(version: Version, text: &str) -> (Vec<String>, Confidentiality, bool) {
        let resource = json::read(text).expect("JSON");
        let found = index(&resource, version, "2026-01-01T00:00:00.000Z");
        let Custody { patients, confidentiality, withdrawn } = custody(&resource, version, &found);
        (patients.iter().map(ToString::to_string).collect(), confidentiality, withdrawn)
    }

    #[test]
    fn a_resource_belongs_to_those_it_is_about() {
        use Version::{Dstu2, R4, R5, Stu3};
        for (version, text, expected) in [
            (
                R4,
                r#"{"resourceType":"DocumentReference","subject":{"reference":"Patient/b"},
                "author":[{"reference":"Patient/a"}]}"#,
                &["b"][..],
            ),
            (
                Dstu2,
                r#"{"resourceType":"DocumentReference","subject":{"reference":"Patient/b"},
                "author":[{"reference":"Patient/a"}]}"#,
                &["b"],
            ),
            (R5, r#"{"resourceType":"DocumentReference","author":[{"reference":"Patient/a"}]}"#, &[]),
            (R4, r#"{"resourceType":"DiagnosticReport","subject":{"reference":"Group/g"}}"#, &[]),
            (
                Stu3,
                r#"{"resourceType":"Observation","subject":{"reference":"Patient/b"},
                "performer":[{"reference":"Patient/a"}]}"#,
                &["b"],
            ),
            (
                R4,
                r#"{"resourceType":"List","subject":{"reference":"Patient/b"},
                "source":{"reference":"Patient/a"}}"#,
                &["b"],
            ),
            (
                R4,
                r#"{"resourceType":"Coverage","beneficiary":{"reference":"Patient/b"},
                "subscriber":{"reference":"Patient/a"}}"#,
                &["b"],
            ),
            (
                R4,
                r#"{"resourceType":"Provenance","target":[{"reference":"Patient/b"},
                {"reference":"DocumentReference/d"}]}"#,
                &["b"],
            ),
            (
                R4,
                r#"{"resourceType":"Appointment","participant":[{"actor":{"reference":"Patient/b"}}]}"#,
                &["b"],
            ),
            (R4, r#"{"resourceType":"Organization","name":"x"}"#, &[]),
            (
                R4,
                r#"{"resourceType":"Observation","subject":{"reference":"https://elsewhere.example/Patient/b"}}"#,
                &[],
            ),
        ] {
            assert_eq!(check(version, text).0, expected, "{version:?} {text}");
        }
    }

    #[test]
    fn its_own_elements_ask_for_care() {
        let document = |code: &str| {
            format!(
                r#"{{"resourceType":"DocumentReference","status":"entered-in-error","securityLabel":[{{"coding":[
                {{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"{code}"}}]}}]}}"#
            )
        };
        for (code, expected) in [
            ("N", Confidentiality::Normal),
            ("R", Confidentiality::Restricted),
            ("V", Confidentiality::VeryRestricted),
        ] {
            assert_eq!(check(Version::R4, &document(code)), (vec![], expected, true));
        }
        let composition = r#"{"resourceType":"Composition","status":"final","confidentiality":"R"}"#;
        assert_eq!(check(Version::R4, composition), (vec![], Confidentiality::Restricted, false));
    }
}
