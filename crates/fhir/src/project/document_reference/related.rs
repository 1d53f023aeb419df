//! DocumentReference.context.related: an identifier and a reference up to STU3, from R4 a reference that
//! can have both, in R5 nothing.

use super::super::datatype;
use super::super::extension::Wire;
use super::super::members::{Members, member};
use super::super::record::{Fit, Shape};
use crate::{Node, Version};

pub(super) const SHAPE: Shape = Shape { wire: Wire::Value("Reference"), widen, narrow };

fn widen(value: Node, from: Version) -> Node {
    if from >= Version::R4 {
        return datatype::widen("Reference", value, from);
    }
    let Node::Object(members) = value else { return value };
    let mut related = Members(members);
    let reference = related.take("ref").unwrap_or(Node::Object(Vec::new()));
    Members::edit(datatype::widen("Reference", reference, from), |reference| {
        if let Some(identifier) = related.take("identifier") {
            reference.put("identifier", datatype::widen("Identifier", identifier, from));
        }
        reference.add_extensions("extension", related.take_items("extension"));
        reference.put_some("modifierExtension", related.take("modifierExtension"));
    })
}

fn narrow(value: Node, to: Version) -> Fit {
    if to < Version::R4 {
        return Fit::Fits(with_structure(value, to));
    }
    if member(&value, "modifierExtension").is_some() {
        // No reference could bear it.
        return Fit::Elsewhere(value, Version::Stu3);
    }
    Fit::Fits(datatype::narrow("Reference", value, to))
}

fn with_structure(value: Node, to: Version) -> Node {
    let Node::Object(members) = value else { return value };
    let mut reference = Members(members);
    let mut related = Members::default();
    let modifier = reference.take("modifierExtension");
    let identifier =
        reference.take("identifier").map(|identifier| datatype::narrow("Identifier", identifier, to));
    if reference.0.iter().all(|(name, _)| name == "extension") {
        related.add_extensions("extension", reference.take_items("extension"));
    }
    related.put_some("modifierExtension", modifier);
    related.put_some("identifier", identifier);
    if !reference.is_empty() {
        related.put("ref", datatype::narrow("Reference", Node::Object(reference.0), to));
    }
    Node::Object(related.0)
}
