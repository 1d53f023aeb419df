//! The store: catalog, content and cache as one.

use std::sync::{Arc, Mutex, PoisonError};

use charta_model::{HistoryQuery, Query, ResourceId, TenantId, Timestamp, Write, WriteOutcome};

use crate::{
    Access, CommitError, Content, Error, HistoryPage, OpenError, Options, SearchPage, Statistics, Stored,
    Upload, Uploaded,
    cache::Cache,
    catalog::{Catalog, Companion, sqlite::Sqlite},
    content::{ContentStore, Opened, files::Files},
    directory::{Directory, Lock},
    stored::Place,
};

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
    inline_bytes_max: usize,
    secret: [u8; 32],
}

impl Store {
    /// Opens the store in `options.directory`. `Exclusive` creates it if the directory is absent or
    /// empty, and ends what a crash cut off.
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
        let directory = Directory::new(&options.directory);
        let lock = match access {
            Access::Exclusive => Some(directory.lock()?),
            Access::ReadOnly if directory.catalog().exists() => None,
            Access::ReadOnly => return Err(OpenError::NotAStore { directory: options.directory.clone() }),
        };
        let failed = |source| OpenError::Io { path: directory.content(), source };
        if access == Access::Exclusive {
            Files::create(&directory.content()).map_err(failed)?;
        }
        let files = Arc::new(Files::new(&directory.content()));
        let beside = Arc::new(Beside {
            cache: Cache::new(options.cache_bytes),
            content: Arc::clone(&files) as Arc<dyn ContentStore>,
            lock: Mutex::new(lock),
        });
        let companion = Arc::clone(&beside) as Arc<dyn Companion>;
        let catalog = Sqlite::open(&directory.catalog(), access, companion)?;
        let secret = catalog.secret();
        if access == Access::Exclusive {
            directory.sync()?;
            // Contract 7: what was cut off is found in one place.
            let recovered = files.recover(|keys| catalog.known_now(keys));
            recovered.map_err(|error| failed(std::io::Error::other(error)))?;
        }
        let (catalog, content) = wrap(Arc::new(catalog), files);
        let inline_bytes_max = options.inline_bytes_max;
        Ok(Self(Arc::new(Inner { catalog, content, beside, directory, access, inline_bytes_max, secret })))
    }

    /// The newest version of a document, be it a deletion; `None` if there never was one.
    ///
    /// # Errors
    /// `Unavailable` if trying again may help, `Corrupt` if the record makes no sense.
    pub async fn current(&self, tenant: &TenantId, id: &ResourceId) -> Result<Option<Arc<Stored>>, Error> {
        let cache = &self.0.beside.cache;
        if let Some(stored) = cache.lookup(tenant, id) {
            return Ok(Some(stored));
        }
        if self.0.access == Access::ReadOnly {
            return Ok(self.0.catalog.current(tenant, id).await?.map(Arc::new)); // others write
        }
        let ticket = cache.ticket(tenant, id); // Contract 10: before the read
        let Some(stored) = self.0.catalog.current(tenant, id).await?.map(Arc::new) else { return Ok(None) };
        cache.insert(ticket, tenant, id, &stored);
        Ok(Some(stored))
    }

    /// The same if it is in memory; never waits. `None` says nothing about the document.
    #[must_use]
    pub fn cached(&self, tenant: &TenantId, id: &ResourceId) -> Option<Arc<Stored>> {
        self.0.beside.cache.lookup(tenant, id)
    }

    /// One version of a document, be it a deletion; `None` if there is none of that number.
    ///
    /// # Errors
    /// As [`Store::current`].
    pub async fn version(
        &self,
        tenant: &TenantId,
        id: &ResourceId,
        version: u64,
    ) -> Result<Option<Arc<Stored>>, Error> {
        Ok(self.0.catalog.version(tenant, id, version).await?.map(Arc::new))
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
    /// `Missing` if it is a deletion, was swept after a purge, or was lost; `Corrupt` if it is not what
    /// was stored; `Unavailable` if trying again may help.
    pub async fn content(&self, stored: &Stored) -> Result<Content, Error> {
        let opened = match (&stored.place, &stored.document.description) {
            (Place::Memory(bytes), _) => Opened::Memory(bytes.clone()),
            (Place::Catalog(key), _) => Opened::Memory(self.0.catalog.bytes(*key).await?),
            (Place::File(key), Some(description)) => self.0.content.open(key, description.size_bytes).await?,
            _ => return Err(Error::Missing("of a deletion".into())),
        };
        let size_bytes = stored.document.description.as_ref().map_or(0, |description| description.size_bytes);
        Ok(Content::new(size_bytes, opened))
    }

    /// Begins to take in bytes.
    #[must_use]
    pub fn upload(&self) -> Upload {
        Upload::new(Arc::clone(&self.0.content), self.0.inline_bytes_max)
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
        self.0.catalog.commit(tenant, write, content, now).await
    }

    /// Removes a document with every version; `false` if there is none. Its bytes go with the next
    /// sweep.
    ///
    /// # Errors
    /// `ReadOnly`; those of a write.
    pub async fn purge(&self, tenant: &TenantId, id: &ResourceId) -> Result<bool, Error> {
        self.0.catalog.purge(tenant, id).await
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
        self.0.beside.cache.clear();
        self.0.beside.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(crate) fn catalog(&self) -> &dyn Catalog {
        &*self.0.catalog
    }

    pub(crate) fn contents(&self) -> &dyn ContentStore {
        &*self.0.content
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// Keeps sweeps of any process away until the lock is dropped.
    pub(crate) async fn hold_off_sweeps(&self) -> Result<Option<Lock>, Error> {
        let directory = self.0.directory.clone();
        tokio::task::spawn_blocking(move || directory.hold_off_sweeps())
            .await
            .map_err(|error| Error::task(&error))?
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
    fn changing(&self, documents: &[(TenantId, ResourceId)]) {
        documents.iter().for_each(|(tenant, id)| self.cache.changing(tenant, id));
    }

    fn changed(&self, documents: &[(TenantId, ResourceId)]) {
        documents.iter().for_each(|(tenant, id)| self.cache.changed(tenant, id));
    }

    fn holds(&self, key: &str, size_bytes: u64) -> bool {
        self.content.holds(key, size_bytes)
    }

    fn replaced(&self) {
        self.cache.clear();
    }
}
