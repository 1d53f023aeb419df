//! The extensions by which a resource says what its version has no element for, and that a value is
//! not known.
//!
//! `http://hl7.org/fhir/[major.minor]/StructureDefinition/extension-[element]` stands for an element of
//! another version. It holds a value of a simple type, or, for a structure, one nested extension for
//! each part. What is written this way by one version is read back by the others, so that a resource
//! that a client copied through an older version comes back whole.

use std::borrow::Cow;

use super::datatype;
use super::members::{Item, Members, member, member_text, replace};
use crate::{Node, Version};

/// How an element looks as an extension.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wire {
    /// A value of this type.
    Value(&'static str),
    /// Nested extensions: the parts of a structure and the type of each. None of them repeats.
    Parts(&'static [(&'static str, &'static str)]),
}

/// Whether values of a type have their extensions beside them and not inside.
fn is_primitive(value_type: &str) -> bool {
    value_type.starts_with(|c: char| c.is_ascii_lowercase())
}

pub(super) fn url(version: Version, path: &str) -> String {
    format!("http://hl7.org/fhir/{}/StructureDefinition/extension-{path}", version.mime_parameter())
}

/// The version and element that the extension stands for.
pub(super) fn stands_for(extension: &Node) -> Option<(Version, &str)> {
    let rest = member_text(extension, "url")?.strip_prefix("http://hl7.org/fhir/")?;
    let (number, path) = rest.split_once("/StructureDefinition/extension-")?;
    let version = Version::ALL.into_iter().find(|version| version.mime_parameter() == number)?;
    Some((version, path))
}

/// `item` as an extension. None for what no extension can say: an item without value, and one whose
/// meaning a modifier extension changes, since a reader of the extension would never see that.
pub(super) fn encode(url: impl Into<Cow<'static, str>>, wire: Wire, item: Item) -> Option<Node> {
    if item.value.as_ref().is_some_and(|value| member(value, "modifierExtension").is_some()) {
        return None;
    }
    let mut extension = Members::default();
    extension.put("url", Node::text(url));
    match wire {
        Wire::Value(value_type) => put_value(&mut extension, value_type, item)?,
        Wire::Parts(parts) => {
            let Some(Node::Object(members)) = item.value else { return None };
            let mut members = Members(members);
            let mut nested = Vec::new();
            for (name, value_type) in parts {
                let part = take_part(&mut members, name, value_type);
                nested.extend(part.and_then(|part| encode(*name, Wire::Value(value_type), part)));
            }
            nested.extend(members.take_items("extension"));
            extension.put_some("id", members.take("id"));
            extension.put("extension", Node::array(nested)?);
        }
    }
    Some(Node::Object(extension.0))
}

fn put_value(extension: &mut Members, value_type: &str, item: Item) -> Option<()> {
    let name = value_member(value_type);
    if is_primitive(value_type) {
        extension.put_primitive(name, item);
    } else {
        extension.put(name, item.value?);
    }
    Some(())
}

fn take_part(members: &mut Members, name: &str, value_type: &str) -> Option<Item> {
    if is_primitive(value_type) { members.take_primitive(name) } else { members.take(name).map(Item::of) }
}

pub(super) fn value_member(value_type: &str) -> String {
    let mut name = String::from("value");
    let mut letters = value_type.chars();
    name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    name.extend(letters);
    name
}

/// What [`encode`] made an extension of.
pub(super) fn decode(extension: &Node, wire: Wire) -> Option<Item> {
    match wire {
        Wire::Value(value_type) => {
            let name = value_member(value_type);
            let value = member(extension, &name).cloned();
            let beside = member(extension, &format!("_{name}")).cloned();
            (value.is_some() || beside.is_some()).then_some(Item { value, beside })
        }
        Wire::Parts(parts) => {
            let Some(Node::Array(nested)) = member(extension, "extension") else { return None };
            let mut whole = Members::default();
            whole.put_some("id", member(extension, "id").cloned());
            let mut unknown = Vec::new();
            for part in nested {
                let name = member_text(part, "url");
                let known = parts.iter().find(|(known, _)| Some(*known) == name);
                let known =
                    known.and_then(|(name, value_type)| Some((name, decode(part, Wire::Value(value_type))?)));
                match known {
                    Some((name, item)) => whole.put_primitive(*name, item),
                    None => unknown.push(part.clone()),
                }
            }
            whole.add_extensions("extension", unknown);
            Some(Item::of(Node::Object(whole.0)))
        }
    }
}

/// Takes the values of the extensions for `path` out of `members`.
pub(super) fn take(members: &mut Members, path: &str, value_type: &'static str) -> Option<Item> {
    let wire = Wire::Value(value_type);
    let stands = |extension: &Node| stands_for(extension).is_some_and(|(_, known)| known == path);
    let found =
        members.take_extensions(|extension| stands(extension).then(|| decode(extension, wire)).flatten());
    found.into_iter().next()
}

/// Adds the extension for `path` to `members`.
pub(super) fn put(members: &mut Members, version: Version, path: &str, value_type: &'static str, item: Item) {
    let extension = encode(url(version, path), Wire::Value(value_type), item);
    members.add_extensions("extension", extension.into_iter().collect());
}

const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// Stands where a version demands an element of which nothing is known: on a value that is an object in
/// its place, on a primitive one beside it.
pub(super) fn absent() -> Node {
    let reason =
        Node::object([("url", Some(Node::text(ABSENT))), ("valueCode", Some(Node::text("unknown")))]);
    Node::object([("extension", Some(Node::Array(vec![reason])))])
}

/// Whether `item` is nothing but what [`absent`] gives.
pub(super) fn is_absent(item: &Item) -> bool {
    let (Item { value: Some(only), beside: None } | Item { value: None, beside: Some(only) }) = item else {
        return false;
    };
    let Node::Object(members) = only else { return false };
    let [(name, Node::Array(extensions))] = members.as_slice() else { return false };
    let [reason] = extensions.as_slice() else { return false };
    let says = |name, value| member_text(reason, name) == Some(value);
    name == "extension" && says("url", ABSENT) && says("valueCode", "unknown")
}

/// Brings the values of all extensions below `node` from the form of `from` into the common one.
pub(super) fn widen_all(node: &mut Node, from: Version) {
    each_child(node, &mut |child| widen_all(child, from));
    each_value(node, |value_type, value| replace(value, |value| datatype::widen(value_type, value, from)));
}

/// Brings the values of all extensions below `node` from the common form into that of `to`.
pub(super) fn narrow_all(node: &mut Node, to: Version) {
    each_value(node, |value_type, value| replace(value, |value| datatype::narrow(value_type, value, to)));
    if to < Version::R4 {
        each_extension(node, name_uris);
    }
    each_child(node, &mut |child| narrow_all(child, to));
}

/// The kinds of uri that came with R4 were plain uris before.
fn name_uris(extension: &mut Vec<(Cow<'static, str>, Node)>) {
    for (name, _) in extension {
        match name.as_ref() {
            "valueUrl" | "valueCanonical" | "valueUuid" => *name = "valueUri".into(),
            "_valueUrl" | "_valueCanonical" | "_valueUuid" => *name = "_valueUri".into(),
            _ => {}
        }
    }
}

fn each_child(node: &mut Node, visit: &mut impl FnMut(&mut Node)) {
    match node {
        Node::Object(members) => members.iter_mut().for_each(|(_, value)| visit(value)),
        Node::Array(items) => items.iter_mut().for_each(visit),
        _ => {}
    }
}

fn each_extension(node: &mut Node, mut visit: impl FnMut(&mut Vec<(Cow<'static, str>, Node)>)) {
    let Node::Object(members) = node else { return };
    let lists = members.iter_mut().filter(|(name, _)| name == "extension" || name == "modifierExtension");
    for (_, list) in lists {
        let Node::Array(extensions) = list else { continue };
        for extension in extensions {
            if let Node::Object(members) = extension {
                visit(members);
            }
        }
    }
}

fn each_value(node: &mut Node, mut visit: impl FnMut(&str, &mut Node)) {
    each_extension(node, |extension| {
        for (name, value) in extension {
            if let Some(value_type) = name.strip_prefix("value") {
                let value_type = value_type.to_owned();
                visit(&value_type, value);
            }
        }
    });
}
