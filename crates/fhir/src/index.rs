//! What a resource is found by: its search parameters' values, as the store compares them.
//!
//! A resource of a type that every version can show is indexed as every version shows it, so that it is found
//! by the names and rules of whoever searches; entries that versions agree on are kept once.

mod value;
mod walk;

#[cfg(test)]
mod tests;

pub use value::folded;

use std::{borrow::Cow, collections::HashSet};

use charta_model::{ContentLink, Entry, EntryValue, Index, ResourceId};

use crate::{
    Node, Version, attachments,
    definitions::{Definitions, ParameterKind, SearchParameter},
    project,
};

use value::Found;

/// Most entries of one resource; what goes beyond is not found.
const ENTRIES_MAX: usize = 5_000;
/// The parameter that `meta.source` is found by.
pub const SOURCE: &str = "_source";
/// How many references inside a resource are followed to others that it contains.
const INSIDE_MAX: usize = 2;

/// The index of `resource`, which is valid in `version`. Links to this server are relative in it.
/// `updated` is the time of the write, which stands in where a version demands one.
#[must_use]
pub fn index(resource: &Node, version: Version, updated: &str) -> Index {
    let mut entries = Entries::default();
    let kind = resource.text_at("resourceType").unwrap_or_default();
    entries.add(resource, version);
    if project::is_projected(kind) {
        for other in Version::ALL.into_iter().filter(|other| *other != version) {
            if let Some(shown) = project::project(resource, version, other, updated) {
                entries.add(&shown, other);
            }
        }
    }
    Index { entries: entries.list, links: links(resource, version) }
}

/// The Binaries that the resource names as its content.
fn links(resource: &Node, version: Version) -> Vec<ContentLink> {
    let kind = resource.text_at("resourceType").unwrap_or_default();
    if !matches!(kind, "DocumentReference" | "DiagnosticReport") {
        return Vec::new();
    }
    let in_error = resource.text_at("status") == Some("entered-in-error");
    let mut links = Vec::new();
    for attachment in attachments::attachments(resource, version) {
        let Some((binary, version)) = attachment.url.and_then(binary_named) else { continue };
        let link = ContentLink { binary, version, in_error };
        if !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

/// The Binary, and the version of it, that a relative URL names.
#[must_use]
pub fn binary_named(url: &str) -> Option<(ResourceId, Option<u64>)> {
    let rest = url.strip_prefix("Binary/")?;
    match rest.split_once("/_history/") {
        None => Some((ResourceId::new(rest).ok()?, None)),
        Some((id, version)) => Some((ResourceId::new(id).ok()?, Some(version.parse().ok()?))),
    }
}

#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    known: HashSet<String>,
}

/// The name under which a resource is found by a contained one of this type, which a parameter refers to:
/// `author.Practitioner`. What the contained one is found by follows, after a dot.
#[must_use]
pub fn inside(within: &str, parameter: &str, kind: &str) -> String {
    format!("{within}{parameter}.{kind}")
}

/// The resource that is indexed, or one that it contains.
struct Indexed<'n> {
    resource: &'n Node,
    /// What it contains.
    contained: &'n [Node],
    /// What the names of its parameters begin with; empty for itself.
    within: String,
    /// How many references lead to it.
    depth: usize,
}

impl Entries {
    fn add(&mut self, resource: &Node, version: Version) {
        let contained = resource.items_at("contained");
        self.parameters(&Indexed { resource, contained, within: String::new(), depth: 0 }, version);
        if let Some(source) = resource.member("meta").and_then(|meta| meta.text_at("source")) {
            self.push(SOURCE, 0, (false, EntryValue::Uri(source.to_owned())));
        }
    }

    fn parameters(&mut self, indexed: &Indexed<'_>, version: Version) {
        let definitions = version.definitions();
        let Indexed { resource, within, .. } = indexed;
        let kind = resource.text_at("resourceType").unwrap_or_default();
        for parameter in definitions.search_parameters(kind) {
            let name: Cow<'static, str> = match within.is_empty() {
                true => parameter.name.into(),
                false => format!("{within}{}", parameter.name).into(),
            };
            match parameter.kind {
                ParameterKind::Composite => self.composite(indexed, kind, parameter, definitions),
                ParameterKind::Special => {}
                of => {
                    let found = walk::values(resource, kind, &parameter.paths, definitions);
                    for value in found.iter().flat_map(|found| value::entries(of, found, &parameter.targets))
                    {
                        if parameter.name == "contenttype" && within.is_empty() {
                            self.media_type(&value.1);
                        }
                        self.push(name.clone(), 0, value);
                    }
                    if of == ParameterKind::Reference {
                        let links = found.iter().filter_map(|found| found.node.text_at("reference"));
                        links.for_each(|link| self.inside(indexed, parameter, link, version));
                    }
                }
            }
        }
    }

    /// What a contained resource is found by, if the link leads to one.
    ///
    /// Clause: FHIR R4 search.html#contained
    fn inside(&mut self, from: &Indexed<'_>, parameter: &SearchParameter, link: &str, version: Version) {
        let Some(id) = link.strip_prefix('#').filter(|_| from.depth < INSIDE_MAX) else { return };
        let Some(resource) = from.contained.iter().find(|resource| resource.text_at("id") == Some(id)) else {
            return;
        };
        let kind = resource.text_at("resourceType").unwrap_or_default();
        if !parameter.targets.is_empty() && !parameter.targets.contains(&kind) {
            return;
        }
        let name = inside(&from.within, parameter.name, kind);
        let within = format!("{name}.");
        self.push(name, 0, (false, EntryValue::Uri(link.to_owned())));
        let contained = from.contained;
        self.parameters(&Indexed { resource, contained, within, depth: from.depth + 1 }, version);
    }

    /// The components of one value share a number.
    fn composite(
        &mut self,
        indexed: &Indexed<'_>,
        kind: &str,
        parameter: &SearchParameter,
        definitions: &Definitions,
    ) {
        let Indexed { resource, within, .. } = indexed;
        for (part, base) in (1..).zip(walk::values(resource, kind, &parameter.paths, definitions)) {
            for (n, component) in parameter.components.iter().enumerate() {
                let Found { node, of } = &base;
                let found = walk::values(node, of, &component.paths, definitions);
                for value in found.iter().flat_map(|found| value::entries(component.kind, found, &[])) {
                    self.push(format!("{within}{}.{n}", parameter.name), part, value);
                }
            }
        }
    }

    /// A media type as `:below` compares it: in lower case, parameters at the end.
    fn media_type(&mut self, value: &EntryValue) {
        if let EntryValue::Token { code: Some(code), .. } = value {
            let text = EntryValue::Text { folded: code.to_lowercase(), exact: code.clone() };
            self.push("contenttype:below", 0, (false, text));
        }
    }

    fn push(
        &mut self,
        parameter: impl Into<Cow<'static, str>>,
        part: u32,
        (beside, value): (bool, EntryValue),
    ) {
        let parameter = match (parameter.into(), beside) {
            (name, false) => name,
            (name, true) => format!("{name}:identifier").into(),
        };
        let entry = Entry { parameter, part, value };
        if self.list.len() < ENTRIES_MAX && self.known.insert(format!("{entry:?}")) {
            self.list.push(entry);
        }
    }
}
