//! The tables themselves, and facts of the specification that they must say.

use super::*;

#[test]
fn every_line_of_every_table_is_understood() {
    for version in Version::ALL {
        let mut reader = table::Reader::default();
        let definitions = version.definitions();
        let lines = table::of(version).lines();
        let mut known = |line: &'static str| match line.split_once(' ') {
            // Names are known only to a reader that has seen them all.
            Some(("type" | "search" | "compartment" | "codes" | "#", _)) => reader.line(line).is_some(),
            Some(("" | "+", _)) => true,
            _ => false,
        };
        let strange = lines.clone().find(|line| !known(line));
        assert_eq!(strange, None, "{version}");
        let own = lines.filter(|line| line.starts_with(' ')).count();
        assert!(definitions.types().map(|of| of.elements.len()).sum::<usize>() >= own, "{version}");
        assert!(
            definitions.types().all(|of| of.name == definitions.type_named(of.name).unwrap().name),
            "{version}"
        );
    }
}

#[test]
fn every_path_leads_somewhere() {
    for version in Version::ALL {
        let definitions = version.definitions();
        for resource in definitions.resources() {
            for parameter in definitions.search_parameters(resource.name) {
                let what = format!("{version} {}.{}", resource.name, parameter.name);
                assert!(!parameter.paths.is_empty(), "{what}");
                assert_eq!(
                    parameter.kind == ParameterKind::Composite,
                    !parameter.components.is_empty(),
                    "{what}"
                );
                for path in &parameter.paths {
                    let end = walk(definitions, resource, path).unwrap_or_else(|| panic!("{what}"));
                    for component in parameter.components.iter().flat_map(|component| &component.paths) {
                        assert!(walk(definitions, end, component).is_some(), "{what}");
                    }
                }
            }
        }
    }
}

fn walk<'d>(definitions: &'d Definitions, from: &'d Type, path: &Path) -> Option<&'d Type> {
    let mut of = from;
    for step in &path.steps {
        let element = of.elements.iter().find(|element| element.name == step.name)?;
        let uses = element.types.iter().map(|used| definitions.type_at(used.type_index));
        of = uses.into_iter().find(|of| step.cast.is_none_or(|cast| cast == of.name))?;
    }
    Some(of)
}

#[test]
fn elements_stand_in_the_order_of_the_version() {
    let order = |version: Version, name: &str, names: &[&str]| {
        let of = version.definitions().type_named(name).unwrap();
        let found = of.elements.iter().map(|element| element.name).filter(|found| names.contains(found));
        assert_eq!(found.collect::<Vec<_>>(), names, "{version} {name}");
    };
    let all =
        ["id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"];
    for version in Version::ALL {
        order(version, "DocumentReference", &all);
        order(version, "Extension", &["id", "extension", "url", "value"]);
    }
    order(
        Version::Dstu2,
        "DocumentReference",
        &["masterIdentifier", "subject", "type", "author", "indexed", "status"],
    );
    order(
        Version::Stu3,
        "DocumentReference",
        &["masterIdentifier", "status", "type", "subject", "indexed", "author"],
    );
    order(
        Version::R4,
        "DocumentReference",
        &["masterIdentifier", "status", "type", "subject", "date", "author"],
    );
    order(Version::R5, "Attachment", &["contentType", "url", "size", "hash", "height", "pages"]);
}

#[test]
fn elements_are_as_the_specification_has_them() {
    let element = |version: Version, of: &str, name: &str| {
        let of = version.definitions().type_named(of).unwrap();
        of.property(name).map(|found| version.definitions().type_at(found.type_index).name)
    };
    assert_eq!(element(Version::Stu3, "Binary", "content"), Some("base64Binary"));
    assert_eq!(element(Version::Stu3, "Binary", "data"), None);
    assert_eq!(element(Version::R4, "Binary", "data"), Some("base64Binary"));
    assert_eq!(element(Version::R4, "Observation", "valueQuantity"), Some("Quantity"));
    assert_eq!(element(Version::R4, "Observation", "value"), None);
    assert_eq!(element(Version::R4, "Observation", "valueAddress"), None);
    assert_eq!(element(Version::R4, "Bundle.entry", "resource"), Some("Resource"));
    assert_eq!(element(Version::R4, "Patient", "contained"), Some("Resource"));
    assert_eq!(element(Version::R4, "Patient", "contact"), Some("Patient.contact"));
    assert_eq!(element(Version::R4, "Questionnaire.item", "item"), Some("Questionnaire.item"));
    assert_eq!(element(Version::R4, "Narrative", "div"), Some("xhtml"));
    assert_eq!(element(Version::R5, "Attachment", "size"), Some("integer64"));
    assert_eq!(element(Version::Dstu2, "Patient", "animal"), Some("Patient.animal"));
    assert_eq!(element(Version::R4, "Patient", "animal"), None);
    assert_eq!(element(Version::Dstu2, "Patient", "id"), Some("id"));
    let codes = |version: Version, of: &str, name: &str, code: &str| {
        let of = version.definitions().type_named(of).unwrap();
        version.definitions().codes(of.property(name).unwrap().element.codes.unwrap()).contains(code)
    };
    for version in Version::ALL {
        assert!(codes(version, "Patient", "gender", "female"), "{version}");
        assert!(!codes(version, "Patient", "gender", "Female"), "{version}");
        assert!(codes(version, "DocumentReference", "status", "entered-in-error"), "{version}");
        assert!(!codes(version, "DocumentReference", "status", "final"), "{version}");
    }
}

#[test]
fn parameters_have_the_names_of_their_version() {
    let check = |version: Version, resource: &str, there: &[&str], absent: &[&str]| {
        for name in there {
            assert!(
                version.definitions().search_parameter(resource, name).is_some(),
                "{version} {resource}.{name}"
            );
        }
        for name in absent {
            assert!(
                version.definitions().search_parameter(resource, name).is_none(),
                "{version} {resource}.{name}"
            );
        }
    };
    let common = [
        "patient",
        "subject",
        "type",
        "author",
        "custodian",
        "description",
        "status",
        "identifier",
        "facility",
        "setting",
        "period",
        "relatesto",
        "relation",
        "relationship",
        "language",
        "location",
    ];
    for version in Version::ALL {
        check(version, "DocumentReference", &common, &[]);
        check(
            version,
            "DiagnosticReport",
            &[
                "identifier",
                "status",
                "category",
                "code",
                "date",
                "issued",
                "subject",
                "patient",
                "encounter",
                "performer",
                "specimen",
                "result",
            ],
            &["presentedForm"],
        );
        check(version, "Patient", &["family", "given", "birthdate", "phone", "gender"], &[]);
        check(version, "Observation", &["code-value-quantity"], &[]);
    }
    for version in [Version::Dstu2, Version::Stu3] {
        check(
            version,
            "DocumentReference",
            &[
                "class",
                "authenticator",
                "indexed",
                "created",
                "related-id",
                "related-ref",
                "securitylabel",
                "event",
                "format",
                "encounter",
            ],
            &["category", "date", "contenttype", "security-label"],
        );
    }
    for version in [Version::R4, Version::R4b] {
        check(
            version,
            "DocumentReference",
            &["category", "authenticator", "date", "related", "security-label", "contenttype"],
            &["class", "indexed", "created", "creation", "securitylabel"],
        );
    }
    check(
        Version::R5,
        "DocumentReference",
        &[
            "category",
            "attester",
            "date",
            "creation",
            "doc-status",
            "context",
            "event-code",
            "event-reference",
            "format-code",
            "format-uri",
            "format-canonical",
            "version",
            "modality",
            "bodysite",
            "based-on",
        ],
        &["authenticator", "encounter", "related"],
    );
    check(Version::Dstu2, "DiagnosticReport", &["request", "image", "diagnosis"], &["based-on", "context"]);
    check(Version::Stu3, "DiagnosticReport", &["based-on", "image", "diagnosis", "context"], &["request"]);
    check(
        Version::R4,
        "DiagnosticReport",
        &["based-on", "media", "conclusion", "results-interpreter"],
        &["context"],
    );
    check(Version::R5, "DiagnosticReport", &["study"], &["assessed-condition"]);
}

#[test]
fn the_parts_of_a_composite_lead_where_their_names_say() {
    for version in Version::ALL {
        let of = version.definitions().search_parameter("DocumentReference", "relationship").unwrap();
        let steps = |name: &str| {
            let part = of.components.iter().find(|component| component.name == name);
            part.unwrap_or_else(|| panic!("{version} {name}")).paths[0].steps[0].name
        };
        assert_eq!((steps("relatesto"), steps("relation")), ("target", "code"), "{version}");
    }
}

#[test]
fn compartments_are_those_of_the_patient_and_the_encounter() {
    let r4 = Version::R4.definitions();
    assert_eq!(r4.compartment("Patient", "DocumentReference"), ["subject", "author"]);
    assert_eq!(r4.compartment("Patient", "Binary"), [""; 0]);
    assert_eq!(r4.compartment("Encounter", "DiagnosticReport"), ["encounter"]);
    assert_eq!(r4.compartment("Practitioner", "DocumentReference"), [""; 0]);
    for version in Version::ALL {
        assert!(
            version.definitions().compartment("Patient", "Observation").contains(&"subject"),
            "{version}"
        );
    }
}
