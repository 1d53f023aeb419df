//! Who asked, for lines of a segment that are read here and there: those of their callers are somewhere above them.

use std::{collections::HashMap, fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use charta_model::audit::Caller;

use super::line;

/// Bytes that are read at once: more than the line of a caller mostly has.
const BYTES: usize = 512;
/// So many are remembered.
const CALLERS_MAX: usize = 1_000;

/// The callers of a segment, as far as they were asked for.
pub struct Callers<'f> {
    segment: &'f File,
    /// By where their lines begin.
    known: HashMap<u64, Option<Arc<Caller>>>,
}

impl<'f> Callers<'f> {
    /// Those of this segment.
    pub fn of(segment: &'f File) -> Self {
        Self { segment, known: HashMap::new() }
    }

    /// The caller of the event whose line begins at `at`; `None` if that line stands alone or is none of ours.
    pub fn above(&mut self, at: u64, line: &[u8]) -> io::Result<Option<Arc<Caller>>> {
        let Some(start) = line::back(line).and_then(|back| at.checked_sub(back as u64)) else {
            return Ok(None);
        };
        if let Some(known) = self.known.get(&start) {
            return Ok(known.clone());
        }
        let caller = line::decode_caller(&self.line(start)?).map(Arc::new);
        if self.known.len() >= CALLERS_MAX {
            self.known.clear();
        }
        self.known.insert(start, caller.clone());
        Ok(caller)
    }

    /// The line that begins there, without its end.
    fn line(&self, start: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let mut more = [0; BYTES];
            let count = self.segment.read_at(&mut more, start + line.len() as u64)?;
            let more = &more[..count];
            if let Some(end) = memchr::memchr(b'\n', more) {
                line.extend_from_slice(&more[..end]);
                return Ok(line);
            }
            if count == 0 {
                return Ok(line); // of a segment that is cut off
            }
            line.extend_from_slice(more);
        }
    }
}
