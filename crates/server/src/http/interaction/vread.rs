//! vread: `GET [base]/[type]/[id]/_history/[vid]`
//!
//! Clause: FHIR R4 http.html#vread

use charta_model::{ResourceId, ResourceType};

use crate::http::{answer::Answer, audit, call::Call, outcome::Refusal, respond};

/// One version, also of a document that was deleted since. The deletion itself is 410.
///
/// # Errors
/// 404, 410, 406.
pub async fn vread(
    call: &Call<'_>,
    kind: &ResourceType,
    id: &ResourceId,
    version: u64,
) -> Result<Answer, Refusal> {
    let found = call.lookup().vread(kind, id, version).await?;
    audit::shown(call, &found).await?;
    respond::document(call, &found).await
}
