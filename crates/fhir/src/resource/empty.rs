//! Elements that say nothing. FHIR has none, systems in use have.
//!
//! Clause: FHIR R4 json.html

use crate::Node;

/// The resource without empty strings, objects and arrays, and how many there were: an import drops them, since
/// they say nothing; a client is told instead.
#[must_use]
pub fn without_empty(resource: Node) -> (Node, usize) {
    let mut dropped = 0;
    let kept = pruned(resource, &mut dropped);
    (kept.unwrap_or_else(|| Node::Object(Vec::new())), dropped)
}

fn pruned(node: Node, dropped: &mut usize) -> Option<Node> {
    let kept = match node {
        Node::String(text) if text.trim().is_empty() => None,
        Node::Object(members) => {
            let kept: Vec<_> = members
                .into_iter()
                .filter_map(|(name, value)| Some((name, pruned(value, dropped)?)))
                .collect();
            (!kept.is_empty()).then_some(Node::Object(kept))
        }
        // A null keeps the place of an item whose sibling array has the rest.
        Node::Array(items) if items.contains(&Node::Null) => Some(Node::Array(items)),
        Node::Array(items) => {
            let kept: Vec<_> = items.into_iter().filter_map(|item| pruned(item, dropped)).collect();
            (!kept.is_empty()).then_some(Node::Array(kept))
        }
        other => Some(other),
    };
    *dropped += usize::from(kept.is_none());
    kept
}
