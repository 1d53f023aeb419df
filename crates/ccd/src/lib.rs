//! Makes a Continuity of Care Document (C-CDA R2.1 with Companion Guide 4.1) out of [`Facts`]. No I/O, no clock,
//! no FHIR version: facts and a request in, pieces of XML out.
//!
//! A section comes out when it is asked for, so that the first is on its way before the last is made. Each row of
//! a section's narrative and the entry that says the same in codes are written in one go ([`section`]); neither
//! can say what the other does not. Nothing is made up: no code, no date, no zone, no dose, no OID.

mod code;
mod context;
mod header;
mod id;
mod instant;
mod layout;
mod name;
mod party;
mod plain;
mod quantity;
mod range;
mod request;
mod section;
mod sections;
mod system;
mod table;
pub mod view;
mod xml;

use std::fmt;

use charta_model::facts::Facts;

use context::Context;
use layout::Layout;
pub use request::{Custodian, Request};

/// About as many bytes are in a piece, where there are so many.
const PIECE_BYTES: usize = 64 * 1024;

/// A document that comes out in pieces: the header, at least one piece for each section, the end.
pub struct Document {
    facts: Facts,
    request: Request,
    layout: Layout,
    state: context::State,
    next: usize,
    /// What is left of the section that is going out.
    open: std::vec::IntoIter<String>,
}

impl Document {
    /// The document about these facts. The same facts and the same request give the same bytes.
    #[must_use]
    pub fn new(facts: Facts, request: Request) -> Self {
        let layout = Layout::new(&facts, &request);
        Self {
            facts,
            request,
            layout,
            state: context::State::default(),
            next: 0,
            open: Vec::new().into_iter(),
        }
    }

    /// The next piece of the section that is going out.
    fn next_open(&mut self) -> Option<String> {
        let mut piece = self.open.next()?;
        // Many entries are one piece; what is large goes out as it is.
        let fits = |more: &&String, so_far: usize| so_far + more.len() <= PIECE_BYTES;
        while self.open.as_slice().first().filter(|more| fits(more, piece.len())).is_some() {
            piece.extend(self.open.next());
        }
        Some(piece)
    }
}

impl Iterator for Document {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if let Some(piece) = self.next_open() {
            return Some(piece);
        }
        let context =
            Context { facts: &self.facts, request: &self.request, layout: &self.layout, state: &self.state };
        loop {
            let at = self.next;
            self.next += 1;
            let Some(at) = at.checked_sub(1) else { return Some(header::header(&context)) };
            let Some(write) = sections::ALL.get(at) else {
                return (at == sections::ALL.len()).then(|| header::END.to_owned());
            };
            if let Some(pieces) = write(&context) {
                self.open = pieces.into_iter();
                return self.next_open();
            }
        }
    }
}

/// Writes the document about `facts` into `sink`, section by section.
///
/// # Errors
/// Those of `sink`.
pub fn write(facts: Facts, request: Request, sink: &mut impl fmt::Write) -> fmt::Result {
    Document::new(facts, request).try_for_each(|piece| sink.write_str(&piece))
}
