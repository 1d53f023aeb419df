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
    /// Those of one address; 0: any number.
    pub client_connections: usize,
    /// Requests of one client that are not answered to their end; 0: any number.
    pub client_requests_parallel: usize,
    /// Requests of one client, on average; 0: any number.
    pub client_requests_per_second: u32,
    /// So many of them may come at once.
    pub client_requests_burst: u32,
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
            client_connections: 0,
            client_requests_parallel: 0,
            client_requests_per_second: 0,
            client_requests_burst: 100,
        }
    }
}
