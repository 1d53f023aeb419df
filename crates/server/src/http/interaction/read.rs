//! read: `GET [base]/[type]/[id]`
//!
//! Clause: FHIR R4 http.html#read

use charta_model::{Document, ResourceId, ResourceType};

use super::rules::missing_status;
use crate::http::{answer::Answer, call::Call, outcome::Refusal, respond};

/// The current version.
///
/// # Errors
/// 404, 410, then 406: what may not be seen is not there, in whatever format.
pub async fn read(call: &Call<'_>, kind: &ResourceType, id: &ResourceId) -> Result<Answer, Refusal> {
    if !call.notes.active {
        let found = call.lookup().read(kind, id).await?;
        unhidden(call, &found.document)?;
        return respond::document(call, &found).await;
    }
    let shown = call.lookup().read_for_record(kind, id).await?;
    unhidden(call, &shown.stored.document)?;
    let answer = respond::document(call, &shown.stored).await;
    call.notes.read(shown); // also if it is to be had in no format that the client takes
    answer
}

fn unhidden(call: &Call<'_>, document: &Document) -> Result<(), Refusal> {
    if missing_status::hides(call, document) { Err(Refusal::NotFound) } else { Ok(()) }
}
