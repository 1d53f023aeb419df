//! The store: catalog, content and cache as one.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use charta_model::{
    Guard, HistoryQuery, Query, ResourceId, ResourceType, Scope, TenantId, Timestamp, Write, WriteOutcome,
};

use crate::{
    Access, CatalogPlace, CommitError, Content, ContentPlace, Error, HistoryPage, OpenError, Options,
    Referrer, SearchPage, Statistics, Stored, TransactError, Upload, Uploaded,
    cache::Cache,
    catalog::{Catalog, Companion, SweepLock, postgres::Postgres, sqlite::Sqlite},
    content::{ContentStore, Opened, files::Files, s3::S3},
    directory::{Directory, Lock},
    stored::Place,
};

/// Most documents by which access to one Binary is decided.
pub const ANCHORS_MAX: usize = 1_000;

/// Tells how far a long operation is: bytes done, bytes in all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// A document store. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    catalog: Arc<dyn Catalog>,
    content: Arc<dyn ContentStore>,
    beside: Arc<Beside>,
    directory: Directory,
    access: Access,
    /// Other processes write as well: nothing that can change is remembered (decision 0017).
    is_shared: bool,
    inline_bytes_max: usize,
    secret: [u8; 32],
}

impl Store {
    /// Opens the store of `options`, wherever its records are. `Exclusive` creates it if there is none, and ends what a
    /// crash cut off. A directory is one process's alone; a database is not.
    ///
    /// # Errors
    /// [`OpenError`], each with one line for the operator.
    pub async fn connect(options: &Options, access: Access) -> Result<Self, OpenError> {
        Self::connect_wrapped(options, access, |catalog, content| (catalog, content)).await
    }

    /// Opens the store with something around its backends, such as one that fails on request.
    ///
    /// # Errors
    /// As [`Store::connect`].
    pub async fn connect_wrapped(
        options: &Options,
        access: Access,
        wrap: impl FnOnce(Arc<dyn Catalog>, Arc<dyn ContentStore>) -> (Arc<dyn Catalog>, Arc<dyn ContentStore>),
    ) -> Result<Self, OpenError> {
        let CatalogPlace::Postgres(url) = &options.catalog else {
            return Self::open_wrapped(options, access, wrap);
        };
        let directory = Directory::new(&options.directory);
        let lock = match access {
            Access::Exclusive => Some(directory.lock_beside()?),
            Access::ReadOnly => None,
        };
        let (content, files) = open_content(&options.content, &directory, access)?;
        let cache = Cache::new(0);
        let beside = Arc::new(Beside { cache, content: Arc::clone(&content), lock: Mutex::new(lock) });
        let catalog = Postgres::open(url, access, Arc::clone(&beside) as Arc<dyn Companion>).await?;
        let secret = catalog.secret();
        let catalog: Arc<dyn Catalog> = Arc::new(catalog);
        if access == Access::Exclusive {
            directory.sync()?;
            recover(files, Arc::clone(&catalog), &directory).await?;
        }
        let (catalog, content) = wrap(catalog, content);
        let (is_shared, inline_bytes_max) = (true, options.inline_bytes_max);
        let inner =
            Inner { catalog, content, beside, directory, access, is_shared, inline_bytes_max, secret };
        Ok(Self(Arc::new(inner)))
    }

    /// Opens a store that keeps its records in `options.directory`, without waiting for anything but the disk.
    /// `Exclusive` creates it if the directory is absent or empty, and ends what a crash cut off.
    ///
    /// # Errors
    /// [`OpenError`], each with one line for the operator.
    pub fn open(options: &Options, access: Access) -> Result<Self, OpenError> {
        Self::open_wrapped(options, access, |catalog, content| (catalog, content))
    }

    /// Opens the store with something around its backends, such as one that fails on request.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_wrapped(
        options: &Options,
        access: Access,
        wrap: impl FnOnce(Arc<dyn Catalog>, Arc<dyn ContentStore>) -> (Arc<dyn Catalog>, Arc<dyn ContentStore>),
    ) -> Result<Self, OpenError> {
        if let CatalogPlace::Postgres(url) = &options.catalog {
            let problem = "a database has to be connected to".to_owned();
            return Err(OpenError::Unreachable { place: url.to_string(), problem });
        }
        let directory = Directory::new(&options.directory);
        let lock = match access {
            Access::Exclusive => Some(directory.lock()?),
            Access::ReadOnly if directory.catalog().exists() => None,
            Access::ReadOnly => return Err(OpenError::NotAStore { directory: options.directory.clone() }),
        };
        let (content, files) = open_content(&options.content, &directory, access)?;
        let beside = Arc::new(Beside {
            cache: Cache::new(options.cache_bytes),
            content: Arc::clone(&content),
            lock: Mutex::new(lock),
        });
        let companion = Arc::clone(&beside) as Arc<dyn Companion>;
        let catalog = Sqlite::open(&directory.catalog(), access, companion)?;
        let secret = catalog.secret();
        if access == Access::Exclusive {
            directory.sync()?;
            // Contract 7: what was cut off is found in one place; in a bucket it waits for the sweep.
            let recovered = files.map_or(Ok(()), |files| files.recover(|keys| catalog.known_now(keys)));
            let failed = |error| OpenError::Io { path: directory.content(), source: error };
            recovered.map_err(|error| failed(std::io::Error::other(error)))?;
        }
        let (catalog, content) = wrap(Arc::new(catalog), content);
        let (is_shared, inline_bytes_max) = (false, options.inline_bytes_max);
        let inner =
            Inner { catalog, content, beside, directory, access, is_shared, inline_bytes_max, secret };
        Ok(Self(Arc::new(inner)))
    }

    /// The newest version of a document, be it a deletion; `None` if there never was one.
    ///
    /// # Errors
    /// `Unavailable` if trying again may help, `Corrupt` if the record makes no sense.
    pub async fn current(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<Option<Arc<Stored>>, Error> {
        let cache = &self.0.beside.cache;
        if let Some(stored) = cache.lookup(tenant, kind, id) {
            return Ok(Some(stored));
        }
        if self.0.access == Access::ReadOnly || self.0.is_shared {
            return Ok(self.0.catalog.current(tenant, kind, id).await?.map(Arc::new)); // others write
        }
        let ticket = cache.ticket(tenant, kind, id); // Contract 10: before the read
        let stored = self.0.catalog.current(tenant, kind, id).await?.map(Arc::new);
        if let Some(stored) = &stored {
            cache.insert(ticket, tenant, stored);
        }
        Ok(stored)
    }

    /// The same if it is in memory; never waits. `None` says nothing about the document.
    #[must_use]
    pub fn cached(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Option<Arc<Stored>> {
        self.0.beside.cache.lookup(tenant, kind, id)
    }

    /// One version of a document, be it a deletion; `None` if there is none of that number.
    ///
    /// # Errors
    /// As [`Store::current`].
    pub async fn version(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
        version: u64,
    ) -> Result<Option<Arc<Stored>>, Error> {
        Ok(self.0.catalog.version(tenant, kind, id, version).await?.map(Arc::new))
    }

    /// A page of versions, newest first; an empty one if there never was such a document.
    ///
    /// # Errors
    /// As [`Store::current`].
    pub async fn history(&self, tenant: &TenantId, query: &HistoryQuery) -> Result<HistoryPage, Error> {
        self.0.catalog.history(tenant, query).await
    }

    /// A page of the current, undeleted documents that match. Page and total are of one instant.
    ///
    /// # Errors
    /// As [`Store::current`]; `Unusable` if the query has more alternatives than can be answered.
    pub async fn search(&self, tenant: &TenantId, query: &Query) -> Result<SearchPage, Error> {
        self.0.catalog.search(tenant, query).await
    }

    /// Opens the bytes of one version.
    ///
    /// # Errors
    /// `Missing` if it is a deletion or no Binary, was swept after a purge, or was lost; `Corrupt` if it is
    /// not what was stored; `Unavailable` if trying again may help.
    pub async fn content(&self, stored: &Stored) -> Result<Content, Error> {
        let facts = stored.document.content().ok_or_else(|| Error::Missing("of what has none".into()))?;
        let opened = match &stored.place {
            Place::Memory(bytes) => Opened::Memory(bytes.clone()),
            Place::Catalog(key) => Opened::Memory(self.0.catalog.bytes(*key).await?),
            Place::File(key) => self.0.content.open(key, facts.size_bytes).await?,
            Place::Nowhere => return Err(Error::Missing("of what has none".into())),
        };
        Ok(Content::new(facts.size_bytes, opened))
    }

    /// Begins to take in bytes.
    #[must_use]
    pub fn upload(&self) -> Upload {
        let Inner { catalog, content, inline_bytes_max, .. } = &*self.0;
        Upload::new(Arc::clone(content), Some(Arc::clone(catalog)), *inline_bytes_max)
    }

    /// Does one write: decides its conditions, stores the new version, and returns when that is on
    /// stable storage. It is done even if the caller stops waiting.
    ///
    /// # Errors
    /// [`CommitError`]; nothing was stored, unless the store says that it is unavailable.
    pub async fn commit(
        &self,
        tenant: &TenantId,
        write: Write,
        content: Option<Uploaded>,
        now: Timestamp,
    ) -> Result<WriteOutcome, CommitError> {
        let outcomes = self.0.catalog.transact(tenant, vec![(write, content)], Vec::new(), now).await;
        let outcome = outcomes.map_err(|failed| failed.error)?.pop();
        outcome.ok_or_else(|| Error::Unavailable("the catalog gave no answer".into()).into())
    }

    /// Does all of these writes in order, or none of them, provided that the guards still hold. They become
    /// visible at once, and are on stable storage when this returns.
    ///
    /// # Errors
    /// What is wrong, and with which write.
    pub async fn transact(
        &self,
        tenant: &TenantId,
        writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
    ) -> Result<Vec<WriteOutcome>, TransactError> {
        self.0.catalog.transact(tenant, writes, guards, now).await
    }

    /// The versions that name a Binary as their content, newest first and at most `limit` of them.
    ///
    /// # Errors
    /// As [`Store::current`].
    pub async fn referrers(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<Referrer>, Error> {
        self.0.catalog.referrers(tenant, binary, limit).await
    }

    /// The documents that name this Binary as their content, now or in an earlier version: at most
    /// [`ANCHORS_MAX`]. Remembered with `stored`, which leaves memory when another comes to name it.
    ///
    /// # Errors
    /// As [`Store::current`].
    pub async fn anchors<'s>(
        &self,
        tenant: &TenantId,
        stored: &'s Stored,
    ) -> Result<Cow<'s, [(ResourceType, ResourceId)]>, Error> {
        if let Some(known) = stored.anchors() {
            return Ok(Cow::Borrowed(known));
        }
        let found = self.0.catalog.anchors(tenant, &stored.document.id, ANCHORS_MAX).await?;
        Ok(match self.0.access == Access::Exclusive && !self.0.is_shared {
            true => Cow::Borrowed(stored.anchors.get_or_init(|| found.into())),
            false => Cow::Owned(found),
        })
    }

    /// What these current documents refer to, by one parameter or by any, each once; of one type or of any.
    ///
    /// # Errors
    /// As [`Store::current`].
    pub async fn references(
        &self,
        tenant: &TenantId,
        from: &[(ResourceType, ResourceId)],
        parameter: Option<&str>,
        target: Option<&ResourceType>,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
        self.0.catalog.references(tenant, from, parameter, target).await
    }

    /// Current, undeleted documents of `scope` that refer to any of these, by one parameter or by any, each
    /// once; the first `limit` by id.
    ///
    /// # Errors
    /// As [`Store::current`].
    pub async fn referring(
        &self,
        tenant: &TenantId,
        to: &[(ResourceType, ResourceId)],
        scope: &Scope,
        parameter: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Stored>>, Error> {
        self.0.catalog.referring(tenant, to, scope, parameter, limit).await
    }

    /// Removes a document with every version; `false` if there is none. Its bytes go with the next
    /// sweep.
    ///
    /// # Errors
    /// `ReadOnly`; those of a write.
    pub async fn purge(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<bool, Error> {
        self.0.catalog.purge(tenant, kind, id).await
    }

    /// Whether the store can serve: the catalog answers and, when opened for writing, content could be
    /// taken in.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn ping(&self) -> Result<(), Error> {
        self.0.catalog.ping().await?;
        match self.0.access {
            Access::Exclusive => self.0.content.ping().await,
            Access::ReadOnly => Ok(()),
        }
    }

    /// Tells in the log whether content can be taken in where it is on another machine, and what that can do.
    pub async fn probe(&self) {
        self.0.content.probe().await;
    }

    /// 32 random bytes made when the store was created; they sign what clients hand back.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.0.secret
    }

    /// Counters, none of which takes a scan.
    ///
    /// # Errors
    /// `Unavailable` if trying again may help.
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        let tally = self.0.catalog.tally().await?;
        let (cached_documents, cached_bytes) = self.0.beside.cache.size();
        Ok(Statistics {
            documents: tally.documents,
            versions: tally.versions,
            catalog_bytes: tally.catalog_bytes,
            cached_documents,
            cached_bytes,
        })
    }

    /// Finishes the commits that were queued, folds the log into the catalog and releases the directory.
    /// What is called afterwards fails with `Closed`.
    pub async fn close(&self) {
        self.0.catalog.close().await;
        self.0.content.close().await;
        self.0.beside.cache.clear();
        self.0.beside.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(crate) fn catalog(&self) -> &dyn Catalog {
        &*self.0.catalog
    }

    pub(crate) fn shared_catalog(&self) -> Arc<dyn Catalog> {
        Arc::clone(&self.0.catalog)
    }

    pub(crate) fn contents(&self) -> &dyn ContentStore {
        &*self.0.content
    }

    pub(crate) fn access(&self) -> Access {
        self.0.access
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// For a sweep; `None` while a backup or check runs, or another sweep.
    pub(crate) async fn begin_sweep(&self) -> Result<Option<(Option<Lock>, SweepLock)>, Error> {
        let lock = if self.0.is_shared { None } else { self.0.directory.begin_sweep()? };
        if lock.is_none() && !self.0.is_shared {
            return Ok(None);
        }
        Ok(self.0.catalog.begin_sweep().await?.map(|among_all| (lock, among_all)))
    }

    /// Keeps sweeps of any process away until the lock is dropped.
    pub(crate) async fn hold_off_sweeps(&self) -> Result<(Option<Lock>, SweepLock), Error> {
        if self.0.is_shared {
            return Ok((None, self.0.catalog.hold_off_sweeps().await?));
        }
        let directory = self.0.directory.clone();
        let locked = tokio::task::spawn_blocking(move || directory.hold_off_sweeps()).await;
        let lock = locked.map_err(|error| Error::task(&error))??;
        Ok((lock, self.0.catalog.hold_off_sweeps().await?))
    }
}

/// Contract 7: what was cut off is found in one place.
async fn recover(
    files: Option<Arc<Files>>,
    catalog: Arc<dyn Catalog>,
    directory: &Directory,
) -> Result<(), OpenError> {
    let Some(files) = files else { return Ok(()) };
    let runtime = tokio::runtime::Handle::current();
    let ask = move || files.recover(|keys| runtime.block_on(catalog.known(keys.to_vec())));
    let recovered = tokio::task::spawn_blocking(ask).await.map_err(|error| Error::task(&error));
    let failed = |error| OpenError::Io { path: directory.content(), source: std::io::Error::other(error) };
    recovered.and_then(|recovered| recovered).map_err(failed)
}

/// The store of larger content; the same as files if that is what it is.
type OpenedContent = (Arc<dyn ContentStore>, Option<Arc<Files>>);

fn open_content(
    place: &ContentPlace,
    directory: &Directory,
    access: Access,
) -> Result<OpenedContent, OpenError> {
    let path = directory.content();
    match place {
        ContentPlace::Files => {
            if access == Access::Exclusive {
                Files::create(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
            }
            let files = Arc::new(Files::new(&path));
            Ok((Arc::clone(&files) as Arc<dyn ContentStore>, Some(files)))
        }
        ContentPlace::S3(place) => {
            let failed = |problem| OpenError::Content { place: place.url().to_owned(), problem };
            Ok((Arc::new(S3::open(place).map_err(failed)?), None))
        }
    }
}

/// What stands beside the catalog. The catalog's writer keeps it, and with it the directory's lock, until
/// its last commit is over.
struct Beside {
    cache: Cache,
    content: Arc<dyn ContentStore>,
    lock: Mutex<Option<Lock>>,
}

impl Companion for Beside {
    fn changing(&self, documents: &[(TenantId, ResourceType, ResourceId)]) {
        documents.iter().for_each(|(tenant, kind, id)| self.cache.changing(tenant, kind, id));
    }

    fn changed(&self, documents: &[(TenantId, ResourceType, ResourceId)]) {
        documents.iter().for_each(|(tenant, kind, id)| self.cache.changed(tenant, kind, id));
    }

    fn holds(&self, key: &str, size_bytes: u64) -> bool {
        self.content.holds(key, size_bytes)
    }

    fn replaced(&self) {
        self.cache.clear();
    }
}
