//! Who calls: before anything is looked up.

use charta_auth::Grant;

use super::{call::Call, outcome::Refusal};
use crate::config::Auth;

/// What the caller is allowed.
///
/// # Errors
/// `Unauthorized` without a token that is true; `Forbidden` with one, as this release knows no scopes yet.
pub async fn authorize(call: &Call<'_>) -> Result<Grant, Refusal> {
    match call.endpoint.auth {
        Auth::Open => Ok(Grant::of_open_endpoint()),
        Auth::Smart => {
            call.app.verifier.verify(call.headers, call.base(), call.tenant, call.now).await?;
            Err(Refusal::Forbidden)
        }
    }
}
