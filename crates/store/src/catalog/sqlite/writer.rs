//! The one thread that writes.
//!
//! Whatever has queued up while a commit was under way forms the next one: each write is decided and
//! stored in its own savepoint, one sync covers all, then all are answered. Nothing waits for company.

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

use charta_model::{ResourceId, TenantId, Timestamp, Write, WriteOutcome};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{
    schema,
    write::{self, Applied},
};
use crate::{CommitError, Error, OpenError, Uploaded, catalog::Companion};

/// At most so many writes share a commit.
const BATCH_MAX: usize = 256;

/// Each time the log has grown by so many frames (of one page each), what it holds is copied into the
/// catalog beside the writes: 16 MiB.
const CHECKPOINT_FRAMES: u32 = 4_000;

/// Writes that never pause would never let that copying catch up. At so many frames the writer waits for
/// the little that is left and begins the log anew, so that it stays bounded: 66 MiB.
const RESTART_FRAMES: u32 = 16_500;

/// So long the writer waits for reads that still need the log.
const RESTART_WAIT: Duration = Duration::from_millis(100);

/// One write on its way to the writer.
pub(super) struct Commit {
    pub(super) tenant: TenantId,
    pub(super) write: Write,
    pub(super) content: Option<Uploaded>,
    pub(super) now: Timestamp,
    pub(super) answer: oneshot::Sender<Result<WriteOutcome, CommitError>>,
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
                    let mut batch = vec![*first];
                    while batch.len() < BATCH_MAX {
                        match jobs.try_recv() {
                            Ok(Job::Commit(next)) => batch.push(*next),
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
    fn commit(&mut self, batch: Vec<Commit>) {
        let mut changed = Vec::new();
        let result = self.transact(&batch, &mut changed);
        if !changed.is_empty() {
            self.companion.changed(&changed);
        }
        match result {
            Ok(results) => {
                if !changed.is_empty() {
                    self.undecided.clear(); // dropped, and so discarded
                }
                if results.iter().any(|result| result.as_ref().is_ok_and(|applied| applied.replaced)) {
                    self.companion.replaced();
                }
                for (commit, result) in batch.into_iter().zip(results) {
                    settle(commit, result);
                }
            }
            Err(error) => {
                tracing::warn!(%error, writes = batch.len(), "a commit failed");
                for commit in batch {
                    // Contract 2: after a failed sync the record may come back in a crash, so its bytes
                    // stay until the next commit has overwritten it in the log. A log that had no room
                    // for the commit's last page, though, cannot bring it back.
                    self.undecided.extend(commit.content.filter(|_| !matches!(error, Error::Full(_))));
                    let _ = commit.answer.send(Err(error.clone().into()));
                }
            }
        }
    }

    /// Everything up to the sync. Fills `changed` before the commit and leaves it so if that fails.
    fn transact(
        &mut self,
        batch: &[Commit],
        changed: &mut Vec<(TenantId, ResourceId)>,
    ) -> Result<Vec<Result<Applied, CommitError>>, Error> {
        let companion = &*self.companion;
        let mut transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut results = Vec::with_capacity(batch.len());
        for Commit { tenant, write, content, now, .. } in batch {
            let savepoint = transaction.savepoint()?;
            let result = write::apply(&savepoint, companion, tenant, write, content.as_ref(), *now);
            if savepoint.is_autocommit() {
                // SQLite has given up the whole transaction, as it may when the disk is full.
                let gone = Error::Unavailable("the transaction ended early".into());
                return Err(if let Err(CommitError::Store(error)) = result { error } else { gone });
            }
            match &result {
                Err(CommitError::Store(_)) => savepoint.finish()?, // takes back what it had begun
                _ => savepoint.commit()?,
            }
            if let Ok(applied) = &result
                && let WriteOutcome::Created(document)
                | WriteOutcome::Updated(document)
                | WriteOutcome::Deleted(document) = &applied.outcome
            {
                changed.push((tenant.clone(), document.id.clone()));
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

fn settle(commit: Commit, result: Result<Applied, CommitError>) {
    let adopted = result.as_ref().is_ok_and(|applied| applied.adopted);
    let _ = commit.answer.send(result.map(|applied| applied.outcome));
    if let Some(content) = commit.content
        && adopted
    {
        content.keep();
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
