//! Access tokens: text, keys and time in, claims out. No I/O: where keys come from is the caller's to know.
//!
//! Clause: RFC 9068 4

use charta_model::{ResourceId, TenantId, Timestamp};
use serde::{Deserialize, de::IgnoredAny};

use crate::{Algorithm, Claims, Jws, JwsError, KeySet};

pub use crate::jws::BYTES_MAX;

/// So far may the issuer's clock be from ours.
pub const LEEWAY_SECONDS: i64 = 30;

/// Why a token is not taken. The words are for the log; a caller learns no more than that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Not a signed token: perhaps an opaque one, about which its issuer can be asked.
    #[error("not a signed token")]
    Opaque,
    /// None of the keys is the one that it names.
    #[error("signed with a key that is not known")]
    UnknownKey,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It breaks a rule.
    #[error("{0}")]
    Broken(&'static str),
}

/// An access token that is true; whom it is for remains to be compared with what is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    /// Whom it is for; empty if an introspection did not say.
    pub audience: Vec<String>,
}

/// A signed access token before its signature is checked: it tells who claims to have signed it, so that
/// the right keys can be had, and nothing else.
#[derive(Debug)]
pub struct Unverified<'t> {
    jws: Jws<'t>,
    statement: Statement,
}

/// The claims as an issuer writes them, in a token or in answer to an introspection.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statement {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    exp: Option<f64>,
    nbf: Option<f64>,
    scope: Option<String>,
    client_id: Option<String>,
    azp: Option<String>,
    patient: Option<String>,
    #[serde(rename = "fhirUser")]
    fhir_user: Option<String>,
    jti: Option<String>,
    tenant: Option<String>,
    purpose_of_use: Option<OneOrMany>,
    cnf: Option<IgnoredAny>,
    nonce: Option<IgnoredAny>,
    at_hash: Option<IgnoredAny>,
    c_hash: Option<IgnoredAny>,
    active: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

impl<'t> Unverified<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `Opaque` if it is not a signed token, `Broken` if it is one of another kind.
    pub fn parse(token: &'t str) -> Result<Self, InvalidToken> {
        let jws = Jws::parse(token)?;
        // RFC 8725 3.11: what was made for another purpose says so here, if anywhere.
        if !jws.is_typed(&["JWT", "at+jwt"]) {
            return Err(InvalidToken::Broken("its type is not that of an access token"));
        }
        let statement = serde_json::from_slice(jws.payload())
            .map_err(|_| InvalidToken::Broken("its claims cannot be read"))?;
        Ok(Self { jws, statement })
    }

    /// Who claims to have signed it.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.statement.iss.as_deref()
    }

    /// Checks signature and claims. The caller has chosen `keys` and `allowed` by [`Unverified::issuer`]
    /// and compares the audience.
    ///
    /// # Errors
    /// `UnknownKey` if a newer set of keys may help; `Expired`; `Broken`.
    ///
    /// Clause: RFC 8725 3
    pub fn verify(
        self,
        keys: &KeySet,
        allowed: &[Algorithm],
        now: Timestamp,
    ) -> Result<Verified, InvalidToken> {
        self.jws.check(keys, allowed)?;
        let of_id_token = self.statement.nonce.or(self.statement.at_hash).or(self.statement.c_hash).is_some();
        if of_id_token {
            return Err(InvalidToken::Broken("an ID token, not an access token"));
        }
        if self.statement.aud.is_none() {
            return Err(InvalidToken::Broken("it does not say whom it is for"));
        }
        verified(self.statement, now)
    }
}

/// What an issuer answers when it is asked about a token; `None`: that it does not count.
///
/// # Errors
/// `Broken` if the answer is not one, or says of itself that it is about another issuer's token; `Expired`.
///
/// Clause: RFC 7662 2.2
pub fn introspected(json: &[u8], issuer: &str, now: Timestamp) -> Result<Option<Verified>, InvalidToken> {
    let mut statement: Statement =
        serde_json::from_slice(json).map_err(|_| InvalidToken::Broken("the introspection cannot be read"))?;
    if !statement.active {
        return Ok(None);
    }
    if statement.iss.get_or_insert_with(|| issuer.to_owned()) != issuer {
        return Err(InvalidToken::Broken("the introspection is about another issuer's token"));
    }
    verified(statement, now).map(Some)
}

/// Whether a time in a token is over; for one that was verified before.
#[must_use]
pub fn is_over(expires_at: Timestamp, now: Timestamp) -> bool {
    now.as_second() >= expires_at.as_second().saturating_add(LEEWAY_SECONDS)
}

fn verified(statement: Statement, now: Timestamp) -> Result<Verified, InvalidToken> {
    use InvalidToken::Broken;
    // Whoever holds such a token must prove more than that, which is not asked here.
    if statement.cnf.is_some() {
        return Err(Broken("bound to a key of its holder, which is not supported"));
    }
    let expires_at = time(statement.exp.ok_or(Broken("it never ends"))?).ok_or(Broken("it never ends"))?;
    if is_over(expires_at, now) {
        return Err(InvalidToken::Expired);
    }
    if let Some(begin) = statement.nbf {
        let begin = time(begin).ok_or(Broken("it never begins"))?;
        if now.as_second() < begin.as_second().saturating_sub(LEEWAY_SECONDS) {
            return Err(Broken("not valid yet"));
        }
    }
    let patient = statement.patient.as_deref().map(ResourceId::new).transpose();
    let tenant = statement.tenant.as_deref().map(TenantId::new).transpose();
    let claims = Claims {
        issuer: statement.iss.ok_or(Broken("it does not say who signed it"))?,
        subject: statement.sub,
        client: statement.client_id.or(statement.azp),
        // ID tokens have none, and an access token without it would open nothing.
        scope: statement.scope.ok_or(Broken("it has no scope"))?,
        patient: patient.map_err(|_| Broken("its patient is not an id"))?,
        user: statement.fhir_user,
        token_id: statement.jti,
        tenant: tenant.map_err(|_| Broken("its tenant is not an id"))?,
        purposes: statement.purpose_of_use.map(OneOrMany::list).unwrap_or_default(),
        expires_at,
    };
    Ok(Verified { claims, audience: statement.aud.map(OneOrMany::list).unwrap_or_default() })
}

/// Seconds since 1970, perhaps with a fraction, which is cut off.
#[allow(clippy::cast_possible_truncation, reason = "what does not fit is far in the future and refused")]
fn time(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_second(seconds.floor() as i64).ok()
}

impl From<JwsError> for InvalidToken {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::Form => Self::Opaque,
            JwsError::Invalid(why) => Self::Broken(why),
            JwsError::UnknownKey => Self::UnknownKey,
        }
    }
}
