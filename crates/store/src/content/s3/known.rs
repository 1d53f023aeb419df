//! What this process knows about keys without asking the store.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use lru::LruCache;

/// So many keys are remembered as missing or damaged.
const LOST_MAX: NonZeroUsize = NonZeroUsize::new(4096).expect("4096 is not 0");
/// Of so many contents the first bytes are remembered: 2 MB.
const STARTS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).expect("16384 is not 0");
/// So many first bytes.
const START_BYTES: usize = 16;

/// What this process knows about keys.
pub struct Known(Mutex<State>);

struct State {
    /// Written here, and not yet named by a record or removed.
    held: HashSet<String>,
    /// Opened here.
    read: HashMap<String, Readers>,
    /// Asked for and not found, or not found as they should be.
    lost: LruCache<String, ()>,
    starts: LruCache<String, Bytes>,
}

#[derive(Default)]
struct Readers {
    count: usize,
    /// To be removed when the last of them is done.
    doomed: bool,
}

impl Known {
    pub fn new() -> Self {
        let (held, read) = (HashSet::new(), HashMap::new());
        Self(Mutex::new(State {
            held,
            read,
            lost: LruCache::new(LOST_MAX),
            starts: LruCache::new(STARTS_MAX),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write has this key.
    pub fn hold(&self, key: &str) {
        self.state().held.insert(key.to_owned());
    }

    /// A record has it, or nobody will.
    pub fn release(&self, key: &str) {
        self.state().held.remove(key);
    }

    pub fn is_held(&self, key: &str) -> bool {
        self.state().held.contains(key)
    }

    /// Somebody opens it; `false` if it is to be removed.
    pub fn opens(&self, key: &str) -> bool {
        let mut state = self.state();
        let readers = state.read.entry(key.to_owned()).or_default();
        readers.count += usize::from(!readers.doomed);
        !readers.doomed
    }

    /// Somebody who opened it is done. Whether it is to be removed now.
    pub fn closed(&self, key: &str) -> bool {
        let mut state = self.state();
        let Some(readers) = state.read.get_mut(key) else { return false };
        readers.count -= 1;
        readers.count == 0 && state.read.remove(key).is_some_and(|readers| readers.doomed)
    }

    /// Whether it is removed as soon as nobody reads it.
    pub fn is_doomed(&self, key: &str) -> bool {
        self.state().read.get(key).is_some_and(|readers| readers.doomed)
    }

    /// It is to be removed. Whether whoever reads it does that, as somebody reads it.
    pub fn doom(&self, key: &str) -> bool {
        let mut state = self.state();
        let readers = state.read.get_mut(key);
        readers.map(|readers| readers.doomed = true).is_some()
    }

    /// It is not there, or not as it was.
    pub fn lose(&self, key: &str) {
        self.state().lost.put(key.to_owned(), ());
    }

    pub fn is_lost(&self, key: &str) -> bool {
        self.state().lost.contains(key)
    }

    /// What it begins with. Too little of it is not remembered.
    pub fn begins(&self, key: &str, piece: &[u8]) {
        if let Some(start) = piece.get(..START_BYTES) {
            let start = Bytes::copy_from_slice(start);
            self.state().starts.put(key.to_owned(), start);
        }
    }

    pub fn start(&self, key: &str) -> Option<Bytes> {
        self.state().starts.get(key).cloned()
    }
}
