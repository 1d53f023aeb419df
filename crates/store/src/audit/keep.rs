//! What happens to segments that are there: their time ends, they are read back, they are copied.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use charta_model::Timestamp;

use super::{AuditLog, Shared, index, line, segment, segment::Tail, segments::Segment};
use crate::{Error, Finding};

impl AuditLog {
    /// Removes the segments whose newest event was recorded before this time, oldest first; gives how many. The
    /// segment that is being written is completed if its first event is as old, so that its time will come. Where several
    /// nodes have the catalog, all that is older goes from there.
    ///
    /// # Errors
    /// `ReadOnly`; `Unavailable` if a file cannot be read or removed.
    pub async fn expire(&self, before: Timestamp) -> Result<u64, Error> {
        if self.writer.is_none() {
            return Err(Error::ReadOnly);
        }
        let shared = Arc::clone(&self.shared);
        let removed = tokio::task::spawn_blocking(move || expire(&shared, before.as_millisecond()));
        let removed = removed
            .await
            .map_err(|error| Error::task(&error))?
            .map_err(|error| Error::io("removing old segments of the audit log", &error))?;
        if let Some(nodes) = &self.nodes {
            nodes.everywhere.events()?.forget(before.as_millisecond()).await?;
        }
        Ok(removed)
    }

    /// Reads every segment back: its batches, their digests and order, its index. What a running server has not
    /// finished writing is no finding.
    ///
    /// # Errors
    /// `Unavailable` if a file cannot be read.
    pub async fn check(&self) -> Result<Vec<Finding>, Error> {
        let shared = Arc::clone(&self.shared);
        let findings = tokio::task::spawn_blocking(move || check(&shared));
        findings
            .await
            .map_err(|error| Error::task(&error))?
            .map_err(|error| Error::io("reading the audit log", &error))
    }
}

fn expire(shared: &Shared, before_ms: i64) -> io::Result<u64> {
    let mut removed = 0;
    for segment in shared.snapshot() {
        if !segment.complete {
            if first_ms(shared, &segment)? < before_ms {
                shared.seal_before.store(segment.first + 1, Ordering::Relaxed);
            }
            break;
        }
        let span = match segment.span {
            Some(span) => Some(span),
            None => span_of(shared, &segment)?,
        };
        if span.is_some_and(|(_, to_ms)| to_ms >= before_ms) {
            break; // what comes after it is younger, or nearly so
        }
        shared.segments.write().unwrap_or_else(PoisonError::into_inner).remove(segment.first);
        remove(&segment::index_path(&shared.directory, segment.first))?;
        remove(&segment::path(&shared.directory, segment.first))?;
        removed += 1;
    }
    Ok(removed)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn first_ms(shared: &Shared, segment: &Segment) -> io::Result<i64> {
    let data = fs::read(segment::path(&shared.directory, segment.first))?;
    let first = segment::lines(&data).next();
    Ok(first.and_then(|(_, line)| line::recorded_ms(line)).unwrap_or(i64::MAX))
}

fn span_of(shared: &Shared, segment: &Segment) -> io::Result<Option<(i64, i64)>> {
    let data = fs::read(segment::path(&shared.directory, segment.first))?;
    let times = segment::lines(&data).filter_map(|(_, line)| line::recorded_ms(line));
    Ok(times.fold(None, |span: Option<(i64, i64)>, time| {
        let (from, to) = span.unwrap_or((time, time));
        Some((from.min(time), to.max(time)))
    }))
}

fn check(shared: &Shared) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut find = |problem: String| findings.push(Finding { problem, repaired: false });
    let mut before: Option<(Segment, [u8; 64])> = None;
    for segment in shared.snapshot() {
        let first = segment.first;
        let data = match fs::read(segment::path(&shared.directory, first)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // its time was over
            other => other?,
        };
        let found = segment::contents(&data, first);
        let may_be_torn = !segment.complete;
        match found.tail {
            Tail::Damaged => {
                find(format!("audit log: segment {first} is damaged after event {}", first + found.events));
            }
            Tail::Torn if !may_be_torn => find(format!("audit log: segment {first} is cut off")),
            _ => {}
        }
        if segment.complete && found.tail == Tail::Whole && found.events != segment.events {
            find(format!(
                "audit log: segment {first} has {} events instead of {}",
                found.events, segment.events
            ));
        }
        if let Some((earlier, digest)) = &before
            && (earlier.first + earlier.events != first || *digest != found.before)
        {
            find(format!("audit log: segment {first} does not follow segment {}", earlier.first));
        }
        if segment.span.is_some() && found.tail == Tail::Whole {
            match index::is_right(&shared.directory, first, &data, &shared.key) {
                Ok(true) => {}
                Ok(false) => find(format!("audit log: the index of segment {first} is not right")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        before = Some((segment, found.last));
    }
    Ok(findings)
}

/// Copies a log, as far as it is whole, into a directory that is made; what its server writes meanwhile may be
/// missing. Gives the bytes.
pub fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    let firsts = match segment::list(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    crate::directory::create_directory(to)?;
    let mut bytes = 0;
    for (index, &first) in firsts.iter().enumerate() {
        let mut data = match fs::read(segment::path(from, first)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // its time was over
            other => other?,
        };
        if index + 1 == firsts.len() {
            let found = segment::contents(&data, first);
            if found.tail != Tail::Damaged {
                data.truncate(usize::try_from(found.end).unwrap_or(0));
            }
        }
        bytes += data.len() as u64;
        write_synced(&segment::path(to, first), &data)?;
        match fs::read(segment::index_path(from, first)) {
            Ok(index) => write_synced(&segment::index_path(to, first), &index)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // made again where it is missing
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

pub fn write_synced(path: &Path, data: &[u8]) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(data)?;
    file.sync_all()
}
