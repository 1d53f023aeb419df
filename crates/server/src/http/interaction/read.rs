//! read: `GET [base]/[type]/[id]`
//!
//! Clause: FHIR R4 http.html#read

use charta_model::{ResourceId, ResourceType};

use super::rules::missing_status;
use crate::http::{answer::Answer, audit, call::Call, outcome::Refusal, respond};

/// The current version.
///
/// # Errors
/// 404, 410, then 406: what may not be seen is not there, in whatever format.
pub async fn read(call: &Call<'_>, kind: &ResourceType, id: &ResourceId) -> Result<Answer, Refusal> {
    let found = call.lookup().read(kind, id).await?;
    if missing_status::hides(call, &found.document) {
        return Err(Refusal::NotFound);
    }
    audit::shown(call, &found).await?;
    respond::document(call, &found).await
}
