//! What all nodes recorded, in a catalog that they share: copied there from the log of each (decision 0017).

use async_trait::async_trait;

use crate::Error;

/// A catalog that takes in the events of several nodes and finds them.
#[async_trait]
pub trait Events: Send + Sync {
    /// The node of this name; one that is not known gets a number, and counts as copied as far as `shipped`.
    async fn node(&self, name: &str, shipped: u64) -> Result<Node, Error>;

    /// Takes in what stands in a node's log, and notes which process brought it: all of it, or nothing. `false` if the
    /// log is not copied as far as that begins.
    async fn add(&self, shipment: Shipment) -> Result<bool, Error>;

    /// Events newest first: by the time at which they were recorded, then by their numbers. May give some that are
    /// not wanted, at the ends of spans and where hashes collide.
    async fn find(&self, wanted: Wanted) -> Result<Found, Error>;

    /// Removes what was recorded before this time; gives how many.
    async fn forget(&self, before_ms: i64) -> Result<u64, Error>;
}

/// A node as its catalog knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// From 1.
    pub number: u64,
    /// The place in its log of the last event that is copied; 0 before the first.
    pub shipped: u64,
    /// The name of the process that has copied it; empty before the first.
    pub process: String,
}

/// Events that follow one another in the log of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// The node's number.
    pub node: u64,
    /// The place of the event before them.
    pub from: u64,
    /// The place of the last; some may be missing, where the log is damaged.
    pub to: u64,
    /// The name of the process that sends them.
    pub process: String,
    /// What there is.
    pub events: Vec<Shipped>,
}

/// An event on its way into the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipped {
    /// Its number among those of all nodes.
    pub number: u64,
    /// When it was recorded, in milliseconds since 1970.
    pub recorded_ms: i64,
    /// What it came to.
    pub status: u16,
    /// Whose.
    pub tenant: String,
    /// The code of what was asked for.
    pub interaction: &'static str,
    /// The hashes that it is found by.
    pub keys: Vec<u64>,
    /// As it stands in the log, without its end.
    pub line: Vec<u8>,
}

/// What is looked for. All of it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whose.
    pub tenant: String,
    /// Only this one.
    pub only: Option<u64>,
    /// Only what comes after this one, in the order of a search.
    pub after: Option<u64>,
    /// Recorded in all of these spans; milliseconds, both ends included.
    pub within: Vec<(i64, i64)>,
    /// Recorded in none of these.
    pub outside: Vec<(i64, i64)>,
    /// Of each of these sets of hashes one; with `true` they name a patient or a document, of which there are not many.
    pub keys: Vec<(Vec<u64>, bool)>,
    /// Of each of these sets of codes one.
    pub interactions: Vec<Vec<&'static str>>,
    /// Of each of these sets of spans of status codes one; both ends included.
    pub statuses: Vec<Vec<(u16, u16)>>,
    /// At most so many.
    pub limit: usize,
    /// So many are looked at, at most, of which nothing but interaction and status is not as wanted.
    pub looked_at_max: u64,
}

/// A page of lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Numbers and lines.
    pub lines: Vec<(u64, Vec<u8>)>,
    /// After which number the next page goes on; `None` at the end.
    pub next: Option<u64>,
}
