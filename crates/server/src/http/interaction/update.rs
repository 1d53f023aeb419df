//! update, upsert and conditional update: `PUT [base]/[type]/[id]`, `PUT [base]/[type]?criteria`
//!
//! Clause: FHIR R4 http.html#update

use charta_fhir::Version;
use charta_model::{Intent, ResourceId, ResourceType};

use super::{
    rules::write,
    state::{Conditions, carry_out, criteria, submitted},
};
use crate::http::request_body::RequestBody;
use crate::{
    clock,
    http::{answer::Answer, call::Call, outcome::Refusal},
};

/// Makes the body the new version of this document, or its first.
///
/// # Errors
/// 400 if the id inside the body is missing or another; 409 or 412 for a stale `If-Match`.
pub async fn update(
    call: &Call<'_>,
    kind: &ResourceType,
    id: &ResourceId,
    body: RequestBody,
) -> Result<Answer, Refusal> {
    let mut conditions = Conditions::of(call.headers)?;
    let rules = write::of_update(call, kind, id, &mut conditions).await?;
    let submitted = submitted(call, kind, id, &rules, body).await?;
    if submitted.is_resource && submitted.claimed_id.as_ref() != Some(id) {
        return Err(Refusal::IdMismatch);
    }
    carry_out(call, kind, Intent::Update { id: id.clone() }, conditions, submitted).await
}

/// Makes the body the new version of the one document that matches, or a new document.
///
/// # Errors
/// 412 if several match; 400 or 409 by the version's rules about the id inside the body.
///
/// Clause: FHIR R4 http.html#cond-update
pub async fn update_matching(
    call: &Call<'_>,
    kind: &ResourceType,
    body: RequestBody,
) -> Result<Answer, Refusal> {
    let criteria = criteria(call, kind, call.parameters)?;
    let fresh = clock::fresh_id();
    let submitted = submitted(call, kind, &fresh, &write::Rules::None, body).await?;
    let conditions = Conditions::of(call.headers)?;
    let intent = matching(call.version(), criteria, submitted.claimed_id.clone(), fresh);
    carry_out(call, kind, intent, conditions, submitted).await
}

/// What a conditional update is to do in a version, given the id that the body claims.
pub fn matching(
    version: Version,
    criteria: charta_model::Query,
    claimed: Option<ResourceId>,
    fresh: ResourceId,
) -> Intent {
    // DSTU2 and STU3 know no rule about the id inside: it is ignored.
    let claimed = claimed.filter(|_| version.is_r4_or_later());
    Intent::UpdateMatching { criteria, claimed, fresh, claimed_must_be_new: version == Version::R5 }
}
