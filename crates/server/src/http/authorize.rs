//! Who calls: before anything is looked up.

use charta_auth::Grant;

use super::{call::Call, outcome::Refusal};
use crate::config::Auth;

/// What the caller is allowed.
///
/// # Errors
/// `Unauthorized` at every endpoint that asks for tokens: this release verifies none, and what
/// cannot be verified is refused.
pub fn authorize(call: &Call<'_>) -> Result<Grant, Refusal> {
    match call.endpoint.auth {
        Auth::Open => Ok(Grant::of_open_endpoint()),
        Auth::Smart => Err(Refusal::Unauthorized),
    }
}
