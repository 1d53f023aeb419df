//! The one thread that writes the log: a batch, its sync, the next. What fails is tried again in a new segment, as
//! a file whose sync failed cannot be trusted with what comes next.

use std::{
    fs::{File, OpenOptions},
    io,
    sync::PoisonError,
    time::Duration,
};

use super::{
    Shared,
    batch::Batch,
    indexer::Indexer,
    segment::{self, HEADER_BYTES},
    segments::Segment,
};
use crate::Error;

/// Between two attempts while the disk fails.
const RETRY: Duration = Duration::from_millis(500);

/// Where the next batch goes.
pub struct Position {
    /// The segment's file; `None` if the next batch begins a new one.
    pub file: Option<File>,
    /// The number that the segment begins with; of a new one, that it will.
    pub first: u64,
    /// Events in it.
    pub events: u64,
    /// Where its last batch ends.
    pub end: u64,
    /// The digest of the last batch.
    pub digest: [u8; 64],
}

impl Position {
    /// The beginning of a log.
    pub const START: Self = Self { file: None, first: 1, events: 0, end: 0, digest: segment::NO_DIGEST };

    /// The number of the last event that is written.
    pub const fn last(&self) -> u64 {
        self.first + self.events - 1
    }

    /// A place for the next segment.
    fn next(&mut self) {
        self.first += self.events;
        (self.file, self.events, self.end) = (None, 0, 0);
    }
}

/// Writes until the queue is closed and empty.
pub fn run(shared: &Shared, indexer: &Indexer, mut position: Position) {
    let interval = Duration::from_millis(shared.options.interval_ms);
    let mut batch = Batch::default();
    while shared.queue.take(interval, &mut batch) {
        while let Err(error) = write(shared, &mut position, &batch) {
            let error = Error::io("writing the audit log", &error);
            tracing::error!(cause = %error, "the audit log cannot be written");
            shared.queue.set_failure(Some(error));
            shared.progress.send_modify(|progress| progress.failures += 1);
            abandon(shared, &mut position);
            if !shared.queue.pause(RETRY) {
                return;
            }
        }
        shared.queue.set_failure(None);
        let last = position.last();
        shared.progress.send_modify(|progress| progress.synced = last);
        if is_full(shared, &position) {
            seal(shared, indexer, &mut position);
        }
    }
}

fn is_full(shared: &Shared, position: &Position) -> bool {
    let options = &shared.options;
    let aged = shared.sealed_before();
    position.events >= options.segment_events
        || position.end >= options.segment_bytes
        || aged > position.first
}

fn write(shared: &Shared, position: &mut Position, batch: &Batch) -> io::Result<()> {
    let file = match &mut position.file {
        Some(file) => file,
        none => {
            let file = segment::create(&shared.directory, position.first, &position.digest)?;
            position.end = HEADER_BYTES as u64;
            none.insert(file)
        }
    };
    let (digest, end) = segment::append(file, position.end, &position.digest, batch.lines(), batch.events())?;
    position.digest = digest;
    position.end = end;
    position.events += u64::from(batch.events());
    let Position { first, events, end, .. } = *position;
    let mut segments = shared.segments.write().unwrap_or_else(PoisonError::into_inner);
    segments.set_open(Segment { first, events, bytes: end, span: None, complete: false });
    Ok(())
}

/// Leaves the segment as it was after the last batch that was synced.
fn abandon(shared: &Shared, position: &mut Position) {
    if let Some(file) = &position.file
        && position.events > 0
    {
        // If even this fails, the rest is found at the next start, as after a crash.
        let _ = file.set_len(position.end);
    }
    if position.events > 0 {
        let mut segments = shared.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.complete_open();
    }
    position.next();
}

/// Ends the segment and has its index made aside, so that the next batch need not wait for it.
fn seal(shared: &Shared, indexer: &Indexer, position: &mut Position) {
    shared.segments.write().unwrap_or_else(PoisonError::into_inner).complete_open();
    indexer.add(position.first, Some(position.end));
    position.next();
}

/// Opens the last segment to go on in it; a torn batch at its end is cut off.
pub fn reopen(directory: &std::path::Path, first: u64, end: u64) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(segment::path(directory, first))?;
    file.set_len(end)?;
    file.sync_all()?;
    Ok(file)
}
