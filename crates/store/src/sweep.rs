//! Frees bytes that no version refers to.
//!
//! Contract 8. Records go first, in a transaction that sees whether a version refers to them and remembers
//! what they named; then that is removed, and forgotten at last. A write that comes later with equal bytes finds no record and brings bytes
//! under a key of its own (Contract 4). Then content that no record names is looked for: the listing
//! leaves out what a running write holds, and is made before the catalog is asked. An opened read keeps
//! its file; backups and checks hold a lock that keeps sweeps away.

use crate::{Error, Store, Swept, content::Listing};

impl Store {
    /// Frees the bytes of purged documents, and files that nothing names. It lists all content: a request for each
    /// thousand objects where that lies in a bucket.
    ///
    /// # Errors
    /// `Unavailable` while a backup or check runs; `ReadOnly`; those of a write. What was freed until
    /// then stays freed.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        let _lock = self.sweep_lock().await?;
        let mut swept = self.free().await?;
        let mut from = None;
        loop {
            let listed = self.contents().list(from).await?;
            for key in self.claimed(listed.keys).await? {
                self.remove(&key, &mut swept).await?;
            }
            from = listed.next;
            if from.is_none() {
                return Ok(swept);
            }
        }
    }

    /// Frees the bytes of purged documents, and what the catalog knows to have been given up. It lists nothing.
    ///
    /// # Errors
    /// As for `sweep`.
    pub async fn sweep_known(&self) -> Result<Swept, Error> {
        let _lock = self.sweep_lock().await?;
        self.free().await
    }

    async fn sweep_lock(&self) -> Result<impl Sized, Error> {
        let busy = || Error::Unavailable("a backup or check runs; sweep later".into());
        self.begin_sweep().await?.ok_or_else(busy)
    }

    async fn free(&self) -> Result<Swept, Error> {
        let forgotten = self.catalog().forget_unreferenced().await?;
        let (contents, bytes) = (forgotten.contents, forgotten.bytes);
        let mut swept = Swept { contents, files: 0, bytes };
        for key in &forgotten.keys {
            self.remove(key, &mut swept).await?;
        }
        if !forgotten.keys.is_empty() {
            self.catalog().removed(forgotten.keys).await?;
        }
        Ok(swept)
    }

    async fn remove(&self, key: &str, swept: &mut Swept) -> Result<(), Error> {
        if let Some(size_bytes) = self.contents().remove(key).await? {
            swept.files += 1;
            swept.bytes += size_bytes;
        }
        Ok(())
    }

    /// Of this listed content, what is nobody's but the sweep's.
    async fn claimed(&self, listed: Vec<(String, u64)>) -> Result<Vec<String>, Error> {
        if listed.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = listed.into_iter().map(|(key, _)| key).collect();
        let claimed = self.catalog().claim(keys.clone()).await?;
        Ok(keys.into_iter().zip(claimed).filter(|(_, claimed)| *claimed).map(|(key, _)| key).collect())
    }

    /// Of some stored content, in the order of its keys, that which no record names.
    pub(crate) async fn unnamed(&self, from: Option<String>) -> Result<Listing, Error> {
        let listed = self.contents().list(from).await?;
        if listed.keys.is_empty() {
            return Ok(listed);
        }
        let keys = listed.keys.iter().map(|(key, _)| key.clone()).collect();
        let known = self.catalog().known(keys).await?;
        let unnamed = listed.keys.into_iter().zip(known).filter(|(_, known)| !known);
        Ok(Listing { keys: unnamed.map(|(listed, _)| listed).collect(), next: listed.next })
    }
}
