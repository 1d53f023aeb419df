//! read: `GET [base]/[type]/[id]`
//!
//! Clause: FHIR R4 http.html#read

use charta_model::{ResourceId, ResourceType};

use super::rules::missing_status;
use crate::http::{answer::Answer, call::Call, outcome::Refusal, respond};

/// The current version.
///
/// # Errors
/// 404, 410, then 406: what may not be seen is not there, in whatever format.
pub async fn read(call: &Call<'_>, kind: &ResourceType, id: &ResourceId) -> Result<Answer, Refusal> {
    let (found, patients) = match call.notes.active {
        true => call.lookup().read_with_patients(kind, id).await?,
        false => (call.lookup().read(kind, id).await?, Vec::new()),
    };
    if missing_status::hides(call, &found.document) {
        return Err(Refusal::NotFound);
    }
    call.notes.read(&found.document, patients);
    respond::document(call, &found).await
}
