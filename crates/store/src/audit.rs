//! The audit log: who asked for what, kept beside the documents, in order, never changed.
//!
//! Its promises:
//!
//! 1. An event that is synced is there after a crash, whole and in its place. `Durability::Each` answers when it is;
//!    with `Batched` a crash loses at most what was handed over in the last `interval_ms`, and in the time that one
//!    write takes.
//! 2. No event is dropped while the disk works: who finds the queue full waits.
//! 3. Events are numbered from 1 without gaps, and a number that was shown is never given to another event.
//! 4. Nothing changes or removes an event but `expire`, which removes whole segments, oldest first.
//! 5. Opening reads the last segment and the names of the others, however long the log is.
//!
//! Segments are files ([`segment`]), written by one thread ([`writer`]) from one queue; a segment that is
//! complete gets an index ([`index`]), which can always be made again.
//!
//! Where several nodes have one catalog, each copies its own log into it ([`shipper`]), and searches look there: they see
//! what all have copied, and every event of the node that is asked. An event has another number there than in its log.

mod batch;
mod callers;
mod follow;
mod index;
mod indexer;
mod keep;
mod line;
mod nodes;
mod queue;
mod search;
mod segment;
mod segments;
mod shipper;
mod values;
mod writer;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use charta_model::audit::{AuditQuery, Event};
use tokio::sync::watch;

use crate::{Access, Error, OpenError, Store, directory::create_directory};
use index::{Index, Key};
use indexer::Indexer;
pub(crate) use keep::copy;
use nodes::{Everywhere, Nodes};
use queue::{Pushed, Queue};
use segment::Tail;
use segments::{Segment, Segments};
use shipper::Shipper;
use writer::Position;

pub use search::AuditPage;

/// When an event counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is handed over; it is synced soon.
    Batched,
    /// When it is synced.
    Each,
}

/// What happens while the log cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing is answered that would not be recorded.
    Refuse,
    /// Requests are answered; what finds no room is counted as lost.
    Serve,
}

/// How the log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditOptions {
    /// When an event counts as kept.
    pub durability: Durability,
    /// What happens while the log cannot be written.
    pub on_failure: OnFailure,
    /// So long an event waits for others before it is written. Milliseconds.
    pub interval_ms: u64,
    /// A segment is complete with so many events.
    pub segment_events: u64,
    /// Or with so many bytes.
    pub segment_bytes: u64,
}

impl Default for AuditOptions {
    /// Batched, 100 ms, fails closed; 131,072 events or 256 MiB to a segment.
    fn default() -> Self {
        Self {
            durability: Durability::Batched,
            on_failure: OnFailure::Refuse,
            interval_ms: 100,
            segment_events: 131_072,
            segment_bytes: 256 << 20,
        }
    }
}

/// Counters of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditStatistics {
    /// The number of the last event that is synced.
    pub synced: u64,
    /// Events that wait to be synced.
    pub waiting: u64,
    /// How long the first of them has waited.
    pub lag: Duration,
    /// Writes that failed.
    pub failures: u64,
    /// Events that were given up while the disk failed.
    pub lost: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Events that wait to be copied into the catalog that several nodes have.
    pub uncopied: u64,
    /// Attempts to copy them that failed.
    pub copy_failures: u64,
}

/// How far the writer is.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    synced: u64,
    failures: u64,
}

/// What writer, callers and searches share.
struct Shared {
    directory: PathBuf,
    options: AuditOptions,
    key: Key,
    queue: Queue,
    progress: watch::Sender<Progress>,
    segments: RwLock<Segments>,
    /// The segment that begins with a lower number is to be completed.
    seal_before: AtomicU64,
    lost: AtomicU64,
}

impl Shared {
    fn sealed_before(&self) -> u64 {
        self.seal_before.load(Ordering::Relaxed)
    }

    fn snapshot(&self) -> Vec<Segment> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).all().to_vec()
    }
}

/// The audit log of a store. Cheap to clone; all clones are the same log.
#[derive(Clone)]
pub struct AuditLog {
    shared: Arc<Shared>,
    /// `None` if it is open for reading only.
    writer: Option<Arc<Writer>>,
    /// `None` if one process has the catalog alone.
    nodes: Option<Arc<Nodes>>,
}

/// The thread that writes; it ends with the last that could give it something.
struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

impl Store {
    /// Opens the audit log of this store; for writing if the store is. Where several nodes have the catalog, searches find
    /// the events of all; if it is written here, a task of the runtime that this is called in copies them.
    ///
    /// # Errors
    /// A file operation that failed.
    pub fn audit_log(&self, options: AuditOptions) -> Result<AuditLog, OpenError> {
        let log = self.audit_log_for(self.access(), options)?;
        let everywhere = Everywhere::of(self.shared_catalog());
        Ok(match everywhere {
            Some(everywhere) => log.over(everywhere),
            None => log,
        })
    }

    pub(crate) fn audit_log_for(&self, access: Access, options: AuditOptions) -> Result<AuditLog, OpenError> {
        let mut key = Key::default();
        key.copy_from_slice(&self.secret()[..16]);
        AuditLog::open(&self.directory().audit(), access, options, key)
    }
}

impl AuditLog {
    /// Opens the log in `directory`, and makes it if it is opened for writing. `key` stays the same for the life of
    /// a log, and nobody outside knows it.
    ///
    /// # Errors
    /// A file operation that failed.
    pub fn open(
        directory: &Path,
        access: Access,
        options: AuditOptions,
        key: Key,
    ) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Io { path: directory.to_owned(), source };
        if access == Access::Exclusive {
            create_directory(directory).map_err(failed)?;
        }
        let (segments, position) = found(directory, access, &key).map_err(failed)?;
        let last = position.last();
        let unindexed: Vec<u64> = segments
            .iter()
            .filter(|segment| segment.complete && segment.span.is_none())
            .map(|segment| segment.first)
            .collect();
        let shared = Arc::new(Shared {
            directory: directory.to_owned(),
            options,
            key,
            queue: Queue::after(last),
            progress: watch::Sender::new(Progress { synced: last, failures: 0 }),
            segments: RwLock::new(Segments::new(segments)),
            seal_before: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        if access == Access::ReadOnly {
            return Ok(Self { shared, writer: None, nodes: None });
        }
        let indexer = Indexer::start(&shared).map_err(failed)?;
        unindexed.iter().for_each(|first| indexer.add(*first, None));
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("audit".into());
        let thread = thread.spawn(move || writer::run(&own, &indexer, position)).map_err(failed)?;
        let writer = Writer { shared: Arc::clone(&shared), thread: Mutex::new(Some(thread)) };
        Ok(Self { shared, writer: Some(Arc::new(writer)), nodes: None })
    }

    /// The same as one log of several.
    fn over(self, everywhere: Everywhere) -> Self {
        let nodes = Nodes::new(everywhere, &self.shared, self.writer.is_some());
        Self { nodes: Some(Arc::new(nodes)), ..self }
    }

    /// Records an event. Returns when it is kept, as `durability` says; waits while the queue is full.
    ///
    /// # Errors
    /// While the disk fails, unless `on_failure` is `Serve`; `ReadOnly`; `Closed`.
    pub async fn record(&self, event: &Event<'_>) -> Result<(), Error> {
        let each = self.shared.options.durability == Durability::Each;
        let failures = if each { self.shared.progress.borrow().failures } else { 0 };
        let number = match self.push(event, each)? {
            Pushed::Waits(number) => number,
            Pushed::NoRoom => match self.wait_for_room(event, each).await? {
                Some(number) => number,
                None => return Ok(()),
            },
        };
        if !each {
            return Ok(());
        }
        match self.synced(number, failures).await {
            Err(_) if self.is_careless() => Ok(()),
            result => result,
        }
    }

    /// The same if that takes no waiting; otherwise `false`, and nothing is recorded.
    ///
    /// # Errors
    /// As [`AuditLog::record`].
    pub fn record_at_once(&self, event: &Event<'_>) -> Result<bool, Error> {
        let each = self.shared.options.durability == Durability::Each;
        Ok(!each && matches!(self.push(event, each)?, Pushed::Waits(_)))
    }

    fn push(&self, event: &Event<'_>, urgent: bool) -> Result<Pushed, Error> {
        if self.writer.is_none() {
            return Err(Error::ReadOnly);
        }
        self.shared.queue.push(event, urgent, self.is_careless())
    }

    /// Whether requests are answered also while the disk fails.
    fn is_careless(&self) -> bool {
        self.shared.options.on_failure == OnFailure::Serve
    }

    /// Whether events can be recorded: to be asked before something is done that must be.
    ///
    /// # Errors
    /// The disk's failure, unless `on_failure` is `Serve`.
    pub fn ready(&self) -> Result<(), Error> {
        match self.shared.queue.failure() {
            Some(error) if !self.is_careless() => Err(error),
            _ => Ok(()),
        }
    }

    /// The events of one page, newest first. Sees every event that was recorded here before.
    ///
    /// # Errors
    /// `Unavailable` if the files or the catalog cannot be read, or what waits cannot be written or copied.
    pub async fn search(&self, query: AuditQuery) -> Result<AuditPage, Error> {
        self.flush().await?;
        if let Some(nodes) = &self.nodes {
            let synced = self.shared.progress.borrow().synced;
            nodes.until(synced).await?;
            return nodes.everywhere.search(&query, &self.shared.key).await;
        }
        let shared = Arc::clone(&self.shared);
        let found = tokio::task::spawn_blocking(move || {
            search::search(&shared.directory, &shared.snapshot(), &shared.key, &query)
        });
        found
            .await
            .map_err(|error| Error::task(&error))?
            .map_err(|error| Error::io("reading the audit log", &error))
    }

    /// Returns when all that was recorded is synced.
    ///
    /// # Errors
    /// The disk's failure.
    pub async fn flush(&self) -> Result<(), Error> {
        if self.writer.is_none() {
            return Ok(());
        }
        let failures = self.shared.progress.borrow().failures;
        let last = self.shared.queue.hurry();
        self.synced(last, failures).await
    }

    /// Counters, none of which takes a look at the disk.
    #[must_use]
    pub fn statistics(&self) -> AuditStatistics {
        let Progress { synced, failures } = *self.shared.progress.borrow();
        let (waiting, lag) = self.shared.queue.waiting();
        let bytes = self.shared.snapshot().iter().map(|segment| segment.bytes).sum();
        let lost = self.shared.lost.load(Ordering::Relaxed);
        let shipper = self.nodes.as_ref().and_then(|nodes| nodes.shipper.as_ref());
        let copied = shipper.map(Shipper::progress);
        let uncopied = copied.map_or(0, |copied| synced.saturating_sub(copied.last));
        let copy_failures = copied.map_or(0, |copied| copied.failures);
        let waiting = waiting.into();
        AuditStatistics { synced, waiting, lag, failures, lost, bytes, uncopied, copy_failures }
    }

    /// Writes what waits and ends the writer. What is recorded afterwards fails with `Closed`.
    pub async fn close(&self) {
        self.shared.queue.close();
        let Some(writer) = &self.writer else { return };
        let thread = writer.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        if let Some(shipper) = self.nodes.as_ref().and_then(|nodes| nodes.shipper.as_ref()) {
            shipper.close().await;
        }
    }

    /// The number of the event when there was room for it; `None` if it was given up.
    async fn wait_for_room(&self, event: &Event<'_>, urgent: bool) -> Result<Option<u64>, Error> {
        let mut progress = self.shared.progress.subscribe();
        loop {
            progress.mark_unchanged();
            if let Pushed::Waits(number) = self.push(event, urgent)? {
                return Ok(Some(number));
            }
            if self.is_careless() && self.shared.queue.failure().is_some() {
                self.shared.lost.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            progress.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// Waits until the event of this number is synced.
    async fn synced(&self, number: u64, failures: u64) -> Result<(), Error> {
        let mut progress = self.shared.progress.subscribe();
        let reached = progress.wait_for(|now| now.synced >= number || now.failures > failures).await;
        let synced = reached.map_err(|_| Error::Closed)?.synced;
        match self.shared.queue.failure() {
            _ if synced >= number => Ok(()),
            Some(error) => Err(error),
            None => Err(Error::Unavailable("the audit log could not be written".into())),
        }
    }
}

/// The segments in a directory, and where writing goes on.
fn found(directory: &Path, access: Access, key: &Key) -> io::Result<(Vec<Segment>, Position)> {
    let firsts = match segment::list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let Some((&last, earlier)) = firsts.split_last() else { return Ok((Vec::new(), Position::START)) };
    let mut segments = Vec::with_capacity(firsts.len());
    for (index, &first) in earlier.iter().enumerate() {
        // Numbers have no gaps, so that the next segment says how many events there are.
        let events = firsts[index + 1] - first;
        let bytes = match fs::metadata(segment::path(directory, first)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // its time is over
            other => other?.len(),
        };
        let summary = Index::open(directory, first, key)?.map(|index| index.summary);
        let span = summary.map(|summary| (summary.from_ms, summary.to_ms));
        segments.push(Segment { first, events, bytes, span, complete: true });
    }
    let data = fs::read(segment::path(directory, last))?;
    let found = segment::contents(&data, last);
    let mut open =
        Segment { first: last, events: found.events, bytes: found.end, span: None, complete: false };
    let mut position =
        Position { file: None, first: last, events: found.events, end: found.end, digest: found.last };
    if found.events == 0 && found.tail != Tail::Damaged {
        // Nothing of it was ever acknowledged: it is made again, after the digest of the one before.
        position.digest = match (found.end, earlier.last()) {
            (0, Some(&before)) => {
                let data = fs::read(segment::path(directory, before))?;
                segment::contents(&data, before).last
            }
            _ => found.before,
        };
        position.end = 0;
        return Ok((segments, position));
    }
    if found.tail == Tail::Damaged {
        // What is damaged is left for whoever looks into it; the log goes on in a new segment.
        tracing::error!(segment = last, "a segment of the audit log is damaged; charta check says more");
        let lines = segment::lines(&data).count() as u64;
        position.first = last + lines.max(found.events).max(1);
        (position.events, position.end) = (0, 0);
        (open.events, open.bytes, open.complete) = (position.first - last, data.len() as u64, true);
    } else if access == Access::Exclusive {
        position.file = Some(writer::reopen(directory, last, found.end)?);
    }
    segments.push(open);
    Ok((segments, position))
}
