//! Who calls, as far as an address tells, and how much of the server one caller may have at a time:
//! connections, requests under way, requests per second. Every limit is off unless the configuration
//! sets it. Memory is bounded, however many addresses call.
//!
//! A client is an address; of IPv6 the network of 64 bits, which one household or host has to itself.
//! A caller with a token could be told apart by the token's client id: that would be a further kind of
//! [`Client`], admitted by [`Clients::admit`] once the token is verified.

use std::{
    collections::{HashMap, hash_map::RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;

use crate::config::Limits;

/// Clients whose speed is remembered; who was silent longest is forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// When to try again for whom too many requests are under way: they may end any time.
const BUSY_RETRY_SECONDS: u64 = 1;

/// A caller, as the limits see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

impl Client {
    /// The client behind an address.
    pub fn at(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
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
        }
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
        Ok(Some(Place { held: self.held.clone(), key }))
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
        let ahead = until.saturating_sub(now);
        match ahead.checked_sub(self.ahead_max) {
            Some(wait) if !wait.is_zero() => {
                Err(Throttled { retry_after_seconds: wait.as_secs_f64().ceil() as u64 })
            }
            _ => {
                *until = now + ahead + self.interval;
                Ok(())
            }
        }
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
