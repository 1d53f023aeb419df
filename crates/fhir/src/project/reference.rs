//! Which resources an element may point to, version by version.

use super::members::member_text;
use crate::{Node, Version};

/// A type of resource that an element may point to, in the versions from `since` to `until`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub resource_type: &'static str,
    pub since: Version,
    pub until: Version,
}

/// Any type that has no target of its own.
pub(super) const ANY: &str = "*";

/// In every version.
pub(super) const fn always(resource_type: &'static str) -> Target {
    Target { resource_type, since: Version::Dstu2, until: Version::R5 }
}

/// From this version on.
pub(super) const fn since(version: Version, resource_type: &'static str) -> Target {
    Target { resource_type, since: version, until: Version::R5 }
}

/// In these versions.
pub(super) const fn between(since: Version, until: Version, resource_type: &'static str) -> Target {
    Target { resource_type, since, until }
}

/// The version whose element may point to what `reference` names, if that of `to` may not. A target whose
/// type is not known, or that no version allows, is let through: nothing better can be said of it.
pub(super) fn elsewhere(reference: &Node, targets: &[Target], to: Version) -> Option<Version> {
    let resource_type = resource_type(reference)?;
    let named = |name| targets.iter().find(|target| target.resource_type == name);
    let target = named(resource_type).or_else(|| named(ANY))?;
    if target.since > to {
        return Some(target.since);
    }
    // R4 stands for R4B wherever both have it.
    let last =
        if target.until == Version::R4b && target.since < Version::R4b { Version::R4 } else { target.until };
    (target.until < to).then_some(last)
}

/// The type of the resource that `reference` points to, as far as it says so.
pub(super) fn resource_type(reference: &Node) -> Option<&str> {
    let named = member_text(reference, "type");
    named.or_else(|| type_in_url(member_text(reference, "reference")?))
}

/// `[base]/Type/id` or `[base]/Type/id/_history/version`.
fn type_in_url(url: &str) -> Option<&str> {
    let url = url.split_once("/_history/").map_or(url, |(whole, _)| whole);
    let mut segments = url.rsplit('/');
    let (_id, resource_type) = (segments.next()?, segments.next()?);
    let is_type = resource_type.starts_with(|c: char| c.is_ascii_uppercase())
        && resource_type.bytes().all(|b| b.is_ascii_alphabetic());
    is_type.then_some(resource_type)
}
