//! Makes of a resource that was written in one version the same resource in another.
//!
//! `project/record.rs` tells how. Three things hold for every type:
//!
//! - Nothing is made up. Where a version demands what was never given, it says that this is not known; the
//!   one exception is `DocumentReference.indexed`, for which the time of the last update stands in.
//! - What a version has no element for is an extension, and is read back from it.
//! - What cannot be said truthfully is left out: a profile, which is a promise about another version;
//!   contained resources, outside of R4 and R4B; a structure whose new form cannot bear the modifier
//!   extension that it had; the id of a structure that the other version does not have; elements that are
//!   in no version.
//!
//! A resource that breaks the rules of its version still has a projection: values of a wrong type are
//! passed on or dropped.

mod attachment;
mod code;
mod codeable_reference;
mod contained;
mod datatype;
mod diagnostic_report;
mod document_reference;
mod extension;
mod members;
mod patient;
mod record;
mod reference;
mod system;

#[cfg(test)]
mod tests;

use members::Members;

use crate::{Node, Version, resource::in_order};

/// Whether resources of this type are shown in versions other than the one they were written in.
#[must_use]
pub fn is_projected(resource_type: &str) -> bool {
    Type::of(resource_type).is_some()
}

/// The resource as `to` has it. `updated` is meta.lastUpdated as text, which stands in where an older version
/// demands an instant that was never given (DocumentReference.indexed).
///
/// None if the type has no projection. From a version to itself, it is the resource unchanged.
#[must_use]
pub fn project(resource: &Node, from: Version, to: Version, updated: &str) -> Option<Node> {
    let Node::Object(members) = resource else { return None };
    let projected = Type::of(members::member_text(resource, "resourceType")?)?;
    if from == to {
        return Some(resource.clone());
    }
    // JSON has no order of members, but values are compared here.
    let Node::Object(members) = in_order(Node::Object(members.clone()), from) else { return None };
    let mut source = Members(members);
    if !contained::is_kept(from, to) {
        contained::leave_out(&mut source);
    }
    let mut source = Node::Object(source.0);
    extension::widen_all(&mut source, from);
    let Node::Object(members) = source else { return None };
    let mut shown = projected.project(&mut Members(members), from, to, updated);
    extension::narrow_all(&mut shown, to);
    system::rename_all(&mut shown, to);
    Some(shown)
}

/// A type that has a projection.
#[derive(Debug, Clone, Copy)]
enum Type {
    DiagnosticReport,
    DocumentReference,
    Patient,
}

impl Type {
    fn of(name: &str) -> Option<Self> {
        match name {
            "DiagnosticReport" => Some(Self::DiagnosticReport),
            "DocumentReference" => Some(Self::DocumentReference),
            "Patient" => Some(Self::Patient),
            _ => None,
        }
    }

    fn project(self, source: &mut Members, from: Version, to: Version, updated: &str) -> Node {
        let record = match self {
            Self::DiagnosticReport => diagnostic_report::read(source, from),
            Self::DocumentReference => document_reference::read(source, from),
            Self::Patient => patient::read(source, from),
        };
        let mut shown = frame(source, to);
        match self {
            Self::DiagnosticReport => diagnostic_report::write(record, to, &mut shown),
            Self::DocumentReference => document_reference::write(record, to, updated, &mut shown),
            Self::Patient => patient::write(record, to, &mut shown),
        }
        Node::Object(shown.0)
    }
}

/// What every resource has, whatever its type; but implicitRules are those of another version.
fn frame(source: &mut Members, to: Version) -> Members {
    let mut shown = Members::default();
    for name in
        ["resourceType", "id", "meta", "language", "text", "contained", "extension", "modifierExtension"]
    {
        if let Some(item) = source.take_primitive(name) {
            shown.put_primitive(name, item);
        }
    }
    datatype::change(&mut shown, "meta", |meta| Members::edit(meta, |meta| narrow_meta(meta, to)));
    shown.0.retain(|(name, value)| name != "meta" || *value != Node::Object(Vec::new()));
    shown
}

fn narrow_meta(meta: &mut Members, to: Version) {
    meta.take_primitive("profile");
    if !to.is_r4_or_later() {
        meta.take_primitive("source");
    }
}
