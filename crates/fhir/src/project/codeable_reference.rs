//! CodeableReference: a concept, a resource, or both; before R5 there was a CodeableConcept in its place.

use super::datatype;
use super::extension::{self, Wire};
use super::members::{Item, Members, member};
use super::record::Fit;
use crate::{Node, Version};

/// Names the resource to an extension of the concept that stands before it.
const REFERENCE: &str = "CodeableReference.reference";

pub(super) fn widen(value: Node, from: Version) -> Node {
    if from < Version::R5 {
        return from_concept(value);
    }
    Members::edit(value, |object| {
        datatype::change(object, "reference", |reference| datatype::widen("Reference", reference, from));
    })
}

pub(super) fn narrow(value: Node, to: Version) -> Fit {
    if to < Version::R5 {
        return match into_concept(value) {
            Ok(concept) => Fit::Fits(concept),
            Err(reference) => Fit::Elsewhere(reference, Version::R5),
        };
    }
    Fit::Fits(Members::edit(value, |object| {
        datatype::change(object, "reference", |reference| datatype::narrow("Reference", reference, to));
    }))
}

/// Extensions of older versions cannot hold a CodeableReference; those of all can hold what it is made of.
pub(super) fn pack(url: String, value: Node) -> Option<Node> {
    match into_concept(value) {
        Ok(concept) => extension::encode(url, Wire::Value("CodeableConcept"), Item::of(concept)),
        Err(value) => {
            let reference = member(&value, "reference")?.clone();
            extension::encode(url, Wire::Value("Reference"), Item::of(reference))
        }
    }
}

pub(super) fn unpack(extension: &Node) -> Option<Node> {
    let concept = extension::decode(extension, Wire::Value("CodeableConcept")).and_then(|item| item.value);
    if let Some(concept) = concept {
        return Some(from_concept(concept));
    }
    let reference = extension::decode(extension, Wire::Value("Reference"))?.value;
    Some(Node::object([("reference", reference)]))
}

fn from_concept(concept: Node) -> Node {
    let Node::Object(members) = concept else { return concept };
    let mut concept = Members(members);
    let reference = extension::take(&mut concept, REFERENCE, "Reference").and_then(|item| item.value);
    Node::object([("concept", Some(Node::Object(concept.0))), ("reference", reference)])
}

/// The concept, with the resource as its extension; or the value again, if it has no concept.
fn into_concept(value: Node) -> Result<Node, Node> {
    let Node::Object(members) = value else { return Ok(value) };
    let mut object = Members(members);
    let concept = match object.take("concept") {
        Some(concept) => concept,
        None if object.get("reference").is_some() => return Err(Node::Object(object.0)),
        None => return Ok(Node::Object(object.0)),
    };
    let mut beside = object.take_items("extension");
    if let Some(reference) = object.take("reference") {
        let url = extension::url(Version::R5, REFERENCE);
        beside.extend(extension::encode(url, Wire::Value("Reference"), Item::of(reference)));
    }
    Ok(Members::edit(concept, |concept| concept.add_extensions("extension", beside)))
}
