//! Moves a store to another one while it is served: decision 0019.
//!
//! Passes over what is new, until little is; a comparison of everything; then the switch: the source takes no writes while the
//! rest is copied and compared, and the target takes them from then on.

mod compare;
mod copy;

use std::{collections::BTreeMap, ops::ControlFlow};

use charta_model::TenantId;

use crate::{
    Error, Store,
    catalog::moving::{Moving, Standstill},
};

/// So few new versions are left for the switch.
const FEW: u64 = 500;

/// How a migration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrating {
    /// What it does.
    pub stage: Stage,
    /// Versions that are at the target.
    pub versions: u64,
    /// Versions that were at the source when the pass began.
    pub versions_total: u64,
    /// Bytes of content that were copied or read back in this stage.
    pub bytes: u64,
    /// Bytes that this stage has to do, as far as known.
    pub bytes_total: u64,
}

/// What a migration does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Copies what is new. The source takes writes.
    Copying,
    /// Reads all content of the target back. The source takes writes.
    Verifying,
    /// Compares all records. The source takes writes.
    Comparing,
    /// Copies and compares the rest. The source takes no writes.
    Switching,
}

/// Is told how a migration stands, and may end it between two steps.
pub type Watch<'a> = &'a (dyn Fn(&Migrating) -> ControlFlow<()> + Send + Sync);

/// What is at the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Current, undeleted documents.
    pub documents: u64,
    /// Versions, deletions included.
    pub versions: u64,
    /// Contents; equal ones of a tenant count once.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Moves everything to `target`, which is empty or has what an earlier call brought there. Others may serve this store meanwhile;
    /// in the end it takes no more writes, and `target` does.
    ///
    /// # Errors
    /// `Unusable` if the target holds something else, or `watch` ended it; `Corrupt` or `Missing` naming what is damaged;
    /// those of reads and writes. This store then takes writes as before, unless the very last step had begun; the next call goes on.
    pub async fn migrate(&self, target: &Self, watch: Watch<'_>) -> Result<Migrated, Error> {
        let (from, to) = (self.moving()?, target.moving()?);
        let mut migration = Migration {
            source: self,
            target,
            from,
            to,
            watch,
            state: Migrating {
                stage: Stage::Copying,
                versions: 0,
                versions_total: 0,
                bytes: 0,
                bytes_total: 0,
            },
            verified: 0,
            verified_bytes: 0,
            compared: BTreeMap::new(),
        };
        migration.run().await
    }

    /// Why this store takes no writes, if it does not.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn standstill(&self) -> Result<Option<Standstill>, Error> {
        self.moving()?.standstill().await
    }

    /// Takes writes again after a migration that was given up. Whether it took none.
    ///
    /// # Errors
    /// `Unusable` if it is itself a copy that is not yet whole; those of a write.
    pub async fn give_up_migration(&self) -> Result<bool, Error> {
        let stood_still = self.standstill().await?.is_some();
        self.moving()?.leave(false).await?;
        Ok(stood_still)
    }

    fn moving(&self) -> Result<&dyn Moving, Error> {
        self.catalog().moving().ok_or(Error::Unusable("a store with this catalog cannot be moved"))
    }
}

struct Migration<'m> {
    source: &'m Store,
    target: &'m Store,
    from: &'m dyn Moving,
    to: &'m dyn Moving,
    watch: Watch<'m>,
    state: Migrating,
    /// Contents of the target up to this key were read back.
    verified: i64,
    /// Their bytes.
    verified_bytes: u64,
    /// Versions of the tenants up to these sequence numbers were compared.
    compared: BTreeMap<TenantId, u64>,
}

impl Migration<'_> {
    async fn run(&mut self) -> Result<Migrated, Error> {
        if !self.begin().await? {
            return self.summary().await; // it was finished before
        }
        self.catch_up().await?;
        self.compare().await?;
        self.catch_up().await?; // with what was written during the comparison
        self.switch().await?;
        // From here on both answers are possible: who asks again is told which it was.
        self.to.finish_adoption(self.from.last_given().await?).await?;
        self.summary().await
    }

    /// Whether there is anything to do.
    async fn begin(&mut self) -> Result<bool, Error> {
        if self.from.standstill().await? == Some(Standstill::Adopting) {
            return Err(Error::Unusable("the source is itself an unfinished migration"));
        }
        let secret = self.from.secret().await?;
        if secret == self.to.secret().await? && self.to.standstill().await?.is_none() {
            let stood_still = self.from.standstill().await? == Some(Standstill::Leaving);
            let is_finished = stood_still && self.from.counts().await? == self.to.counts().await?;
            return if is_finished { Ok(false) } else { Err(Error::Unusable(GONE_ON)) };
        }
        self.to.begin_adoption(secret).await?;
        Ok(true)
    }

    /// Passes until little is left, or until another pass would leave no less.
    async fn catch_up(&mut self) -> Result<(), Error> {
        let mut before = u64::MAX;
        loop {
            self.enter(Stage::Copying).await?;
            let copied = self.pass().await?;
            self.enter(Stage::Verifying).await?;
            self.read_back().await?;
            if copied <= FEW || copied > before / 2 {
                return Ok(());
            }
            before = copied;
        }
    }

    /// Stops the source's writes and makes both stores the same.
    async fn switch(&mut self) -> Result<(), Error> {
        self.step()?;
        let result = match self.from.leave(true).await {
            Ok(()) => self.last_of_it().await,
            Err(error) => Err(error), // and yet it may be there
        };
        if result.is_err()
            && let Err(error) = self.from.leave(false).await
        {
            tracing::error!(%error, "the source still takes no writes; charta migrate --give-up lets it");
        }
        result
    }

    async fn last_of_it(&mut self) -> Result<(), Error> {
        self.enter(Stage::Switching).await?;
        self.pass().await?;
        self.read_back().await?;
        self.compare().await?;
        if self.from.counts().await? == self.to.counts().await? {
            return Ok(());
        }
        self.compared.clear(); // something was purged since: it is found by looking at everything
        self.compare().await?;
        if self.from.counts().await? == self.to.counts().await? {
            return Ok(());
        }
        Err(Error::Corrupt("the counts of both stores differ; charta check says which are wrong".into()))
    }

    async fn enter(&mut self, stage: Stage) -> Result<(), Error> {
        let (from, to) = (self.source.catalog(), self.target.catalog());
        let (versions, versions_total) = (to.tally().await?.versions, from.tally().await?.versions);
        let (_, bytes) = to.content_totals().await?;
        self.state = match stage {
            Stage::Verifying => {
                Migrating { stage, versions, versions_total, bytes: self.verified_bytes, bytes_total: bytes }
            }
            _ => {
                let bytes_total = from.content_totals().await?.1;
                Migrating { stage, versions, versions_total, bytes, bytes_total }
            }
        };
        self.step()
    }

    /// Tells how it stands.
    fn step(&self) -> Result<(), Error> {
        match (self.watch)(&self.state) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Unusable("stopped; the same command goes on with it")),
        }
    }

    async fn summary(&self) -> Result<Migrated, Error> {
        let tally = self.target.catalog().tally().await?;
        let (contents, bytes) = self.target.catalog().content_totals().await?;
        Ok(Migrated { documents: tally.documents, versions: tally.versions, contents, bytes })
    }
}

const GONE_ON: &str = "the target is this store itself, a copy of it, or a finished migration";
