//! Who calls: before anything is looked up.

use std::sync::Arc;

use charta_auth::{Claims, Grant};

use super::{call::Call, outcome::Refusal, smart::Known, terms};
use crate::config::Auth;

/// Who calls, and what they are allowed.
pub struct Caller {
    /// What they are allowed.
    pub grant: Grant,
    /// Their token; `None` at an open endpoint.
    pub token: Option<Arc<Known>>,
}

/// Who calls, and what they are allowed.
///
/// # Errors
/// `Unauthorized` without a token that is true.
pub async fn authorize(call: &Call<'_>) -> Result<Caller, Refusal> {
    match call.endpoint.auth {
        Auth::Open => Ok(Caller { grant: Grant::of_open_endpoint(), token: None }),
        Auth::Smart => {
            let Call { app, headers, last_token, tenant, now, .. } = *call;
            let known = app.verifier.verify(headers, last_token, call.base(), tenant, now).await?;
            let config = &call.app.config;
            let place = app.place(call.endpoint);
            let make = |claims: &Claims| terms::grant(call.endpoint, &config.confidentiality, claims);
            let grant = known.grant(place.unwrap_or_default(), make);
            Ok(Caller { grant, token: Some(known) })
        }
    }
}
