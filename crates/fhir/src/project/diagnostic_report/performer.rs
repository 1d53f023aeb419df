//! DiagnosticReport.performer: a reference, but in STU3 an actor with a role. The common form is the
//! reference, with the role as its extension.

use super::super::datatype;
use super::super::extension::{self, Wire};
use super::super::members::{Item, Members, member};
use super::super::record::{self, Fit, Shape};
use super::super::reference::{Target, always, since};
use crate::{Node, Version};

pub(super) const SHAPE: Shape = Shape { wire: Wire::Value("Reference"), widen, narrow };

const PERFORMER: &[Target] = &[
    always("Practitioner"),
    always("Organization"),
    since(Version::R4, "PractitionerRole"),
    since(Version::R4, "CareTeam"),
];
const ROLE: &str = "DiagnosticReport.performer.role";

fn widen(value: Node, from: Version) -> Node {
    if from != Version::Stu3 {
        return datatype::widen("Reference", value, from);
    }
    let Node::Object(members) = value else { return value };
    let mut performer = Members(members);
    let actor = performer.take("actor").unwrap_or(Node::Object(Vec::new()));
    Members::edit(datatype::widen("Reference", actor, from), |actor| {
        actor.add_extensions("extension", performer.take_items("extension"));
        actor.put_some("modifierExtension", performer.take("modifierExtension"));
        if let Some(role) = performer.take("role") {
            extension::put(actor, Version::Stu3, ROLE, "CodeableConcept", Item::of(role));
        }
    })
}

fn narrow(value: Node, to: Version) -> Fit {
    if member(&value, "modifierExtension").is_some() {
        // Only STU3, which it came from, has a structure that could bear it.
        return Fit::Elsewhere(value, Version::Stu3);
    }
    match record::narrow_reference(value, PERFORMER, to) {
        Fit::Fits(actor) if to == Version::Stu3 => Fit::Fits(with_role(actor)),
        fit => fit,
    }
}

fn with_role(actor: Node) -> Node {
    let Node::Object(members) = actor else { return actor };
    let mut actor = Members(members);
    let role = extension::take(&mut actor, ROLE, "CodeableConcept").and_then(|role| role.value);
    let actor = (!actor.is_empty()).then_some(Node::Object(actor.0));
    Node::object([("role", role), ("actor", actor)])
}
