//! DocumentReference.docStatus: a concept in DSTU2, a code since, and a longer list of codes in R5.

use super::super::code::{Before, Code};
use super::super::extension::{self, Wire};
use super::super::members::{Item, Members, member, member_text, text};
use crate::{Node, Version};

pub(super) const CODES: &[Code] = &[
    since_r5("partial", Before::Wider("preliminary")),
    since_r5("corrected", Before::Wider("amended")),
    since_r5("appended", Before::Wider("amended")),
    since_r5("registered", Before::Nothing),
    since_r5("cancelled", Before::Nothing),
    since_r5("deprecated", Before::Nothing),
    since_r5("unknown", Before::Nothing),
];

const fn since_r5(code: &'static str, before: Before) -> Code {
    Code { code, since: Version::R5, before }
}

const SYSTEM: &str = "http://hl7.org/fhir/composition-status";
const PATH: &str = "DocumentReference.docStatus";

/// Makes a code of the concept of DSTU2. What else the concept says is kept as its extension.
pub(super) fn open(source: &mut Members) {
    let Some(concept) = source.take("docStatus") else { return };
    let code = code_of(&concept);
    let whole = code.clone().map(concept_of);
    if let Some(code) = code {
        source.put_primitive("docStatus", code);
    }
    if whole.as_ref() != Some(&concept) {
        let kept = extension::encode(
            extension::url(Version::Dstu2, PATH),
            Wire::Value("CodeableConcept"),
            Item::of(concept),
        );
        source.add_extensions("extension", kept.into_iter().collect());
    }
}

/// Makes the concept of the code, or puts back the one that it was taken from if that still says the same.
pub(super) fn close(shown: &mut Members) {
    let code = shown.take_primitive("docStatus");
    let kept = shown.take_extensions(|extension| {
        let (version, path) = extension::stands_for(extension)?;
        let concept = extension::decode(extension, Wire::Value("CodeableConcept"))?.value;
        concept.filter(|_| version == Version::Dstu2 && path == PATH)
    });
    let kept = kept.into_iter().find(|concept| {
        code_of(concept).and_then(|code| code.value) == code.as_ref().and_then(|code| code.value.clone())
    });
    shown.put_some("docStatus", kept.or_else(|| code.map(concept_of)));
}

fn code_of(concept: &Node) -> Option<Item> {
    let Some(Node::Array(codings)) = member(concept, "coding") else { return None };
    let coding = codings.iter().find(|coding| member_text(coding, "system") == Some(SYSTEM))?;
    let value = member(coding, "code").filter(|code| text(code).is_some()).cloned();
    let beside = member(coding, "_code").cloned();
    (value.is_some() || beside.is_some()).then_some(Item { value, beside })
}

fn concept_of(code: Item) -> Node {
    let coding =
        Node::object([("system", Some(Node::text(SYSTEM))), ("code", code.value), ("_code", code.beside)]);
    Node::object([("coding", Some(Node::Array(vec![coding])))])
}
