//! What resources are known by.

use crate::Node;

/// The key of a resource: `Type/id`.
pub(super) fn key_of(resource: &Node) -> Option<String> {
    Some(format!("{}/{}", resource.text_at("resourceType")?, resource.text_at("id")?))
}

/// What `reference`, which stands in the resource `owner`, leads to: a key, or an alias of one.
pub(super) fn target(reference: &str, owner: &str) -> String {
    if let Some(id) = reference.strip_prefix('#') {
        // One contained resource may name another.
        let owner = owner.split('#').next().unwrap_or_default();
        return if id.is_empty() { owner.to_owned() } else { format!("{owner}#{id}") };
    }
    if reference.starts_with("urn:") || reference.contains('?') {
        return reference.to_owned();
    }
    let current = reference.split("/_history/").next().unwrap_or_default();
    let mut parts = current.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(id), Some(kind)) if !id.is_empty() && kind.starts_with(|c: char| c.is_ascii_uppercase()) => {
            format!("{kind}/{id}")
        }
        _ => reference.to_owned(),
    }
}

/// The alias of what has this identifier.
pub(super) fn identified(kind: &str, system: &str, value: &str) -> String {
    format!("{kind}?identifier={system}|{value}")
}
