//! One file of the log: a header line, then batches. All of it is text that an operator can read.
//!
//! ```text
//! #charta-audit 1 <number of its first event> <digest of the batch before it>
//! #batch <bytes> <events> <digest>
//! <a line per event, and above them one per caller>
//! ```
//!
//! A batch is what one sync covered. Its digest is the SHA-256 of the digest before it and of its lines, so that
//! neither a torn nor a changed batch looks whole, and none can be taken out of the middle. Numbers have a fixed
//! width.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use charta_model::{Digest, Hasher};

use crate::content::files::sync_directory;

/// Bytes of the header: mark, number, digest.
pub const HEADER_BYTES: usize = 16 + 20 + 1 + 64 + 1;
/// Bytes of the line above a batch.
pub const BATCH_LINE_BYTES: usize = 7 + 10 + 1 + 10 + 1 + 64 + 1;
const MARK: &str = "#charta-audit 1 ";
const BATCH: &str = "#batch ";

/// The digest before the first batch of all.
pub const NO_DIGEST: [u8; 64] = [b'0'; 64];

/// The name of the segment that begins with event `first`.
pub fn path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.log"))
}

/// The name of its index.
pub fn index_path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.index"))
}

/// The numbers that the segments in a directory begin with, in order.
pub fn list(directory: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log")).map(str::parse::<u64>);
        firsts.extend(number.and_then(Result::ok));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Makes the file of a segment; what a crash or a full disk left of it is overwritten.
pub fn create(directory: &Path, first: u64, before: &[u8; 64]) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path(directory, first))?;
    let mut header = format!("{MARK}{first:020} ").into_bytes();
    header.extend_from_slice(before);
    header.push(b'\n');
    file.write_all(&header)?;
    file.sync_all()?;
    sync_directory(directory)?;
    Ok(file)
}

/// Writes one batch at `at` and syncs it; gives its digest and where it ends.
pub fn append(
    file: &File,
    at: u64,
    before: &[u8; 64],
    lines: &[u8],
    events: u32,
) -> io::Result<([u8; 64], u64)> {
    let digest = digest(before, lines);
    let mut head = format!("{BATCH}{:010} {events:010} ", lines.len()).into_bytes();
    head.extend_from_slice(&digest);
    head.push(b'\n');
    file.write_all_at(&head, at)?;
    let start = at + head.len() as u64;
    file.write_all_at(lines, start)?;
    file.sync_data()?;
    Ok((digest, start + lines.len() as u64))
}

fn digest(before: &[u8; 64], lines: &[u8]) -> [u8; 64] {
    let mut hasher = Hasher::default();
    hasher.update(before);
    hasher.update(lines);
    hex(hasher.finish())
}

fn hex(digest: Digest) -> [u8; 64] {
    digest.hex().as_bytes().try_into().unwrap_or(NO_DIGEST)
}

/// What a segment's file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The digest that its header names.
    pub before: [u8; 64],
    /// The digest of the last whole batch, or that of the header.
    pub last: [u8; 64],
    /// Events of whole batches.
    pub events: u64,
    /// Where the last whole batch ends.
    pub end: u64,
    /// What comes after it.
    pub tail: Tail,
}

/// How a segment's file ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// With a whole batch.
    Whole,
    /// In the midst of a batch: a crash came before its sync.
    Torn,
    /// With what no crash leaves behind: a batch whose digest is another, and more after it.
    Damaged,
}

/// Reads and verifies the batches of a file.
pub fn contents(data: &[u8], first: u64) -> Contents {
    let header = data.get(..HEADER_BYTES).filter(|header| {
        header.starts_with(MARK.as_bytes())
            && number(&header[MARK.len()..MARK.len() + 20]) == Some(first)
            && header.ends_with(b"\n")
    });
    let before = header.map(|header| &header[HEADER_BYTES - 65..HEADER_BYTES - 1]).and_then(array);
    let Some(before) = before else {
        let tail = if data.len() < HEADER_BYTES { Tail::Torn } else { Tail::Damaged };
        return Contents { before: NO_DIGEST, last: NO_DIGEST, events: 0, end: 0, tail };
    };
    let mut known = Contents { before, last: before, events: 0, end: HEADER_BYTES as u64, tail: Tail::Whole };
    let mut rest = &data[HEADER_BYTES..];
    while !rest.is_empty() {
        match batch(rest, &known.last) {
            Ok((events, bytes, digest)) => {
                known.events += events;
                known.last = digest;
                known.end += bytes as u64;
                rest = &rest[bytes..];
            }
            Err(tail) => {
                known.tail = tail;
                break;
            }
        }
    }
    known
}

/// Events, bytes and digest of the batch that `data` begins with.
fn batch(data: &[u8], before: &[u8; 64]) -> Result<(u64, usize, [u8; 64]), Tail> {
    // A file system may give what was not synced its length and no bytes.
    let no_batch = || if data.iter().all(|byte| *byte == 0) { Tail::Torn } else { Tail::Damaged };
    let Some(head) = data.get(..BATCH_LINE_BYTES) else { return Err(Tail::Torn) };
    if !head.starts_with(BATCH.as_bytes()) {
        return Err(no_batch());
    }
    let (bytes, events, named) = (number(&head[7..17]), number(&head[18..28]), array(&head[29..93]));
    let (Some(bytes), Some(events), Some(named)) = (bytes, events, named) else { return Err(no_batch()) };
    let end = BATCH_LINE_BYTES + usize::try_from(bytes).unwrap_or(usize::MAX >> 1);
    let Some(lines) = data.get(BATCH_LINE_BYTES..end) else { return Err(Tail::Torn) };
    if digest(before, lines) == named {
        return Ok((events, end, named));
    }
    Err(if data.len() == end { Tail::Torn } else { Tail::Damaged })
}

/// Where the lines of the events are in a file, or a part of one from a line's beginning on; ends excluded.
pub fn lines(data: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', data).filter_map(move |end| {
        let at = std::mem::replace(&mut start, end + 1);
        let line = &data[at..end];
        (!line.starts_with(b"#")).then_some((at, line))
    })
}

/// Where all lines are, also those of no event, in a file that is read piece by piece.
pub fn each_line(mut data: impl BufRead, mut each: impl FnMut(usize, &[u8])) -> io::Result<()> {
    let (mut start, mut line) = (0, Vec::new());
    while data.read_until(b'\n', &mut line)? > 0 {
        if let Some(line) = line.strip_suffix(b"\n") {
            each(start, line);
        }
        start += line.len();
        line.clear();
    }
    Ok(())
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn array(bytes: &[u8]) -> Option<[u8; 64]> {
    bytes.try_into().ok()
}
