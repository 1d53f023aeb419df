//! What a client may take, so that none can take everything.

use serde::{Deserialize, Serialize};

/// What a client may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Limits {
    /// Content of one Binary, decoded.
    pub document_bytes: u64,
    /// Any other FHIR body; a Bundle as a whole.
    pub resource_bytes: u64,
    /// Request line and headers.
    pub header_bytes: usize,
    /// Time for them to arrive.
    pub header_seconds: u64,
    /// A request body of which no byte comes for so long is given up.
    pub body_idle_seconds: u64,
    /// A request body slower than this, averaged after the first 30 seconds, is given up; 0: never.
    pub body_bytes_per_second_min: u64,
    /// A client that takes no byte of an answer for so long is cut off.
    pub write_idle_seconds: u64,
    /// Connections at the same time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 1 << 30,
            resource_bytes: 64 << 20,
            header_bytes: 32 << 10,
            header_seconds: 10,
            body_idle_seconds: 30,
            body_bytes_per_second_min: 1024,
            write_idle_seconds: 60,
            connections: 10_000,
        }
    }
}
