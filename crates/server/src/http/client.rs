//! Who calls, and how much of the server one caller may have at a time: connections, requests under way, requests
//! per second. Every limit is off unless the configuration sets it. Memory is bounded, however many addresses call.
//!
//! A client is an address; of IPv6 the network of 64 bits, which one household or host has to itself. Once a token is
//! verified, the program and the user that it names are a client too, wherever they call from. The program alone is
//! not: an app that thousands use would have to share what one of them may have.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use charta_auth::Claims;
use lru::LruCache;

use crate::config::Limits;

/// Clients whose speed is remembered; who was silent longest is forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// When to try again for whom too many requests are under way: they may end any time.
const BUSY_RETRY_SECONDS: u64 = 1;

/// Clients of whom a refusal was recorded lately.
const REFUSED: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");
/// Of one client's refusals the first in this time is recorded.
const REFUSAL_EACH: Duration = Duration::from_secs(60);
/// Of all clients' one in this time, and so many ahead of it.
const REFUSAL_ALL: Duration = Duration::from_secs(1);
const REFUSALS_AHEAD: u32 = 60;

/// A caller, as the limits see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    /// Whoever calls from an address.
    Address(IpAddr),
    /// Whoever holds a token, by a hash of program and user.
    Holder(u64),
}

impl Client {
    /// The client behind an address.
    pub fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 => v4,
        })
    }
}

/// A client wants more than it may have.
///
/// Clause: RFC 6585 4
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// When it may try again.
    pub retry_after_seconds: u64,
}

/// What all clients have of the server now.
pub struct Clients {
    begun: Instant,
    requests: Option<Rate>,
    requests_parallel: usize,
    connections: usize,
    held: Arc<Mutex<Counts>>,
    /// Hashes what tokens say.
    names: RandomState,
    refusals: Refusals,
}

/// What clients hold. Whoever holds nothing is not in it.
type Counts = HashMap<(Client, What), usize>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Connection,
    Request,
}

/// One of the places that a client may have. Dropping it gives it back.
pub struct Place {
    held: Arc<Mutex<Counts>>,
    key: (Client, What),
    /// Another that is given back together with it.
    with: Option<Box<Place>>,
}

impl Place {
    /// Both, or the one that is there.
    pub fn joined(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(mut other)) => {
                other.with = Some(Box::new(one));
                Some(other)
            }
            (one, other) => one.or(other),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = locked(&self.held);
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

impl Clients {
    /// With the limits of the configuration. `now` begins the count.
    pub fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            begun: now,
            requests: Rate::new(limits.client_requests_per_second, limits.client_requests_burst),
            requests_parallel: limits.client_requests_parallel,
            connections: limits.client_connections,
            held: Arc::default(),
            names: RandomState::new(),
            refusals: Refusals::default(),
        }
    }

    /// The client that a token names; `None` if requests are not limited, or it names nobody.
    pub fn holder(&self, claims: &Claims) -> Option<Client> {
        let Claims { issuer, client, subject, .. } = claims;
        let limits = self.requests.is_some() || self.requests_parallel > 0;
        let is_named = client.is_some() || subject.is_some();
        (limits && is_named).then(|| Client::Holder(self.names.hash_one((issuer, client, subject))))
    }

    /// Whether a refusal of this client, that it has all it may have, is to be recorded. A flood of them leaves some
    /// sixty records a minute, whoever they come from.
    pub fn records_refusal(&self, client: Client, now: Instant) -> bool {
        self.refusals.records(client, now.duration_since(self.begun))
    }

    /// A place for a connection. `Ok(None)` if connections are not counted.
    ///
    /// # Errors
    /// If the client has all it may have.
    pub fn connect(&self, client: Client) -> Result<Option<Place>, Throttled> {
        self.take(client, What::Connection, self.connections)
    }

    /// A place for a request. `Ok(None)` if requests are not counted.
    ///
    /// # Errors
    /// If the client calls too often, or has too much under way.
    pub fn admit(&self, client: Client, now: Instant) -> Result<Option<Place>, Throttled> {
        // A request that has no place must not use up the client's speed.
        let place = self.take(client, What::Request, self.requests_parallel)?;
        if let Some(rate) = &self.requests {
            rate.take(client, now.duration_since(self.begun))?;
        }
        Ok(place)
    }

    fn take(&self, client: Client, what: What, at_most: usize) -> Result<Option<Place>, Throttled> {
        if at_most == 0 {
            return Ok(None);
        }
        let key = (client, what);
        let mut held = locked(&self.held);
        let count = held.entry(key).or_insert(0);
        if *count >= at_most {
            return Err(Throttled { retry_after_seconds: BUSY_RETRY_SECONDS });
        }
        *count += 1;
        Ok(Some(Place { held: self.held.clone(), key, with: None }))
    }
}

/// A bucket of tokens for each client, kept as one number: when the bucket will be full again.
struct Rate {
    /// How long one token takes to come back.
    interval: Duration,
    /// How far ahead of the clock a client may be.
    ahead_max: Duration,
    full_at: Mutex<LruCache<Client, Duration, RandomState>>,
}

impl Rate {
    /// `None` if any speed is good.
    fn new(per_second: u32, burst: u32) -> Option<Self> {
        let interval = Duration::from_secs(1).checked_div(per_second)?;
        let full_at = Mutex::new(LruCache::with_hasher(REMEMBERED, RandomState::new()));
        Some(Self { interval, ahead_max: interval * burst.saturating_sub(1), full_at })
    }

    /// Takes a token at `now`, counted from the server's start.
    fn take(&self, client: Client, now: Duration) -> Result<(), Throttled> {
        let mut full_at = locked(&self.full_at);
        let until = full_at.get_or_insert_mut(client, || now);
        taken(until, now, self.interval, self.ahead_max)
            .map_err(|wait| Throttled { retry_after_seconds: wait.as_secs_f64().ceil() as u64 })
    }
}

/// Takes a token from the bucket that is full at `until`, or says how long to wait for one.
fn taken(until: &mut Duration, now: Duration, each: Duration, ahead_max: Duration) -> Result<(), Duration> {
    let ahead = until.saturating_sub(now);
    match ahead.checked_sub(ahead_max) {
        Some(wait) if !wait.is_zero() => Err(wait),
        _ => {
            *until = now + ahead + each;
            Ok(())
        }
    }
}

/// Whose refusals were recorded lately, and when more are.
struct Refusals {
    each: Mutex<LruCache<Client, Duration, RandomState>>,
    all: Mutex<Duration>,
}

impl Default for Refusals {
    fn default() -> Self {
        let mut each = LruCache::unbounded_with_hasher(RandomState::new());
        each.resize(REFUSED); // takes no memory before it is needed
        Self { each: Mutex::new(each), all: Mutex::default() }
    }
}

impl Refusals {
    fn records(&self, client: Client, now: Duration) -> bool {
        let mut each = locked(&self.each);
        if each.get(&client).is_some_and(|last| now < *last + REFUSAL_EACH) {
            return false;
        }
        let is_turn = taken(&mut locked(&self.all), now, REFUSAL_ALL, REFUSAL_ALL * REFUSALS_AHEAD).is_ok();
        if is_turn {
            each.put(client, now);
        }
        is_turn
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        Client::at(text.parse().unwrap())
    }

    fn limits(per_second: u32, burst: u32) -> Limits {
        Limits { client_requests_per_second: per_second, client_requests_burst: burst, ..Limits::default() }
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_64_bits() {
        assert_eq!(client("192.0.2.1"), client("::ffff:192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_eq!(client("2001:db8:1:2:3:4:5:6"), client("2001:db8:1:2::1"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
    }

    #[test]
    fn a_burst_is_followed_by_the_speed_that_is_allowed() {
        let begun = Instant::now();
        let clients = Clients::new(&limits(2, 3), begun);
        let at = |ms| begun + Duration::from_millis(ms);
        let admitted = |ms| clients.admit(client("192.0.2.1"), at(ms)).map(|_| ());
        for _ in 0..3 {
            assert_eq!(admitted(0), Ok(()));
        }
        assert_eq!(admitted(0), Err(Throttled { retry_after_seconds: 1 }));
        assert_eq!(admitted(499), Err(Throttled { retry_after_seconds: 1 }));
        assert_eq!(admitted(500), Ok(()));
        assert!(admitted(999).is_err());
        assert_eq!(admitted(1000), Ok(()));
        // Idle long enough, it has its burst again and no more.
        assert_eq!((0..9).filter(|_| admitted(60_000).is_ok()).count(), 3);
        assert!(clients.admit(client("192.0.2.9"), at(60_000)).is_ok(), "others are not concerned");
    }

    #[test]
    fn the_wait_is_told_in_whole_seconds() {
        let begun = Instant::now();
        let clients = Clients::new(&limits(1, 1), begun);
        assert!(clients.admit(client("192.0.2.1"), begun).is_ok());
        let Err(Throttled { retry_after_seconds }) = clients.admit(client("192.0.2.1"), begun) else {
            panic!("the second is too early")
        };
        assert_eq!(retry_after_seconds, 1);
    }

    #[test]
    fn places_come_back() {
        let limits = Limits { client_requests_parallel: 2, client_connections: 1, ..Limits::default() };
        let clients = Clients::new(&limits, Instant::now());
        let one = clients.admit(client("192.0.2.1"), Instant::now()).unwrap();
        let _two = clients.admit(client("192.0.2.1"), Instant::now()).unwrap();
        assert!(clients.admit(client("192.0.2.1"), Instant::now()).is_err());
        assert!(clients.connect(client("192.0.2.1")).is_ok(), "connections are counted apart");
        drop(one);
        assert!(clients.admit(client("192.0.2.1"), Instant::now()).is_ok());
    }

    #[test]
    fn a_token_names_a_client_wherever_it_calls_from() {
        let claims = |client: Option<&str>, subject: Option<&str>| Claims {
            issuer: "https://login.example.org".into(),
            subject: subject.map(str::to_owned),
            client: client.map(str::to_owned),
            scope: String::new(),
            patient: None,
            user: None,
            token_id: Some("t".into()),
            tenant: None,
            purposes: Vec::new(),
            expires_at: charta_model::Timestamp::MAX,
        };
        let clients = Clients::new(&limits(1, 1), Instant::now());
        let holder = |client, subject| clients.holder(&claims(client, subject));
        let own = holder(Some("app"), Some("u1")).unwrap();
        let another_token = Claims { token_id: Some("t2".into()), ..claims(Some("app"), Some("u1")) };
        assert_eq!(clients.holder(&another_token), Some(own));
        for other in
            [(Some("app"), Some("u2")), (Some("app2"), Some("u1")), (Some("app"), None), (None, Some("app"))]
        {
            assert_ne!(holder(other.0, other.1), Some(own), "{other:?}");
        }
        assert_eq!(holder(None, None), None);
        assert_eq!(Clients::new(&Limits::default(), Instant::now()).holder(&claims(Some("app"), None)), None);
        assert!(clients.admit(own, clients.begun).is_ok());
        assert!(clients.admit(own, clients.begun).is_err());
    }

    #[test]
    fn two_places_are_given_back_together() {
        let limits = Limits { client_requests_parallel: 1, ..Limits::default() };
        let clients = Clients::new(&limits, Instant::now());
        let (one, other) = (client("192.0.2.1"), client("192.0.2.2"));
        let place = |client| clients.admit(client, Instant::now()).unwrap();
        let both = Place::joined(place(one), place(other));
        assert!(clients.admit(one, Instant::now()).is_err() && clients.admit(other, Instant::now()).is_err());
        drop(both);
        assert!(clients.admit(one, Instant::now()).is_ok() && clients.admit(other, Instant::now()).is_ok());
        assert!(Place::joined(None, place(one)).is_some() && Place::joined(place(other), None).is_some());
    }

    #[test]
    fn a_flood_of_refusals_leaves_few_records() {
        let begun = Instant::now();
        let clients = Clients::new(&limits(1, 1), begun);
        let recorded = |client, ms| clients.records_refusal(client, begun + Duration::from_millis(ms));
        assert!(recorded(client("192.0.2.1"), 0));
        assert_eq!((0..60_000).filter(|ms| recorded(client("192.0.2.1"), *ms)).count(), 0);
        assert!(recorded(client("192.0.2.1"), 60_000), "the first of the next minute");
        // Each from an address of its own, a thousand a second for ten minutes.
        let from = |number: u32| Client::at(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        let all =
            (0..600_000_u32).filter(|number| recorded(from(*number), 60_000 + u64::from(*number))).count();
        assert!((600..700).contains(&all), "{all}: one a second, and some ahead");
        assert!(locked(&clients.refusals.each).len() <= REFUSED.get());
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_clients() {
        let begun = Instant::now();
        let limits = Limits { client_requests_parallel: 2, ..limits(1, 1) };
        let clients = Clients::new(&limits, begun);
        for number in 0..70_000_u32 {
            drop(clients.admit(Client::at(IpAddr::from(number.to_be_bytes())), begun));
        }
        let remembered = locked(&clients.requests.as_ref().unwrap().full_at).len();
        assert_eq!(remembered, REMEMBERED.get());
        assert!(locked(&clients.held).is_empty());
    }
}
