//! Reads a log in order while it is written: the lines of what is synced, a portion at a time.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path, sync::Arc};

use charta_model::audit::Caller;

use super::{callers::Callers, segment, segments::Segment};

/// Lines of one portion.
const LINES: usize = 1_000;
/// Bytes that are read at once; more only where a single line has more.
const BYTES: usize = 1 << 20;

/// The line of an event.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of the event.
    pub number: u64,
    /// Without its end.
    pub text: Vec<u8>,
    /// Who asked, if that is not in the line itself.
    pub above: Option<Arc<Caller>>,
}

/// Where reading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follower {
    /// The number of the next event that is wanted.
    next: u64,
    /// The segment that was read last, and how far.
    segment: u64,
    offset: u64,
    /// The number of the event that begins there.
    number: u64,
}

/// Lines that follow one another.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Portion {
    /// What there is.
    pub lines: Vec<Line>,
    /// What is read with this portion: the number of the last event, which may have no line any more.
    pub last: u64,
}

impl Follower {
    /// Begins after the event of this number.
    pub const fn after(last: u64) -> Self {
        Self { next: last + 1, segment: 0, offset: 0, number: 0 }
    }

    /// The next portion; without lines at the end of what is there. What retention has removed is passed over.
    pub fn read(&mut self, directory: &Path, segments: &[Segment]) -> io::Result<Portion> {
        loop {
            let Some(segment) = segments.iter().find(|segment| segment.first + segment.events > self.next)
            else {
                return Ok(Portion { lines: Vec::new(), last: self.next - 1 });
            };
            self.next = self.next.max(segment.first);
            let lines = match self.read_in(directory, segment) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None, // its time was over
                other => other?,
            };
            match lines {
                Some(lines) if lines.is_empty() => {} // all before what is wanted
                Some(lines) => return Ok(Portion { lines, last: self.next - 1 }),
                // A damaged one has fewer lines than events. Of the one that is written no line is missing.
                None => self.next = segment.first + segment.events,
            }
        }
    }

    /// Lines out of the next bytes of a segment; `None` at its end.
    fn read_in(&mut self, directory: &Path, segment: &Segment) -> io::Result<Option<Vec<Line>>> {
        if self.segment != segment.first {
            (self.segment, self.offset, self.number) = (segment.first, 0, segment.first);
        }
        let file = File::open(segment::path(directory, segment.first))?;
        let data = whole_lines(&file, self.offset, segment.bytes)?;
        if data.is_empty() {
            return Ok(None);
        }
        let mut callers = Callers::of(&file);
        let mut lines = Vec::new();
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            if lines.len() == LINES {
                break;
            }
            let at = self.offset;
            self.offset += line.len() as u64;
            if line.starts_with(b"#") {
                continue;
            }
            if self.number >= segment.first + segment.events {
                break; // of a batch that failed, and was written again in the next segment
            }
            if self.number >= self.next {
                let text = line[..line.len() - 1].to_vec();
                lines.push(Line { number: self.number, above: callers.above(at, &text)?, text });
                self.next = self.number + 1;
            }
            self.number += 1;
        }
        Ok(Some(lines))
    }
}

/// Bytes from a line's beginning to a line's end, with one line at least if there is one.
fn whole_lines(file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let end = end.min(file.metadata()?.len());
    let left = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
    let mut count = BYTES.min(left);
    loop {
        let mut data = vec![0; count];
        file.read_exact_at(&mut data, start)?;
        if let Some(last) = data.iter().rposition(|byte| *byte == b'\n') {
            data.truncate(last + 1);
            return Ok(data);
        }
        if count == left {
            return Ok(Vec::new());
        }
        count = count.saturating_mul(2).min(left);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn written(directory: &Path, first: u64, lines: &[&str], events: u64) -> Segment {
        let path = segment::path(directory, first);
        let _ = segment::create(directory, first, &segment::NO_DIGEST).unwrap();
        let mut data = fs::read(&path).unwrap();
        data.extend_from_slice(b"#batch\n");
        lines.iter().for_each(|line| data.extend_from_slice(format!("{line}\n").as_bytes()));
        fs::write(&path, &data).unwrap();
        Segment { first, events, bytes: data.len() as u64, span: None, complete: true }
    }

    fn all(follower: &mut Follower, directory: &Path, segments: &[Segment]) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        loop {
            let portion = follower.read(directory, segments).unwrap();
            if portion.lines.is_empty() {
                return found;
            }
            assert_eq!(portion.last, portion.lines.last().unwrap().number);
            let lines = portion.lines.into_iter();
            found.extend(lines.map(|line| (line.number, String::from_utf8(line.text).unwrap())));
        }
    }

    #[test]
    fn every_line_comes_once_with_its_number_and_what_is_gone_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path();
        let long = "x".repeat(3 * BYTES);
        let segments = [
            written(directory, 1, &["a", "b"], 2),
            written(directory, 3, &["c", "of a batch that failed"], 1),
            // It should have five lines, and is damaged.
            written(directory, 4, &["d", &long], 5),
            // Retention removes this one between a look at the list and its file.
            written(directory, 9, &["e"], 1),
            written(directory, 12, &["f"], 1),
        ];
        fs::remove_file(segment::path(directory, 9)).unwrap();
        let expected: Vec<_> = [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, &long), (12, "f")]
            .map(|(number, line)| (number, line.to_owned()))
            .into();
        let mut follower = Follower::after(0);
        assert_eq!(all(&mut follower, directory, &segments[..2]), expected[..3]);
        assert_eq!(all(&mut follower, directory, &segments), expected[3..]);
        assert_eq!(follower.read(directory, &segments).unwrap(), Portion { lines: Vec::new(), last: 12 });
        assert_eq!(all(&mut Follower::after(4), directory, &segments), expected[4..]);
    }

    #[test]
    fn a_portion_ends_and_the_next_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<String> = (0..2 * LINES + 1).map(|line| line.to_string()).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let segment = written(folder.path(), 1, &lines, lines.len() as u64);
        let mut follower = Follower::after(0);
        let first = follower.read(folder.path(), &[segment]).unwrap();
        assert_eq!((first.lines.len(), first.last), (LINES, LINES as u64));
        assert_eq!(all(&mut follower, folder.path(), &[segment]).len(), LINES + 1);
    }
}
