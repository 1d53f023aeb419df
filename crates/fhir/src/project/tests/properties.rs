//! What a version can carry survives the way there and back, and no tree makes this panic.

mod generate;

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

const TYPES: [&str; 3] = ["DocumentReference", "DiagnosticReport", "Patient"];

fn pairs() -> impl Iterator<Item = (Version, Version)> {
    Version::ALL.into_iter().flat_map(|one| Version::ALL.into_iter().map(move |other| (one, other)))
}

/// A version, another, and a resource of the first whose references the second allows.
fn carried() -> impl Strategy<Value = (Version, Version, Node)> {
    let pairs: Vec<_> = pairs().collect();
    (prop::sample::select(pairs), prop::sample::select(TYPES.to_vec()))
        .prop_flat_map(|((one, other), name)| (Just(one), Just(other), generate::resource(name, one, other)))
}

fn any_resource() -> impl Strategy<Value = (Version, Node)> {
    (prop::sample::select(Version::ALL.to_vec()), prop::sample::select(TYPES.to_vec()))
        .prop_flat_map(|(version, name)| (Just(version), generate::resource(name, version, version)))
}

/// Items in the order of their text: those that went through an extension come back last.
fn regardless_of_order(node: &Node) -> Node {
    match node {
        Node::Object(members) => Node::Object(
            members.iter().map(|(name, value)| (name.clone(), regardless_of_order(value))).collect(),
        ),
        Node::Array(items) => {
            let mut items: Vec<Node> = items.iter().map(regardless_of_order).collect();
            items.sort_by_key(written);
            Node::Array(items)
        }
        other => other.clone(),
    }
}

/// Trees of the names that elements have, with anything in them.
fn tree() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Node::Null),
        any::<bool>().prop_map(Node::Bool),
        any::<i64>().prop_map(|number| Node::Number(number.to_string())),
        prop::sample::select(TEXTS.to_vec()).prop_map(Node::text),
        "\\PC{0,4}".prop_map(Node::text),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Node::Array),
            prop::collection::vec((name(), inner), 0..6).prop_map(Node::Object),
        ]
    })
}

fn name() -> impl Strategy<Value = Cow<'static, str>> {
    let known = prop::sample::select(NAMES.to_vec());
    (known, any::<bool>())
        .prop_map(|(name, beside)| if beside { format!("_{name}").into() } else { name.into() })
}

const TEXTS: &[&str] = &[
    "#a",
    "#",
    "/",
    "Patient/1",
    "CareTeam/1",
    "a",
    "old",
    "url",
    "partial",
    "unknown",
    "replaces",
    "professional",
    "http://hl7.org/fhir/composition-status",
    "http://hl7.org/fhir/composition-attestation-mode",
    "http://hl7.org/fhir/document-relationship-type",
    "http://hl7.org/fhir/StructureDefinition/patient-animal",
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.event",
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.relatesTo",
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-Attachment.size",
    "http://hl7.org/fhir/4.0/StructureDefinition/extension-",
];

#[rustfmt::skip] // A list of words.
const NAMES: &[&str] = &[
    "id", "meta", "profile", "source", "text", "contained", "extension", "modifierExtension", "url", "valueCode",
    "valueReference", "valueCodeableConcept", "valueCoding", "valueDecimal", "valueIdentifier", "value", "system", "code",
    "coding", "display", "reference", "identifier", "type", "use", "assigner", "masterIdentifier", "status", "docStatus",
    "class", "category", "subject", "created", "indexed", "date", "author", "authenticator", "attester", "mode", "time",
    "party", "custodian", "relatesTo", "target", "description", "securityLabel", "content", "attachment", "size", "height",
    "format", "context", "context.encounter", "encounter", "event", "concept", "bodySite", "facilityType", "period",
    "sourcePatientInfo", "related", "ref", "request", "basedOn", "effectiveDateTime", "effectivePeriod", "issued",
    "performer", "role", "actor", "imagingStudy", "study", "image", "media", "link", "comment", "supportingInfo", "note",
    "authorReference", "conclusion", "presentedForm", "name", "family", "given", "telecom", "address", "photo", "contact",
    "organization", "animal", "species", "communication", "careProvider", "generalPractitioner", "other", "",
];

/// A resource of trees.
fn nonsense() -> impl Strategy<Value = Node> {
    let members = prop::collection::vec((name(), tree()), 0..12);
    (prop::sample::select(TYPES.to_vec()), members).prop_map(|(resource_type, members)| {
        let mut all = vec![("resourceType".into(), Node::text(resource_type))];
        all.extend(members.into_iter().filter(|(name, _)| name != "_resourceType"));
        Node::Object(all)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_a_version_can_carry_comes_back((one, other, given) in carried()) {
        let shown = project(&given, one, other, UPDATED).unwrap();
        let back = project(&shown, other, one, UPDATED).unwrap();
        prop_assert_eq!(
            written(&sorted(&back)), written(&sorted(&given)), "{} to {}: {}", one, other, written(&shown)
        );
    }

    #[test]
    fn what_a_version_cannot_carry_comes_back_too((one, given) in any_resource()) {
        for other in Version::ALL {
            let shown = project(&given, one, other, UPDATED).unwrap();
            let back = project(&shown, other, one, UPDATED).unwrap();
            prop_assert_eq!(
                written(&regardless_of_order(&sorted(&back))),
                written(&regardless_of_order(&sorted(&given))),
                "{} to {}: {}", one, other, written(&shown)
            );
        }
    }

    #[test]
    fn a_projection_has_only_elements_of_its_version((one, given) in any_resource()) {
        for other in Version::ALL {
            let shown = project(&given, one, other, UPDATED).unwrap();
            let unknown = unknown_elements(&shown, other);
            prop_assert!(unknown.is_empty(), "{} to {}: {:?}", one, other, unknown);
        }
    }

    #[test]
    fn no_tree_panics(given in nonsense()) {
        for (one, other) in pairs() {
            let shown = project(&given, one, other, UPDATED).unwrap();
            if one != other {
                let unknown = unknown_elements(&shown, other);
                prop_assert!(unknown.is_empty(), "{} to {}: {:?}", one, other, unknown);
            }
        }
    }

    #[test]
    fn no_value_that_is_no_resource_panics(given in tree()) {
        prop_assert_eq!(project(&given, Dstu2, R5, UPDATED), None);
    }
}

/// The names of `resource` that `version` does not have.
fn unknown_elements(resource: &Node, version: Version) -> Vec<String> {
    let frame =
        ["resourceType", "id", "meta", "language", "text", "contained", "extension", "modifierExtension"];
    let rows = match members::member_text(resource, "resourceType") {
        Some("DocumentReference") => super::super::document_reference::ROWS,
        Some("DiagnosticReport") => super::super::diagnostic_report::ROWS,
        _ => super::super::patient::ROWS,
    };
    let places: Vec<&str> =
        rows.iter().filter_map(|row| row.place(version)).map(|place| place.path).collect();
    let is_known = |name: &str| {
        let is_context = name == "context" && places.iter().any(|place| place.starts_with("context."));
        let is_animal = name == "animal" && version.is_r4_or_later();
        frame.contains(&name) || is_context || (places.contains(&name) && !is_animal)
    };
    let Node::Object(members) = resource else { return Vec::new() };
    let names = members.iter().map(|(name, _)| name.strip_prefix('_').unwrap_or(name));
    names.filter(|name| !is_known(name)).map(str::to_owned).collect()
}
