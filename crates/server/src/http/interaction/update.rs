//! update, upsert and conditional update: `PUT [base]/Binary/[id]`, `PUT [base]/Binary?criteria`
//!
//! Clause: FHIR R4 http.html#update

use charta_fhir::Version;
use charta_model::{Intent, ResourceId, Write};
use hyper::body::Incoming;

use super::state::{Submitted, criteria, submitted, written};
use crate::{
    clock,
    http::{answer::Answer, call::Call, outcome::Refusal, precondition},
};

/// Makes the body the new version of this document, or its first.
///
/// # Errors
/// 400 if the id inside the body is missing or another; 409 or 412 for a stale `If-Match`.
pub async fn update(call: &Call<'_>, id: &ResourceId, body: Incoming) -> Result<Answer, Refusal> {
    let submitted = submitted(call, body).await?;
    if submitted.is_resource && submitted.claimed_id.as_ref() != Some(id) {
        return Err(Refusal::IdMismatch);
    }
    put(call, Intent::Update { id: id.clone() }, submitted).await
}

/// Makes the body the new version of the one document that matches, or a new document.
///
/// # Errors
/// 412 if several match; 400 or 409 by the version's rules about the id inside the body.
///
/// Clause: FHIR R4 http.html#cond-update
pub async fn update_matching(call: &Call<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let criteria = criteria(call, call.parameters)?;
    let submitted = submitted(call, body).await?;
    // DSTU2 and STU3 know no rule about the id inside: it is ignored.
    let claimed = submitted.claimed_id.clone().filter(|_| call.version().is_r4_or_later());
    let claimed_must_be_new = call.version() == Version::R5;
    let intent = Intent::UpdateMatching { criteria, claimed, fresh: clock::fresh_id(), claimed_must_be_new };
    put(call, intent, submitted).await
}

async fn put(call: &Call<'_>, intent: Intent, submitted: Submitted) -> Result<Answer, Refusal> {
    let write = Write {
        intent,
        if_match: precondition::if_match(call.headers).map_err(|_| malformed())?,
        if_none_match: precondition::if_none_match(call.headers),
        state: Some(submitted.state),
    };
    let outcome =
        call.app.service.write(call.tenant, &call.grant, write, Some(submitted.content), call.now).await?;
    written(call, outcome).await
}

/// `If-Match` that cannot be read must not be taken for none.
pub(super) const fn malformed() -> Refusal {
    Refusal::BadHeader("If-Match is not a list of version tags such as W/\"3\".")
}
