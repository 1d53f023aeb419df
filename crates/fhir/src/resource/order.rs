//! The order that XML has and JSON has not.

use std::borrow::Cow;

use crate::{
    Node, Version,
    definitions::{Definitions, Type, TypeKind},
};

type Members = Vec<(Cow<'static, str>, Node)>;

/// The resource with the members of every object in the order of the tables; unknown ones come last.
///
/// Clause: FHIR R4 xml.html
#[must_use]
pub fn in_order(resource: Node, version: Version) -> Node {
    let definitions = version.definitions();
    ordered_resource(resource, definitions)
}

fn ordered_resource(node: Node, definitions: &Definitions) -> Node {
    let of = node.text_at("resourceType").and_then(|name| definitions.resource(name));
    match (node, of) {
        (Node::Object(members), Some(of)) => Node::Object(ordered(members, of, definitions)),
        (node, _) => node,
    }
}

fn ordered(members: Members, of: &Type, definitions: &Definitions) -> Members {
    let mut placed: Vec<(usize, bool, (Cow<'static, str>, Node))> = Vec::with_capacity(members.len());
    for (name, value) in members {
        // An element may be called so too, as in ExampleScenario.instance.
        if name == "resourceType" && of.property(&name).is_none() {
            placed.push((0, false, (name, value)));
            continue;
        }
        let is_companion = name.starts_with('_');
        match of.property(name.strip_prefix('_').unwrap_or(&name)) {
            Some(property) => {
                let holds = definitions.type_at(property.type_index);
                placed.push((property.place + 1, is_companion, (name, each(value, holds, definitions))));
            }
            None => placed.push((usize::MAX, is_companion, (name, value))),
        }
    }
    placed.sort_by_key(|(place, is_companion, _)| (*place, *is_companion));
    placed.into_iter().map(|(_, _, member)| member).collect()
}

fn each(value: Node, holds: &Type, definitions: &Definitions) -> Node {
    match value {
        Node::Array(items) => {
            Node::Array(items.into_iter().map(|item| each(item, holds, definitions)).collect())
        }
        Node::Object(_) if holds.kind == TypeKind::Abstract => ordered_resource(value, definitions),
        Node::Object(members) => Node::Object(ordered(members, holds, definitions)),
        value => value,
    }
}
