//! The values that the events of a segment are found by, gathered for its index.

use std::{collections::HashMap, hash::BuildHasherDefault, sync::Arc};

use charta_model::audit::{Caller, Event};

use super::{
    index::{Facet, Key, hash},
    line,
};

/// The values that events are found by, while a segment is read. Events come in the order of their places, so these
/// need no sorting: only the hashes do, of which there are far fewer.
#[derive(Default)]
pub struct Values {
    /// The number of each hash, in the order in which they came.
    numbers: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    /// By that number: the hash, how many events have it, and the last of them.
    known: Vec<(u64, u32, u32)>,
    /// The number of a hash and the place of an event that has it.
    found: Vec<(u32, u32)>,
    /// The callers of the batch that is being read, in the order of their lines.
    callers: Vec<Above>,
    /// Whose event the one before was: mostly the next is the same caller's.
    last: usize,
}

/// A caller whose line was read.
struct Above {
    /// Where that begins.
    at: usize,
    caller: Arc<Caller>,
    /// The numbers of its values in the tenant of its last event.
    tenant: String,
    numbers: Vec<u32>,
}

impl Values {
    /// Takes in a line of no event: that of a caller, or where another batch begins.
    pub fn caller(&mut self, at: usize, line: &[u8]) {
        match line::decode_caller(line) {
            Some(caller) => {
                let caller = Arc::new(caller);
                self.callers.push(Above { at, caller, tenant: String::new(), numbers: Vec::new() });
            }
            None => self.callers.clear(),
        }
    }

    /// Takes in what the event is found by whose line begins at `at`; gives when it was recorded. `None` if the line is
    /// none of ours.
    pub fn add(&mut self, at: usize, line: &str, place: u32, key: &Key) -> Option<i64> {
        if let Some(found) = line::Searched::of(line) {
            self.turn_to(at, found.back)?;
            self.add_caller(found.tenant, place, key);
            self.add_rest(found.tenant, found.patient, line::entity_names(found.entities), place, key);
            return Some(found.recorded_ms);
        }
        let above = match line::back(line.as_bytes()) {
            Some(back) => Some(Arc::clone(self.turn_to(at, back)?)),
            None => None,
        };
        let event = line::decode(line, above.as_ref())?;
        for hash in of_event(&event, key) {
            let number = self.number(hash);
            self.put(number, place);
        }
        Some(event.recorded.as_millisecond())
    }

    /// The caller whose line begins so many bytes before `at`; the next event is taken for the same one's.
    fn turn_to(&mut self, at: usize, back: usize) -> Option<&Arc<Caller>> {
        let at = at.checked_sub(back)?;
        if self.callers.get(self.last).is_none_or(|last| last.at != at) {
            self.last = self.callers.binary_search_by_key(&at, |above| above.at).ok()?;
        }
        Some(&self.callers[self.last].caller)
    }

    fn add_caller(&mut self, tenant: &str, place: u32, key: &Key) {
        let above = &self.callers[self.last];
        if above.numbers.is_empty() || above.tenant != tenant {
            let caller = Arc::clone(&above.caller);
            let all = agents(&caller.client, &caller.subject, &caller.user);
            let numbers = all.map(|agent| self.number(hash(key, Facet::Agent, tenant, &[agent]))).collect();
            let above = &mut self.callers[self.last];
            (above.tenant, above.numbers) = (tenant.to_owned(), numbers);
        }
        for at in 0..self.callers[self.last].numbers.len() {
            self.put(self.callers[self.last].numbers[at], place);
        }
    }

    fn add_rest<'t>(
        &mut self,
        tenant: &str,
        patient: &str,
        entities: impl Iterator<Item = (&'t str, &'t str)>,
        place: u32,
        key: &Key,
    ) {
        if !patient.is_empty() {
            let number = self.number(hash(key, Facet::Patient, tenant, &[patient]));
            self.put(number, place);
        }
        for (kind, id) in entities {
            let number = self.number(hash(key, Facet::Entity, tenant, &[kind, id]));
            self.put(number, place);
        }
    }

    fn number(&mut self, hash: u64) -> u32 {
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(hash).or_insert_with(|| {
            self.known.push((hash, 0, u32::MAX));
            next
        })
    }

    fn put(&mut self, number: u32, place: u32) {
        let (_, count, last) = &mut self.known[number as usize];
        if *last != place {
            (*count, *last) = (*count + 1, place);
            self.found.push((number, place));
        }
    }

    /// Each hash with the number of its places, in the order of the hashes, and all places in that order.
    pub fn in_order(self) -> (Vec<(u64, u32)>, Vec<u32>) {
        let mut order: Vec<usize> = (0..self.known.len()).collect();
        order.sort_unstable_by_key(|number| self.known[*number].0);
        let mut next = vec![0_usize; self.known.len()];
        let mut start = 0;
        for number in &order {
            next[*number] = start;
            start += self.known[*number].1 as usize;
        }
        let mut places = vec![0; start];
        for (number, place) in self.found {
            let at = &mut next[number as usize];
            places[*at] = place;
            *at += 1;
        }
        (order.into_iter().map(|number| (self.known[number].0, self.known[number].1)).collect(), places)
    }
}

/// What an event is found by, each once.
pub fn of_event(event: &Event<'_>, key: &Key) -> Vec<u64> {
    let of = |facet, parts: &[&str]| hash(key, facet, &event.tenant, parts);
    let Caller { client, subject, user, .. } = &*event.caller;
    let agents = agents(client, subject, user).map(|agent| of(Facet::Agent, &[agent]));
    let patient = (!event.patient.is_empty()).then(|| of(Facet::Patient, &[&event.patient]));
    let entities = event.entities.iter().map(|entity| of(Facet::Entity, &[&entity.kind, &entity.id]));
    let mut all: Vec<u64> = agents.chain(patient).chain(entities).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The names that an event's caller is found by.
pub fn agents<'n>(client: &'n str, subject: &'n str, user: &'n str) -> impl Iterator<Item = &'n str> {
    [client, subject, user].into_iter().filter(|name| !name.is_empty())
}

/// A number that is a keyed hash already needs no other.
#[derive(Default)]
struct AsItIs(u64);

impl std::hash::Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
