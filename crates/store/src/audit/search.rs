//! Finds events, newest first: by the indexes of complete segments, by reading where there is none yet. Every event
//! that is found is compared with the query itself; an index only says where to look.

use std::{
    cmp::Ordering,
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
};

use charta_model::audit::{AuditFilter, AuditQuery, Event};

use super::{
    callers::Callers,
    index::{self, Facet, Index, Key},
    line, segment,
    segments::Segment,
};

/// Events that one page may look at; the next goes on.
pub const LOOKED_AT_MAX: u64 = 250_000;
/// Lines that are read at once.
const LINES: u32 = 512;

/// A page of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditPage {
    /// With their numbers, newest first.
    pub events: Vec<(u64, Event<'static>)>,
    /// Where the next page goes on (`before`); `None` at the end. There may be a next page although
    /// this one is not full.
    pub next: Option<u64>,
}

/// Searches these segments, oldest first.
pub fn search(
    directory: &Path,
    segments: &[Segment],
    key: &Key,
    query: &AuditQuery,
) -> io::Result<AuditPage> {
    let mut search = Search { query, key, page: AuditPage::default(), looked_at: 0, stopped: None };
    for segment in segments.iter().rev() {
        let before = query.before.unwrap_or(u64::MAX);
        let numbers = segment.first..segment.first + segment.events;
        let is_elsewhere = query.only.is_some_and(|only| !numbers.contains(&only));
        if segment.first >= before || is_elsewhere || !search.may_have(segment.span) {
            continue;
        }
        match search.segment(directory, segment) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // its time was over
            other => other?,
        }
        if search.stopped.is_some() {
            break;
        }
    }
    search.page.next = search.stopped;
    Ok(search.page)
}

struct Search<'q> {
    query: &'q AuditQuery,
    key: &'q Key,
    page: AuditPage,
    looked_at: u64,
    stopped: Option<u64>,
}

impl Search<'_> {
    /// Whether something in this span of time could be wanted.
    fn may_have(&self, span: Option<(i64, i64)>) -> bool {
        let Some((from_ms, to_ms)) = span else { return true };
        self.query.filters.iter().all(|filter| match filter {
            AuditFilter::Recorded(from, to) => {
                from.as_millisecond() <= to_ms && to.as_millisecond() >= from_ms
            }
            _ => true,
        })
    }

    fn segment(&mut self, directory: &Path, segment: &Segment) -> io::Result<()> {
        let index = match segment.complete {
            true => Index::open(directory, segment.first, self.key)?,
            false => None,
        };
        let Some(index) = index else { return self.whole(directory, segment) };
        let file = File::open(segment::path(directory, segment.first))?;
        match self.places(&index)? {
            Some(places) => self.at_places(&file, &index, segment, &places),
            None => self.all(&file, &index, segment),
        }
    }

    /// The events that the index names; `None` if it knows nothing of what is asked.
    fn places(&self, index: &Index) -> io::Result<Option<Vec<u32>>> {
        let mut found: Option<Vec<u32>> = None;
        for filter in &self.query.filters {
            let Some(hashes) = hashes(self.key, &self.query.tenant, filter) else { continue };
            let mut places = Vec::new();
            for hash in hashes {
                places.extend(index.places(hash)?);
            }
            places.sort_unstable();
            places.dedup();
            found = Some(match found {
                None => places,
                Some(known) => {
                    known.into_iter().filter(|place| places.binary_search(place).is_ok()).collect()
                }
            });
        }
        Ok(found)
    }

    fn at_places(&mut self, file: &File, index: &Index, segment: &Segment, places: &[u32]) -> io::Result<()> {
        let mut callers = Callers::of(file);
        for place in places.iter().rev() {
            let number = segment.first + u64::from(*place);
            let offsets = index.offsets(*place, 2)?;
            let Some(&start) = offsets.first() else { continue };
            let end = offsets.get(1).map_or(segment.bytes, |end| u64::from(*end));
            let data = read(file, u64::from(start), end)?;
            let line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
            if !self.look_at(number, u64::from(start), line, &mut callers)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn all(&mut self, file: &File, index: &Index, segment: &Segment) -> io::Result<()> {
        let mut callers = Callers::of(file);
        let mut high = index.summary.events;
        while high > 0 {
            let low = high.saturating_sub(LINES);
            let offsets = index.offsets(low, (high - low) as usize + 1)?;
            let Some(&start) = offsets.first() else { return Ok(()) };
            let end = offsets.get((high - low) as usize).map_or(segment.bytes, |end| u64::from(*end));
            let start = u64::from(start);
            let data = read(file, start, end)?;
            if !self.lines(segment.first + u64::from(low), start, &data, &mut callers)? {
                return Ok(());
            }
            high = low;
        }
        Ok(())
    }

    fn whole(&mut self, directory: &Path, segment: &Segment) -> io::Result<()> {
        let path = segment::path(directory, segment.first);
        let file = File::open(&path)?;
        let mut data = fs::read(&path)?;
        data.truncate(usize::try_from(segment.bytes).unwrap_or(usize::MAX));
        // Lines beyond its events are of a batch that failed and was written again elsewhere.
        let end = segment::lines(&data).nth(usize::try_from(segment.events).unwrap_or(usize::MAX));
        let end = end.map_or(data.len(), |(at, _)| at);
        self.lines(segment.first, 0, &data[..end], &mut Callers::of(&file))?;
        Ok(())
    }

    /// Looks at the lines of `data`, which begins at `start` and whose first has the number `first`. `false` when the page
    /// is complete.
    fn lines(&mut self, first: u64, start: u64, data: &[u8], callers: &mut Callers<'_>) -> io::Result<bool> {
        let lines: Vec<(usize, &[u8])> = segment::lines(data).collect();
        for (index, (at, line)) in lines.into_iter().enumerate().rev() {
            if !self.look_at(first + index as u64, start + at as u64, line, callers)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Looks at the event whose line begins at `at`. `false` when the page is complete.
    fn look_at(&mut self, number: u64, at: u64, line: &[u8], callers: &mut Callers<'_>) -> io::Result<bool> {
        match self.query.only.map(|only| number.cmp(&only)) {
            Some(Ordering::Greater) => return Ok(true),
            Some(Ordering::Less) => return Ok(false),
            Some(Ordering::Equal) | None => {}
        }
        if self.query.before.is_some_and(|before| number >= before) {
            return Ok(true);
        }
        if self.page.events.len() >= self.query.limit || self.looked_at >= LOOKED_AT_MAX {
            self.stopped = Some(number + 1);
            return Ok(false);
        }
        self.looked_at += 1;
        let above = callers.above(at, line)?;
        let text = std::str::from_utf8(line).ok();
        let Some(event) = text.and_then(|text| line::decode(text, above.as_ref())) else { return Ok(true) };
        let filters = &self.query.filters;
        if event.tenant == *self.query.tenant && filters.iter().all(|filter| filter.holds(&event)) {
            self.page.events.push((number, line::owned(event)));
        }
        Ok(true)
    }
}

/// The hashes of what a filter asks for, any of them; `None` if no index knows of such a thing.
pub fn hashes(key: &Key, tenant: &str, filter: &AuditFilter) -> Option<Vec<u64>> {
    let of = |facet, parts: &[&str]| index::hash(key, facet, tenant, parts);
    Some(match filter {
        AuditFilter::Patient(ids) => ids.iter().map(|id| of(Facet::Patient, &[id])).collect(),
        AuditFilter::Agent(names) => names.iter().map(|name| of(Facet::Agent, &[name])).collect(),
        AuditFilter::Entity(names) => names
            .iter()
            .flat_map(|(kind, id)| {
                let patient = (kind == "Patient").then(|| of(Facet::Patient, &[id]));
                patient.into_iter().chain([of(Facet::Entity, &[kind, id])])
            })
            .collect(),
        _ => return None,
    })
}

fn read(file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut data = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
    file.read_exact_at(&mut data, start)?;
    Ok(data)
}
