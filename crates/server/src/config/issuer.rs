//! Who may sign access tokens.

use std::path::PathBuf;

use charta_model::TenantId;
use serde::{Deserialize, Serialize};

/// Who may sign access tokens, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The `iss` claim, compared to the letter.
    pub url: String,
    /// Where its public keys are.
    pub jwks: Jwks,
    /// What `aud` may name; empty: the base URL of the endpoint that is called.
    pub audience: Vec<String>,
    /// How its tokens may be signed.
    pub algorithms: Vec<Algorithm>,
    /// Whose documents its tokens may open; empty: those of all tenants.
    pub tenants: Vec<TenantId>,
}

/// Where an issuer's public keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jwks {
    /// In this file.
    File(PathBuf),
    /// At this https URL.
    Url(String),
}

/// A way to sign that is accepted. Signatures with a shared secret are not among them: whoever could
/// check a token could make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSA with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSA with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// Elliptic curve P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Elliptic curve P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
}

impl Algorithm {
    /// All of them: the default of an issuer.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Rs384, Self::Es256, Self::Es384];
}
