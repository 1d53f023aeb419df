//! What a verified access token says.

use charta_model::{ResourceId, TenantId, Timestamp};

/// What a verified access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who signed it.
    pub issuer: String,
    /// Whom it is about.
    pub subject: Option<String>,
    /// The program that holds it.
    pub client: Option<String>,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// The patient in context.
    pub patient: Option<ResourceId>,
    /// `fhirUser`.
    pub user: Option<String>,
    /// `jti`.
    pub token_id: Option<String>,
    /// The only tenant it is for, if it says one.
    pub tenant: Option<TenantId>,
    /// Purposes of use.
    pub purposes: Vec<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}
