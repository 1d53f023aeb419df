//! What is remembered for a while, at most so much.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use charta_model::Timestamp;

/// Things in one memory at most.
const THINGS_MAX: usize = 10_000;

/// Things by their names, each until its time is over.
pub struct Expiring<T>(Mutex<HashMap<String, (Timestamp, T)>>);

impl<T> Expiring<T> {
    /// Nothing.
    pub fn new() -> Self {
        Self(Mutex::default())
    }

    /// Remembers a thing; `false` if there is one of this name, or no room.
    pub fn insert(&self, name: String, thing: T, until: Timestamp, now: Timestamp) -> bool {
        let mut things = self.lock();
        if things.get(&name).is_some_and(|(until, _)| now < *until) {
            return false;
        }
        if things.len() >= THINGS_MAX {
            things.retain(|_, (until, _)| now < *until);
        }
        let room = things.len() < THINGS_MAX;
        if room {
            things.insert(name, (until, thing));
        }
        room
    }

    /// Forgets a thing and gives it, if its time is not over.
    pub fn take(&self, name: &str, now: Timestamp) -> Option<T> {
        let (until, thing) = self.lock().remove(name)?;
        (now < until).then_some(thing)
    }

    /// A thing, which stays.
    pub fn known(&self, name: &str, now: Timestamp) -> Option<T>
    where
        T: Clone,
    {
        self.lock().get(name).filter(|(until, _)| now < *until).map(|(_, thing)| thing.clone())
    }

    /// Whether there is a thing of this name.
    pub fn has(&self, name: &str, now: Timestamp) -> bool {
        self.lock().get(name).is_some_and(|(until, _)| now < *until)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_thing_is_taken_once_and_before_its_time_is_over() {
        let things = Expiring::new();
        assert!(things.insert("a".into(), 1, at(10), at(0)));
        assert!(!things.insert("a".into(), 2, at(10), at(9)), "the first stays");
        assert_eq!((things.take("a", at(9)), things.take("a", at(9))), (Some(1), None));
        assert!(things.insert("b".into(), 3, at(10), at(0)));
        assert_eq!((things.has("b", at(9)), things.has("b", at(10))), (true, false));
        assert_eq!((things.known("b", at(9)), things.known("b", at(10))), (Some(3), None));
        assert_eq!(things.take("b", at(10)), None);
    }

    #[test]
    fn when_there_is_no_room_only_what_is_over_makes_room() {
        let things = Expiring::new();
        for n in 0..THINGS_MAX {
            assert!(things.insert(n.to_string(), (), at(if n == 0 { 5 } else { 10 }), at(0)));
        }
        assert!(!things.insert("new".into(), (), at(10), at(4)));
        assert!(things.insert("new".into(), (), at(10), at(5)));
        assert!(!things.has("0", at(5)) && things.has("1", at(5)));
    }
}
