//! Follows the path of a search parameter through a resource.

use crate::{
    Node,
    definitions::{Definitions, Path, Step, StepFilter, TypeKind},
};

use super::value::Found;

/// Most values of one parameter.
const VALUES_MAX: usize = 2_000;

/// The values at the ends of the paths, which start at `node` of the type `of`.
pub(super) fn values<'n>(
    node: &'n Node,
    of: &'n str,
    paths: &[Path],
    definitions: &'n Definitions,
) -> Vec<Found<'n>> {
    let mut found = Vec::new();
    for path in paths {
        let mut here = vec![Found { node, of }];
        for step in &path.steps {
            here = here.into_iter().flat_map(|at| follow(&at, step, definitions)).take(VALUES_MAX).collect();
        }
        found.extend(here);
    }
    found
}

/// What stands one step further. A step names an element; of a choice, any form of it.
fn follow<'n>(at: &Found<'n>, step: &Step, definitions: &'n Definitions) -> Vec<Found<'n>> {
    let Found { node: Node::Object(members), of } = at else { return Vec::new() };
    let Some(of) = definitions.type_named(of) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, value) in members {
        if !name.starts_with(step.name) {
            continue;
        }
        let Some(property) = of.property(name) else { continue };
        if property.element.name != step.name {
            continue;
        }
        let holds = definitions.type_at(property.type_index);
        if step.cast.is_some_and(|cast| cast != holds.name) {
            continue;
        }
        let items = match value {
            Node::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        for node in items.iter().filter(|item| **item != Node::Null) {
            // A resource inside another says itself what it is.
            let of = match holds.kind {
                TypeKind::Abstract => node.text_at("resourceType").unwrap_or(holds.name),
                _ => holds.name,
            };
            if step.filter.as_ref().is_none_or(|filter| fits(node, filter)) {
                found.push(Found { node, of });
            }
        }
    }
    found
}

fn fits(node: &Node, filter: &StepFilter) -> bool {
    match filter {
        StepFilter::Equals { element, value } => match node.member(element) {
            Some(Node::Bool(found)) => (*value == "true") == *found,
            Some(Node::String(found)) => found == value,
            _ => false,
        },
        StepFilter::Target(target) => match node.text_at("reference") {
            Some(link) => {
                let mut parts = link.rsplit('/');
                // `[base]/Patient/1`, or with `/_history/2` behind.
                let last = parts.next();
                let before = parts.next();
                let kind = if before == Some("_history") { parts.nth(1) } else { before };
                last.is_some() && kind == Some(target)
            }
            // Whom an identifier alone names may be of that type, unless the reference says otherwise.
            None => node.text_at("type").is_none_or(|of| of == *target),
        },
    }
}
