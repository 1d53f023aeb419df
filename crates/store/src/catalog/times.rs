//! The times of a history in whole milliseconds, as versions have them.

use charta_model::{HistoryQuery, Timestamp};

use super::search::column::ceil_ms;

/// Not before `since`; begun before `end` and not followed by another version by `start`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) since: i64,
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Times {
    /// `None` if any time will do.
    pub(super) fn of(query: &HistoryQuery) -> Option<Self> {
        if query.since.is_none() && query.at.is_none() {
            return None;
        }
        let (start, end) = match query.at {
            Some((start, end)) => (floor_ms(start), ceil_ms(end)),
            None => (i64::MIN, i64::MAX),
        };
        Some(Self { since: query.since.map_or(i64::MIN, ceil_ms), start, end })
    }
}

/// Only versions of smaller sequence numbers are wanted.
pub(super) fn before(query: &HistoryQuery) -> i64 {
    query.before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX))
}

/// The last whole millisecond that is not after `time`.
fn floor_ms(time: Timestamp) -> i64 {
    let ceil = ceil_ms(time);
    if time.as_nanosecond() < i128::from(ceil) * 1_000_000 { ceil - 1 } else { ceil }
}
