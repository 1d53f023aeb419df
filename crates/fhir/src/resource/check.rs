//! Judges a resource by the tables: every element known, every value of its type, as often as allowed, every
//! code of a required binding one that exists, nothing without content.

use std::{borrow::Cow, fmt::Write as _};

use super::{DEPTH_MAX, PROBLEMS_MAX, ReadError, ReadErrorKind, narrative};
use crate::{
    Node, Version,
    definitions::{Definitions, Element, Type, TypeKind},
    primitive,
};

type Members = [(Cow<'static, str>, Node)];

/// The problems of `resource`, in its order.
pub(super) fn problems(resource: &Node, version: Version) -> Vec<ReadError> {
    let definitions = version.definitions();
    let mut judge = Judge { definitions, version, problems: Vec::new(), path: String::new(), depth: 0 };
    judge.resource(resource);
    judge.problems
}

struct Judge {
    definitions: &'static Definitions,
    version: Version,
    problems: Vec<ReadError>,
    /// Where we are, as in `Patient.name[0]`.
    path: String,
    depth: usize,
}

impl Judge {
    fn resource(&mut self, node: &Node) {
        let Node::Object(members) = node else { return self.structure("a resource is an object") };
        let Some(name) = node.text_at("resourceType") else {
            return self.problem(ReadErrorKind::Required, "resourceType says what a resource is");
        };
        let Some(of) = self.definitions.resource(name) else {
            return self.structure("this version has no resource of this type");
        };
        let is_root = self.path.is_empty();
        if is_root {
            self.path.push_str(of.name);
        }
        self.object(members, of);
        if !self.is_contained() {
            self.contained(node);
        }
    }

    fn is_contained(&self) -> bool {
        self.path.rsplit('.').next().is_some_and(|step| step.starts_with("contained["))
    }

    /// Every `#id` names a contained resource, and none contains another.
    ///
    /// Clause: FHIR R4 references.html#contained
    fn contained(&mut self, root: &Node) {
        let Node::Object(members) = root else { return };
        let contained = root.items_at("contained");
        let ids: Vec<&str> = contained.iter().filter_map(|resource| resource.text_at("id")).collect();
        for (at, resource) in contained.iter().enumerate() {
            if resource.member("contained").is_some() {
                self.within(&format!("contained[{at}]"), |judge| {
                    judge.structure("a contained resource contains no other")
                });
            }
        }
        let mut dangling = false;
        let mut see = |link: &str| {
            dangling |= link.strip_prefix('#').is_some_and(|id| !id.is_empty() && !ids.contains(&id));
        };
        members.iter().for_each(|(name, value)| links(value, name == "contained", &mut see));
        if dangling {
            self.problem(ReadErrorKind::Value, "a reference to a contained resource leads nowhere");
        }
    }

    fn object(&mut self, members: &Members, of: &Type) {
        if self.depth >= DEPTH_MAX {
            return self.problem(ReadErrorKind::TooCostly, "too deep");
        }
        self.depth += 1;
        let mut chosen: Vec<(&str, &str)> = Vec::new();
        for (name, value) in members {
            if name == "resourceType" && matches!(of.kind, TypeKind::Resource) {
                continue;
            }
            let (base, is_companion) =
                name.strip_prefix('_').map_or((name.as_ref(), false), |base| (base, true));
            let Some(property) = of.property(base) else {
                self.within(name, |judge| judge.structure("the element is unknown here"));
                continue;
            };
            let holds = self.definitions.type_at(property.type_index);
            if is_companion && holds.kind != TypeKind::Primitive {
                self.within(name, |judge| judge.structure("the element is unknown here"));
                continue;
            }
            if property.element.choice {
                match chosen.iter().find(|(element, _)| *element == property.element.name) {
                    Some((_, form)) if *form != base => {
                        self.within(name, |judge| judge.structure("there is one value, of one type"));
                    }
                    Some(_) => {}
                    None => chosen.push((property.element.name, base)),
                }
            }
            self.within(name, |judge| {
                judge.member(value, property.element, holds, is_companion);
                let sibling = if is_companion { base.to_owned() } else { format!("_{name}") };
                judge.gaps(value, members.iter().find(|(name, _)| *name == sibling).map(|(_, value)| value));
            });
        }
        self.missing(members, of);
        let is_bare = !members.iter().any(|(name, _)| name != "id");
        if is_bare && !matches!(of.kind, TypeKind::Resource | TypeKind::Primitive) {
            self.structure("the element has neither value nor children");
        }
        if of.name == "Extension" {
            self.extension(members);
        }
        self.depth -= 1;
    }

    fn missing(&mut self, members: &Members, of: &Type) {
        for element in of.elements.iter().filter(|element| element.min > 0) {
            let is_form = |name: &str| match element.choice {
                false => name == element.name,
                true => {
                    name.starts_with(element.name)
                        && of.property(name).is_some_and(|found| found.element.name == element.name)
                }
            };
            let there = members.iter().any(|(name, _)| is_form(name.strip_prefix('_').unwrap_or(name)));
            if !there {
                let mark = if element.choice { "[x]" } else { "" };
                self.within(&format!("{}{mark}", element.name), |judge| {
                    judge.problem(ReadErrorKind::Required, "the element is required");
                });
            }
        }
    }

    fn member(&mut self, value: &Node, element: &Element, holds: &Type, is_companion: bool) {
        match (value, element.repeats) {
            (Node::Array(items), true) => {
                if items.is_empty() {
                    self.structure("an array is empty");
                }
                for (at, item) in items.iter().enumerate() {
                    let length = self.path.len();
                    let _ = write!(self.path, "[{at}]");
                    if !(*item == Node::Null && holds.kind == TypeKind::Primitive) {
                        self.item(item, element, holds, is_companion);
                    }
                    self.path.truncate(length);
                }
                if !items.is_empty() && items.iter().all(|item| *item == Node::Null) {
                    self.structure("an array has no value");
                }
            }
            (_, true) => self.structure("a repeated element is an array"),
            (_, false) => self.item(value, element, holds, is_companion),
        }
    }

    /// A null is the place of an item that the sibling array has something of.
    ///
    /// Clause: FHIR R4 json.html#primitive
    fn gaps(&mut self, value: &Node, sibling: Option<&Node>) {
        let Node::Array(items) = value else { return };
        let others = match sibling {
            Some(Node::Array(others)) => others.as_slice(),
            _ => &[],
        };
        let is_gap = |(at, item): (usize, &Node)| {
            *item == Node::Null && others.get(at).is_none_or(|o| *o == Node::Null)
        };
        if items.iter().enumerate().any(is_gap) {
            self.structure("an item has neither value nor extension");
        }
    }

    fn item(&mut self, item: &Node, element: &Element, holds: &Type, is_companion: bool) {
        match (item, holds.kind) {
            (Node::Object(_), TypeKind::Abstract) => self.resource(item),
            (Node::Object(members), TypeKind::Primitive) if is_companion => self.object(members, holds),
            (Node::Object(members), TypeKind::Complex | TypeKind::Backbone | TypeKind::Resource) => {
                self.object(members, holds);
            }
            (Node::Object(_) | Node::Array(_) | Node::Null, _) => {
                self.structure("the element has another form")
            }
            (_, TypeKind::Primitive) if !is_companion => self.value(item, element, holds),
            _ => self.structure("the element has another form"),
        }
    }

    fn value(&mut self, value: &Node, element: &Element, holds: &Type) {
        if !primitive::fits(holds.name, value) {
            return self.problem(ReadErrorKind::Value, "the value is not one of its type");
        }
        let Node::String(text) = value else { return };
        if let Some(codes) = element.codes
            && holds.name == "code"
            && !self.definitions.codes(codes).contains(text)
        {
            self.problem(
                ReadErrorKind::CodeInvalid,
                "the code is not one of those that the element can have",
            );
        }
        if holds.name == "xhtml"
            && let Err(reason) = narrative::check(text)
        {
            self.problem(ReadErrorKind::Structure, reason);
        }
    }

    /// Clause: FHIR R4 extensibility.html#Extension
    fn extension(&mut self, members: &Members) {
        let has_value = members.iter().any(|(name, _)| name.trim_start_matches('_').starts_with("value"));
        let has_extensions = members.iter().any(|(name, _)| name == "extension");
        if has_value == has_extensions {
            self.structure("an extension has either a value or extensions");
        }
    }

    fn within(&mut self, step: &str, judge: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        let plain =
            step.len() <= 64 && step.bytes().all(|b| b.is_ascii_alphanumeric() || b"_[]".contains(&b));
        if plain {
            let _ = write!(self.path, ".{step}");
        }
        judge(self);
        self.path.truncate(length);
    }

    fn structure(&mut self, message: &str) {
        self.problem(ReadErrorKind::Structure, message);
    }

    fn problem(&mut self, kind: ReadErrorKind, message: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            let path = if self.path.is_empty() { self.version.name() } else { &self.path };
            self.problems.push(ReadError::new(kind, path, message));
        }
    }
}

/// Calls `see` with every `reference` of the tree; resources inside, as a Bundle has them, speak for themselves,
/// unless they are contained.
fn links(node: &Node, contained: bool, see: &mut impl FnMut(&str)) {
    match node {
        Node::Object(_) if !contained && node.text_at("resourceType").is_some() => {}
        Node::Object(members) => {
            for (name, value) in members {
                match value {
                    Node::String(text) if name == "reference" => see(text),
                    _ => links(value, false, see),
                }
            }
        }
        Node::Array(items) => items.iter().for_each(|item| links(item, contained, see)),
        _ => {}
    }
}
