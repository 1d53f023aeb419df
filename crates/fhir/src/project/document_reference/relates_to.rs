//! DocumentReference.relatesTo: R5 has a concept where the versions before have one of four codes.

use super::super::datatype;
use super::super::extension::{self, Wire};
use super::super::members::{Item, Members, member, member_text, text};
use super::super::record::{Fit, Shape};
use crate::{Node, Version};

pub(super) const SHAPE: Shape =
    Shape { wire: Wire::Parts(&[("code", "CodeableConcept"), ("target", "Reference")]), widen, narrow };

const SYSTEM: &str = "http://hl7.org/fhir/document-relationship-type";
/// What one direction of the published maps looks for, though the other never writes it.
const VALUE_SET: &str = "http://hl7.org/fhir/ValueSet/document-relationship-type";
const CODES: [&str; 4] = ["replaces", "transforms", "signs", "appends"];
/// The concept, where it says more than its code.
const CONCEPT: &str = "DocumentReference.relatesTo.code";

fn widen(value: Node, from: Version) -> Node {
    Members::edit(value, |object| {
        if from < Version::R5 {
            let kept = extension::take(object, CONCEPT, "CodeableConcept").and_then(|kept| kept.value);
            let code = object.take_primitive("code");
            let same = |concept: &Node| {
                let said = code_of(concept).and_then(|code| code.value);
                code.as_ref().is_some_and(|code| code.value == said)
            };
            let concept = kept.filter(same).or_else(|| code.map(concept_of));
            object.put_some("code", concept);
        }
        let target = object.take("target").map(|target| datatype::widen("Reference", target, from));
        object.put_some("target", target);
    })
}

fn narrow(value: Node, to: Version) -> Fit {
    if to < Version::R5 && !member(&value, "code").is_none_or(has_code) {
        return Fit::Elsewhere(value, Version::R5);
    }
    Fit::Fits(Members::edit(value, |object| {
        if to < Version::R5
            && let Some(concept) = object.take("code")
        {
            let code = code_of(&concept).unwrap_or(Item { value: None, beside: None });
            let says_more = concept != concept_of(code.clone());
            object.put_primitive("code", code);
            if says_more {
                extension::put(object, Version::R5, CONCEPT, "CodeableConcept", Item::of(concept));
            }
        }
        let target = object.take("target").map(|target| datatype::narrow("Reference", target, to));
        object.put_some("target", target);
    }))
}

/// Whether the concept is one that the versions before can say.
fn has_code(concept: &Node) -> bool {
    match code_of(concept) {
        Some(Item { value: Some(code), .. }) => text(&code).is_some_and(|code| CODES.contains(&code)),
        Some(Item { value: None, beside }) => beside.is_some(),
        None => false,
    }
}

fn code_of(concept: &Node) -> Option<Item> {
    let Some(Node::Array(codings)) = member(concept, "coding") else { return None };
    let ours = |coding: &&Node| matches!(member_text(coding, "system"), Some(SYSTEM | VALUE_SET));
    let coding = codings.iter().find(ours)?;
    Some(Item { value: member(coding, "code").cloned(), beside: member(coding, "_code").cloned() })
}

fn concept_of(code: Item) -> Node {
    let coding =
        Node::object([("system", Some(Node::text(SYSTEM))), ("code", code.value), ("_code", code.beside)]);
    Node::object([("coding", Some(Node::Array(vec![coding])))])
}
