//! patch: `PATCH [base]/[type]/[id]`, `PATCH [base]/[type]?criteria`; from STU3 on
//!
//! Clause: FHIR R4 http.html#patch

use charta_fhir::{
    Format, Node, Version,
    patch::{fhirpath_patch, json_patch},
    represent::{self, Subset},
    resource::{self, Parts},
};
use charta_model::{Intent, ResourceId, ResourceType, VersionMatch};
use charta_store::Stored;

use super::state::{Conditions, carry_out, criteria, prepared};
use crate::http::request_body::RequestBody;
use crate::http::{
    answer::Answer,
    call::Call,
    ingest::{self, IngestError},
    media,
    outcome::Refusal,
};

/// How often a patch is tried anew when others change the resource meanwhile.
const ATTEMPTS: usize = 8;

/// What a client sent to be applied.
pub enum Patch {
    /// RFC 6902.
    Json(Node),
    /// A Parameters resource.
    FhirPath(Node),
}

/// Changes a part of this resource.
///
/// # Errors
/// 404, 415 for another kind of patch, 400 and 422 for one that cannot be applied; those of an update.
pub async fn patch(
    call: &Call<'_>,
    kind: &ResourceType,
    id: &ResourceId,
    body: RequestBody,
) -> Result<Answer, Refusal> {
    let patch = read(call, body).await?;
    apply(call, kind, id, &patch).await
}

/// Changes a part of the one resource that matches.
///
/// # Errors
/// 404 if none does, 412 if several do.
pub async fn patch_matching(
    call: &Call<'_>,
    kind: &ResourceType,
    body: RequestBody,
) -> Result<Answer, Refusal> {
    let query = criteria(call, kind, call.parameters)?;
    let patch = read(call, body).await?;
    let found = call.lookup().search(&query).await?;
    match &found.matches[..] {
        [] => Err(Refusal::NotFound),
        [one] => apply(call, kind, &one.document.id, &patch).await,
        _ => Err(Refusal::Commit(charta_store::CommitError::MultipleMatches)),
    }
}

async fn apply(
    call: &Call<'_>,
    kind: &ResourceType,
    id: &ResourceId,
    patch: &Patch,
) -> Result<Answer, Refusal> {
    let asked = Conditions::of(call.headers)?;
    let mut attempt = 1;
    loop {
        let stored = call.lookup().read(kind, id).await?;
        let version = stored.document.version;
        if asked.if_match.as_ref().is_some_and(|wanted| !wanted.matches(Some(version))) {
            return Err(Refusal::Commit(charta_store::CommitError::PreconditionFailed));
        }
        let changed = patched(call, &stored, patch)?;
        let submitted = prepared(call, changed, id).await?;
        // What it was applied to must still be there.
        let conditions =
            Conditions { if_match: Some(VersionMatch::OneOf(vec![version])), if_none_match: None };
        match carry_out(call, kind, Intent::Update { id: id.clone() }, conditions, submitted).await {
            Err(Refusal::Commit(charta_store::CommitError::PreconditionFailed))
                if asked.if_match.is_none() && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// The resource after the patch, checked.
///
/// # Errors
/// If it cannot be applied, or leaves something that breaks rules.
pub fn patched(call: &Call<'_>, stored: &Stored, patch: &Patch) -> Result<Node, Refusal> {
    let version = call.version();
    // What is relative stays so; the client sees it absolute, which comes to the same.
    let shown = represent::resource(&stored.document, version, &Subset::default(), call.base());
    let shown = shown.ok_or_else(|| super::super::respond::other_version(&stored.document))?;
    let changed = match patch {
        Patch::Json(operations) => json_patch(&shown, operations)?,
        Patch::FhirPath(parameters) => fhirpath_patch(&shown, parameters, version)?,
    };
    let problems = resource::check(&changed, version);
    if !problems.is_empty() {
        return Err(Refusal::Resource(problems));
    }
    let claimed = Parts::of(changed.clone()).and_then(|parts| parts.id);
    if claimed.as_ref() != Some(&stored.document.id) {
        return Err(Refusal::IdMismatch);
    }
    Ok(changed)
}

async fn read(call: &Call<'_>, body: RequestBody) -> Result<Patch, Refusal> {
    let content_type = ingest::content_type(call.headers)?;
    let limits = &call.app.config.limits;
    if content_type.essence() == "application/json-patch+json" {
        let bytes = ingest::collect(limits, limits.resource_bytes, call.headers, body).await?;
        let text = std::str::from_utf8(&bytes).ok().and_then(charta_fhir::json::read);
        let malformed = charta_fhir::patch::PatchError::Malformed { message: "the body is not JSON".into() };
        return Ok(Patch::Json(text.ok_or(malformed)?));
    }
    let fhir = media::fhir_body(&content_type, call.version()).map_err(IngestError::UnsupportedType)?;
    match fhir.filter(|fhir| !fhir.generic && call.version() >= Version::R4) {
        Some(fhir) => {
            let bytes = ingest::collect(limits, limits.resource_bytes, call.headers, body).await?;
            parameters(&bytes, fhir.format, call.version()).map(Patch::FhirPath)
        }
        None => Err(Refusal::PatchFormat),
    }
}

fn parameters(bytes: &[u8], format: Format, version: Version) -> Result<Node, Refusal> {
    resource::read(bytes, format, version).map_err(Refusal::Resource)
}
