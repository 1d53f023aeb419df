//! What the entries of a transaction call each other, and what they are going to be called.

use std::collections::HashMap;

use charta_fhir::{
    Node, Version,
    references::{self, Spot},
};
use charta_model::ResourceType;

/// `Type/id` of what a [`key`] or a condition names.
pub type Identities = HashMap<String, String>;

/// What a `fullUrl` is known by; the digits of a UUID have no case.
#[must_use]
pub fn key(full_url: &str) -> String {
    full_url.to_ascii_lowercase()
}

/// Whether a reference is a search: `Practitioner?identifier=1`.
///
/// Clause: FHIR R4 http.html#cond-refs
#[must_use]
pub fn is_condition(link: &str) -> bool {
    link.split_once('?').is_some_and(|(kind, _)| ResourceType::new(kind).is_ok())
}

/// Puts identities in the place of what they are known by, wherever a link stands.
///
/// Clause: FHIR R4 http.html#trules
pub fn put_right(resource: &mut Node, version: Version, identities: &Identities) {
    references::rewrite(resource, version, &mut |spot, link| named(identities, spot, link));
}

/// What a link is going to be called; what stands behind `#` and a version stays.
fn named(identities: &Identities, spot: Spot, link: &str) -> Option<String> {
    if spot == Spot::Reference && is_condition(link) {
        return identities.get(link).cloned();
    }
    let (whole, fragment) = link.split_at(link.find('#').unwrap_or(link.len()));
    let (base, version) = whole.split_at(whole.find("/_history/").unwrap_or(whole.len()));
    if base.is_empty() {
        return None;
    }
    Some(format!("{}{version}{fragment}", identities.get(&key(base))?))
}
