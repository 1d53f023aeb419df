//! Contained resources can be of any type, so most of them have no projection. R4 and R4B agree about
//! those that a document or a patient comes with; towards every other version they are left out.
//!
//! A reference to a resource that was left out would lead nowhere: it loses its target and keeps its
//! display. One that had none gets the name of the resource, so that an author does not vanish with it.

use std::borrow::Cow;
use std::mem;

use super::members::{Members, member, member_text, text};
use crate::{Node, Version};

/// Whether contained resources mean the same in both versions.
pub(super) fn is_kept(from: Version, to: Version) -> bool {
    let agree = [Version::R4, Version::R4b];
    agree.contains(&from) && agree.contains(&to)
}

/// Takes the contained resources out of `resource`.
pub(super) fn leave_out(resource: &mut Members) {
    let contained = resource.take_items("contained");
    resource.0.retain_mut(|(_, value)| detach(value, &contained));
}

/// Whether anything is left of `node`.
fn detach(node: &mut Node, contained: &[Node]) -> bool {
    match node {
        Node::Array(items) => {
            let before = items.len();
            items.retain_mut(|item| detach(item, contained));
            items.len() == before || !items.is_empty()
        }
        Node::Object(members) => {
            let before = members.len();
            members.retain_mut(|(_, value)| detach(value, contained));
            let lost = release(members, contained) || members.len() < before;
            // The url alone is no extension.
            !lost || members.iter().any(|(name, _)| name != "url" && name != "id")
        }
        _ => true,
    }
}

/// Takes the target from a reference to a contained resource.
fn release(reference: &mut Vec<(Cow<'static, str>, Node)>, contained: &[Node]) -> bool {
    let mut members = Members(mem::take(reference));
    let id = members.text("reference").and_then(|target| target.strip_prefix('#')).map(str::to_owned);
    if let Some(id) = &id {
        members.take("reference");
        if members.get("display").is_none() {
            let target = contained.iter().find(|resource| member_text(resource, "id") == Some(id));
            members.put_some("display", target.and_then(name_of).map(Node::text));
        }
    }
    *reference = members.0;
    id.is_some()
}

/// The name of a person or an organization.
fn name_of(resource: &Node) -> Option<String> {
    let name = match member(resource, "name")? {
        Node::Array(names) => names.first()?,
        name => name,
    };
    if let Some(whole) = text(name).or_else(|| member_text(name, "text")) {
        return Some(whole.to_owned());
    }
    let parts = ["prefix", "given", "family", "suffix"].into_iter().filter_map(|part| member(name, part));
    let words: Vec<&str> = parts.flat_map(words).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn words(part: &Node) -> Vec<&str> {
    match part {
        Node::Array(words) => words.iter().filter_map(text).collect(),
        word => text(word).into_iter().collect(),
    }
}
