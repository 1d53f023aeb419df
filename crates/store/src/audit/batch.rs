//! The lines of events that are written and synced together. Who asked has a line of its own, once in a batch.

use std::{collections::HashMap, sync::Arc};

use charta_model::audit::{Caller, Event};

use super::line;

/// Lines and how many events they are.
#[derive(Default)]
pub struct Batch {
    lines: Vec<u8>,
    events: u32,
    /// Where the line of each caller begins.
    callers: HashMap<Arc<Caller>, usize>,
    /// That of the event before: mostly the next has the same.
    last: Option<(Arc<Caller>, usize)>,
}

impl Batch {
    /// Line after line.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// Events in them.
    pub const fn events(&self) -> u32 {
        self.events
    }

    /// Appends an event.
    pub fn push(&mut self, event: &Event<'_>) {
        let above = self.line_of(&event.caller);
        line::encode(event, self.lines.len() - above, &mut self.lines);
        self.events += 1;
    }

    /// Where the line of a caller begins; writes it if there is none yet.
    fn line_of(&mut self, caller: &Arc<Caller>) -> usize {
        if let Some((last, at)) = &self.last
            && Arc::ptr_eq(last, caller)
        {
            return *at;
        }
        let at = match self.callers.get(caller) {
            Some(at) => *at,
            None => {
                let at = self.lines.len();
                line::encode_caller(caller, &mut self.lines);
                self.callers.insert(Arc::clone(caller), at);
                at
            }
        };
        self.last = Some((Arc::clone(caller), at));
        at
    }

    /// Begins the next in the same memory.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.events = 0;
        self.callers.clear();
        self.last = None;
    }
}
