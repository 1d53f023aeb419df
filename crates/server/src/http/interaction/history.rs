//! history of a resource, of a type and of the system: `GET [base]/[type]/[id]/_history` and above
//!
//! Clause: FHIR R4 http.html#history

use std::sync::Arc;

use charta_fhir::{
    represent::{self, BundleLink, Entry, Page, Subset},
    search,
};
use charta_model::{HistoryQuery, HistoryScope, ResourceId, ResourceType};
use charta_service::ReadError;
use charta_store::{Content, Stored};
use http::StatusCode;

use super::page;
use crate::{
    clock,
    http::{answer::Answer, audit, call::Call, outcome::Refusal, respond},
};

/// Versions on a page when the client does not say.
const COUNT_DEFAULT: usize = 20;
/// Versions on a page at most.
const COUNT_MAX: usize = 100;
/// A page ends after the version that brings its content to so many bytes.
pub(super) const PAGE_BYTES_MAX: u64 = 64 << 20;

/// The versions of one resource, deletions too.
///
/// # Errors
/// 404 if it never was.
pub async fn instance(call: &Call<'_>, kind: &ResourceType, id: &ResourceId) -> Result<Answer, Refusal> {
    match call.lookup().read(kind, id).await {
        Ok(stored) => {
            if represent::shown(&stored.document, call.version(), &Subset::default(), "", 0).is_none() {
                return Err(respond::other_version(&stored.document));
            }
        }
        Err(ReadError::Gone { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let path = format!("{kind}/{id}/_history");
    history(call, &path, HistoryScope::Document(kind.clone(), id.clone())).await
}

/// The versions of all resources of a type.
///
/// # Errors
/// 400 for parameters that cannot be read.
pub async fn of_type(call: &Call<'_>, kind: &ResourceType) -> Result<Answer, Refusal> {
    let scope = HistoryScope::Types(vec![search::scope(call.version(), kind)]);
    history(call, &format!("{kind}/_history"), scope).await
}

/// The versions of all resources that this version shows.
///
/// # Errors
/// 400 for parameters that cannot be read.
pub async fn of_system(call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut kinds = super::search::searched_types(call);
    if !kinds.contains(&ResourceType::BINARY) {
        kinds.push(ResourceType::BINARY);
    }
    let scopes = kinds.iter().map(|kind| search::scope(call.version(), kind)).collect();
    history(call, "_history", HistoryScope::Types(scopes)).await
}

async fn history(call: &Call<'_>, path: &str, scope: HistoryScope) -> Result<Answer, Refusal> {
    let fhir_type = call.wanted.resource()?;
    let asked = search::history(call.version(), call.parameters)?;
    let limit = if asked.count_only { 0 } else { asked.count.unwrap_or(COUNT_DEFAULT).min(COUNT_MAX) };
    let before = page::place(call, path, &asked.used, call.parameters)?;
    let query = HistoryQuery { scope, since: asked.since, at: asked.at, before, limit };
    let subset = Subset { summary: asked.summary, elements: asked.elements };
    let found = call.lookup().history(&query).await?;
    let shown = page_length(found.entries.iter().map(|(_, stored)| size_bytes(call, stored, &subset)));
    let mut links = vec![BundleLink { relation: "self", url: page::self_link(call, path, &asked.used) }];
    if (found.more || shown < found.entries.len())
        && let Some((sequence, _)) = shown.checked_sub(1).and_then(|last| found.entries.get(last))
    {
        links.push(BundleLink { relation: "next", url: page::link(call, path, &asked.used, *sequence) });
    }
    let stored: Vec<_> = found.entries[..shown].iter().map(|(_, stored)| stored).collect();
    audit::found(call, &stored).await?;
    let contents = contents(call, &stored, &subset).await?;
    let id = clock::fresh_uuid();
    let entries = entries(call, &stored, &subset);
    let page = Page { id: &id, timestamp: call.now, total: found.total, links: &links, entries };
    let node = represent::history(call.version(), page);
    Ok(respond::fhir_with(call, StatusCode::OK, &fhir_type, node, &contents))
}

/// Bytes that a version adds to an answer, roughly.
pub(super) fn size_bytes(call: &Call<'_>, stored: &Stored, subset: &Subset) -> u64 {
    let content = match stored.document.content() {
        Some(facts) if !subset.drops_content(call.version()) => facts.size_bytes,
        _ => 0,
    };
    content + stored.document.source().map_or(0, |source| source.body.len() as u64)
}

/// How many of the entries, whose contents have these sizes, make a page: at least one.
pub(super) fn page_length(sizes: impl Iterator<Item = u64>) -> usize {
    let mut total = 0_u64;
    let mut length = 0;
    for size in sizes {
        if length > 0 && total.saturating_add(size) > PAGE_BYTES_MAX {
            break;
        }
        total = total.saturating_add(size);
        length += 1;
    }
    length
}

/// The contents that the entries keep places for; entry n has place n.
pub(super) async fn contents(
    call: &Call<'_>,
    stored: &[&Arc<Stored>],
    subset: &Subset,
) -> Result<Vec<Content>, Refusal> {
    let mut contents = Vec::new();
    if subset.drops_content(call.version()) {
        return Ok(contents);
    }
    for stored in stored.iter().filter(|stored| stored.document.content().is_some()) {
        contents.push(call.lookup().content(stored).await?);
    }
    respond::begin_first(call, &contents).await?;
    Ok(contents)
}

/// The entries of a Bundle; places count the documents that have content.
pub(super) fn entries<'d>(call: &Call<'_>, stored: &[&'d Arc<Stored>], subset: &Subset) -> Vec<Entry<'d>> {
    let mut slot = 0;
    let entry = |stored: &&'d Arc<Stored>| {
        let document = &stored.document;
        let resource = represent::shown(document, call.version(), subset, call.base(), slot);
        slot += usize::from(document.content().is_some());
        Entry { document, full_url: call.url(document), resource, mode: "match" }
    };
    stored.iter().map(entry).collect()
}
