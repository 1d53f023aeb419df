//! Client assertions: a client shows who it is by signing a short-lived statement with its own key.
//!
//! Clause: SMART 2.2 client-confidential-asymmetric.html

use charta_model::Timestamp;
use serde::Deserialize;

use crate::{Algorithm, Jws, JwsError, KeySet, token::LEEWAY_SECONDS};

/// An assertion may be valid so long.
pub const LIFETIME_SECONDS_MAX: i64 = 300;

/// Why a client is not believed. The words are for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAssertion(&'static str);

const UNKNOWN_KEY: &str = "signed with a key that is not registered";

impl InvalidAssertion {
    /// Whether a newer set of keys may help.
    #[must_use]
    pub fn is_unknown_key(&self) -> bool {
        self.0 == UNKNOWN_KEY
    }
}

/// An assertion before its signature is checked.
#[derive(Debug)]
pub struct Assertion<'t> {
    jws: Jws<'t>,
    statement: Statement,
}

/// An assertion that is true, once: the caller has to remember `id` until `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asserted {
    /// `jti`
    pub id: String,
    /// When the assertion ends, the leeway included.
    pub expires_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Statement {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    jti: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl<'t> Assertion<'t> {
    /// Takes an assertion apart.
    ///
    /// # Errors
    /// If it is not a signed token with the claims that are needed.
    pub fn parse(text: &'t str) -> Result<Self, InvalidAssertion> {
        let jws = Jws::parse(text)?;
        if !jws.is_typed(&["JWT"]) {
            return Err(InvalidAssertion("its type is not JWT"));
        }
        if jws.key_id().is_none() {
            return Err(InvalidAssertion("it names no key"));
        }
        let statement = serde_json::from_slice(jws.payload())
            .map_err(|_| InvalidAssertion("its claims cannot be read or are not all there"))?;
        Ok(Self { jws, statement })
    }

    /// The client that it claims to come from.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.statement.iss
    }

    /// Checks it against what is known of the client: its keys, and the URL at which it has registered them
    /// if that is how.
    ///
    /// # Errors
    /// If anything is wrong.
    ///
    /// Clause: RFC 7523 3
    pub fn verify(
        self,
        keys: &KeySet,
        registered_url: Option<&str>,
        audience: &str,
        now: Timestamp,
    ) -> Result<Asserted, InvalidAssertion> {
        if self.jws.header.jku.is_some() && self.jws.header.jku.as_deref() != registered_url {
            return Err(InvalidAssertion("its keys are said to be where they are not registered"));
        }
        self.jws.check(keys, &Algorithm::OF_CLIENTS)?;
        let Statement { iss, sub, aud, exp, nbf, jti } = self.statement;
        if iss != sub {
            return Err(InvalidAssertion("issuer and subject differ"));
        }
        let is_audience = match &aud {
            Audience::One(one) => one == audience,
            Audience::Many(many) => many.iter().any(|one| one == audience),
        };
        if !is_audience {
            return Err(InvalidAssertion("it is for another server"));
        }
        if jti.is_empty() || jti.len() > 256 {
            return Err(InvalidAssertion("its jti is empty or longer than 256 bytes"));
        }
        let now = now.as_second();
        if exp <= (now - LEEWAY_SECONDS) as f64 {
            return Err(InvalidAssertion("expired"));
        }
        if exp > (now + LIFETIME_SECONDS_MAX + LEEWAY_SECONDS) as f64 {
            return Err(InvalidAssertion("valid for more than five minutes"));
        }
        if nbf.is_some_and(|begin| begin > (now + LEEWAY_SECONDS) as f64) {
            return Err(InvalidAssertion("not valid yet"));
        }
        #[allow(clippy::cast_possible_truncation, reason = "compared with the time above")]
        let expires_at = Timestamp::from_second(exp.ceil() as i64 + LEEWAY_SECONDS)
            .map_err(|_| InvalidAssertion("its end is no time"))?;
        Ok(Asserted { id: jti, expires_at })
    }
}

impl From<JwsError> for InvalidAssertion {
    fn from(error: JwsError) -> Self {
        Self(match error {
            JwsError::Form => "not a signed token",
            JwsError::Invalid(why) => why,
            JwsError::UnknownKey => UNKNOWN_KEY,
        })
    }
}
