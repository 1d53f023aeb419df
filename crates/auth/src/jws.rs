//! The form of a signed token: three parts, the first of which says how the last was made. Nothing of what
//! the header offers as a key is read: a key that comes with a token would vouch for itself.
//!
//! Clause: RFC 8725 3.1

use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::{Algorithm, KeySet, keys::NoKey};

/// A token at most: what fits into a header with room for others.
pub const BYTES_MAX: usize = 8192;

/// Why a signed token is not taken. The words are for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three parts, as an opaque token has not.
    #[error("not a signed token")]
    Form,
    /// It breaks a rule.
    #[error("{0}")]
    Invalid(&'static str),
    /// None of the keys is the one that it names; the issuer may have a new one.
    #[error("signed with a key that is not known")]
    UnknownKey,
}

/// A signed token whose signature is not checked yet.
#[derive(Debug)]
pub struct Jws<'t> {
    pub(crate) header: Header,
    payload: Vec<u8>,
    message: &'t str,
    signature: Vec<u8>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
    /// Where the signer says that its keys are. Never fetched.
    pub(crate) jku: Option<String>,
}

impl<'t> Jws<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `Form` if it does not have three parts in base64, `Invalid` if its header breaks a rule.
    pub fn parse(token: &'t str) -> Result<Self, JwsError> {
        if token.len() > BYTES_MAX {
            return Err(JwsError::Invalid("longer than 8 KiB"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, payload) = message.split_once('.').ok_or(JwsError::Form)?;
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode_to_vec(text.as_bytes()).map_err(|_| JwsError::Form);
        let (header, payload) = (decoded(header)?, decoded(payload)?);
        let signature = decoded(signature)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| JwsError::Form)?;
        if header.crit.is_some() {
            return Err(JwsError::Invalid("its header has extensions that must be understood"));
        }
        Ok(Self { header, payload, message, signature })
    }

    /// Whether `typ` is one of these, in any letter case and with or without `application/`; or absent.
    pub(crate) fn is_typed(&self, types: &[&str]) -> bool {
        let Some(typ) = &self.header.typ else { return true };
        let (prefix, rest) = typ.split_at_checked("application/".len()).unwrap_or(("", typ));
        let short = if prefix.eq_ignore_ascii_case("application/") { rest } else { typ };
        types.iter().any(|known| known.eq_ignore_ascii_case(short))
    }

    /// The key's name, where there is one.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// What it says, not to be believed before the signature is checked.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Checks the signature with the one key that fits.
    ///
    /// # Errors
    /// If the algorithm is not among those allowed, no key fits, several do, or the signature is wrong.
    pub(crate) fn check(&self, keys: &KeySet, allowed: &[Algorithm]) -> Result<(), JwsError> {
        let algorithm = Algorithm::named(&self.header.alg)
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(JwsError::Invalid("signed in a way that is not allowed"))?;
        let key = keys.find(algorithm, self.key_id()).map_err(|reason| match reason {
            NoKey::Unknown => JwsError::UnknownKey,
            NoKey::Ambiguous => JwsError::Invalid("several keys could have signed it"),
        })?;
        if key.signed(algorithm, self.message.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(JwsError::Invalid("its signature is wrong"))
        }
    }
}
