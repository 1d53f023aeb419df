//! Objects while they are taken apart and put together.

use std::borrow::Cow;
use std::mem;

use crate::Node;

/// One occurrence of an element: its value, and what JSON keeps beside a primitive one (`_name`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub value: Option<Node>,
    pub beside: Option<Node>,
}

impl Item {
    pub fn of(value: Node) -> Self {
        Self { value: Some(value), beside: None }
    }

    pub fn code(&self) -> Option<&str> {
        self.value.as_ref().and_then(text)
    }
}

/// What stands before extensions.
const HEADS: [&str; 7] = ["resourceType", "id", "meta", "language", "text", "contained", "url"];

/// The members of an object, in order.
#[derive(Debug, Default)]
pub(super) struct Members(pub Vec<(Cow<'static, str>, Node)>);

impl Members {
    /// Changes the members of `node`, if it is an object; anything else stays as it is.
    pub fn edit(node: Node, change: impl FnOnce(&mut Self)) -> Node {
        match node {
            Node::Object(members) => {
                let mut members = Self(members);
                change(&mut members);
                Node::Object(members.0)
            }
            other => other,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find_map(|(member, value)| (member == name).then_some(value))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(text)
    }

    pub fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.remove(at).1)
    }

    /// All items of a repeated element; an element that should repeat and does not is one item.
    pub fn take_items(&mut self, name: &str) -> Vec<Node> {
        let items = match self.take(name) {
            Some(Node::Array(items)) => items,
            Some(item) => vec![item],
            None => Vec::new(),
        };
        items.into_iter().filter(|item| *item != Node::Null).collect()
    }

    /// A primitive element that does not repeat.
    pub fn take_primitive(&mut self, name: &str) -> Option<Item> {
        let value = self.take(name).filter(|value| *value != Node::Null);
        let beside = self.take(&format!("_{name}")).filter(|beside| *beside != Node::Null);
        (value.is_some() || beside.is_some()).then_some(Item { value, beside })
    }

    /// Sets a member: where it stands, or else at the end.
    pub fn put(&mut self, name: impl Into<Cow<'static, str>>, value: Node) {
        let name = name.into();
        match self.0.iter_mut().find(|(member, _)| *member == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    pub fn put_some(&mut self, name: impl Into<Cow<'static, str>>, value: Option<Node>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Sets a repeated element, which has no empty form.
    pub fn put_items(&mut self, name: impl Into<Cow<'static, str>>, items: Vec<Node>) {
        self.put_some(name, Node::array(items));
    }

    pub fn put_primitive(&mut self, name: impl Into<Cow<'static, str>>, item: Item) {
        let name = name.into();
        let beside = format!("_{name}");
        self.put_some(name, item.value);
        self.put_some(beside, item.beside);
    }

    /// Changes a primitive element in its place.
    pub fn change_primitive(
        &mut self,
        name: &'static str,
        change: impl FnOnce(Option<Item>) -> Option<Item>,
    ) {
        let at = self.0.iter().position(|(member, _)| member.trim_start_matches('_') == name);
        let changed = change(self.take_primitive(name));
        let rest = at.map(|at| self.0.split_off(at.min(self.0.len()))).unwrap_or_default();
        if let Some(item) = changed {
            self.put_primitive(name, item);
        }
        self.0.extend(rest);
    }

    /// Adds `extensions` behind those that are there.
    pub fn add_extensions(&mut self, name: &'static str, extensions: Vec<Node>) {
        if extensions.is_empty() {
            return;
        }
        match self.0.iter_mut().find(|(member, _)| member == name) {
            Some((_, Node::Array(present))) => present.extend(extensions),
            Some((_, other)) => *other = Node::Array(extensions),
            None => {
                let at = self.0.iter().take_while(|(member, _)| HEADS.contains(&member.as_ref())).count();
                self.0.insert(at, (name.into(), Node::Array(extensions)));
            }
        }
    }

    /// Takes out the extensions that `chosen` gives something for.
    pub fn take_extensions<T>(&mut self, mut chosen: impl FnMut(&Node) -> Option<T>) -> Vec<T> {
        let mut taken = Vec::new();
        let Some(Node::Array(present)) = self.take("extension") else { return taken };
        let rest: Vec<Node> = present
            .into_iter()
            .filter(|extension| match chosen(extension) {
                Some(found) => {
                    taken.push(found);
                    false
                }
                None => true,
            })
            .collect();
        self.add_extensions("extension", rest);
        taken
    }
}

pub(super) fn text(node: &Node) -> Option<&str> {
    match node {
        Node::String(text) => Some(text),
        _ => None,
    }
}

/// The member `name` of `node`, if that is an object that has one.
pub(super) fn member<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    match node {
        Node::Object(members) => members.iter().find_map(|(member, value)| (member == name).then_some(value)),
        _ => None,
    }
}

pub(super) fn member_text<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    member(node, name).and_then(text)
}

/// Replaces what `place` holds by what `change` makes of it.
pub(super) fn replace(place: &mut Node, change: impl FnOnce(Node) -> Node) {
    *place = change(mem::replace(place, Node::Null));
}
