//! The catalog in PostgreSQL: one database for any number of nodes.
//!
//! Decision 0017: nodes agree through the database and through nothing else. A node remembers only what never changes;
//! each read asks. The statements are those of the other catalog where they can be; the rest is written so that they
//! take few round trips.

mod batch;
mod check;
mod events;
mod failure;
mod history;
mod moving;
mod names;
mod pool;
mod read;
mod reference;
mod remove;
mod schema;
mod search;
mod stage;
mod url;
mod value;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use charta_model::{
    Digest, Guard, HistoryQuery, Query, ResourceId, ResourceType, Scope, TenantId, Timestamp, Write,
    WriteOutcome,
};
use tokio::sync::oneshot;

pub use self::url::PostgresUrl;
use self::{
    failure::Failure,
    names::Names,
    pool::{Lease, Pools, READ, write_limit},
    search::Place,
    writer::{Commit, Queues},
};
use super::{
    Catalog, Companion, ContentRecord, Forgotten, SweepLock, Tally,
    events::{self as all_events, Events, Found, Shipment, Wanted},
    moving::{Count, Moved, Moving, Standstill},
};
use crate::{
    Access, Error, Finding, HistoryPage, OpenError, Referrer, SearchPage, Stored, TransactError, Uploaded,
};

/// A catalog in a database.
pub struct Postgres {
    node: Arc<Node>,
    access: Access,
    secret: [u8; 32],
}

/// What a node has of it.
struct Node {
    pools: Pools,
    names: Names,
    queues: Queues,
    companion: Arc<dyn Companion>,
    /// The schema of the database in which the tables are.
    schema: String,
}

impl Postgres {
    /// Opens the catalog in a database; `Exclusive` makes or migrates its tables where needed, and other nodes may do
    /// so at the same time.
    ///
    /// # Errors
    /// `NotADatabase`, `NewerSchema`, `OlderSchema` (read-only), `Unreachable`.
    pub async fn open(
        url: &PostgresUrl,
        access: Access,
        companion: Arc<dyn Companion>,
    ) -> Result<Self, OpenError> {
        let place = url.to_string();
        let unreachable = |problem: String| OpenError::Unreachable { place: place.clone(), problem };
        let pools = Pools::new(url).map_err(&unreachable)?;
        let mut lease = pools.lasting().await.map_err(|failure| unreachable(failure.error.to_string()))?;
        let found = schema::open(
            lease.client_mut().map_err(|failure| unreachable(failure.error.to_string()))?,
            &place,
            access,
        );
        let schema::Found { schema, secret } = found.await?;
        lease.free();
        let (names, queues) = (Names::default(), Queues::default());
        Ok(Self { node: Arc::new(Node { pools, names, queues, companion, schema }), access, secret })
    }

    /// The 32 random bytes that were made with the catalog.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.secret
    }

    fn writing(&self) -> Result<&Arc<Node>, Error> {
        if self.access == Access::ReadOnly { Err(Error::ReadOnly) } else { Ok(&self.node) }
    }
}

/// Ends with an error when it takes longer than a request may wait.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let slow = || Error::Unavailable("catalog: no answer in time".into());
    tokio::time::timeout(limit, work).await.map_err(|_| slow())?
}

/// Reads on a connection, and once more on another if the first turns out to be dead. The connection goes back only
/// if all went well.
macro_rules! reading {
    ($self:ident, |$client:ident| $work:expr) => {
        within(READ, async {
            let mut tried = false;
            loop {
                let lease = $self.node.pools.reader().await?;
                let $client = lease.client()?;
                match $work.await {
                    Ok(found) => {
                        lease.free();
                        return Ok(found);
                    }
                    Err(Failure { lost: true, .. }) if !tried => tried = true,
                    Err(Failure { error, .. }) => {
                        if !error.is_transient() {
                            lease.free();
                        }
                        return Err(error);
                    }
                }
            }
        })
        .await
    };
}

/// The same for several statements that see the same state, of a tenant that has something.
macro_rules! reading_at_once {
    ($self:ident, $tenant:expr, |$place:ident| $work:expr) => {
        within(READ, async {
            let mut tried = false;
            loop {
                let lease = $self.node.pools.reader().await?;
                let read = async {
                    let (client, names) = (lease.client()?, &$self.node.names);
                    let Some(tenant) = names.tenant(client, $tenant).await? else { return Ok(Default::default()) };
                    let $place = Place { client, names, tenant };
                    let (begun, done) = tokio::join!(biased; client.batch_execute(BEGIN), $work);
                    begun?;
                    done
                };
                let result: Result<_, Failure> = read.await;
                match result {
                    Ok(found) => {
                        end(lease);
                        return Ok(found);
                    }
                    Err(Failure { lost: true, .. }) if !tried => tried = true,
                    Err(Failure { error, .. }) => {
                        if !error.is_transient() {
                            end(lease);
                        }
                        return Err(error);
                    }
                }
            }
        })
        .await
    };
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Ends a transaction that only read and gives the connection back, without keeping the answer waiting.
fn end(lease: Lease) {
    tokio::spawn(async move {
        if let Ok(client) = lease.client()
            && client.batch_execute("ROLLBACK").await.is_ok()
        {
            lease.free();
        }
    });
}

#[async_trait]
impl Catalog for Postgres {
    async fn current(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<Option<Stored>, Error> {
        reading!(self, |client| read::current(client, tenant, kind, id))
    }

    async fn version(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
        version: u64,
    ) -> Result<Option<Stored>, Error> {
        reading!(self, |client| read::version(client, tenant, kind, id, version))
    }

    async fn history(&self, tenant: &TenantId, query: &HistoryQuery) -> Result<HistoryPage, Error> {
        reading_at_once!(self, tenant, |place| history::page(place, query))
    }

    async fn search(&self, tenant: &TenantId, query: &Query) -> Result<SearchPage, Error> {
        reading_at_once!(self, tenant, |place| search::page(place, query))
    }

    async fn bytes(&self, content: i64) -> Result<Bytes, Error> {
        reading!(self, |client| read::bytes(client, content))
    }

    async fn transact(
        &self,
        tenant: &TenantId,
        writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
    ) -> Result<Vec<WriteOutcome>, TransactError> {
        let (answer, answered) = oneshot::channel();
        let (limit, given_up) = (write_limit(writes.len()), Arc::new(AtomicBool::new(false)));
        let commit = Commit::new(writes, guards, now, answer, Arc::clone(&given_up));
        writer::submit(self.writing()?, tenant, commit)?;
        let Ok(answered) = tokio::time::timeout(limit, answered).await else {
            given_up.store(true, Ordering::SeqCst);
            return Err(Error::Unavailable("catalog: no answer in time".into()).into());
        };
        answered.map_err(|_| Error::Unavailable("catalog: the commit ended early".into()))?
    }

    async fn referrers(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<Referrer>, Error> {
        reading!(self, |client| reference::referrers(client, tenant, binary, limit))
    }

    async fn anchors(
        &self,
        tenant: &TenantId,
        binary: &ResourceId,
        limit: usize,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
        reading!(self, |client| reference::anchors(client, tenant, binary, limit))
    }

    async fn references(
        &self,
        tenant: &TenantId,
        from: &[(ResourceType, ResourceId)],
        parameter: Option<&str>,
        target: Option<&ResourceType>,
    ) -> Result<Vec<(ResourceType, ResourceId)>, Error> {
        reading_at_once!(self, tenant, |place| reference::references(place, from, parameter, target))
    }

    async fn referring(
        &self,
        tenant: &TenantId,
        to: &[(ResourceType, ResourceId)],
        scope: &Scope,
        parameter: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Stored>>, Error> {
        reading_at_once!(self, tenant, |place| reference::referring(place, to, scope, parameter, limit))
    }

    async fn announce(&self, key: &str) -> Result<(), Error> {
        Ok(self.writing()?.announce(key).await?)
    }

    async fn claim(&self, keys: Vec<String>) -> Result<Vec<bool>, Error> {
        Ok(self.writing()?.claim(&keys).await?)
    }

    async fn begin_sweep(&self) -> Result<Option<SweepLock>, Error> {
        Ok(self.writing()?.begin_sweep().await?.map(|guard| Box::new(guard) as SweepLock))
    }

    async fn hold_off_sweeps(&self) -> Result<SweepLock, Error> {
        Ok(Box::new(self.node.hold_off_sweeps().await?))
    }

    async fn purge(&self, tenant: &TenantId, kind: &ResourceType, id: &ResourceId) -> Result<bool, Error> {
        Ok(self.writing()?.purge(tenant, kind, id, None).await?)
    }

    async fn forget_unreferenced(&self) -> Result<Forgotten, Error> {
        Ok(self.writing()?.forget_unreferenced().await?)
    }

    async fn removed(&self, keys: Vec<String>) -> Result<(), Error> {
        Ok(self.writing()?.removed(&keys).await?)
    }

    async fn known(&self, keys: Vec<String>) -> Result<Vec<bool>, Error> {
        reading!(self, |client| read::known(client, &keys))
    }

    async fn content_totals(&self) -> Result<(u64, u64), Error> {
        let lease = self.node.pools.lasting().await?;
        let totals = read::content_totals(lease.client()?).await?;
        lease.free();
        Ok(totals)
    }

    async fn contents(&self, after: i64, limit: usize) -> Result<Vec<ContentRecord>, Error> {
        reading!(self, |client| read::contents(client, after, limit))
    }

    async fn confirm(&self, record: &ContentRecord) -> Result<bool, Error> {
        reading!(self, |client| read::confirm(client, record))
    }

    async fn check(&self, repair: bool) -> Result<Vec<Finding>, Error> {
        if repair {
            self.writing()?;
        }
        Ok(self.node.check(repair).await?)
    }

    async fn tally(&self) -> Result<Tally, Error> {
        reading!(self, |client| read::tally(client))
    }

    async fn snapshot(&self, _: &Path) -> Result<(), Error> {
        Err(Error::Unusable("a catalog in PostgreSQL is backed up with PostgreSQL's own means"))
    }

    async fn ping(&self) -> Result<(), Error> {
        reading!(self, |client| schema::ping(client))
    }

    fn moving(&self) -> Option<&dyn Moving> {
        Some(self)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(self)
    }

    async fn close(&self) {
        self.node.queues.close().await;
        self.node.pools.close();
    }
}

#[async_trait]
impl Events for Postgres {
    async fn node(&self, name: &str, shipped: u64) -> Result<all_events::Node, Error> {
        let pools = &self.writing()?.pools;
        let node = async {
            let lease = pools.shipping().await?;
            let node = events::node(lease.client()?, name, shipped).await?;
            lease.free();
            Ok(node)
        };
        within(READ, node).await
    }

    async fn add(&self, shipment: Shipment) -> Result<bool, Error> {
        let pools = &self.writing()?.pools;
        let add = async {
            let lease = pools.shipping().await?;
            let added = events::add(lease.client()?, &shipment).await?;
            lease.free();
            Ok(added)
        };
        within(write_limit(shipment.events.len()), add).await
    }

    async fn find(&self, wanted: Wanted) -> Result<Found, Error> {
        reading!(self, |client| events::find(client, &wanted))
    }

    async fn forget(&self, before_ms: i64) -> Result<u64, Error> {
        Ok(events::forget(&self.writing()?.pools, before_ms).await?)
    }
}

#[async_trait]
impl Moving for Postgres {
    async fn secret(&self) -> Result<[u8; 32], Error> {
        reading!(self, |client| moving::secret(client))
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, Error> {
        reading!(self, |client| moving::tenants(client))
    }

    async fn export(&self, tenant: &TenantId, after: u64, limit: usize) -> Result<Vec<Moved>, Error> {
        reading_at_once!(self, tenant, |place| moving::export(place, after, limit))
    }

    async fn last_of(&self, tenant: &TenantId) -> Result<u64, Error> {
        reading_at_once!(self, tenant, |place| moving::last_of(place))
    }

    async fn last_given(&self) -> Result<u64, Error> {
        reading!(self, |client| moving::last_given(client))
    }

    async fn counts(&self) -> Result<Vec<Count>, Error> {
        reading!(self, |client| moving::counts(client))
    }

    async fn held(&self, tenant: &TenantId, digests: Vec<Digest>) -> Result<Vec<bool>, Error> {
        let held: Vec<bool> = reading_at_once!(self, tenant, |place| moving::held(place, &digests))?;
        // Of a tenant that has nothing, nothing is said.
        Ok(if held.is_empty() { vec![false; digests.len()] } else { held })
    }

    async fn standstill(&self) -> Result<Option<Standstill>, Error> {
        reading!(self, |client| moving::standstill(client))
    }

    async fn leave(&self, leaving: bool) -> Result<(), Error> {
        Ok(self.node.leave(leaving).await?)
    }

    async fn begin_adoption(&self, secret: [u8; 32]) -> Result<(), Error> {
        Ok(self.writing()?.begin_adoption(secret).await?)
    }

    async fn adopt(
        &self,
        tenant: &TenantId,
        after: u64,
        versions: Vec<(Moved, Option<Uploaded>)>,
    ) -> Result<(), Error> {
        self.writing()?.adopt(tenant, after, versions).await
    }

    async fn purge_adopted(
        &self,
        tenant: &TenantId,
        kind: &ResourceType,
        id: &ResourceId,
    ) -> Result<(), Error> {
        self.writing()?.purge(tenant, kind, id, Some(Standstill::Adopting)).await?;
        Ok(())
    }

    async fn finish_adoption(&self, last_given: u64) -> Result<(), Error> {
        Ok(self.writing()?.finish_adoption(last_given).await?)
    }
}
