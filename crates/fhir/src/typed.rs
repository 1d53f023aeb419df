//! Visits the elements of a resource together with their types, which the tables know and the tree
//! does not. What the tables do not know is passed over.

use std::fmt::Write as _;

use crate::definitions::{Definitions, Type, TypeKind};
use crate::{Node, Version};

/// Calls `visit` for every element in order, parents first; contained resources and what stands beside
/// primitive values included. What `visit` leaves is what is looked into next.
pub(crate) fn each_mut(
    resource: &mut Node,
    version: Version,
    visit: &mut dyn FnMut(&'static Type, &mut Node),
) {
    resource_mut(resource, version.definitions(), visit);
}

/// Calls `visit` with the path of every element, as in `Patient.name[0].given[1]`, in the same order.
pub(crate) fn each<'a>(
    resource: &'a Node,
    version: Version,
    visit: &mut dyn FnMut(&'static Type, &str, &'a Node),
) {
    let definitions = version.definitions();
    if let Some(of) = type_of(resource, definitions) {
        Walk { definitions, path: of.name.to_owned(), visit }.members(resource, of);
    }
}

/// The type of a resource.
pub(crate) fn type_of(resource: &Node, definitions: &'static Definitions) -> Option<&'static Type> {
    let Node::Object(members) = resource else { return None };
    match members.iter().find(|(name, _)| name == "resourceType")? {
        (_, Node::String(name)) => definitions.resource(name),
        _ => None,
    }
}

/// The name of an element, and whether a member so called is what stands beside a primitive value.
///
/// Clause: FHIR R4 json.html#primitive
pub(crate) fn element_name(member: &str) -> (&str, bool) {
    member.strip_prefix('_').map_or((member, false), |name| (name, true))
}

fn resource_mut(
    node: &mut Node,
    definitions: &'static Definitions,
    visit: &mut dyn FnMut(&'static Type, &mut Node),
) {
    if let Some(of) = type_of(node, definitions) {
        members_mut(node, of, definitions, visit);
    }
}

fn members_mut(
    node: &mut Node,
    of: &'static Type,
    definitions: &'static Definitions,
    visit: &mut dyn FnMut(&'static Type, &mut Node),
) {
    let Node::Object(members) = node else { return };
    for (member, value) in members {
        let (name, is_beside) = element_name(member);
        let Some(property) = of.property(name) else { continue };
        let holds = definitions.type_at(property.type_index);
        let items = match value {
            Node::Array(items) => items.as_mut_slice(),
            item => std::slice::from_mut(item),
        };
        for item in items {
            if !is_beside {
                visit(holds, item);
            }
            match holds.kind {
                TypeKind::Abstract => resource_mut(item, definitions, visit),
                _ => members_mut(item, holds, definitions, visit),
            }
        }
    }
}

struct Walk<'v, 'a> {
    definitions: &'static Definitions,
    path: String,
    visit: &'v mut dyn FnMut(&'static Type, &str, &'a Node),
}

impl<'a> Walk<'_, 'a> {
    fn members(&mut self, node: &'a Node, of: &'static Type) {
        let Node::Object(members) = node else { return };
        for (member, value) in members {
            let (name, is_beside) = element_name(member);
            let Some(property) = of.property(name) else { continue };
            let holds = self.definitions.type_at(property.type_index);
            let length = self.path.len();
            self.path.push('.');
            self.path.push_str(name);
            match value {
                Node::Array(items) => {
                    let length = self.path.len();
                    for (at, item) in items.iter().enumerate() {
                        let _ = write!(self.path, "[{at}]");
                        self.item(item, holds, is_beside);
                        self.path.truncate(length);
                    }
                }
                item => self.item(item, holds, is_beside),
            }
            self.path.truncate(length);
        }
    }

    fn item(&mut self, item: &'a Node, holds: &'static Type, is_beside: bool) {
        if !is_beside {
            (self.visit)(holds, &self.path, item);
        }
        let of = match holds.kind {
            TypeKind::Abstract => type_of(item, self.definitions),
            _ => Some(holds),
        };
        if let Some(of) = of {
            self.members(item, of);
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use proptest::prelude::*;

    use crate::node::testing::text_of;
    use crate::{Node, json};

    /// The tree of a JSON text in which single quotes stand for double ones.
    pub(crate) fn tree(text: &str) -> Node {
        let text = text.replace('\'', "\"");
        json::read(&text).unwrap_or_else(|| panic!("not JSON: {text}"))
    }

    /// The JSON text of a tree, written like the text that [`tree`] reads.
    pub(crate) fn text(node: &Node) -> String {
        text_of(&json::write(node, false)).replace('"', "'")
    }

    /// Any tree, with names and texts that mean something now and then.
    pub(crate) fn any_tree() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            any_text().prop_map(|text| Node::String(text.into())),
            any::<bool>().prop_map(Node::Bool),
            "-?[0-9]{1,3}(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,20})?".prop_map(Node::Number),
            (0_usize..3).prop_map(Node::Base64),
            Just(Node::Null),
        ];
        leaf.prop_recursive(6, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec((any_text(), inner.clone()), 0..6).prop_map(|members| {
                    Node::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
                }),
                prop::collection::vec(inner, 0..6).prop_map(Node::Array),
            ]
        })
    }

    pub(crate) fn any_text() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "resourceType",
            "Patient",
            "Parameters",
            "parameter",
            "operation",
            "part",
            "name",
            "type",
            "path",
            "value",
            "valueString",
            "valueCode",
            "index",
            "source",
            "destination",
            "add",
            "insert",
            "delete",
            "replace",
            "move",
            "copy",
            "test",
            "remove",
            "op",
            "from",
            "id",
            "meta",
            "versionId",
            "extension",
            "url",
            "/name/0",
            "/name/-",
            "/meta",
            "Patient.name[0]",
            "Patient.name.where(use = 'x')",
            "",
        ]);
        prop_oneof![words.prop_map(str::to_owned), "[a-z/~0-9.()\\[\\]'=%é-]{0,12}"]
    }
}
