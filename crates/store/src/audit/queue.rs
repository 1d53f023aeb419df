//! Events on their way to the disk: written as lines into one buffer by whoever answers a request, taken out as a
//! batch by the writer. The buffer is bounded: who finds it full waits, nothing is dropped.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use charta_model::audit::Event;

use super::batch::Batch;
use crate::Error;

/// Bytes of lines that may wait.
const BYTES_MAX: usize = 8 << 20;
/// Bytes that are written before their time, so that the rest may fill meanwhile.
const BYTES_ENOUGH: usize = 1 << 20;

/// What waits.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    /// Whether `failure` is set: asked at each request.
    fails: AtomicBool,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// The number of the last event that was taken in.
    last: u64,
    /// When the first of the batch came.
    since: Option<Instant>,
    urgent: bool,
    closed: bool,
    failure: Option<Error>,
}

/// What became of an event that was handed over.
pub enum Pushed {
    /// It waits under this number.
    Waits(u64),
    /// There is no room for it now.
    NoRoom,
}

impl Queue {
    /// One whose next event has the number after `last`.
    pub fn after(last: u64) -> Self {
        Self { state: Mutex::new(State { last, ..State::default() }), ..Self::default() }
    }

    /// Takes an event in, if there is room. While the disk fails, `careless` still takes it.
    ///
    /// # Errors
    /// `Closed`; the disk's failure unless `careless`.
    pub fn push(&self, event: &Event<'_>, urgent: bool, careless: bool) -> Result<Pushed, Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Closed);
        }
        if let (Some(error), false) = (&state.failure, careless) {
            return Err(error.clone());
        }
        if state.batch.lines().len() >= BYTES_MAX {
            return Ok(Pushed::NoRoom);
        }
        let had_enough = state.batch.lines().len() >= BYTES_ENOUGH;
        state.batch.push(event);
        state.last += 1;
        let is_first = state.batch.events() == 1;
        // To wake costs a call of the system, so it is done when something changes and not for every event.
        let enough = !had_enough && state.batch.lines().len() >= BYTES_ENOUGH;
        let wakes = is_first || enough || urgent && !state.urgent;
        if is_first {
            state.since = Some(Instant::now());
        }
        state.urgent |= urgent;
        let last = state.last;
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        Ok(Pushed::Waits(last))
    }

    /// What the disk answers with, while it fails.
    pub fn failure(&self) -> Option<Error> {
        if self.fails.load(Ordering::Relaxed) { self.state().failure.clone() } else { None }
    }

    /// The number of the last event that was taken in; has it written soon.
    pub fn hurry(&self) -> u64 {
        let mut state = self.state();
        state.urgent = state.batch.events() > 0;
        let last = state.last;
        drop(state);
        self.wake.notify_one();
        last
    }

    /// Events that wait, and for how long the first has.
    pub fn waiting(&self) -> (u32, Duration) {
        let state = self.state();
        (state.batch.events(), state.since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// Takes no more; what is in is still written.
    pub fn close(&self) {
        self.state().closed = true;
        self.wake.notify_one();
    }

    /// For the writer: the next batch, once its first event has waited for `interval`, or earlier if it must. The
    /// buffer of the batch before is used again. `false` when the queue is closed and empty.
    pub fn take(&self, interval: Duration, batch: &mut Batch) -> bool {
        batch.clear();
        let mut state = self.state();
        loop {
            let due = state.since.map(|since| interval.saturating_sub(since.elapsed()));
            let enough = state.urgent || state.closed || state.batch.lines().len() >= BYTES_ENOUGH;
            state = match due {
                Some(left) if enough || left.is_zero() => break,
                Some(left) => self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None if state.closed => return false,
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        std::mem::swap(&mut state.batch, batch);
        state.since = None;
        state.urgent = false;
        true
    }

    /// For the writer: the disk failed, or works again.
    pub fn set_failure(&self, failure: Option<Error>) {
        let mut state = self.state();
        self.fails.store(failure.is_some(), Ordering::Relaxed);
        state.failure = failure;
    }

    /// For the writer: waits before it tries again; `false` if it should give up.
    pub fn pause(&self, time: Duration) -> bool {
        let state = self.state();
        if state.closed {
            return false;
        }
        let until = Instant::now() + time;
        let mut state = state;
        while !state.closed && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            state = self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        !state.closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
