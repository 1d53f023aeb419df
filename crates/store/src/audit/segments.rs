//! Which segments there are, in order, and what is known of each.

use super::index::Summary;

/// A segment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first event.
    pub first: u64,
    /// Its events.
    pub events: u64,
    /// Bytes of whole batches.
    pub bytes: u64,
    /// The earliest and latest time in it, once its index is made.
    pub span: Option<(i64, i64)>,
    /// Whether nothing more is written to it.
    pub complete: bool,
}

/// All of them, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Segments(Vec<Segment>);

impl Segments {
    /// Those that were found, oldest first.
    pub const fn new(found: Vec<Segment>) -> Self {
        Self(found)
    }

    /// Oldest first.
    pub fn all(&self) -> &[Segment] {
        &self.0
    }

    /// The one that is written to is now so.
    pub fn set_open(&mut self, open: Segment) {
        match self.0.last_mut() {
            Some(last) if last.first == open.first => *last = open,
            _ => self.0.push(open),
        }
    }

    /// Nothing more is written to the last.
    pub fn complete_open(&mut self) {
        if let Some(last) = self.0.last_mut() {
            last.complete = true;
        }
    }

    /// An index was made.
    pub fn set_span(&mut self, first: u64, summary: Summary) {
        if let Some(segment) = self.0.iter_mut().find(|segment| segment.first == first) {
            segment.span = Some((summary.from_ms, summary.to_ms));
        }
    }

    /// Forgets one.
    pub fn remove(&mut self, first: u64) {
        self.0.retain(|segment| segment.first != first);
    }
}
