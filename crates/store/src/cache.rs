//! Current documents in memory, so that reading one twice costs no lookup.
//!
//! Contract 10: a stale record never enters, and none stays. The argument:
//!
//! - The writer calls `changing` before it commits. From then on, until it calls `changed`, the document
//!   is not in the cache and cannot enter.
//! - `changed`, after the commit and before the acknowledgement, raises the shard's generation. A reader
//!   takes a [`Ticket`] with the generation before it reads, and what it read enters only while the
//!   generation is still that one and the document is not changing.
//! - So what enters was read with no commit of this document between the ticket and now: a commit that
//!   is over has raised the generation, one that is under way is still `changing`. It is the newest.
//! - Before `changing`, the cached record is the newest; between `changing` and `changed`, reads go to
//!   the catalog, which changes at one instant. So no two reads in sequence go back in time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use charta_model::{ResourceId, ResourceType, TenantId};
use lru::LruCache;

use crate::Stored;

const SHARDS: usize = 16;
/// One lookup in so many moves what it found behind all others that are to be forgotten. To move costs more than to find, as
/// it touches the neighbours' memory; what is read often moves often enough.
const LOOKUPS_TO_MOVE: u32 = 8;

/// Three names of 64 bytes and what parts them.
const NAME_BYTES_MAX: usize = 194;

/// Current versions, deletions included, up to a number of bytes.
pub struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    shard_bytes_max: usize,
}

struct Shard {
    entries: LruCache<Box<[u8]>, Arc<Stored>>,
    bytes: usize,
    lookups: u32,
    generation: u64,
    /// Documents between `changing` and `changed`, and how many calls of the latter are to come.
    changing: HashMap<Box<[u8]>, usize>,
}

/// The generation before a read.
#[derive(Debug, Clone, Copy)]
pub struct Ticket(u64);

impl Cache {
    /// An empty cache of at most about `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        let shard = |_| {
            Mutex::new(Shard {
                entries: LruCache::unbounded(),
                bytes: 0,
                lookups: 0,
                generation: 0,
                changing: HashMap::new(),
            })
        };
        Self { shards: std::array::from_fn(shard), shard_bytes_max: bytes_max / SHARDS }
    }

    /// The newest version, if it is here.
    #[must_use]
    pub fn lookup(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Option<Arc<Stored>> {
        let name = Name::of(tenant, kind, id);
        let mut shard = self.shard(&name);
        shard.lookups = shard.lookups.wrapping_add(1);
        match shard.lookups % LOOKUPS_TO_MOVE {
            0 => shard.entries.get(name.bytes()).cloned(),
            _ => shard.entries.peek(name.bytes()).cloned(),
        }
    }

    /// To be taken before the read whose result is to be inserted.
    #[must_use]
    pub fn ticket(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Ticket {
        Ticket(self.shard(&Name::of(tenant, kind, id)).generation)
    }

    /// Keeps what was read after taking the ticket, unless it may have changed since.
    pub fn insert(&self, ticket: Ticket, tenant: &TenantId, stored: &Arc<Stored>) {
        let weight = stored.weight_bytes();
        if weight > self.shard_bytes_max {
            return;
        }
        let name = Name::of(tenant, &stored.document.kind, &stored.document.id);
        let mut shard = self.shard(&name);
        if shard.generation != ticket.0 || shard.changing.contains_key(name.bytes()) {
            return;
        }
        let old = shard.entries.put(name.bytes().into(), Arc::clone(stored));
        shard.bytes += weight;
        shard.bytes -= old.map_or(0, |old| old.weight_bytes());
        while shard.bytes > self.shard_bytes_max {
            let Some((_, oldest)) = shard.entries.pop_lru() else { break };
            shard.bytes -= oldest.weight_bytes();
        }
    }

    /// Before a commit: these documents leave the cache and stay out.
    pub fn changing(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) {
        let name = Name::of(tenant, kind, id);
        let mut shard = self.shard(&name);
        if let Some(old) = shard.entries.pop(name.bytes()) {
            shard.bytes -= old.weight_bytes();
        }
        *shard.changing.entry(name.bytes().into()).or_default() += 1;
    }

    /// After a commit, whether it succeeded or not.
    pub fn changed(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) {
        let name = Name::of(tenant, kind, id);
        let mut shard = self.shard(&name);
        shard.generation += 1;
        if let Some(calls) = shard.changing.get_mut(name.bytes()) {
            *calls -= 1;
            if *calls == 0 {
                shard.changing.remove(name.bytes());
            }
        }
    }

    /// Forgets everything, also what is being read.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.generation += 1;
            shard.entries.clear();
            shard.bytes = 0;
        }
    }

    /// Number of documents, and of bytes that they take.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        self.shards.iter().map(lock).fold((0, 0), |(documents, bytes), shard| {
            (documents + shard.entries.len() as u64, bytes + shard.bytes as u64)
        })
    }

    /// Any spread will do: which shard it is decides nothing but who waits for whom. What is in it is found by a
    /// keyed hash.
    fn shard(&self, name: &Name) -> MutexGuard<'_, Shard> {
        let sum = name.bytes().iter().fold(0_usize, |sum, byte| sum + usize::from(*byte));
        lock(&self.shards[sum % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tenant, type and id as one key, made without allocating.
struct Name {
    bytes: [u8; NAME_BYTES_MAX],
    length: usize,
}

impl Name {
    fn of(tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Self {
        let mut name = Self { bytes: [0; NAME_BYTES_MAX], length: 0 };
        for part in [tenant.as_str(), kind.as_str(), id.as_str()] {
            let end = name.length + part.len();
            name.bytes[name.length..end].copy_from_slice(part.as_bytes());
            name.length = end + 1; // no name holds a 0, so that the one between parts them
        }
        name.length -= 1;
        name
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
