//! Ways to sign.

use serde::{Deserialize, Serialize};

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

    /// What a client may sign with that authenticates itself by a key.
    ///
    /// Clause: SMART 2.2 client-confidential-asymmetric.html
    pub const OF_CLIENTS: [Self; 2] = [Self::Rs384, Self::Es384];

    /// The name in a token's header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }

    /// The algorithm of this name; `none` and what needs a shared secret have none here.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}
