//! `persist=true`: the document that was made is kept, with a DocumentReference that names it, as if the caller had
//! written both.
//!
//! Decision 21.

use std::collections::HashMap;

use base64_simd::STANDARD as BASE64;
use charta_auth::{Action, covers};
use charta_fhir::Version;
use charta_model::{Intent, MediaType, NewContent, NewState, ResourceId, ResourceType, Write, WriteOutcome};
use charta_service::WriteError;
use charta_store::Uploaded;
use futures_util::StreamExt as _;
use http::header;
use sha1::{Digest as _, Sha1};

use super::{
    autogen_ccd::Asked,
    on_demand::{OnDemand, Place},
};
use crate::{
    clock,
    config::Endpoint,
    http::{
        answer::Answer,
        audit,
        call::Call,
        generated,
        interaction::{Offered, state},
        outcome::Refusal,
        respond,
    },
    intake::Prepared,
};

const KINDS: [ResourceType; 2] = [ResourceType::BINARY, ResourceType::DOCUMENT_REFERENCE];

/// Whether documents can be kept at this endpoint.
pub fn is_offered(endpoint: &Endpoint) -> bool {
    KINDS.iter().all(|kind| Offered::by(endpoint, Some(kind)).create)
}

/// Whether the caller has scopes to write what is kept.
///
/// # Errors
/// 403, before the document is made.
pub fn check_scopes(call: &Call<'_>) -> Result<(), Refusal> {
    let all = KINDS.iter().all(|kind| covers(&call.grant, Action::Create, kind));
    if all { Ok(()) } else { Err(Refusal::Forbidden) }
}

/// Keeps the document and answers as a read of it would.
///
/// # Errors
/// Those of a write and of a read.
pub async fn kept<I>(
    call: &Call<'_>,
    asked: &Asked,
    content_type: &MediaType,
    begin: impl FnOnce() -> I + Send + 'static,
) -> Result<Answer, Refusal>
where
    I: Iterator<Item = String> + Send + 'static,
{
    let (content, hash) = uploaded(call, generated::pieces(begin)).await?;
    let id = clock::fresh_id();
    let (reference_id, reference) = reference(call, asked, &id, (content.size_bytes(), &hash)).await?;
    let writer = call.grant.writer().map(Into::into);
    let facts = NewContent { content_type: content_type.clone(), security_context: None };
    let state = NewState { content: Some(facts), writer, ..NewState::default() };
    let writes = vec![
        (new(ResourceType::BINARY, id, state), Some(content)),
        (new(ResourceType::DOCUMENT_REFERENCE, reference_id, reference.state), None),
    ];
    let service = &call.app.service;
    let outcomes = service.transact(call.tenant, &call.grant, writes, Vec::new(), call.now).await;
    let outcomes = outcomes.map_err(|(_, error): (_, WriteError)| Refusal::from(error))?;
    let [WriteOutcome::Created(binary), WriteOutcome::Created(reference)] = &outcomes[..] else {
        return Err(Refusal::Internal("a document was to be created and was not"));
    };
    audit::written(call, binary).await;
    audit::written(call, reference).await;
    let mut answer = state::representation(call, binary).await?;
    let place = respond::value(&call.versioned_url(binary));
    answer.headers_mut().insert(header::CONTENT_LOCATION, place);
    Ok(answer)
}

/// The document on stable storage, and its SHA-1 in base64.
async fn uploaded(call: &Call<'_>, mut pieces: generated::Pieces) -> Result<(Uploaded, String), Refusal> {
    let mut upload = call.app.service.upload();
    let mut sha1 = Sha1::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Refusal::Internal("a document could not be made"))?;
        sha1.update(&piece);
        upload.write(piece).await?;
    }
    Ok((upload.finish().await?, BASE64.encode_to_string(sha1.finalize())))
}

/// The DocumentReference that names the document.
async fn reference(
    call: &Call<'_>,
    asked: &Asked,
    binary: &ResourceId,
    stored: (u64, &str),
) -> Result<(ResourceId, Prepared), Refusal> {
    let url = format!("Binary/{binary}");
    let place = Place { url: &url, stored: Some(stored) };
    let of = OnDemand::new(&asked.patient, &asked.period, asked.encounter.as_ref(), &place, call.now);
    let (id, resource) = of.into_resource();
    let prepared = state::prepared_in(call, Version::R4, resource, &id, &HashMap::new()).await?;
    Ok((id, prepared))
}

fn new(kind: ResourceType, id: ResourceId, state: NewState) -> Write {
    Write { kind, intent: Intent::Create { id }, if_match: None, if_none_match: None, state: Some(state) }
}
