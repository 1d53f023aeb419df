//! history of a document and of the type: `GET [base]/Binary/[id]/_history`, `GET [base]/Binary/_history`
//!
//! Clause: FHIR R4 http.html#history

use std::sync::Arc;

use charta_fhir::{
    represent::{self, BundleLink, Entry, Page, Subset},
    search,
};
use charta_model::{HistoryQuery, HistoryScope, ResourceId};
use charta_service::ReadError;
use charta_store::{Content, Stored};
use http::StatusCode;

use super::page;
use crate::{
    clock,
    http::{answer::Answer, call::Call, outcome::Refusal, respond},
};

/// Versions on a page when the client does not say.
const COUNT_DEFAULT: usize = 20;
/// Versions on a page at most.
const COUNT_MAX: usize = 100;
/// A page ends after the version that brings its content to so many bytes.
pub(super) const PAGE_BYTES_MAX: u64 = 64 << 20;

/// The versions of one document, deletions too.
///
/// # Errors
/// 404 if it never was.
pub async fn instance(call: &Call<'_>, id: &ResourceId) -> Result<Answer, Refusal> {
    match call.lookup().read(id).await {
        Ok(_) | Err(ReadError::Gone { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let path = format!("Binary/{id}/_history");
    history(call, &path, HistoryScope::Document(id.clone())).await
}

/// The versions of all documents of the tenant.
///
/// # Errors
/// 400 for parameters that cannot be read.
pub async fn of_type(call: &Call<'_>) -> Result<Answer, Refusal> {
    history(call, "Binary/_history", HistoryScope::Tenant).await
}

async fn history(call: &Call<'_>, path: &str, scope: HistoryScope) -> Result<Answer, Refusal> {
    let fhir_type = call.wanted.resource()?;
    let asked = search::history(call.version(), call.parameters)?;
    let limit = if asked.count_only { 0 } else { asked.count.unwrap_or(COUNT_DEFAULT).min(COUNT_MAX) };
    let before = page::place(call, path, &asked.used, call.parameters)?;
    let query = HistoryQuery { scope, since: asked.since, at: asked.at, before, limit };
    let subset = Subset { summary: asked.summary, elements: asked.elements };
    let found = call.lookup().history(&query).await?;
    let bytes = |stored: &Arc<Stored>| match &stored.document.description {
        Some(description) if !subset.drops_content(call.version()) => description.size_bytes,
        _ => 0,
    };
    let shown = page_length(found.entries.iter().map(|(_, stored)| bytes(stored)));
    let mut links = vec![BundleLink { relation: "self", url: page::self_link(call, path, &asked.used) }];
    if (found.more || shown < found.entries.len())
        && let Some((sequence, _)) = shown.checked_sub(1).and_then(|last| found.entries.get(last))
    {
        links.push(BundleLink { relation: "next", url: page::link(call, path, &asked.used, *sequence) });
    }
    let stored: Vec<_> = found.entries[..shown].iter().map(|(_, stored)| stored).collect();
    let contents = contents(call, &stored, &subset).await?;
    let node = represent::history(
        call.version(),
        &Page {
            id: &clock::fresh_uuid(),
            timestamp: call.now,
            total: Some(found.total),
            links: &links,
            entries: &entries(call, &stored),
            subset: &subset,
        },
    );
    Ok(respond::fhir_with(call, StatusCode::OK, &fhir_type, &node, &contents))
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
    for stored in stored.iter().filter(|stored| stored.document.description.is_some()) {
        contents.push(call.lookup().content(stored).await?);
    }
    Ok(contents)
}

/// The entries of a Bundle; places count the documents that have content.
pub(super) fn entries<'d>(call: &Call<'_>, stored: &[&'d Arc<Stored>]) -> Vec<Entry<'d>> {
    let mut slot = 0;
    let entry = |stored: &&'d Arc<Stored>| {
        let document = &stored.document;
        let entry = Entry { document, full_url: call.url(&document.id), slot };
        slot += usize::from(document.description.is_some());
        entry
    };
    stored.iter().map(entry).collect()
}
