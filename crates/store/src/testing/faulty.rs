//! Backends that fail when they are told to.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::{
    Digest, Guard, HistoryQuery, Query, ResourceId, ResourceType, Scope, TenantId, Timestamp, Write,
    WriteOutcome,
};

use crate::{
    Error, Finding, HistoryPage, Referrer, SearchPage, Stored, TransactError, Uploaded,
    catalog::{
        Catalog, ContentRecord, Forgotten, SweepLock, Tally,
        events::Events,
        moving::{Count, Moved, Moving, Standstill},
    },
    content::{ContentStore, ContentWriter, Listing, Opened, Placed},
};

/// Counts the calls of all backends that share it, and makes one of them fail.
#[derive(Clone, Default)]
pub struct Fault(Arc<State>);

#[derive(Default)]
struct State {
    calls: AtomicU64,
    /// 0: none.
    failing: AtomicU64,
    after: AtomicU64,
}

impl Fault {
    /// From now on the `n`-th call fails, counted from 1: before it does anything, or with `after` when it
    /// is done and only its answer is lost.
    pub fn arm(&self, n: u64, after: bool) {
        self.0.calls.store(0, Ordering::SeqCst);
        self.0.after.store(after.into(), Ordering::SeqCst);
        self.0.failing.store(n, Ordering::SeqCst);
    }

    /// No call fails any more. Whether one did since `arm`.
    pub fn disarm(&self) -> bool {
        let n = self.0.failing.swap(0, Ordering::SeqCst);
        n != 0 && self.0.calls.load(Ordering::SeqCst) >= n
    }

    async fn call<T, E: From<Error>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let fails = self.0.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.0.failing.load(Ordering::SeqCst);
        let error = || E::from(Error::Unavailable("failed on request".into()));
        if fails && self.0.after.load(Ordering::SeqCst) == 0 {
            return Err(error());
        }
        let result = call.await;
        if fails { Err(error()) } else { result }
    }
}

/// A catalog with a fault.
pub struct FaultyCatalog {
    /// What does the work.
    pub inner: Arc<dyn Catalog>,
    /// When it fails.
    pub fault: Fault,
}

#[async_trait]
impl Catalog for FaultyCatalog {
    async fn current(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<Option<Stored>, Error> {
        self.fault.call(self.inner.current(tenant, kind, id)).await
    }
    async fn version(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
        version: u64,
    ) -> Result<Option<Stored>, Error> {
        self.fault.call(self.inner.version(tenant, kind, id, version)).await
    }
    async fn history(&self, tenant: &TenantId, query: &HistoryQuery) -> Result<HistoryPage, Error> {
        self.fault.call(self.inner.history(tenant, query)).await
    }
    async fn search(&self, tenant: &TenantId, query: &Query) -> Result<SearchPage, Error> {
        self.fault.call(self.inner.search(tenant, query)).await
    }
    async fn bytes(&self, content: i64) -> Result<Bytes, Error> {
        self.fault.call(self.inner.bytes(content)).await
    }
    async fn transact(
        &self,
        tenant: &TenantId,
        writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
    ) -> Result<Vec<WriteOutcome>, TransactError> {
        self.fault.call(self.inner.transact(tenant, writes, guards, now)).await
    }
    async fn referrers(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<Referrer>, Error> {
        self.fault.call(self.inner.referrers(tenant, binary, limit)).await
    }
    async fn anchors(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
        self.fault.call(self.inner.anchors(tenant, binary, limit)).await
    }

    async fn references(
        &self,
        tenant: &TenantId,
        from: &[(ResourceType, ResourceId)],
        parameter: Option<&str>,
        target: Option<&ResourceType>,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
        self.fault.call(self.inner.references(tenant, from, parameter, target)).await
    }
    async fn referring(
        &self,
        tenant: &TenantId,
        to: &[(ResourceType, ResourceId)],
        scope: &Scope,
        parameter: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Stored>>, Error> {
        self.fault.call(self.inner.referring(tenant, to, scope, parameter, limit)).await
    }
    async fn announce(&self, key: &str) -> Result<(), Error> {
        self.fault.call(self.inner.announce(key)).await
    }
    async fn claim(&self, keys: Vec<String>) -> Result<Vec<bool>, Error> {
        self.fault.call(self.inner.claim(keys)).await
    }
    async fn begin_sweep(&self) -> Result<Option<SweepLock>, Error> {
        self.fault.call(self.inner.begin_sweep()).await
    }
    async fn hold_off_sweeps(&self) -> Result<SweepLock, Error> {
        self.fault.call(self.inner.hold_off_sweeps()).await
    }
    async fn purge(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Result<bool, Error> {
        self.fault.call(self.inner.purge(tenant, kind, id)).await
    }
    async fn forget_unreferenced(&self) -> Result<Forgotten, Error> {
        self.fault.call(self.inner.forget_unreferenced()).await
    }
    async fn removed(&self, keys: Vec<String>) -> Result<(), Error> {
        self.fault.call(self.inner.removed(keys)).await
    }
    async fn known(&self, keys: Vec<String>) -> Result<Vec<bool>, Error> {
        self.fault.call(self.inner.known(keys)).await
    }
    async fn content_totals(&self) -> Result<(u64, u64), Error> {
        self.fault.call(self.inner.content_totals()).await
    }
    async fn contents(&self, after: i64, limit: usize) -> Result<Vec<ContentRecord>, Error> {
        self.fault.call(self.inner.contents(after, limit)).await
    }
    async fn confirm(&self, record: &ContentRecord) -> Result<bool, Error> {
        self.fault.call(self.inner.confirm(record)).await
    }
    async fn check(&self, repair: bool) -> Result<Vec<Finding>, Error> {
        self.fault.call(self.inner.check(repair)).await
    }
    async fn tally(&self) -> Result<Tally, Error> {
        self.fault.call(self.inner.tally()).await
    }
    async fn snapshot(&self, file: &Path) -> Result<(), Error> {
        self.fault.call(self.inner.snapshot(file)).await
    }
    async fn ping(&self) -> Result<(), Error> {
        self.fault.call(self.inner.ping()).await
    }
    fn moving(&self) -> Option<&dyn Moving> {
        self.inner.moving().map(|_| self as &dyn Moving)
    }
    fn events(&self) -> Option<&dyn Events> {
        self.inner.events()
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

impl FaultyCatalog {
    fn moved(&self) -> Result<&dyn Moving, Error> {
        self.inner.moving().ok_or(Error::Unusable("this catalog cannot be moved"))
    }
}

#[async_trait]
impl Moving for FaultyCatalog {
    async fn secret(&self) -> Result<[u8; 32], Error> {
        self.fault.call(self.moved()?.secret()).await
    }
    async fn tenants(&self) -> Result<Vec<TenantId>, Error> {
        self.fault.call(self.moved()?.tenants()).await
    }
    async fn export(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Moved>, Error> {
        self.fault.call(self.moved()?.export(tenant, after, limit)).await
    }
    async fn last_of(&self, tenant: &TenantId) -> Result<u64, Error> {
        self.fault.call(self.moved()?.last_of(tenant)).await
    }
    async fn last_given(&self) -> Result<u64, Error> {
        self.fault.call(self.moved()?.last_given()).await
    }
    async fn counts(&self) -> Result<Vec<Count>, Error> {
        self.fault.call(self.moved()?.counts()).await
    }
    async fn held(&self, tenant: &TenantId, digests: Vec<Digest>) -> Result<Vec<bool>, Error> {
        self.fault.call(self.moved()?.held(tenant, digests)).await
    }
    async fn standstill(&self) -> Result<Option<Standstill>, Error> {
        self.fault.call(self.moved()?.standstill()).await
    }
    async fn leave(&self, leaving: bool) -> Result<(), Error> {
        self.fault.call(self.moved()?.leave(leaving)).await
    }
    async fn begin_adoption(&self, secret: [u8; 32]) -> Result<(), Error> {
        self.fault.call(self.moved()?.begin_adoption(secret)).await
    }
    async fn adopt(
        &self,
        tenant: &TenantId,
        after: u64,
        versions: Vec<(Moved, Option<Uploaded>)>,
    ) -> Result<(), Error> {
        self.fault.call(self.moved()?.adopt(tenant, after, versions)).await
    }
    async fn purge_adopted(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<(), Error> {
        self.fault.call(self.moved()?.purge_adopted(tenant, kind, id)).await
    }
    async fn finish_adoption(&self, last_given: u64) -> Result<(), Error> {
        self.fault.call(self.moved()?.finish_adoption(last_given)).await
    }
}

/// A content store with a fault.
pub struct FaultyContent {
    /// What does the work.
    pub inner: Arc<dyn ContentStore>,
    /// When it fails.
    pub fault: Fault,
}

#[async_trait]
impl ContentStore for FaultyContent {
    async fn create(&self) -> Result<Box<dyn ContentWriter>, Error> {
        let inner = self.fault.call(self.inner.create()).await?;
        Ok(Box::new(FaultyWriter { inner, fault: self.fault.clone() }))
    }
    async fn open(&self, key: &str, size_bytes: u64) -> Result<Opened, Error> {
        self.fault.call(self.inner.open(key, size_bytes)).await
    }
    fn holds(&self, key: &str, size_bytes: u64) -> bool {
        self.inner.holds(key, size_bytes)
    }
    async fn remove(&self, key: &str) -> Result<Option<u64>, Error> {
        self.fault.call(self.inner.remove(key)).await
    }
    async fn list(&self, from: Option<String>) -> Result<Listing, Error> {
        self.fault.call(self.inner.list(from)).await
    }
    async fn ping(&self) -> Result<(), Error> {
        self.fault.call(self.inner.ping()).await
    }
    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

struct FaultyWriter {
    inner: Box<dyn ContentWriter>,
    fault: Fault,
}

#[async_trait]
impl ContentWriter for FaultyWriter {
    fn key(&self) -> Option<&str> {
        self.inner.key()
    }
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.fault.call(self.inner.write(bytes)).await
    }
    async fn finish(self: Box<Self>, digest: &Digest) -> Result<Placed, Error> {
        let Self { inner, fault } = *self;
        fault.call(inner.finish(digest)).await
    }
}
