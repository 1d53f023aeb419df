//! Copies what is new, page by page: bytes first, then the records that name them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use charta_model::{Digest, TenantId};
use tokio::task::JoinSet;

use super::{Migration, Stage};
use crate::{Error, Store, Stored, Uploaded, catalog::moving::Moved};

/// So many versions are copied in one step.
const PAGE: usize = 256;

/// So many contents are copied, or read back, at once.
const AT_ONCE: usize = 8;

/// Contents are read in pieces of so many bytes.
const PIECE_BYTES: u64 = 256 << 10;

/// Contents are read back in groups of so many.
const GROUP: usize = 256;

impl Migration<'_> {
    /// Copies what was new when it began; gives the number of versions.
    pub(super) async fn pass(&mut self) -> Result<u64, Error> {
        let mut copied = 0;
        for tenant in self.from.tenants().await? {
            let until = self.from.last_of(&tenant).await?;
            let mut after = self.to.last_of(&tenant).await?;
            while after < until {
                let Some((last, versions)) = self.copy_page(&tenant, after).await? else { break };
                after = last;
                copied += versions;
                self.step()?;
            }
        }
        Ok(copied)
    }

    /// The next versions of a tenant; gives the last one's sequence number and how many they are.
    async fn copy_page(&mut self, tenant: &TenantId, after: u64) -> Result<Option<(u64, u64)>, Error> {
        let _lock = self.source.hold_off_sweeps().await?; // Contract 8: what the page names stays
        let page = self.from.export(tenant, after, PAGE).await?;
        let Some(last) = page.last().map(|moved| moved.sequence) else { return Ok(None) };
        let versions = page.len() as u64;
        let mut contents = self.copy_contents(tenant, &page).await?;
        let mut with_content = |moved: Moved| {
            let content = moved.stored.document.content().and_then(|facts| contents.remove(&facts.digest));
            (moved, content)
        };
        let page = page.into_iter().map(&mut with_content).collect();
        self.to.adopt(tenant, after, page).await?; // Contract 2: the bytes are there
        self.state.versions += versions;
        Ok(Some((last, versions)))
    }

    /// The contents of a page that the target does not have, each once.
    async fn copy_contents(
        &mut self,
        tenant: &TenantId,
        page: &[Moved],
    ) -> Result<HashMap<Digest, Uploaded>, Error> {
        let named = page.iter().filter_map(|moved| moved.stored.document.content());
        let digests: Vec<Digest> = named.map(|facts| facts.digest).collect();
        let held = self.to.held(tenant, digests.clone()).await?;
        let mut wanted: HashSet<Digest> =
            digests.into_iter().zip(held).filter(|(_, held)| !held).map(|(digest, _)| digest).collect();
        let is_wanted = |moved: &&Moved| {
            moved.stored.document.content().is_some_and(|facts| wanted.remove(&facts.digest))
        };
        let mut waiting = page.iter().filter(is_wanted).collect::<Vec<_>>().into_iter();
        let (mut running, mut copied) = (JoinSet::new(), HashMap::new());
        loop {
            while running.len() < AT_ONCE
                && let Some(moved) = waiting.next()
            {
                running.spawn(copy(self.source.clone(), self.target.clone(), moved.stored.clone()));
            }
            let Some(done) = running.join_next().await else { return Ok(copied) };
            let uploaded = done.map_err(|error| Error::task(&error))??;
            self.state.bytes += uploaded.size_bytes();
            copied.insert(uploaded.digest(), uploaded);
            self.step()?;
        }
    }

    /// Reads back what has come to the target since the last time.
    pub(super) async fn read_back(&mut self) -> Result<(), Error> {
        loop {
            let group = self.target.catalog().contents(self.verified, GROUP).await?;
            let Some(last) = group.last().map(|record| record.key) else { return Ok(()) };
            let (mut waiting, mut running) = (group.into_iter(), JoinSet::new());
            loop {
                while running.len() < AT_ONCE
                    && let Some(record) = waiting.next()
                {
                    let target = self.target.clone();
                    running.spawn(async move {
                        let mut patience = Patience::default();
                        loop {
                            let verified = target.verify(&record, &|_| {}).await;
                            let Some(verified) = patience.judge(verified).await else { continue };
                            return Ok::<_, Error>((verified?, record.size_bytes));
                        }
                    });
                }
                let Some(done) = running.join_next().await else { break };
                let (problem, size_bytes) = done.map_err(|error| Error::task(&error))??;
                if let Some(problem) = problem {
                    return Err(Error::Corrupt(format!("at the target: {problem}").into()));
                }
                self.verified_bytes += size_bytes;
                if self.state.stage == Stage::Verifying {
                    self.state.bytes = self.verified_bytes;
                }
                self.step()?;
            }
            self.verified = last;
        }
    }
}

/// So long it waits before it tries a content again.
static PAUSES: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(10)];

/// Takes the bytes of one version over, and compares them with its digest.
async fn copy(source: Store, target: Store, stored: Stored) -> Result<Uploaded, Error> {
    let named =
        || format!("{}/{} version {}", stored.document.kind, stored.document.id, stored.document.version);
    let damaged = |what: String| Error::Corrupt(format!("at the source, {}: {what}", named()).into());
    let facts = stored.document.content().ok_or_else(|| damaged("it has no content".to_owned()))?;
    let mut patience = Patience::default();
    loop {
        let read = carry(&source, &target, &stored, facts.size_bytes).await;
        let Some(read) = patience.judge(read).await else { continue };
        return match read {
            Ok(uploaded) if uploaded.digest() == facts.digest => Ok(uploaded),
            Ok(_) => Err(damaged("its bytes have another digest".to_owned())),
            Err(error @ (Error::Missing(_) | Error::Corrupt(_))) => Err(damaged(error.to_string())),
            Err(other) => Err(other),
        };
    }
}

async fn carry(source: &Store, target: &Store, stored: &Stored, size_bytes: u64) -> Result<Uploaded, Error> {
    let content = source.content(stored).await?;
    let mut upload = target.upload();
    while upload.size_bytes() < size_bytes {
        let start = upload.size_bytes();
        let end = size_bytes.min(start + PIECE_BYTES);
        upload.write(content.read(start..end).await?).await?;
    }
    upload.finish().await
}

/// A content store that is away for seconds need not end what takes hours.
struct Patience(std::slice::Iter<'static, Duration>);

impl Default for Patience {
    fn default() -> Self {
        Self(PAUSES.iter())
    }
}

impl Patience {
    /// `None` after a pause, where trying again may help and was not tried often enough.
    async fn judge<T>(&mut self, result: Result<T, Error>) -> Option<Result<T, Error>> {
        if matches!(&result, Err(error) if error.is_transient())
            && let Some(pause) = self.0.next()
        {
            tokio::time::sleep(*pause).await;
            return None;
        }
        Some(result)
    }
}
