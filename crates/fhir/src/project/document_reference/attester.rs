//! DocumentReference.attester of R5, of which the versions before have one kind: the authenticator is the
//! party that attests professionally.

use super::super::datatype;
use super::super::extension::{self, Wire};
use super::super::members::{Item, Members, member, member_text};
use super::super::record::{Fit, Record, Shape};
use super::super::reference::{Target, always, resource_type, since};
use crate::{Node, Version};

pub(super) const SHAPE: Shape = Shape {
    wire: Wire::Parts(&[("mode", "CodeableConcept"), ("time", "dateTime"), ("party", "Reference")]),
    widen,
    narrow,
};

pub(super) const AUTHENTICATOR: &[Target] =
    &[always("Practitioner"), always("Organization"), since(Version::R4, "PractitionerRole")];

const SYSTEM: &str = "http://hl7.org/fhir/composition-attestation-mode";
const PROFESSIONAL: &str = "professional";
/// On the authenticator, what else is known of the attester.
const MODE: &str = "DocumentReference.attester.mode";
const TIME: &str = "DocumentReference.attester.time";

fn widen(value: Node, from: Version) -> Node {
    Members::edit(value, |object| {
        datatype::change(object, "party", |party| datatype::widen("Reference", party, from));
    })
}

fn narrow(value: Node, to: Version) -> Fit {
    Fit::Fits(Members::edit(value, |object| {
        datatype::change(object, "party", |party| datatype::narrow("Reference", party, to));
    }))
}

/// Makes attesters of the authenticators.
pub(super) fn gather(record: &mut Record) {
    let authenticators = record.remove("authenticator").unwrap_or_default();
    let mut attesters: Vec<Item> = authenticators
        .into_iter()
        .filter_map(|item| item.value)
        .map(|party| Item::of(attester(party)))
        .collect();
    attesters.extend(record.remove("attester").unwrap_or_default());
    if !attesters.is_empty() {
        record.insert("attester", attesters);
    }
}

/// Makes authenticators of the attesters that are some.
pub(super) fn spread(record: &mut Record) {
    let (mut authenticators, mut attesters) = (Vec::new(), Vec::new());
    for item in record.remove("attester").unwrap_or_default() {
        match item.value.map(authenticator) {
            Some(Ok(party)) => authenticators.push(Item::of(party)),
            Some(Err(attester)) => attesters.push(Item::of(attester)),
            None => {}
        }
    }
    record.insert("authenticator", authenticators);
    record.insert("attester", attesters);
}

fn attester(party: Node) -> Node {
    let (mut mode, mut time) = (None, None);
    let party = Members::edit(party, |party| {
        mode = extension::take(party, MODE, "CodeableConcept").and_then(|mode| mode.value);
        time = extension::take(party, TIME, "dateTime");
    });
    let mut attester = Members::default();
    attester.put("mode", mode.unwrap_or_else(professional));
    if let Some(time) = time {
        attester.put_primitive("time", time);
    }
    attester.put("party", party);
    Node::Object(attester.0)
}

/// The party of an attester that is an authenticator, or else the attester again.
fn authenticator(attester: Node) -> Result<Node, Node> {
    let is_professional = member(&attester, "mode").is_some_and(is_professional);
    let can_authenticate = member(&attester, "party").is_some_and(can_authenticate);
    if !is_professional || !can_authenticate || member(&attester, "modifierExtension").is_some() {
        return Err(attester);
    }
    let Node::Object(members) = attester else { return Err(attester) };
    let mut attester = Members(members);
    let party = attester.take("party").unwrap_or(Node::Null);
    Ok(Members::edit(party, |party| {
        party.add_extensions("extension", attester.take_items("extension"));
        if let Some(mode) = attester.take("mode").filter(|mode| *mode != professional()) {
            extension::put(party, Version::R5, MODE, "CodeableConcept", Item::of(mode));
        }
        if let Some(time) = attester.take_primitive("time") {
            extension::put(party, Version::R5, TIME, "dateTime", time);
        }
    }))
}

/// Patients and their relatives attest from R5 on, and never authenticate.
fn can_authenticate(party: &Node) -> bool {
    let may = |resource_type| AUTHENTICATOR.iter().any(|target| target.resource_type == resource_type);
    matches!(party, Node::Object(_)) && resource_type(party).is_none_or(may)
}

fn is_professional(mode: &Node) -> bool {
    let Some(Node::Array(codings)) = member(mode, "coding") else { return false };
    let is = |coding: &Node| {
        member_text(coding, "system") == Some(SYSTEM) && member_text(coding, "code") == Some(PROFESSIONAL)
    };
    codings.iter().any(is)
}

fn professional() -> Node {
    let coding =
        Node::object([("system", Some(Node::text(SYSTEM))), ("code", Some(Node::text(PROFESSIONAL)))]);
    Node::object([("coding", Some(Node::Array(vec![coding])))])
}
