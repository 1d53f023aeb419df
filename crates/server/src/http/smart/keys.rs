//! Where the public keys of an issuer, or of a client, are, and how they stay current: a file is read anew
//! when it changes, a URL when its time is over and when a token names a key that is not known. The latter
//! anybody can provoke, so it happens at a bounded rate. Keys that cannot be had anew stay good for a day.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use charta_auth::{InvalidKeySet, KeySet};
use charta_model::Timestamp;
use tokio::sync::Mutex;

use super::{
    discovered,
    fetch::{FetchError, Fetcher},
};

/// Keys are fetched anew after so long, if their server does not say.
const SECONDS_DEFAULT: i64 = 900;
/// What their server says counts within these.
const SECONDS_MIN: i64 = 60;
const SECONDS_MAX: i64 = 3600;
/// So old may keys be that cannot be had anew.
const AGE_SECONDS_MAX: i64 = 86_400;
/// After a failure, the old keys are good for so long.
const RETRY_SECONDS: i64 = 30;
/// So many fetches at once, and one more for each of these.
const FETCHES_MAX: i64 = 5;
const SECONDS_PER_FETCH: i64 = 30;
/// A file of keys at most.
const FILE_BYTES_MAX: u64 = 256 << 10;

/// Why there are no keys. For the log.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("{}: {error}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The URL cannot be fetched.
    #[error("{url}: {error}")]
    Url {
        /// Which.
        url: String,
        /// Why.
        error: FetchError,
    },
    /// The issuer's metadata does not lead to its keys.
    #[error("{issuer}: {why}")]
    Metadata {
        /// Whose.
        issuer: String,
        /// Why not.
        why: &'static str,
    },
    /// What was read is not a set of keys.
    #[error("{place}: {error}")]
    Content {
        /// Where it was read.
        place: String,
        /// Why not.
        error: InvalidKeySet,
    },
    /// They were fetched too often.
    #[error("fetched too often; waiting")]
    TooOften,
}

/// Public keys, kept current.
pub enum KeySource {
    /// These and no others.
    Fixed(Arc<KeySet>),
    /// Those of a file.
    File(FileKeys),
    /// Those at a URL.
    Url(UrlKeys),
}

impl KeySource {
    /// The keys.
    ///
    /// # Errors
    /// If there are none, or none that are young enough.
    pub async fn current(&self, fetcher: &Fetcher, now: Timestamp) -> Result<Arc<KeySet>, KeysError> {
        match self {
            Self::Fixed(keys) => Ok(keys.clone()),
            Self::File(file) => Ok(file.current()),
            Self::Url(url) => url.current(fetcher, now).await,
        }
    }

    /// The keys, if there are others by now than `known`, in which a key was missing.
    pub async fn newer(&self, fetcher: &Fetcher, now: Timestamp, known: &Arc<KeySet>) -> Option<Arc<KeySet>> {
        match self {
            Self::Fixed(_) | Self::File(_) => None, // a file's changes show at once
            Self::Url(url) => url.newer(fetcher, now, known).await,
        }
    }
}

/// Keys in a file.
pub struct FileKeys {
    path: PathBuf,
    read: RwLock<(Stamp, Arc<KeySet>)>,
}

/// What changes with a file.
type Stamp = Option<(SystemTime, u64)>;

impl FileKeys {
    /// # Errors
    /// If the file has no keys.
    pub fn open(path: &Path) -> Result<Self, KeysError> {
        let stamp = stamp(path);
        let keys = read(path)?;
        Ok(Self { path: path.to_owned(), read: RwLock::new((stamp, Arc::new(keys))) })
    }

    fn current(&self) -> Arc<KeySet> {
        let stamp = stamp(&self.path);
        {
            let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
            if read.0 == stamp {
                return read.1.clone();
            }
        }
        let mut kept = self.read.write().unwrap_or_else(PoisonError::into_inner);
        kept.0 = stamp; // a file that is wrong is complained about once
        match read(&self.path) {
            Ok(keys) => kept.1 = Arc::new(keys),
            Err(error) => tracing::warn!(cause = %error, "keys stay as they were"),
        }
        kept.1.clone()
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<KeySet, KeysError> {
    use io::Read as _;
    let failed = |error| KeysError::File { file: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let content = |error| KeysError::Content { place: path.display().to_string(), error };
    KeySet::parse(&bytes).map_err(content)
}

/// Keys at a URL.
pub struct UrlKeys {
    place: Place,
    state: RwLock<State>,
    /// Held while fetching, so that one fetch serves all who wait.
    fetching: Mutex<Budget>,
}

/// Who says where they are.
enum Place {
    /// The configuration.
    Named(String),
    /// The metadata of this issuer.
    Discovered(String),
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

impl UrlKeys {
    /// Those at this URL. Fetches nothing yet.
    pub fn new(url: &str) -> Self {
        Self::at(Place::Named(url.to_owned()))
    }

    /// Those of an issuer, wherever its metadata says. Fetches nothing yet.
    pub fn of_issuer(issuer: &str) -> Self {
        Self::at(Place::Discovered(issuer.to_owned()))
    }

    fn at(place: Place) -> Self {
        let (state, fetching) = (RwLock::default(), Mutex::default());
        Self { place, state, fetching }
    }

    async fn current(&self, fetcher: &Fetcher, now: Timestamp) -> Result<Arc<KeySet>, KeysError> {
        if let Some(keys) = self.fresh(now) {
            return Ok(keys);
        }
        let old = self.not_too_old(now);
        let mut budget = match self.fetching.try_lock() {
            Ok(budget) => budget,
            Err(_) => match old {
                Some(old) => return Ok(old), // whoever fetches now will bring newer ones
                None => self.fetching.lock().await,
            },
        };
        if let Some(keys) = self.fresh(now) {
            return Ok(keys); // fetched while this one waited
        }
        match self.fetch(&mut budget, fetcher, now).await {
            Ok(keys) => Ok(keys),
            Err(error) => {
                tracing::warn!(cause = %error, "keys could not be fetched");
                self.write().fresh_until = seconds_after(now, RETRY_SECONDS);
                old.ok_or(error)
            }
        }
    }

    async fn newer(&self, fetcher: &Fetcher, now: Timestamp, known: &Arc<KeySet>) -> Option<Arc<KeySet>> {
        let mut budget = self.fetching.lock().await;
        if let Some(keys) = self.fresh(now).filter(|keys| !Arc::ptr_eq(keys, known)) {
            return Some(keys);
        }
        match self.fetch(&mut budget, fetcher, now).await {
            Ok(keys) => Some(keys),
            Err(error) => {
                tracing::warn!(cause = %error, "a token names a key that is not known");
                None
            }
        }
    }

    async fn fetch(
        &self,
        budget: &mut Budget,
        fetcher: &Fetcher,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, KeysError> {
        if !budget.take(now) {
            return Err(KeysError::TooOften);
        }
        let (url, fetched) = match &self.place {
            Place::Named(url) => {
                let failed = |error| KeysError::Url { url: url.clone(), error };
                (url.clone(), fetcher.get(url).await.map_err(failed)?)
            }
            // The metadata is read with them each time, so that it is never older than they are.
            Place::Discovered(issuer) => Box::pin(discovered::keys(fetcher, issuer)).await?,
        };
        let content = |error| KeysError::Content { place: url, error };
        let keys = Arc::new(KeySet::parse(&fetched.body).map_err(content)?);
        let seconds = fetched.seconds_max.unwrap_or(SECONDS_DEFAULT).clamp(SECONDS_MIN, SECONDS_MAX);
        let fresh_until = seconds_after(now, seconds);
        *self.write() = State { keys: Some(keys.clone()), fetched_at: now, fresh_until };
        Ok(keys)
    }

    fn fresh(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state
            .keys
            .clone()
            .filter(|_| now < state.fresh_until && now < seconds_after(state.fetched_at, AGE_SECONDS_MAX))
    }

    fn not_too_old(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.keys.clone().filter(|_| now < seconds_after(state.fetched_at, AGE_SECONDS_MAX))
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many fetches are left: some at once, then one now and then.
#[derive(Default)]
struct Budget {
    used: i64,
    since: Timestamp,
}

impl Budget {
    fn take(&mut self, now: Timestamp) -> bool {
        let regained = (now.as_second() - self.since.as_second()).max(0) / SECONDS_PER_FETCH;
        if regained > 0 {
            self.used = (self.used - regained).max(0);
            self.since = now;
        }
        let left = self.used < FETCHES_MAX;
        self.used += i64::from(left);
        left
    }
}

/// The time so many seconds later.
pub fn seconds_after(time: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_second(time.as_second().saturating_add(seconds)).unwrap_or(Timestamp::MAX)
}
