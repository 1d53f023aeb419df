//! Tokens that were verified a moment ago, so that a read pays a hash and not a signature, and the next one on the
//! same connection not even that. Tokens of all connections are kept under their SHA-256, never themselves; what a
//! connection showed last stays with the connection, whose buffers have it anyway.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use charta_auth::{Claims, Grant};
use charta_model::{Timestamp, audit::Caller};
use http::HeaderValue;
use lru::LruCache;
use ring::digest::{SHA256, digest};

const SHARDS: usize = 16;
/// Tokens in each at most.
const SHARD_TOKENS_MAX: std::num::NonZeroUsize = std::num::NonZeroUsize::new(1024).expect("not zero");

/// A token that is true.
pub struct Known {
    /// What it says.
    pub claims: Claims,
    /// Whom it is for; empty if its issuer did not say.
    pub audience: Vec<String>,
    /// Who signed it: the place among the configured issuers.
    pub issuer: usize,
    /// What it allows at the endpoints where it was shown, by their places in the configuration.
    grants: Box<[OnceLock<Grant>]>,
    /// Whom the audit log names when it is shown, from the address that it came from first.
    caller: OnceLock<Arc<Caller>>,
    /// The header of connections that show it now, so that all look at the same bytes.
    header: Mutex<Weak<[u8]>>,
}

impl Known {
    /// A token that says this, to be shown at so many endpoints.
    pub fn new(claims: Claims, audience: Vec<String>, issuer: usize, endpoints: usize) -> Self {
        let nobody: Weak<[u8]> = Weak::<[u8; 0]>::new();
        let grants = (0..endpoints).map(|_| OnceLock::new()).collect();
        Self { claims, audience, issuer, grants, caller: OnceLock::new(), header: Mutex::new(nobody) }
    }

    /// The header as another connection has it, or a copy.
    fn header(&self, shown: &[u8]) -> Arc<[u8]> {
        let mut known = self.header.lock().unwrap_or_else(PoisonError::into_inner);
        match known.upgrade().filter(|known| is_same(known, shown)) {
            Some(known) => known,
            None => {
                let header: Arc<[u8]> = shown.into();
                *known = Arc::downgrade(&header);
                header
            }
        }
    }

    /// What it allows at the endpoint of this place; made once.
    pub fn grant(&self, endpoint: usize, make: impl FnOnce(&Claims) -> Grant) -> Grant {
        self.grants[endpoint].get_or_init(|| make(&self.claims)).clone()
    }

    /// Whom the audit log names when it is shown from this address: mostly the first, for which that is made once.
    pub fn caller(&self, address: &str, make: impl Fn(&Claims) -> Caller) -> Arc<Caller> {
        let first = self.caller.get_or_init(|| Arc::new(make(&self.claims)));
        if first.address == address { Arc::clone(first) } else { Arc::new(make(&self.claims)) }
    }
}

/// What was found out about a token: what it says, or that it does not count.
pub type Finding = Option<Arc<Known>>;

/// What was found out, and until when that counts.
#[derive(Clone)]
pub struct Found {
    /// What was found out.
    pub finding: Finding,
    /// When it is to be found out anew.
    pub until: Timestamp,
}

/// The true token that a connection showed last: most go on to show it with every request.
#[derive(Default)]
pub struct LastToken(Mutex<Option<Shown>>);

struct Shown {
    /// The whole header.
    header: Arc<[u8]>,
    known: Arc<Known>,
    until: Timestamp,
}

impl LastToken {
    /// What is known of it, if this header shows it again and not too long after.
    pub fn known(&self, header: &HeaderValue, now: Timestamp) -> Option<Arc<Known>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = last.as_ref()?;
        (now < shown.until && is_same(&shown.header, header.as_bytes())).then(|| Arc::clone(&shown.known))
    }

    /// Keeps what was found out of a header.
    pub fn remember(&self, header: &HeaderValue, known: &Arc<Known>, until: Timestamp) {
        let shown = Shown { header: known.header(header.as_bytes()), known: Arc::clone(known), until };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
    }
}

/// Whether both are the same, in a time that does not tell how much of a guess is right: behind a proxy the next request
/// of a connection may be another caller's.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |found, (a, b)| found | (a ^ b));
    one.len() == other.len() && difference == 0
}

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
pub struct TokenCache([Mutex<LruCache<TokenDigest, Found>>; SHARDS]);

impl Default for TokenCache {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(LruCache::new(SHARD_TOKENS_MAX))))
    }
}

impl TokenCache {
    /// What was found out, if that is not too long ago.
    pub fn lookup(&self, token: TokenDigest, now: Timestamp) -> Option<Found> {
        let mut shard = self.shard(token).lock().unwrap_or_else(PoisonError::into_inner);
        let found = shard.get(&token)?;
        if now < found.until {
            return Some(found.clone());
        }
        shard.pop(&token);
        None
    }

    /// Keeps what was found out.
    pub fn insert(&self, token: TokenDigest, found: Found) {
        let mut shard = self.shard(token).lock().unwrap_or_else(PoisonError::into_inner);
        shard.put(token, found);
    }

    fn shard(&self, token: TokenDigest) -> &Mutex<LruCache<TokenDigest, Found>> {
        &self.0[usize::from(token.0[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_header_is_the_same() {
        assert!(is_same(b"Bearer abc", b"Bearer abc"));
        for other in ["Bearer abd", "Bearer ab", "Bearer abcd", "bearer abc", ""] {
            assert!(!is_same(b"Bearer abc", other.as_bytes()), "{other}");
        }
    }
}
