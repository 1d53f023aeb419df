//! The links of a resource: finds its References, and puts other targets in the place of those that a
//! caller knows better, as the entries of a transaction get their ids.

mod markdown;
mod narrative;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use crate::{Node, Version, typed};

/// Where a link stands in a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spot {
    /// `Reference.reference`.
    Reference,
    /// An element of type uri, url, oid or uuid, and in R5 a link in an element of type markdown. A
    /// canonical names what is the same everywhere and is no link.
    Uri,
    /// `href` or `src` in the XHTML of a narrative.
    Narrative,
}

/// Calls `change` for every link of `resource`, in order, and puts what it returns in its place.
///
/// Links of contained resources and in the values of extensions are among them, and so are all that
/// only look like links, as `Coding.system` does: the caller changes those that it knows. What the
/// tables of `version` do not know is left alone.
///
/// Clause: FHIR R4 http.html#trules
pub fn rewrite(resource: &mut Node, version: Version, change: &mut dyn FnMut(Spot, &str) -> Option<String>) {
    typed::each_mut(resource, version, &mut |of, node| match node {
        Node::Object(members) if of.name == "Reference" => {
            for (name, value) in members.iter_mut() {
                if let Node::String(text) = value
                    && name == "reference"
                {
                    replace(text, change(Spot::Reference, text));
                }
            }
        }
        Node::String(text) => match of.name {
            "uri" | "url" | "oid" | "uuid" => replace(text, change(Spot::Uri, text)),
            "xhtml" => replace(text, narrative::rewritten(text, &mut |link| change(Spot::Narrative, link))),
            "markdown" if version >= Version::R5 => {
                replace(text, markdown::rewritten(text, &mut |link| change(Spot::Uri, link)));
            }
            _ => {}
        },
        _ => {}
    });
}

/// Every `Reference.reference` of `resource` in order, with the path of the Reference
/// (`DocumentReference.author[0]`). Contained resources are looked into like elements.
///
/// No version is asked for: in all of them a Reference shows by its members.
#[must_use]
pub fn references(resource: &Node) -> Vec<(String, String)> {
    let mut path = match resource {
        Node::Object(members) => members.iter().find_map(|(name, value)| match value {
            Node::String(of) if name == "resourceType" => Some(of.to_string()),
            _ => None,
        }),
        _ => None,
    };
    let mut found = Vec::new();
    collect(resource, path.get_or_insert_default(), &mut found);
    found
}

fn collect(node: &Node, path: &mut String, found: &mut Vec<(String, String)>) {
    let length = path.len();
    match node {
        Node::Object(members) => {
            if let Some(target) = target(members)
                && path.rsplit('.').next().is_some_and(may_refer)
            {
                found.push((path.clone(), target.to_owned()));
            }
            for (member, value) in members {
                path.push('.');
                path.push_str(typed::element_name(member).0);
                collect(value, path, found);
                path.truncate(length);
            }
        }
        Node::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let _ = write!(path, "[{at}]");
                collect(item, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// What an object refers to, if it is a Reference. Most other types that have a uri called `reference`
/// are resources or have more elements that must be there.
fn target<'a>(members: &'a [(Cow<'static, str>, Node)]) -> Option<&'a str> {
    let known = ["id", "extension", "reference", "type", "identifier", "display"];
    if !members.iter().all(|(member, _)| known.contains(&typed::element_name(member).0)) {
        return None;
    }
    members.iter().find_map(|(member, value)| match value {
        Node::String(target) if member == "reference" => Some(target.as_ref()),
        _ => None,
    })
}

/// Whether an element of this name, perhaps with an index, can be a Reference. Of these others the
/// `reference` is a uri that may stand alone.
fn may_refer(element: &str) -> bool {
    let name = element.split('[').next().unwrap_or_default();
    let others = ["applicability", "criteria", "education", "expression", "storageGuideline"];
    !others.contains(&name) && !name.ends_with("Expression")
}

fn replace(text: &mut Cow<'static, str>, with: Option<String>) {
    if let Some(with) = with {
        *text = Cow::Owned(with);
    }
}

/// `text` with other stretches in the place of `links`, which are in order; `None` if `change` changes
/// nothing.
fn spliced(
    text: &str,
    links: impl IntoIterator<Item = Range<usize>>,
    change: &mut dyn FnMut(&str) -> Option<String>,
) -> Option<String> {
    let mut changed = String::new();
    let mut copied = 0;
    for link in links {
        if let Some(with) = change(&text[link.clone()]) {
            changed.push_str(&text[copied..link.start]);
            changed.push_str(&with);
            copied = link.end;
        }
    }
    if copied == 0 {
        return None;
    }
    changed.push_str(&text[copied..]);
    Some(changed)
}
