//! read: `GET [base]/[type]/[id]`
//!
//! Clause: FHIR R4 http.html#read

use std::sync::Arc;

use charta_model::{ResourceId, ResourceType};

use super::rules::missing_status;
use crate::http::{answer::Answer, call::Call, outcome::Refusal, respond};

/// The current version.
///
/// # Errors
/// 404, 410, then 406: what may not be seen is not there, in whatever format.
pub async fn read(call: &Call<'_>, kind: &ResourceType, id: &ResourceId) -> Result<Answer, Refusal> {
    let (found, shown) = match call.notes.active {
        true => {
            let shown = call.lookup().read_for_record(kind, id).await?;
            (Arc::clone(&shown.stored), Some(shown))
        }
        false => (call.lookup().read(kind, id).await?, None),
    };
    if missing_status::hides(call, &found.document) {
        return Err(Refusal::NotFound);
    }
    shown.into_iter().for_each(|shown| call.notes.read(shown));
    respond::document(call, &found).await
}
