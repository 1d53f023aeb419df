//! delete and conditional delete: `DELETE [base]/[type]/[id]`, `DELETE [base]/[type]?criteria`
//!
//! Clause: FHIR R4 http.html#delete

use charta_fhir::Version;
use charta_model::{Intent, ResourceId, ResourceType, Write, WriteOutcome};
use http::{HeaderMap, StatusCode, header};

use super::state::{Conditions, criteria};
use crate::http::{answer::Answer, audit, call::Call, outcome::Refusal, precondition, respond};

/// Makes the document gone; older versions stay readable by vread. Gone or never there is fine.
///
/// # Errors
/// 409 or 412 for a stale `If-Match`.
pub async fn delete(call: &Call<'_>, kind: &ResourceType, id: &ResourceId) -> Result<Answer, Refusal> {
    deleted(call, kind, Intent::Delete { id: id.clone() }).await
}

/// Deletes the one document that matches.
///
/// # Errors
/// 412 if several match or nothing narrows them down; in DSTU2 404 if none does.
pub async fn delete_matching(call: &Call<'_>, kind: &ResourceType) -> Result<Answer, Refusal> {
    deleted(call, kind, Intent::DeleteMatching { criteria: criteria(call, kind, call.parameters)? }).await
}

async fn deleted(call: &Call<'_>, kind: &ResourceType, intent: Intent) -> Result<Answer, Refusal> {
    let conditional = matches!(intent, Intent::DeleteMatching { .. });
    let if_match = Conditions::of(call.headers)?.if_match;
    let write = Write { kind: kind.clone(), intent, if_match, if_none_match: None, state: None };
    let mut headers = HeaderMap::new();
    match call.app.service.write(call.tenant, &call.grant, write, None, call.now).await? {
        WriteOutcome::Deleted(document) => {
            audit::written(call, &document).await;
            headers.insert(header::ETAG, respond::value(&precondition::weak_etag(document.version)));
        }
        WriteOutcome::NothingToDelete if conditional && call.version() == Version::Dstu2 => {
            return Err(Refusal::NotFound);
        }
        WriteOutcome::NothingToDelete => {}
        _ => return Err(Refusal::Internal("a delete stored something")),
    }
    Ok(respond::empty(StatusCode::NO_CONTENT, headers))
}
