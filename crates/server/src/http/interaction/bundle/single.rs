//! An entry that asks: read, vread and search, as an entry of the answer.

use std::sync::OnceLock;

use charta_fhir::{
    Node,
    represent::{self, Subset},
};
use charta_model::{Document, ResourceType};
use http::{HeaderMap, Method, StatusCode};

use super::{EntryAnswer, entry::Entry};
use crate::http::{
    audit,
    call::Call,
    interaction::{Offered, search},
    outcome::Refusal,
    respond,
    target::Target,
};

/// Answers an entry that asks.
///
/// # Errors
/// Those of the same request sent alone.
pub async fn read(call: &Call<'_>, entry: &Entry) -> Result<EntryAnswer, Refusal> {
    let headers = HeaderMap::new();
    let nested = Call {
        app: call.app,
        endpoint: call.endpoint,
        tenant: call.tenant,
        method: Method::GET,
        target: &entry.target,
        parameters: &entry.parameters,
        headers: &headers,
        wanted: call.wanted.clone(),
        grant: call.grant.clone(),
        token: call.token.clone(),
        pretty: call.pretty,
        request_id: call.request_id,
        now: call.now,
        outbox: call.outbox,
        last_token: call.last_token,
        notes: call.notes,
        base: OnceLock::new(),
    };
    let offered = Offered::at(&nested, entry.target.kind());
    if entry.target.kind() == Some(&ResourceType::AUDIT_EVENT) {
        return Err(Refusal::Bundle("AuditEvents are read and searched by requests of their own."));
    }
    let stored = match &entry.target {
        Target::Instance(kind, id) if offered.is_served => nested.lookup().read(kind, id).await?,
        Target::Version(kind, id, version) if offered.versions => {
            nested.lookup().vread(kind, id, *version).await?
        }
        Target::Type(kind) if offered.search => {
            let (node, contents) = search::searchset(&nested, kind).await?;
            return Ok(EntryAnswer { resource: Some(node), contents, ..EntryAnswer::default() });
        }
        _ => return Err(Refusal::MethodNotAllowed { allow: offered.allow(&entry.target) }),
    };
    audit::shown(&nested, &stored).await?;
    let document = &stored.document;
    let version = document.version;
    if entry.if_none_match.as_ref().is_some_and(|tags| tags.matches(Some(version))) {
        return Ok(EntryAnswer {
            status: StatusCode::NOT_MODIFIED,
            version: Some(version),
            ..EntryAnswer::default()
        });
    }
    let subset = nested.subset()?;
    let shown = represent::shown(document, call.version(), &subset, call.base(), 0);
    let contents = match document.content() {
        Some(_) if !subset.drops_content(call.version()) => vec![nested.lookup().content(&stored).await?],
        _ => Vec::new(),
    };
    Ok(EntryAnswer {
        version: Some(version),
        updated: Some(format!("{:.3}", document.updated)),
        resource: Some(shown.ok_or_else(|| respond::other_version(document))?),
        contents,
        ..EntryAnswer::default()
    })
}

/// A resource without content, as the answer to its write shows it.
pub fn shown(call: &Call<'_>, document: &Document) -> Option<Node> {
    represent::shown(document, call.version(), &Subset::default(), call.base(), 0)
}
