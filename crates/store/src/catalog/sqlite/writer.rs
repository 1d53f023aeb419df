//! The one thread that writes.
//!
//! Whatever has queued up while a commit was under way forms the next one: each transaction, of one write or
//! many, is decided and stored in its own savepoint, one sync covers all, then all are answered. Nothing waits
//! for company.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc as std_mpsc,
    },
    thread,
    time::Duration,
};

use charta_model::{Guard, ResourceId, ResourceType, TenantId, Timestamp, Write, WriteOutcome};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{
    moving,
    names::Names,
    schema,
    write::{Applied, Writing},
};
use crate::{Error, OpenError, TransactError, Uploaded, catalog::Companion};

/// A commit that holds so many writes takes in no further transaction.
const BATCH_MAX: usize = 256;

/// Each time the log has grown by so many frames (of one page each), what it holds is copied into the
/// catalog beside the writes: 16 MiB.
const CHECKPOINT_FRAMES: u32 = 4_000;

/// Writes that never pause would never let that copying catch up. At so many frames the writer waits for
/// the little that is left and begins the log anew, so that it stays bounded: 66 MiB.
const RESTART_FRAMES: u32 = 16_500;

/// So long the writer waits for reads that still need the log.
const RESTART_WAIT: Duration = Duration::from_millis(100);

/// One transaction on its way to the writer.
pub(super) struct Commit {
    pub(super) tenant: TenantId,
    pub(super) guards: Vec<Guard>,
    pub(super) writes: Vec<Write>,
    /// The bytes of each write.
    pub(super) contents: Vec<Option<Uploaded>>,
    pub(super) now: Timestamp,
    pub(super) answer: oneshot::Sender<Result<Vec<WriteOutcome>, TransactError>>,
}

/// What the writer is asked to do.
pub(super) enum Job {
    Commit(Box<Commit>),
    /// Something in a transaction of its own.
    Task(Task),
    /// Ends the thread after what came before.
    Close(oneshot::Sender<()>),
}

/// Answers by itself.
pub(super) type Task = Box<dyn FnOnce(&mut Connection, &dyn Companion) + Send>;

/// Starts the thread with the connection that writes.
pub(super) fn start(
    connection: Connection,
    path: &Path,
    companion: Arc<dyn Companion>,
) -> Result<mpsc::Sender<Job>, OpenError> {
    let failed = |source| OpenError::Io { path: path.into(), source };
    let checkpointer = Checkpointer::start(path)?;
    let (sender, jobs) = mpsc::channel(BATCH_MAX);
    thread::Builder::new()
        .name("catalog-writer".into())
        .spawn(move || Writer::new(connection, companion, checkpointer).run(jobs))
        .map_err(failed)?;
    Ok(sender)
}

struct Writer {
    connection: Connection,
    companion: Arc<dyn Companion>,
    names: Names,
    checkpointer: Checkpointer,
    /// Frames in the log after the last commit.
    frames: Arc<AtomicU32>,
    /// Frames in the log when it was last copied.
    checkpointed: u32,
    /// No waiting for a checkpoint below this: the last one was held up by a long read.
    next_restart: u32,
    /// Bytes of commits that failed and that a crash might bring back.
    undecided: Vec<Uploaded>,
}

impl Writer {
    fn new(mut connection: Connection, companion: Arc<dyn Companion>, checkpointer: Checkpointer) -> Self {
        let frames = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&frames);
        let hook = move |_: &mut rusqlite::hooks::Wal, pages| {
            seen.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        // Replaces SQLite's own checkpoints, which would stop the writer. Without the hook they go on.
        if let Err(error) = connection.wal_hook(Some(hook)) {
            tracing::warn!(%error, "the catalog's log is checkpointed by its writer");
        }
        Self {
            connection,
            companion,
            names: Names::default(),
            checkpointer,
            frames,
            checkpointed: 0,
            next_restart: RESTART_FRAMES,
            undecided: Vec::new(),
        }
    }

    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut held = None;
        while let Some(job) = held.take().or_else(|| jobs.blocking_recv()) {
            match job {
                Job::Commit(first) => {
                    let mut writes = first.writes.len();
                    let mut batch = vec![*first];
                    while writes < BATCH_MAX {
                        match jobs.try_recv() {
                            Ok(Job::Commit(next)) => {
                                writes += next.writes.len().max(1);
                                batch.push(*next);
                            }
                            Ok(other) => {
                                held = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.commit(batch);
                }
                Job::Task(task) => task(&mut self.connection, &*self.companion),
                Job::Close(done) => {
                    // Whoever still waits in the queue is told that the store is closed.
                    drop(jobs);
                    self.finish();
                    let _ = done.send(());
                    return;
                }
            }
            self.bound_log();
        }
        self.finish();
    }

    /// Contract 5: the batch is committed whole or not at all, and only then is anyone answered.
    fn commit(&mut self, mut batch: Vec<Commit>) {
        let mut changed = Vec::new();
        let result = self.transact(&mut batch, &mut changed);
        if !changed.is_empty() {
            self.companion.changed(&changed);
        }
        match result {
            Ok(results) => {
                if !changed.is_empty() {
                    self.undecided.clear(); // dropped, and so discarded
                }
                self.names.committed();
                if results.iter().flatten().flatten().any(|applied| applied.replaced) {
                    self.companion.replaced();
                }
                for (commit, result) in batch.into_iter().zip(results) {
                    settle(commit, result);
                }
            }
            Err(error) => {
                // Decision 0019: it is refused on purpose, before anything has begun.
                let is_refused = matches!(error, Error::Standstill);
                if !is_refused {
                    tracing::warn!(%error, transactions = batch.len(), "a commit failed");
                }
                self.names.taken_back();
                for commit in batch {
                    // Contract 2: after a failed sync the record may come back in a crash, so its bytes
                    // stay until the next commit has overwritten it in the log. A log that had no room
                    // for the commit's last page, though, cannot bring it back.
                    let contents = commit.contents.into_iter().flatten();
                    self.undecided
                        .extend(contents.filter(|_| !is_refused && !matches!(error, Error::Full(_))));
                    let _ = commit.answer.send(Err(error.clone().into()));
                }
            }
        }
    }

    /// Everything up to the sync. Fills `changed` before the commit and leaves it so if that fails.
    fn transact(&mut self, batch: &mut [Commit], changed: &mut Vec<Named>) -> Result<Vec<Done>, Error> {
        let companion = &*self.companion;
        let mut transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        moving::writable(&transaction)?;
        let mut results = Vec::with_capacity(batch.len());
        for Commit { tenant, guards, writes, contents, now, .. } in batch {
            let savepoint = transaction.savepoint()?;
            let names = &mut self.names;
            let mut writing = Writing { connection: &savepoint, names, companion, tenant, now: *now };
            let result = writing.apply(guards, std::mem::take(writes), contents);
            if savepoint.is_autocommit() {
                // SQLite has given up the whole transaction, as it may when the disk is full.
                let gone = || Error::Unavailable("the transaction ended early".into());
                return Err(result.err().and_then(TransactError::into_store).unwrap_or_else(gone));
            }
            match &result {
                Ok(applied) => {
                    savepoint.commit()?;
                    let versions = applied.iter().filter_map(Applied::version);
                    changed.extend(versions.map(|d| (tenant.clone(), d.kind.clone(), d.id.clone())));
                    // What is remembered of a Binary says by whom it is named.
                    let named = applied.iter().flat_map(|applied| &applied.named);
                    changed.extend(named.map(|id| (tenant.clone(), ResourceType::BINARY, id.clone())));
                }
                Err(_) => {
                    savepoint.finish()?; // takes back what it had begun
                    self.names.taken_back();
                }
            }
            results.push(result);
        }
        // Contract 10: from here on nothing remembered about these documents is served.
        companion.changing(changed);
        transaction.commit()?; // Contract 1: returns when the log is on stable storage.
        Ok(results)
    }

    fn bound_log(&mut self) {
        let frames = self.frames.load(Ordering::Relaxed);
        if frames < self.checkpointed {
            // It has begun anew.
            (self.checkpointed, self.next_restart) = (0, RESTART_FRAMES);
        }
        if frames >= self.next_restart {
            // A reader that has not ended by then (a backup) keeps the log growing; try again later.
            self.next_restart = frames.saturating_add(CHECKPOINT_FRAMES);
            let _ = self.connection.busy_timeout(RESTART_WAIT);
            let _ = checkpoint(&self.connection, "RESTART");
            let _ = self.connection.busy_timeout(schema::BUSY_TIMEOUT);
        } else if frames >= self.checkpointed.saturating_add(CHECKPOINT_FRAMES) {
            self.checkpointed = frames;
            self.checkpointer.wake();
        }
    }

    fn finish(mut self) {
        self.undecided.drain(..).for_each(Uploaded::leave);
        drop(self.checkpointer);
        let _ = checkpoint(&self.connection, "TRUNCATE");
        // What does not close here is closed by the end of the process; the log is whole either way.
        let _ = self.connection.close();
    }
}

/// The three names of a document.
type Named = (TenantId, ResourceType, ResourceId);

/// What came of one transaction.
type Done = Result<Vec<Applied>, TransactError>;

fn settle(commit: Commit, result: Done) {
    let mut adopted = Vec::new();
    let outcomes = result.map(|applied| {
        adopted = applied.iter().map(|applied| applied.adopted).collect();
        applied.into_iter().map(|applied| applied.outcome).collect()
    });
    let _ = commit.answer.send(outcomes);
    // What no record names is dropped, and so discarded.
    for (content, adopted) in commit.contents.into_iter().zip(adopted) {
        if let Some(content) = content.filter(|_| adopted) {
            content.keep();
        }
    }
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

/// Copies the log into the catalog beside reads and writes, on a thread and connection of its own.
struct Checkpointer {
    wake: Option<std_mpsc::SyncSender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Checkpointer {
    fn start(path: &Path) -> Result<Self, OpenError> {
        let connection = schema::open_writer(path)?;
        let (wake, woken) = std_mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("catalog-checkpoint".into())
            .spawn(move || {
                for () in woken {
                    // An error shows again in the next commit or checkpoint; the log keeps all meanwhile.
                    if let Err(error) = checkpoint(&connection, "PASSIVE") {
                        tracing::warn!(%error, "a checkpoint of the catalog failed");
                    }
                }
            })
            .map_err(|source| OpenError::Io { path: path.into(), source })?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    fn wake(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.try_send(()); // full: it is awake already
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
