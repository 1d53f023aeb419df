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
    // Its last two parts, without what stands before them.
    let Some((before, id)) = current.rsplit_once('/') else { return reference.to_owned() };
    let kind_at = before.rfind('/').map_or(0, |at| at + 1);
    if id.is_empty() || !before[kind_at..].starts_with(|c: char| c.is_ascii_uppercase()) {
        return reference.to_owned();
    }
    current[kind_at..].to_owned()
}

/// The alias of what has this identifier.
pub(super) fn identified(kind: &str, system: &str, value: &str) -> String {
    format!("{kind}?identifier={system}|{value}")
}
