//! The one place that reads the clock and makes random ids; everything else is told.

use charta_model::{ResourceId, Timestamp};
use uuid::Uuid;

/// The time now.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A fresh id: 122 random bits, so that ids cannot be guessed or enumerated.
#[must_use]
pub fn fresh_id() -> ResourceId {
    ResourceId::new(&fresh_uuid()).expect("a UUID has 36 characters out of 0-9, a-f and '-'")
}

/// A fresh UUID in its usual spelling.
#[must_use]
pub fn fresh_uuid() -> String {
    Uuid::new_v4().hyphenated().to_string()
}
