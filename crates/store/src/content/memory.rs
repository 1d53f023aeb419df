//! Content in memory, for tests and trials. It survives nothing.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use charta_model::Digest;

use super::{ContentStore, ContentWriter, End, Listing, Opened, Placed, fresh_key};
use crate::Error;

/// Content in memory. Clones are the same store.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    contents: HashMap<String, Bytes>,
    held: HashSet<String>,
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ContentStore for Memory {
    async fn create(&self) -> Result<Box<dyn ContentWriter>, Error> {
        Ok(Box::new(MemoryWriter { store: self.clone(), bytes: BytesMut::new() }))
    }

    async fn open(&self, key: &str, size_bytes: u64) -> Result<Opened, Error> {
        let found = self.kept().contents.get(key).cloned();
        let bytes = found.ok_or_else(|| Error::Missing(key.into()))?;
        if bytes.len() as u64 == size_bytes {
            Ok(Opened::Memory(bytes))
        } else {
            Err(Error::Corrupt(format!("content {key} has {} bytes", bytes.len()).into()))
        }
    }

    fn holds(&self, key: &str, size_bytes: u64) -> bool {
        self.kept().contents.get(key).is_some_and(|bytes| bytes.len() as u64 == size_bytes)
    }

    async fn remove(&self, key: &str) -> Result<Option<u64>, Error> {
        Ok(self.kept().contents.remove(key).map(|bytes| bytes.len() as u64))
    }

    async fn list(&self, _from: Option<String>) -> Result<Listing, Error> {
        let kept = self.kept();
        let settled = kept.contents.iter().filter(|(key, _)| !kept.held.contains(*key));
        let keys = settled.map(|(key, bytes)| (key.clone(), bytes.len() as u64)).collect();
        Ok(Listing { keys, next: None })
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct MemoryWriter {
    store: Memory,
    bytes: BytesMut,
}

#[async_trait]
impl ContentWriter for MemoryWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>, digest: &Digest) -> Result<Placed, Error> {
        let key = fresh_key(digest);
        let mut kept = self.store.kept();
        kept.held.insert(key.clone());
        kept.contents.insert(key.clone(), self.bytes.freeze());
        drop(kept);
        let store = self.store.clone();
        Ok(Placed::new(key, move |key, end| {
            let mut kept = store.kept();
            kept.held.remove(key);
            if end == End::Discarded {
                kept.contents.remove(key);
            }
        }))
    }
}
