//! Changes elements in the tree of a resource. An element of a primitive type is two values there, its
//! own and the one beside it that has its id and extensions; here they stay together.
//!
//! Clause: FHIR R4 json.html#primitive

use std::borrow::Cow;

use crate::Node;

use super::find::Hop;

type Members = Vec<(Cow<'static, str>, Node)>;

/// One element, or one item of a repeated element; what is not there is `Null`.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub value: Node,
    pub beside: Node,
}

impl Item {
    /// An element without anything beside its value.
    pub fn of(value: Node) -> Self {
        Self { value, beside: Node::Null }
    }

    fn is_empty(&self) -> bool {
        self.value == Node::Null && self.beside == Node::Null
    }
}

/// The members of the object inside the element that `hops` lead to. Between the value of a primitive
/// and its extensions that object may have to be made first.
pub fn object_at<'a>(root: &'a mut Node, hops: &[Hop]) -> Option<&'a mut Members> {
    let mut node = root;
    for hop in hops {
        let Node::Object(members) = node else { return None };
        node = if hop.is_primitive { beside_at(members, hop)? } else { value_at(members, hop)? };
    }
    match node {
        Node::Object(members) => Some(members),
        _ => None,
    }
}

fn value_at<'a>(members: &'a mut Members, hop: &Hop) -> Option<&'a mut Node> {
    let value = members.iter_mut().find(|(name, _)| *name == hop.property).map(|(_, value)| value)?;
    match (value, hop.index) {
        (Node::Array(items), Some(index)) => items.get_mut(index),
        (single, _) => Some(single),
    }
}

fn beside_at<'a>(members: &'a mut Members, hop: &Hop) -> Option<&'a mut Node> {
    let name = format!("_{}", hop.property);
    let at = members.iter().position(|(member, _)| *member == name).unwrap_or_else(|| {
        let empty = if hop.index.is_some() { Node::Array(Vec::new()) } else { Node::Null };
        members.push((name.into(), empty));
        members.len() - 1
    });
    let beside = match (&mut members[at].1, hop.index) {
        (Node::Array(items), Some(index)) => {
            if items.len() <= index {
                items.resize(index + 1, Node::Null);
            }
            &mut items[index]
        }
        (single, _) => single,
    };
    if *beside == Node::Null {
        *beside = Node::Object(Vec::new());
    }
    Some(beside)
}

/// An element taken out of its object, all its items together.
#[derive(Debug)]
pub struct Taken {
    pub items: Vec<Item>,
    /// Where it stood, or where it will stand.
    place: usize,
    /// Whether it was an array.
    is_array: bool,
}

/// Takes the element called `property` in JSON out of `members`.
pub fn take(members: &mut Members, property: &str) -> Taken {
    let (value_place, value) = take_member(members, |name| name == property);
    let (beside_place, beside) = take_member(members, |name| name.strip_prefix('_') == Some(property));
    let is_array = [&value, &beside].iter().any(|node| matches!(node, Some(Node::Array(_))));
    let (mut values, mut besides) = (items_of(value), items_of(beside));
    let count = values.len().max(besides.len());
    values.resize(count, Node::Null);
    besides.resize(count, Node::Null);
    let items = values.into_iter().zip(besides).map(|(value, beside)| Item { value, beside }).collect();
    Taken { items, place: value_place.min(beside_place), is_array }
}

/// Puts an element where it was taken from, under a name of its own if its type changed. Of an element
/// without items nothing is left.
pub fn put(members: &mut Members, property: &str, taken: Taken, repeats: bool) {
    let (values, besides): (Vec<_>, Vec<_>) =
        taken.items.into_iter().filter(|item| !item.is_empty()).map(|item| (item.value, item.beside)).unzip();
    let parts = [(format!("_{property}"), besides), (property.to_owned(), values)];
    for (name, mut nodes) in parts {
        if nodes.iter().any(|node| *node != Node::Null) {
            let node = if repeats || taken.is_array { Node::Array(nodes) } else { nodes.swap_remove(0) };
            members.insert(taken.place, (name.into(), node));
        }
    }
}

fn take_member(members: &mut Members, is_it: impl Fn(&str) -> bool) -> (usize, Option<Node>) {
    match members.iter().position(|(name, _)| is_it(name)) {
        Some(at) => (at, Some(members.remove(at).1)),
        None => (members.len(), None),
    }
}

fn items_of(node: Option<Node>) -> Vec<Node> {
    match node {
        None => Vec::new(),
        Some(Node::Array(items)) => items,
        Some(single) => vec![single],
    }
}
