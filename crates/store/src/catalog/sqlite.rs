//! The catalog in SQLite: one thread writes, a few connections read beside it.
//!
//! The log (WAL) gives readers a state that no write disturbs, and is synced by every commit.

mod check;
mod entry;
mod history;
mod moving;
mod names;
mod neighbour;
mod read;
mod reference;
mod schema;
mod search;
mod write;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::{
    Digest, Document, Guard, HistoryQuery, Query, ResourceId, ResourceType, Scope, TenantId, Timestamp,
    Write, WriteOutcome,
};
use rusqlite::{Connection, TransactionBehavior};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::spawn_blocking,
};

use self::writer::{Commit, Job};
use super::{
    Catalog, Companion, ContentRecord, Forgotten, Tally,
    moving::{Count, Moved, Moving, Standstill},
};
use crate::{
    Access, Error, Finding, HistoryPage, OpenError, Referrer, SearchPage, Stored, TransactError, Uploaded,
};

/// So many reads run at once; others wait without a thread.
const READERS: usize = 4;

/// A catalog in a file.
pub struct Sqlite {
    readers: Arc<Readers>,
    writer: Option<mpsc::Sender<Job>>,
    secret: [u8; 32],
}

impl Sqlite {
    /// Opens the catalog in `path`; `Exclusive` creates or migrates it where needed.
    ///
    /// # Errors
    /// `NotAStore`, `NewerSchema`, `OlderSchema` (read-only), `Catalog`, `Io`.
    pub fn open(path: &Path, access: Access, companion: Arc<dyn Companion>) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Catalog { path: path.into(), source };
        let (first, writer) = match access {
            Access::Exclusive => {
                let connection = schema::open_writer(path)?;
                let reader = schema::open_reader(path).map_err(failed)?;
                (reader, Some(writer::start(connection, path, companion)?))
            }
            Access::ReadOnly => (schema::open_existing(path)?, None),
        };
        let secret = schema::secret(&first).map_err(failed)?;
        Ok(Self { readers: Arc::new(Readers::new(path, first)), writer, secret })
    }

    /// The 32 random bytes that were made with the catalog.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.secret
    }

    /// Which of these keys a record names; waits for the disk on this thread.
    ///
    /// # Errors
    /// Those of a read.
    pub fn known_now(&self, keys: &[String]) -> Result<Vec<bool>, Error> {
        self.readers.with(|connection| read::known(connection, keys))
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _permit = self.readers.permits.acquire().await.map_err(|_| Error::Closed)?;
        let readers = Arc::clone(&self.readers);
        spawn_blocking(move || readers.with(read)).await.map_err(|error| Error::task(&error))?
    }

    /// Several statements that see the same state.
    async fn read_at_once<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            read(&transaction)
        })
        .await
    }

    fn writer(&self) -> Result<&mpsc::Sender<Job>, Error> {
        self.writer.as_ref().ok_or(Error::ReadOnly)
    }

    /// Runs `work` on the writer's thread in a transaction of its own. `touched` is forgotten by caches.
    async fn write<T: Send + 'static>(
        &self,
        touched: Vec<(TenantId, ResourceType, ResourceId)>,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let task = move |connection: &mut Connection, companion: &dyn Companion| {
            companion.changing(&touched);
            let result = transact(connection, work);
            companion.changed(&touched);
            let _ = answer.send(result);
        };
        self.writer()?.send(Job::Task(Box::new(task))).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

#[async_trait]
impl Catalog for Sqlite {
    async fn current(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<Option<Stored>, Error> {
        let (tenant, kind, id) = (tenant.clone(), kind.clone(), id.clone());
        self.read(move |connection| read::current(connection, &tenant, &kind, &id, true)).await
    }

    async fn version(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
        version: u64,
    ) -> Result<Option<Stored>, Error> {
        let (tenant, kind, id) = (tenant.clone(), kind.clone(), id.clone());
        self.read(move |connection| read::version(connection, &tenant, &kind, &id, version)).await
    }

    async fn history(&self, tenant: &TenantId, query: &HistoryQuery) -> Result<HistoryPage, Error> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read_at_once(move |connection| history::page(connection, &tenant, &query)).await
    }

    async fn search(&self, tenant: &TenantId, query: &Query) -> Result<SearchPage, Error> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read_at_once(move |connection| match read::tenant_key(connection, &tenant)? {
            Some(tenant) => search::page(connection, tenant, &query),
            None => Ok(SearchPage::default()),
        })
        .await
    }

    async fn bytes(&self, content: i64) -> Result<Bytes, Error> {
        self.read(move |connection| read::bytes(connection, content)).await
    }

    async fn transact(
        &self,
        tenant: &TenantId,
        writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
    ) -> Result<Vec<WriteOutcome>, TransactError> {
        let (answer, answered) = oneshot::channel();
        let (writes, contents) = writes.into_iter().unzip();
        let commit = Commit { tenant: tenant.clone(), guards, writes, contents, now, answer };
        self.writer()?.send(Job::Commit(Box::new(commit))).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    async fn referrers(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<Referrer>, Error> {
        let (tenant, binary) = (tenant.clone(), binary.clone());
        self.read(move |connection| reference::referrers(connection, &tenant, &binary, limit)).await
    }

    async fn anchors(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
        let (tenant, binary) = (tenant.clone(), binary.clone());
        self.read(move |connection| reference::anchors(connection, &tenant, &binary, limit)).await
    }

    async fn references(
        &self,
        tenant: &TenantId,
        from: &[(ResourceType, ResourceId)],
        parameter: Option<&str>,
        target: Option<&ResourceType>,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
        let (tenant, from) = (tenant.clone(), from.to_vec());
        let (parameter, target) = (parameter.map(str::to_owned), target.cloned());
        self.read_at_once(move |connection| {
            reference::references(connection, &tenant, &from, parameter.as_deref(), target.as_ref())
        })
        .await
    }

    async fn referring(
        &self,
        tenant: &TenantId,
        to: &[(ResourceType, ResourceId)],
        scope: &Scope,
        parameter: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Stored>>, Error> {
        let (tenant, to, scope) = (tenant.clone(), to.to_vec(), scope.clone());
        let parameter = parameter.map(str::to_owned);
        self.read_at_once(move |connection| {
            reference::referring(connection, &tenant, &to, &scope, parameter.as_deref(), limit)
        })
        .await
    }

    async fn purge(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Result<bool, Error> {
        let (tenant, kind, id) = (tenant.clone(), kind.clone(), id.clone());
        let touched = vec![(tenant.clone(), kind.clone(), id.clone())];
        let work = move |connection: &Connection| {
            moving::writable(connection)?;
            write::purge(connection, &tenant, &kind, &id)
        };
        self.write(touched, work).await
    }

    async fn forget_unreferenced(&self) -> Result<Forgotten, Error> {
        self.write(Vec::new(), write::forget_unreferenced).await
    }

    async fn removed(&self, keys: Vec<String>) -> Result<(), Error> {
        self.write(Vec::new(), move |connection| write::removed(connection, &keys)).await
    }

    async fn known(&self, keys: Vec<String>) -> Result<Vec<bool>, Error> {
        self.read(move |connection| read::known(connection, &keys)).await
    }

    async fn content_totals(&self) -> Result<(u64, u64), Error> {
        self.read(read::content_totals).await
    }

    async fn contents(&self, after: i64, limit: usize) -> Result<Vec<ContentRecord>, Error> {
        self.read(move |connection| read::contents(connection, after, limit)).await
    }

    async fn confirm(&self, record: &ContentRecord) -> Result<bool, Error> {
        let record = record.clone();
        self.read(move |connection| read::confirm(connection, &record)).await
    }

    async fn check(&self, repair: bool) -> Result<Vec<Finding>, Error> {
        if repair {
            self.write(Vec::new(), |connection| check::run(connection, true)).await
        } else {
            self.read_at_once(|connection| check::run(connection, false)).await
        }
    }

    async fn tally(&self) -> Result<Tally, Error> {
        self.read(read::tally).await
    }

    async fn snapshot(&self, file: &Path) -> Result<(), Error> {
        let file = file.to_owned();
        self.read(move |connection| snapshot(connection, &file)).await
    }

    async fn ping(&self) -> Result<(), Error> {
        if self.writer.as_ref().is_some_and(mpsc::Sender::is_closed) {
            return Err(Error::Closed);
        }
        self.read(|connection| {
            Ok(connection
                .query_row("SELECT count(*) FROM setting", [], |row| row.get::<_, i64>(0))
                .map(drop)?)
        })
        .await
    }

    fn moving(&self) -> Option<&dyn Moving> {
        Some(self)
    }

    async fn close(&self) {
        if let Some(writer) = &self.writer {
            let (done, closed) = oneshot::channel();
            if writer.send(Job::Close(done)).await.is_ok() {
                let _ = closed.await;
            }
        }
        self.readers.permits.close();
        self.readers.clear();
    }
}

#[async_trait]
impl Moving for Sqlite {
    async fn secret(&self) -> Result<[u8; 32], Error> {
        self.read(|connection| Ok(schema::secret(connection)?)).await
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, Error> {
        self.read(moving::tenants).await
    }

    async fn export(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Moved>, Error> {
        let tenant = tenant.clone();
        self.read_at_once(move |connection| moving::export(connection, &tenant, after, limit)).await
    }

    async fn last_of(&self, tenant: &TenantId) -> Result<u64, Error> {
        let tenant = tenant.clone();
        self.read_at_once(move |connection| moving::last_of(connection, &tenant)).await
    }

    async fn last_given(&self) -> Result<u64, Error> {
        self.read(moving::last_given).await
    }

    async fn counts(&self) -> Result<Vec<Count>, Error> {
        self.read(moving::counts).await
    }

    async fn held(&self, tenant: &TenantId, digests: Vec<Digest>) -> Result<Vec<bool>, Error> {
        let tenant = tenant.clone();
        self.read_at_once(move |connection| moving::held(connection, &tenant, &digests)).await
    }

    async fn standstill(&self) -> Result<Option<Standstill>, Error> {
        self.read(moving::standstill).await
    }

    async fn leave(&self, leaving: bool) -> Result<(), Error> {
        if self.writer.is_some() {
            return self.write(Vec::new(), move |connection| moving::leave(connection, leaving)).await;
        }
        let path = self.readers.path.clone();
        let beside = move || {
            let mut connection = schema::open_beside(&path)?;
            transact(&mut connection, |connection| moving::leave(connection, leaving))
        };
        spawn_blocking(beside).await.map_err(|error| Error::task(&error))?
    }

    async fn begin_adoption(&self, secret: [u8; 32]) -> Result<(), Error> {
        self.write(Vec::new(), move |connection| moving::begin_adoption(connection, secret)).await
    }

    async fn adopt(
        &self,
        tenant: &TenantId,
        after: u64,
        versions: Vec<(Moved, Option<Uploaded>)>,
    ) -> Result<(), Error> {
        let tenant = tenant.clone();
        let (answer, answered) = oneshot::channel();
        let task = move |connection: &mut Connection, companion: &dyn Companion| {
            let named = |(moved, _): &(Moved, _)| {
                let Document { kind, id, .. } = &moved.stored.document;
                (tenant.clone(), kind.clone(), id.clone())
            };
            let touched: Vec<_> = versions.iter().map(named).collect();
            companion.changing(&touched);
            let adopted = transact(connection, |connection| {
                moving::adopt(connection, companion, &tenant, after, &versions)
            });
            companion.changed(&touched);
            let _ = answer.send(moving::settle(versions, adopted));
        };
        self.writer()?.send(Job::Task(Box::new(task))).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    async fn purge_adopted(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<(), Error> {
        let (tenant, kind, id) = (tenant.clone(), kind.clone(), id.clone());
        let touched = vec![(tenant.clone(), kind.clone(), id.clone())];
        self.write(touched, move |connection| moving::purge_adopted(connection, &tenant, &kind, &id)).await
    }

    async fn finish_adoption(&self, last_given: u64) -> Result<(), Error> {
        self.write(Vec::new(), move |connection| moving::finish_adoption(connection, last_given)).await
    }
}

/// All pages in one step: in the state of one commit, while others go on.
fn snapshot(connection: &Connection, file: &Path) -> Result<(), Error> {
    let mut copy = Connection::open(file)?;
    let backup = rusqlite::backup::Backup::new(connection, &mut copy)?;
    backup.run_to_completion(std::ffi::c_int::MAX, Duration::ZERO, None)?;
    drop(backup);
    // One file without a log beside it; a store that opens it turns the log on again.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Connections that only read. They are opened when needed and kept.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    fn new(path: &Path, first: Connection) -> Self {
        Self { path: path.into(), idle: Mutex::new(vec![first]), permits: Semaphore::new(READERS) }
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let result = read(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
