//! Tokens that were verified a moment ago, so that a read pays a hash and not a signature. A token is kept
//! under its SHA-256, never itself.

use std::sync::{Arc, Mutex, PoisonError};

use charta_auth::{Claims, Grant};
use charta_model::Timestamp;
use lru::LruCache;
use ring::digest::{SHA256, digest};

const SHARDS: usize = 16;
/// Tokens in each at most.
const SHARD_TOKENS_MAX: std::num::NonZeroUsize = std::num::NonZeroUsize::new(1024).expect("not zero");

/// A token that is true.
pub struct Known {
    /// What it says.
    pub claims: Arc<Claims>,
    /// Whom it is for; empty if its issuer did not say.
    pub audience: Vec<String>,
    /// Who signed it: the place among the configured issuers.
    pub issuer: usize,
    /// What it allows at the endpoints where it was shown, by their places in the configuration.
    grants: Mutex<Vec<Option<Grant>>>,
}

impl Known {
    /// A token that says this.
    pub fn new(claims: Claims, audience: Vec<String>, issuer: usize) -> Self {
        Self { claims: Arc::new(claims), audience, issuer, grants: Mutex::default() }
    }

    /// What it allows at the endpoint of this place; made once.
    pub fn grant(&self, endpoint: usize, make: impl FnOnce(&Claims) -> Grant) -> Grant {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if grants.len() <= endpoint {
            grants.resize(endpoint + 1, None);
        }
        grants[endpoint].get_or_insert_with(|| make(&self.claims)).clone()
    }
}

/// What was found out about a token: what it says, or that it does not count.
pub type Finding = Option<Arc<Known>>;

/// The name of a token here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Of a token.
    pub fn of(token: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }
}

/// Findings, each until its time is over.
pub struct TokenCache([Mutex<LruCache<TokenDigest, (Timestamp, Finding)>>; SHARDS]);

impl Default for TokenCache {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(LruCache::new(SHARD_TOKENS_MAX))))
    }
}

impl TokenCache {
    /// What was found out, if that is not too long ago.
    pub fn lookup(&self, token: TokenDigest, now: Timestamp) -> Option<Finding> {
        let mut shard = self.shard(token).lock().unwrap_or_else(PoisonError::into_inner);
        let (until, finding) = shard.get(&token)?;
        if now < *until {
            return Some(finding.clone());
        }
        shard.pop(&token);
        None
    }

    /// Keeps what was found out.
    pub fn insert(&self, token: TokenDigest, until: Timestamp, finding: Finding) {
        let mut shard = self.shard(token).lock().unwrap_or_else(PoisonError::into_inner);
        shard.put(token, (until, finding));
    }

    fn shard(&self, token: TokenDigest) -> &Mutex<LruCache<TokenDigest, (Timestamp, Finding)>> {
        &self.0[usize::from(token.0[0]) % SHARDS]
    }
}
