//! Whether a token is true, for this endpoint and tenant, now. Nothing else: what it allows is the policy's.
//!
//! Clause: RFC 6750 2.1

use std::sync::Arc;

use charta_auth::{
    KeySet,
    token::{self, InvalidToken, Unverified, Verified},
};
use charta_model::{TenantId, Timestamp};
use http::{HeaderMap, HeaderValue, header};

use super::{
    cache::{Found, Known, LastToken, TokenCache, TokenDigest},
    development::{DevelopmentKey, DevelopmentKeyError},
    expiring::Expiring,
    fetch::Fetcher,
    introspection::Introspector,
    keys::{FileKeys, KeySource, KeysError, UrlKeys, seconds_after},
};
use crate::config::{Config, DEVELOPMENT, Issuer, Jwks};

/// A token is looked at anew after so long, as its key may have been withdrawn.
const SIGNED_SECONDS_MAX: i64 = 300;
/// The same for one that its issuer was asked about: so long can it be used after it was revoked.
const ASKED_SECONDS_MAX: i64 = 60;
/// One that its issuer does not know is not asked about again for so long.
const UNKNOWN_SECONDS_MAX: i64 = 5;

/// Why a caller is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token.
    #[error("no access token")]
    Missing,
    /// Not the form of a token in a header.
    #[error("not the form of an access token")]
    Malformed,
    /// A token that is not true, or not for here. The words are for the log.
    #[error("{0}")]
    Invalid(&'static str),
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// For another tenant.
    #[error("for another tenant")]
    WrongTenant,
    /// Keys or answers cannot be had.
    #[error("keys or introspection are not available")]
    Unavailable,
}

/// Why no token could be verified: what the configuration names is not there or not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// Keys in a file.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The development key.
    #[error(transparent)]
    Development(#[from] DevelopmentKeyError),
}

/// Verifies access tokens.
pub struct Verifier {
    issuers: Vec<Trusted>,
    /// How many are configured.
    endpoints: usize,
    cache: TokenCache,
    fetcher: Fetcher,
    /// Tokens of the development key that were given back, by their ids.
    revoked: Expiring<()>,
    /// The key that issuer `development` signs with.
    development: Option<Arc<DevelopmentKey>>,
}

/// An issuer and where its keys come from.
struct Trusted {
    issuer: Issuer,
    keys: Option<KeySource>,
    introspector: Option<Introspector>,
}

impl Verifier {
    /// Reads the files that the configuration names, and makes the development key if it is trusted and not
    /// there.
    ///
    /// # Errors
    /// If a file does not have what it should.
    pub fn new(config: &Config) -> Result<Self, VerifierError> {
        let trusted = config.issuers.iter().any(Issuer::is_development);
        let development = if trusted { Some(Arc::new(DevelopmentKey::of(&config.data_dir)?)) } else { None };
        let issuers = config.issuers.iter().map(|issuer| Trusted::new(issuer, development.as_deref()));
        let issuers = issuers.collect::<Result<_, _>>()?;
        let (cache, fetcher, revoked) = (TokenCache::default(), Fetcher::default(), Expiring::new());
        let endpoints = config.endpoints.len();
        Ok(Self { issuers, endpoints, cache, fetcher, revoked, development })
    }

    /// The development key, if it is trusted.
    pub fn development_key(&self) -> Option<&Arc<DevelopmentKey>> {
        self.development.as_ref()
    }

    /// Makes a token of the development key not count any more, until it ends anyway.
    pub fn revoke(&self, token_id: &str, ends: Timestamp, now: Timestamp) {
        let until = seconds_after(ends, token::LEEWAY_SECONDS);
        self.revoked.insert(token_id.to_owned(), (), until, now);
    }

    /// Whether it was given back.
    pub fn is_revoked(&self, token_id: &str, now: Timestamp) -> bool {
        self.revoked.has(token_id, now)
    }

    /// What the token in `Authorization` says, if it is true and for the endpoint at `base`, an absolute URL
    /// without slash at the end, and for `tenant`. A token anywhere else, as in the URL, is never read.
    ///
    /// # Errors
    /// As [`TokenError`].
    pub async fn verify(
        &self,
        headers: &HeaderMap,
        last: &LastToken,
        base: &str,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Arc<Known>, TokenError> {
        let header = authorization(headers)?;
        let known = match last.known(header, now) {
            Some(known) => known,
            None => self.known(header, last, now).await?,
        };
        self.fits(&known, base, tenant, now)?;
        Ok(known)
    }

    /// The token in this header, if it is true.
    async fn known(
        &self,
        header: &HeaderValue,
        last: &LastToken,
        now: Timestamp,
    ) -> Result<Arc<Known>, TokenError> {
        let token = bearer(header)?;
        let digest = TokenDigest::of(token);
        let Found { finding, until } = match self.cache.lookup(digest, now) {
            Some(found) => found,
            None => Box::pin(self.find_out(token, digest, now)).await?,
        };
        let known = finding.ok_or(TokenError::Invalid("its issuer says that it does not count"))?;
        last.remember(header, &known, until);
        Ok(known)
    }

    /// Whether a true token is for here and now.
    fn fits(&self, known: &Known, base: &str, tenant: &TenantId, now: Timestamp) -> Result<(), TokenError> {
        let issuer = &self.issuers[known.issuer].issuer;
        if token::is_over(known.claims.expires_at, now) {
            return Err(TokenError::Expired);
        }
        let is_revoked = |id: &String| self.is_revoked(id, now);
        if issuer.is_development() && known.claims.token_id.as_ref().is_some_and(is_revoked) {
            return Err(TokenError::Invalid("given back"));
        }
        if !is_for(issuer, &known.audience, base) {
            return Err(TokenError::Invalid("for another audience"));
        }
        let other = known.claims.tenant.as_ref().is_some_and(|own| own != tenant);
        if other || !(issuer.tenants.is_empty() || issuer.tenants.contains(tenant)) {
            return Err(TokenError::WrongTenant);
        }
        Ok(())
    }

    /// Verifies a token that is not in the cache, and puts it there.
    async fn find_out(&self, token: &str, digest: TokenDigest, now: Timestamp) -> Result<Found, TokenError> {
        match Unverified::parse(token) {
            Ok(unverified) => {
                let issuer = self
                    .issuers
                    .iter()
                    .position(|trusted| unverified.issuer() == Some(trusted.issuer.url.as_str()));
                let index = issuer.ok_or(TokenError::Invalid("its issuer is not trusted"))?;
                match &self.issuers[index].keys {
                    Some(keys) => self.check(index, keys, token, unverified, digest, now).await,
                    None => self.ask(index, token, digest, now).await,
                }
            }
            Err(InvalidToken::Opaque) => {
                let index = self.issuers.iter().position(|trusted| trusted.introspector.is_some());
                let index = index.ok_or(TokenError::Invalid("opaque, and no issuer can be asked"))?;
                self.ask(index, token, digest, now).await
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn check(
        &self,
        index: usize,
        source: &KeySource,
        token: &str,
        unverified: Unverified<'_>,
        digest: TokenDigest,
        now: Timestamp,
    ) -> Result<Found, TokenError> {
        let allowed = &self.issuers[index].issuer.algorithms;
        let check = |unverified: Unverified<'_>, keys: &KeySet| unverified.verify(keys, allowed, now);
        let keys = source.current(&self.fetcher, now).await.map_err(|_| TokenError::Unavailable)?;
        let verified = match check(unverified, &keys) {
            Err(InvalidToken::UnknownKey) => match source.newer(&self.fetcher, now, &keys).await {
                Some(keys) => check(Unverified::parse(token)?, &keys)?,
                None => return Err(InvalidToken::UnknownKey.into()),
            },
            other => other?,
        };
        let until = seconds_after(now, SIGNED_SECONDS_MAX);
        Ok(self.keep(digest, index, until, Some(verified)))
    }

    async fn ask(
        &self,
        index: usize,
        token: &str,
        digest: TokenDigest,
        now: Timestamp,
    ) -> Result<Found, TokenError> {
        let Some(introspector) = &self.issuers[index].introspector else {
            return Err(TokenError::Unavailable);
        };
        let verified = introspector.ask(&self.fetcher, token, now).await?;
        let seconds = if verified.is_some() { ASKED_SECONDS_MAX } else { UNKNOWN_SECONDS_MAX };
        Ok(self.keep(digest, index, seconds_after(now, seconds), verified))
    }

    fn keep(
        &self,
        digest: TokenDigest,
        issuer: usize,
        until: Timestamp,
        verified: Option<Verified>,
    ) -> Found {
        let mut until = until;
        let finding = verified.map(|Verified { claims, audience }| {
            until = until.min(seconds_after(claims.expires_at, token::LEEWAY_SECONDS));
            Arc::new(Known::new(claims, audience, issuer, self.endpoints))
        });
        let found = Found { finding, until };
        self.cache.insert(digest, found.clone());
        found
    }
}

impl Trusted {
    fn new(issuer: &Issuer, development: Option<&DevelopmentKey>) -> Result<Self, VerifierError> {
        let keys = match (&issuer.jwks, development) {
            (Some(Jwks::File(path)), _) => Some(KeySource::File(FileKeys::open(path)?)),
            (Some(Jwks::Url(url)), _) => Some(KeySource::Url(UrlKeys::new(url))),
            (Some(Jwks::Development), Some(key)) => Some(KeySource::Fixed(key.public_keys())),
            (None, _) if issuer.introspection.is_none() => {
                Some(KeySource::Url(UrlKeys::of_issuer(&issuer.url)))
            }
            (Some(Jwks::Development), None) | (None, _) => None,
        };
        let introspector = issuer.introspection.as_ref();
        let introspector = introspector.map(|place| Introspector::new(&issuer.url, place));
        Ok(Self { issuer: issuer.clone(), keys, introspector })
    }
}

/// The only `Authorization` of a request.
fn authorization(headers: &HeaderMap) -> Result<&HeaderValue, TokenError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(TokenError::Missing)?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(TokenError::Malformed), // of two, another part might read the other
    }
}

/// The token in it.
///
/// Clause: RFC 6750 2.1
fn bearer(header: &HeaderValue) -> Result<&str, TokenError> {
    let value = header.to_str().map_err(|_| TokenError::Malformed)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(TokenError::Missing); // who tries another way does not know this one
    }
    let token = token.trim_matches(' ');
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || !token.bytes().all(is_plain) {
        return Err(TokenError::Malformed);
    }
    if token.len() > token::BYTES_MAX {
        return Err(TokenError::Invalid("longer than 8 KiB"));
    }
    Ok(token)
}

/// Whether one of those whom a token is for is this endpoint, or what the configuration calls it.
fn is_for(issuer: &Issuer, audience: &[String], base: &str) -> bool {
    if !issuer.audience.is_empty() {
        return audience.iter().any(|one| issuer.audience.contains(one));
    }
    // An issuer that was asked and did not say has answered the server that asked.
    let unsaid = audience.is_empty() && issuer.introspection.is_some();
    let is_base = |one: &String| one.strip_suffix('/').unwrap_or(one) == base;
    let is_own = |one: &String| issuer.is_development() && one == DEVELOPMENT;
    unsaid || audience.iter().any(|one| is_base(one) || is_own(one))
}

impl From<InvalidToken> for TokenError {
    fn from(error: InvalidToken) -> Self {
        match error {
            InvalidToken::Opaque => Self::Invalid("not a signed token"),
            InvalidToken::UnknownKey => Self::Invalid("signed with a key that is not known"),
            InvalidToken::Expired => Self::Expired,
            InvalidToken::Broken(why) => Self::Invalid(why),
        }
    }
}
