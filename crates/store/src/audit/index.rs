//! The index of a segment that is complete: for the hash of each value that is searched by, the places of the
//! events that have it. It is derived; one that is missing, damaged or made with another key is made again.
//!
//! Little-endian: mark, digest of all that follows, key check, counts, span of time; then the hashes in order,
//! where the places of each begin, the places, and where in the segment each event's line begins.
//! Hashes are keyed, so that nobody can choose values that collide; what is found is compared with the event.

use std::{
    fs::{self, File, OpenOptions},
    hash::Hasher as _,
    io::{self, BufRead, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use charta_model::Digest;

use super::{segment, values::Values};
use crate::content::files::sync_directory;

const MARK: &[u8; 8] = b"CHAUDIX1";
const DIGEST_BYTES: usize = 32;
const HEADER_BYTES: usize = 8 + DIGEST_BYTES + 8 + 4 + 4 + 4 + 8 + 8;
/// Hashes that are read at once.
const BLOCK: usize = 512;

/// What hashes are made with.
pub type Key = [u8; 16];

/// By what an event is found.
#[derive(Debug, Clone, Copy)]
pub enum Facet {
    /// The patient's id.
    Patient,
    /// Client, user, or the user's resource.
    Agent,
    /// `Type/id`
    Entity,
}

/// The hash of a value of a tenant.
#[allow(deprecated, reason = "the one SipHash of the library that is promised to stay the same")]
pub fn hash(key: &Key, facet: Facet, tenant: &str, parts: &[&str]) -> u64 {
    let (low, high) = key.split_at(8);
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    let mut hasher = std::hash::SipHasher::new_with_keys(number(low), number(high));
    hasher.write(&[facet as u8]);
    for part in std::iter::once(&tenant).chain(parts) {
        hasher.write(part.as_bytes());
        hasher.write(&[0]);
    }
    hasher.finish()
}

/// What is known of an index without reading it: how many events, and when they were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Events of the segment.
    pub events: u32,
    /// The earliest, in milliseconds since 1970.
    pub from_ms: i64,
    /// The latest.
    pub to_ms: i64,
}

/// Makes the index of a whole segment, whose bytes `data` gives.
pub fn build(directory: &Path, first: u64, data: impl BufRead, key: &Key) -> io::Result<Summary> {
    let (summary, body) = body(data, key)?;
    let path = segment::index_path(directory, first);
    let partial = path.with_extension("index.partial");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(MARK)?;
    file.write_all(Digest::of(&body).as_bytes())?;
    file.write_all(&body)?;
    file.sync_all()?;
    fs::rename(&partial, &path)?;
    sync_directory(directory)?;
    Ok(summary)
}

/// Whether the index on disk is what would be made now.
pub fn is_right(directory: &Path, first: u64, data: &[u8], key: &Key) -> io::Result<bool> {
    let found = fs::read(segment::index_path(directory, first))?;
    let (_, body) = body(data, key)?;
    Ok(found.get(8 + DIGEST_BYTES..) == Some(&body[..]) && found.starts_with(MARK))
}

fn body(data: impl BufRead, key: &Key) -> io::Result<(Summary, Vec<u8>)> {
    let mut offsets: Vec<u32> = Vec::new();
    let mut values = Values::default();
    let (mut from_ms, mut to_ms) = (i64::MAX, i64::MIN);
    segment::each_line(data, |at, text| {
        if text.starts_with(b"#") {
            return values.caller(at, text);
        }
        let place = u32::try_from(offsets.len()).unwrap_or(u32::MAX);
        offsets.push(u32::try_from(at).unwrap_or(u32::MAX));
        let added = std::str::from_utf8(text).ok().and_then(|text| values.add(at, text, place, key));
        if let Some(recorded) = added {
            (from_ms, to_ms) = (from_ms.min(recorded), to_ms.max(recorded));
        }
    })?;
    let (of_each, places) = values.in_order();
    let events = u32::try_from(offsets.len()).unwrap_or(u32::MAX);
    let size = HEADER_BYTES + of_each.len() * 12 + (places.len() + offsets.len() + 1) * 4;
    let mut body = Vec::with_capacity(size);
    body.extend_from_slice(&key_check(key).to_le_bytes());
    for count in [offsets.len(), of_each.len(), places.len()] {
        body.extend_from_slice(&u32::try_from(count).unwrap_or(0).to_le_bytes());
    }
    body.extend_from_slice(&from_ms.to_le_bytes());
    body.extend_from_slice(&to_ms.to_le_bytes());
    for (hash, _) in &of_each {
        body.extend_from_slice(&hash.to_le_bytes());
    }
    let mut start = 0_u32;
    for (_, count) in &of_each {
        body.extend_from_slice(&start.to_le_bytes());
        start += count;
    }
    body.extend_from_slice(&start.to_le_bytes());
    for number in places.iter().chain(&offsets) {
        body.extend_from_slice(&number.to_le_bytes());
    }
    Ok((Summary { events, from_ms, to_ms }, body))
}

/// Tells indexes apart that were made with another key.
fn key_check(key: &Key) -> u64 {
    hash(key, Facet::Patient, "", &[])
}

/// An index that is open.
pub struct Index {
    file: File,
    /// What is known without reading.
    pub summary: Summary,
    hashes: usize,
    places: usize,
}

impl Index {
    /// Opens the index of a segment; `None` if there is none that can be used.
    pub fn open(directory: &Path, first: u64, key: &Key) -> io::Result<Option<Self>> {
        let file = match File::open(segment::index_path(directory, first)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut head = [0; HEADER_BYTES];
        match file.read_exact_at(&mut head, 0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let head = &head[..];
        let long = |at: usize| head[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
        let short = |at: usize| head[at..at + 4].try_into().map(u32::from_le_bytes).unwrap_or_default();
        let at = 8 + DIGEST_BYTES;
        if !head.starts_with(MARK) || long(at) != key_check(key) {
            return Ok(None);
        }
        let (hashes, places) = (short(at + 12) as usize, short(at + 16) as usize);
        let summary = Summary {
            events: short(at + 8),
            from_ms: long(at + 20).cast_signed(),
            to_ms: long(at + 28).cast_signed(),
        };
        let size = HEADER_BYTES + hashes * 12 + 4 + (places + summary.events as usize) * 4;
        let whole = file.metadata()?.len() == size as u64;
        Ok(whole.then_some(Self { file, summary, hashes, places }))
    }

    /// The places of the events that have this hash, in order.
    pub fn places(&self, hash: u64) -> io::Result<Vec<u32>> {
        let Some(index) = self.find(hash)? else { return Ok(Vec::new()) };
        let starts = HEADER_BYTES + self.hashes * 8;
        let span = self.numbers(starts + index * 4, 2)?;
        let (from, to) = (span[0] as usize, (span[1] as usize).min(self.places));
        self.numbers(starts + (self.hashes + 1) * 4 + from * 4, to.saturating_sub(from))
    }

    /// Where in the segment the lines of so many events begin.
    pub fn offsets(&self, from: u32, count: usize) -> io::Result<Vec<u32>> {
        let start = HEADER_BYTES + self.hashes * 12 + 4 + self.places * 4;
        let count = count.min((self.summary.events.saturating_sub(from)) as usize);
        self.numbers(start + from as usize * 4, count)
    }

    /// Hashes are spread evenly, so that the first guess is mostly right, and the next block else.
    fn find(&self, hash: u64) -> io::Result<Option<usize>> {
        if self.hashes == 0 {
            return Ok(None);
        }
        let guess = (u128::from(hash) * self.hashes as u128) >> 64;
        let mut block = usize::try_from(guess).unwrap_or(0) / BLOCK;
        let (mut low, mut high) = (0, self.hashes.div_ceil(BLOCK));
        while low < high {
            block = block.clamp(low, high - 1);
            let count = BLOCK.min(self.hashes - block * BLOCK);
            let mut bytes = vec![0; count * 8];
            self.file.read_exact_at(&mut bytes, (HEADER_BYTES + block * BLOCK * 8) as u64)?;
            let hashes: Vec<u64> = bytes
                .chunks_exact(8)
                .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
                .collect();
            match hashes.binary_search(&hash) {
                Ok(index) => return Ok(Some(block * BLOCK + index)),
                Err(0) => high = block,
                Err(past) if past == count => low = block + 1,
                Err(_) => return Ok(None),
            }
            block = if block >= high { block.saturating_sub(1) } else { block + 1 };
        }
        Ok(None)
    }

    fn numbers(&self, at: usize, count: usize) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; count * 4];
        self.file.read_exact_at(&mut bytes, at as u64)?;
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap_or_default());
        Ok(bytes.chunks_exact(4).map(number).collect())
    }
}

#[cfg(test)]
mod tests {
    use charta_model::{
        Timestamp,
        audit::{Caller, Entity, Event, Interaction},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::audit::{batch::Batch, line, values::agents};

    const KEY: Key = *b"0123456789abcdef";

    fn hashes(event: &Event<'_>) -> Vec<u64> {
        let of = |facet, parts: &[&str]| hash(&KEY, facet, &event.tenant, parts);
        let Caller { client, subject, user, .. } = &*event.caller;
        let mut all: Vec<u64> = agents(client, subject, user).map(|name| of(Facet::Agent, &[name])).collect();
        if !event.patient.is_empty() {
            all.push(of(Facet::Patient, &[&event.patient]));
        }
        all.extend(event.entities.iter().map(|entity| of(Facet::Entity, &[&entity.kind, &entity.id])));
        all
    }

    fn event(texts: &[String], entities: &[(String, u64)], ms: i64) -> Event<'static> {
        let own = |at: usize| std::borrow::Cow::Owned(texts[at].clone());
        let [client, subject, user] = [1, 2, 3].map(|at| texts[at].clone());
        let entity = |(id, version): &(String, u64)| Entity {
            kind: "Binary".into(),
            id: id.clone().into(),
            version: *version,
        };
        Event {
            recorded: Timestamp::from_millisecond(ms).expect("in range"),
            tenant: own(0),
            interaction: Interaction::Read,
            status: 200,
            endpoint: "/r4".into(),
            request_id: "1".into(),
            caller: Caller { client, subject, user, ..Caller::default() }.into(),
            patient: own(4),
            entities: entities.iter().map(entity).collect(),
            query: "".into(),
        }
    }

    proptest! {
        #[test]
        fn every_event_stands_under_each_of_its_values_once(
            made in prop::collection::vec((
                prop::collection::vec("[ab\\\\\t]{0,2}", 5),
                prop::collection::vec(("[ab]", 0_u64..3), 0..3),
                0_i64..9,
            ), 0..20),
        ) {
            let events: Vec<_> = made.iter().map(|(texts, entities, ms)| event(texts, entities, *ms)).collect();
            let mut data = Vec::new();
            // Several batches, so that a caller has several lines; every other with lines that stand alone.
            for (number, events) in events.chunks(4).enumerate() {
                let mut batch = Batch::default();
                data.extend_from_slice(b"#batch\n");
                match number % 2 {
                    0 => events.iter().for_each(|event| batch.push(event)),
                    _ => events.iter().for_each(|event| data.extend([line::alone(event), b"\n".to_vec()].concat())),
                }
                data.extend_from_slice(batch.lines());
            }
            let mut expected: Vec<(u64, u32)> = (0_u32..)
                .zip(&events)
                .flat_map(|(place, event)| hashes(event).into_iter().map(move |hash| (hash, place)))
                .collect();
            expected.sort_unstable();
            expected.dedup();

            let folder = tempfile::tempdir().unwrap();
            let summary = build(folder.path(), 1, &data[..], &KEY).unwrap();
            prop_assert_eq!(summary.events as usize, events.len());
            prop_assert_eq!(summary.to_ms, events.iter().map(|event| event.recorded.as_millisecond()).max().unwrap_or(i64::MIN));
            let index = Index::open(folder.path(), 1, &KEY).unwrap().expect("an index");
            prop_assert_eq!(index.places, expected.len());
            for of_one in expected.chunk_by(|one, other| one.0 == other.0) {
                let places: Vec<u32> = of_one.iter().map(|(_, place)| *place).collect();
                prop_assert_eq!(index.places(of_one[0].0).unwrap(), places);
            }
        }
    }
}
