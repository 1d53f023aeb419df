//! The thread that makes the indexes of complete segments, one after the other, with the time that nobody else wants.
//! Until a segment has its index, searches read the segment itself.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _},
    sync::{Arc, PoisonError, mpsc},
};

use super::{
    Shared,
    index::{self, Summary},
    segment,
};

/// As far behind everybody else as the system allows.
const LOWEST_PRIORITY: i32 = 19;
/// Of a segment at once.
const READ_BYTES: usize = 256 << 10;

/// A segment without an index.
struct Complete {
    /// The number that it begins with.
    first: u64,
    /// Where its last whole batch ends, for whoever has written it; otherwise every digest is computed again to find
    /// out.
    end: Option<u64>,
}

/// Takes the segments that are to be indexed. What is not done when the process ends is done after the next start.
pub struct Indexer(mpsc::Sender<Complete>);

impl Indexer {
    /// Starts the thread. It ends when this is dropped and nothing is left to do.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let (waiting, segments) = mpsc::channel::<Complete>();
        let shared = Arc::clone(shared);
        std::thread::Builder::new().name("audit-index".into()).spawn(move || {
            // Of this thread alone; where it is not allowed it competes like any other.
            let _ = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
            segments.iter().for_each(|segment| make(&shared, &segment));
        })?;
        Ok(Self(waiting))
    }

    /// Has the index of a complete segment made.
    pub fn add(&self, first: u64, end: Option<u64>) {
        if self.0.send(Complete { first, end }).is_err() {
            tracing::warn!("the index of a segment of the audit log waits for the next start");
        }
    }
}

fn make(shared: &Shared, segment: &Complete) {
    let first = segment.first;
    match made(shared, segment) {
        Ok(summary) => {
            let mut segments = shared.segments.write().unwrap_or_else(PoisonError::into_inner);
            segments.set_span(first, summary);
        }
        Err(error) => tracing::warn!(cause = %error, "a segment of the audit log has no index"),
    }
}

fn made(shared: &Shared, segment: &Complete) -> io::Result<Summary> {
    let Complete { first, end } = *segment;
    let path = segment::path(&shared.directory, first);
    let end = match end {
        Some(end) => end,
        None => segment::contents(&fs::read(&path)?, first).end,
    };
    let whole = BufReader::with_capacity(READ_BYTES, File::open(path)?.take(end));
    index::build(&shared.directory, first, whole, &shared.key)
}
