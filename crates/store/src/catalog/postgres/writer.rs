//! The queues of writes.
//!
//! Each tenant has its own. Whatever has queued up while a commit was under way forms the next one. All nodes take the
//! tenant's lock for that, so that its writes are decided and numbered one after the other, whoever does them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use charta_model::{Guard, ResourceId, ResourceType, TenantId, Timestamp, Write, WriteOutcome};
use deadpool_postgres::ClientWrapper as Client;
use tokio::sync::{Notify, oneshot};

use super::{
    Node,
    batch::{self, Applied, Asked, Batch, Brought, Done},
    failure::Failure,
    names::Needed,
    pool::write_limit,
    schema::lock_key,
};
use crate::{Error, TransactError, Uploaded};

/// A commit that holds so many writes takes in no further transaction.
const BATCH_MAX: usize = 256;

/// One transaction on its way.
pub(super) struct Commit {
    asked: Asked,
    caller: Caller,
}

/// Who waits for it, and what is to be kept or left of what was brought.
struct Caller {
    /// The bytes of each write.
    contents: Vec<Option<Uploaded>>,
    answer: oneshot::Sender<Result<Vec<WriteOutcome>, TransactError>>,
    /// It was told that nobody knows what becomes of it. If it has not begun, it will not.
    given_up: Arc<AtomicBool>,
}

impl Commit {
    pub(super) fn new(
        writes: Vec<(Write, Option<Uploaded>)>,
        guards: Vec<Guard>,
        now: Timestamp,
        answer: oneshot::Sender<Result<Vec<WriteOutcome>, TransactError>>,
        given_up: Arc<AtomicBool>,
    ) -> Self {
        let (writes, contents): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        let brought = contents.iter().map(|content| content.as_ref().map(Brought::of)).collect();
        let asked = Asked { guards, writes, contents: brought, now };
        Self { asked, caller: Caller { contents, answer, given_up } }
    }
}

/// What waits, by tenant. A tenant is in here as long as a task works for it.
#[derive(Default)]
pub(super) struct Queues {
    queues: Mutex<Waiting>,
    idle: Notify,
}

#[derive(Default)]
struct Waiting {
    is_closed: bool,
    of: HashMap<TenantId, VecDeque<Commit>>,
}

impl Queues {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses new transactions and waits for those that are there.
    pub(super) async fn close(&self) {
        self.waiting().is_closed = true;
        loop {
            let idle = self.idle.notified();
            if self.waiting().of.is_empty() {
                return;
            }
            idle.await;
        }
    }

    /// The transactions of the next commit; none ends the tenant's task.
    fn next(&self, tenant: &TenantId) -> Vec<Commit> {
        let mut waiting = self.waiting();
        let (mut batch, mut writes) = (Vec::new(), 0);
        if let Some(queue) = waiting.of.get_mut(tenant) {
            while writes < BATCH_MAX
                && let Some(next) = queue.pop_front()
            {
                if !next.caller.given_up.load(Ordering::SeqCst) {
                    writes += next.asked.writes.len().max(1);
                    batch.push(next);
                }
            }
        }
        if batch.is_empty() {
            waiting.of.remove(tenant);
            self.idle.notify_waiters();
        }
        batch
    }
}

/// Queues a transaction.
pub(super) fn submit(node: &Arc<Node>, tenant: &TenantId, commit: Commit) -> Result<(), Error> {
    let mut waiting = node.queues.waiting();
    if waiting.is_closed {
        return Err(Error::Closed);
    }
    match waiting.of.get_mut(tenant) {
        Some(queue) => queue.push_back(commit),
        None => {
            waiting.of.insert(tenant.clone(), VecDeque::from([commit]));
            tokio::spawn(work(Arc::clone(node), tenant.clone()));
        }
    }
    Ok(())
}

async fn work(node: Arc<Node>, tenant: TenantId) {
    loop {
        let batch = node.queues.next(&tenant);
        if batch.is_empty() {
            return;
        }
        let (worker, of) = (Arc::clone(&node), tenant.clone());
        // A panic costs its own commit, whose callers see their answers dropped.
        let done = tokio::spawn(async move { worker.commit(&of, batch).await }).await;
        if let Err(error) = done {
            tracing::error!(%error, "a commit ended early");
        }
    }
}

/// Why a commit failed.
struct Broken {
    failure: Failure,
    /// It may have come about all the same.
    undecided: bool,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, undecided: false }
    }
}

impl Node {
    /// Contract 5: the batch is committed whole or not at all, and only then is anyone answered.
    async fn commit(&self, tenant: &TenantId, batch: Vec<Commit>) {
        let (batch, callers): (Vec<Asked>, Vec<Caller>) =
            batch.into_iter().map(|commit| (commit.asked, commit.caller)).unzip();
        let mut result = self.attempt(tenant, &batch).await;
        if let Err(Broken { failure: Failure { lost: true, .. }, undecided: false }) = result {
            result = self.attempt(tenant, &batch).await; // on a new connection, as nothing has come about
        }
        match result {
            Ok(results) => {
                if results.iter().flatten().flatten().any(|applied| applied.replaced) {
                    self.companion.replaced();
                }
                for (caller, result) in callers.into_iter().zip(results) {
                    settle(caller, result);
                }
            }
            Err(Broken { failure: Failure { error, .. }, undecided }) => {
                if !matches!(error, Error::Standstill) {
                    tracing::warn!(%error, transactions = batch.len(), "a commit failed");
                }
                for caller in callers {
                    // Contract 2: a record may name the bytes; a sweep finds out.
                    let contents = caller.contents.into_iter().flatten();
                    contents.filter(|_| undecided).for_each(Uploaded::leave);
                    let _ = caller.answer.send(Err(error.clone().into()));
                }
            }
        }
    }

    async fn attempt(&self, tenant: &TenantId, batch: &[Asked]) -> Result<Vec<Done>, Broken> {
        let lease = self.pools.writer().await?;
        let client = lease.client()?;
        let limit = write_limit(batch.iter().map(|asked| asked.writes.len()).sum());
        let hangs = || Failure::from(Error::Unavailable("catalog: no answer in time".into()));
        let decided = tokio::time::timeout(limit, self.decide(client, tenant, batch));
        let (begun, results) = decided.await.map_err(|_| hangs())??;
        let changed: Vec<_> =
            results.iter().flatten().flatten().filter_map(|done| changed(tenant, done)).collect();
        self.companion.changing(&changed);
        // Contract 1: returns when it is on stable storage.
        let committed = tokio::time::timeout(limit, begun.commit()).await;
        self.companion.changed(&changed);
        let committed = committed.unwrap_or_else(|_| Err((hangs(), true)));
        committed.map_err(|(failure, undecided)| Broken { failure, undecided })?;
        lease.free();
        Ok(results)
    }

    /// Everything up to the commit.
    async fn decide<'n>(
        &'n self,
        client: &'n Client,
        tenant: &TenantId,
        batch: &[Asked],
    ) -> Result<(Batch<'n>, Vec<Done>), Failure> {
        let lock = lock_key(&self.schema, &format!("tenant/{tenant}"));
        let key = self.names.make_tenant(client, tenant).await?;
        self.make_kinds(key, batch).await?;
        let mut begun = batch::begin(self, client, (key, lock), batch).await?;
        let mut results = Vec::with_capacity(batch.len());
        for asked in batch {
            results.push(begun.decide(asked).await?);
        }
        Ok((begun, results))
    }

    async fn make_kinds(&self, tenant: i64, batch: &[Asked]) -> Result<(), Failure> {
        let kinds = batch.iter().flat_map(|asked| &asked.writes).map(|write| &write.kind);
        let unknown: std::collections::HashSet<ResourceType> =
            kinds.filter(|kind| self.names.kind(kind).is_none()).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.make_names(tenant, &Needed { kinds: unknown, ..Needed::default() }).await
    }

    /// Makes sure that these names have numbers.
    pub(super) async fn make_names(&self, tenant: i64, needed: &Needed) -> Result<(), Failure> {
        let lease = self.pools.naming().await?;
        self.names.ensure(lease.client()?, &self.schema, tenant, needed).await?;
        lease.free();
        Ok(())
    }
}

/// The document of which there is a new version.
fn changed(tenant: &TenantId, applied: &Applied) -> Option<(TenantId, ResourceType, ResourceId)> {
    match &applied.outcome {
        WriteOutcome::Created(document)
        | WriteOutcome::Updated(document)
        | WriteOutcome::Deleted(document) => {
            Some((tenant.clone(), document.kind.clone(), document.id.clone()))
        }
        _ => None,
    }
}

fn settle(caller: Caller, result: Done) {
    let mut adopted = Vec::new();
    let outcomes = result.map(|applied| {
        adopted = applied.iter().map(|applied| applied.adopted).collect();
        applied.into_iter().map(|applied| applied.outcome).collect()
    });
    let _ = caller.answer.send(outcomes);
    // What no record names is dropped, and so discarded.
    for (content, adopted) in caller.contents.into_iter().zip(adopted) {
        if let Some(content) = content.filter(|_| adopted) {
            content.keep();
        }
    }
}
