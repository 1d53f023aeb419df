//! Changes a resource as a patch says: JSON Patch, and from R4 on FHIRPath Patch.
//!
//! A patch is applied whole or not at all, to a copy. Whether the result is a valid resource is for
//! the caller to find out, as it does for an update; here only what a patch must never do is refused,
//! and what a removal leaves empty is taken away, since FHIR has no empty elements.
//!
//! Clause: FHIR R4 http.html#patch

mod budget;
mod edit;
mod fhirpath_patch;
mod find;
mod json_patch;
mod path;
mod value;

#[cfg(test)]
mod tests;

pub use fhirpath_patch::fhirpath_patch;
pub use json_patch::json_patch;

use crate::Node;

/// Most operations of a patch.
pub const OPERATIONS_MAX: usize = 1000;

/// Why a patch was not applied. Messages are sentences for the client and hold nothing of the
/// resource or of the patch but the number of the operation, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch is not one: no resource could be patched with it.
    #[error("{message}")]
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// A path that leads nowhere in this resource, or a test that failed.
    #[error("{message}")]
    NotApplicable {
        /// Which operation, and what it missed.
        message: String,
    },
    /// The result would have another `resourceType`, `id`, `meta.versionId` or `meta.lastUpdated`.
    #[error("a patch cannot change resourceType, id, meta.versionId or meta.lastUpdated")]
    Forbidden,
    /// More operations, a larger result or more work than a patch may ask for.
    #[error("the patch has too many operations or its result is too large")]
    TooCostly,
}

/// The number of an operation, from 1, for messages.
#[derive(Debug, Clone, Copy)]
struct Operation(usize);

impl Operation {
    fn malformed(self, what: &str) -> PatchError {
        PatchError::Malformed { message: format!("operation {}: {what}", self.0) }
    }

    fn not_applicable(self, what: &str) -> PatchError {
        PatchError::NotApplicable { message: format!("operation {}: {what}", self.0) }
    }
}

fn malformed(what: &str) -> PatchError {
    PatchError::Malformed { message: what.to_owned() }
}

/// The result of a patch, once nothing is left to do.
fn finish(before: &Node, mut after: Node) -> Result<Node, PatchError> {
    prune(&mut after);
    if server_owned(before) == server_owned(&after) { Ok(after) } else { Err(PatchError::Forbidden) }
}

/// The values that only the server sets. A member that stands twice counts twice.
fn server_owned(resource: &Node) -> [Vec<&Node>; 4] {
    let meta = members_named(resource, "meta");
    let in_meta = |name| meta.iter().flat_map(|meta| members_named(meta, name)).collect();
    [
        members_named(resource, "resourceType"),
        members_named(resource, "id"),
        in_meta("versionId"),
        in_meta("lastUpdated"),
    ]
}

fn members_named<'a>(node: &'a Node, name: &str) -> Vec<&'a Node> {
    let Node::Object(members) = node else { return Vec::new() };
    members.iter().filter(|(member, _)| member == name).map(|(_, value)| value).collect()
}

/// Takes empty arrays and objects out of `node`, and arrays of nothing but the places of others.
///
/// Clause: FHIR R4 json.html#null
fn prune(node: &mut Node) {
    match node {
        Node::Object(members) => members.retain_mut(|(name, value)| !prune_member(name, value)),
        Node::Array(items) => items.retain_mut(|item| {
            prune(item);
            !is_empty(item)
        }),
        _ => {}
    }
}

/// Prunes the value of a member, and says whether nothing is left of it.
fn prune_member(name: &str, value: &mut Node) -> bool {
    match value {
        Node::Array(items) if name.starts_with('_') => {
            for item in items.iter_mut() {
                prune(item);
                // Runs parallel to the values, so that what is emptied keeps its place.
                if is_empty(item) {
                    *item = Node::Null;
                }
            }
        }
        _ => prune(value),
    }
    match value {
        Node::Array(items) => items.iter().all(|item| *item == Node::Null),
        value => is_empty(value),
    }
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Object(members) => members.is_empty(),
        Node::Array(items) => items.is_empty(),
        _ => false,
    }
}
