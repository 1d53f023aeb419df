//! Bundles of type history and searchset.

use charta_model::{Change, Document, Timestamp};

use super::binary::instant;
use crate::{Node, Version};

/// A link of a Bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleLink {
    /// `self`, `next` ...
    pub relation: &'static str,
    /// Absolute.
    pub url: String,
}

/// A document in a Bundle.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The version to show; a deletion only in a history.
    pub document: &'a Document,
    /// `[base]/[type]/[id]`, without version.
    pub full_url: String,
    /// What is shown of it; a deletion is not shown.
    pub resource: Option<Node>,
    /// `match` or `include`, in a search.
    pub mode: &'static str,
}

/// One page of a history or search.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The id of the Bundle, a UUID.
    pub id: &'a str,
    /// When it was made.
    pub timestamp: Timestamp,
    /// How many there are on all pages, where that is known.
    pub total: Option<u64>,
    /// Paging; a searchset has `self`.
    pub links: &'a [BundleLink],
    /// In the order of the page.
    pub entries: Vec<Entry<'a>>,
}

/// A Bundle of type history.
///
/// DSTU2 and STU3 forbid `response` in a history, and DSTU2 a `fullUrl` without resource; so there a
/// deletion shows no more than its request.
///
/// Clause: FHIR R4 http.html#history
#[must_use]
pub fn history(version: Version, mut page: Page<'_>) -> Node {
    let entries = std::mem::take(&mut page.entries);
    let entries = entries.into_iter().map(|entry| {
        let document = entry.document;
        let is_deletion = document.change == Change::Deleted;
        let has_url = !(is_deletion && version == Version::Dstu2);
        Node::object([
            ("fullUrl", has_url.then(|| Node::text(entry.full_url))),
            ("resource", entry.resource),
            ("request", Some(request(document))),
            ("response", version.is_r4_or_later().then(|| response(document))),
        ])
    });
    let entries = entries.collect();
    bundle(version, "history", &page, entries)
}

/// A Bundle of type searchset. `outcome`, if any, tells about the search: the entry's `urn:uuid:` URL and the
/// OperationOutcome.
///
/// Clause: FHIR R4 http.html#search
#[must_use]
pub fn searchset(version: Version, mut page: Page<'_>, outcome: Option<(String, Node)>) -> Node {
    let entries = std::mem::take(&mut page.entries);
    let matches =
        entries.into_iter().filter_map(|entry| Some(found(entry.full_url, entry.resource?, entry.mode)));
    let outcome_mode = if version.is_r4_or_later() { "outcome" } else { "include" };
    let outcome = outcome.map(|(full_url, resource)| found(full_url, resource, outcome_mode));
    let entries = matches.chain(outcome).collect();
    bundle(version, "searchset", &page, entries)
}

/// A Bundle of type searchset of resources that are no documents, each with its URL.
#[must_use]
pub fn searchset_of(
    version: Version,
    id: &str,
    timestamp: Timestamp,
    links: &[BundleLink],
    resources: Vec<(String, Node)>,
) -> Node {
    let entries = resources.into_iter().map(|(full_url, resource)| found(full_url, resource, "match"));
    let page = Page { id, timestamp, total: None, links, entries: Vec::new() };
    bundle(version, "searchset", &page, entries.collect())
}

fn found(full_url: String, resource: Node, mode: &'static str) -> Node {
    Node::object([
        ("fullUrl", Some(Node::text(full_url))),
        ("resource", Some(resource)),
        ("search", Some(Node::object([("mode", Some(Node::text(mode)))]))),
    ])
}

fn bundle(version: Version, kind: &'static str, page: &Page<'_>, entries: Vec<Node>) -> Node {
    let links = page.links.iter().map(|link| {
        let url = Node::text(link.url.clone());
        Node::object([("relation", Some(Node::text(link.relation))), ("url", Some(url))])
    });
    // R4 made an element of its own of this.
    let (updated, timestamp) = match instant(page.timestamp) {
        time if version.is_r4_or_later() => (None, Some(time)),
        time => (Some(Node::object([("lastUpdated", Some(time))])), None),
    };
    Node::object([
        ("resourceType", Some(Node::text("Bundle"))),
        ("id", Some(Node::text(page.id.to_owned()))),
        ("meta", updated),
        ("type", Some(Node::text(kind))),
        ("timestamp", timestamp),
        ("total", page.total.map(Node::number)),
        ("link", Node::array(links.collect())),
        ("entry", Node::array(entries)),
    ])
}

/// How the version could have come to be: conditional requests are shown as direct ones, and only the
/// very first version by POST, since no POST gives a deleted document its id back.
fn request(document: &Document) -> Node {
    let (kind, id) = (&document.kind, &document.id);
    let (method, url) = match document.change {
        Change::Created if document.version == 1 => ("POST", kind.as_str().to_owned()),
        Change::Created | Change::Updated => ("PUT", format!("{kind}/{id}")),
        Change::Deleted => ("DELETE", format!("{kind}/{id}")),
    };
    Node::object([("method", Some(Node::text(method))), ("url", Some(Node::text(url)))])
}

fn response(document: &Document) -> Node {
    let status = match document.change {
        Change::Created => "201 Created",
        Change::Updated => "200 OK",
        Change::Deleted => "204 No Content",
    };
    Node::object([
        ("status", Some(Node::text(status))),
        ("etag", Some(Node::text(format!("W/\"{}\"", document.version)))),
        ("lastModified", Some(instant(document.updated))),
    ])
}
