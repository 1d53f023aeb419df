//! The audit log: what is recorded, and what a crash may take of it.

use charta_store::{AuditOptions, Durability, OnFailure};
use serde::{Deserialize, Serialize};

/// How requests are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Audit {
    /// When an event counts as kept.
    pub durability: AuditDurability,
    /// So long an event waits for others before it is synced.
    pub interval_ms: u64,
    /// What happens while the log cannot be written.
    pub on_failure: AuditFailure,
    /// Whether requests to open endpoints are recorded, and AuditEvents shown there.
    pub open_endpoints: bool,
    /// Events are removed after so many days; 0: never.
    pub keep_days: u32,
}

/// When an event counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditDurability {
    /// Soon.
    Batched,
    /// Before its request is answered.
    Each,
}

/// What happens while the log cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditFailure {
    /// Requests are refused.
    Refuse,
    /// They are answered, and may be missing in the log.
    Serve,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            durability: AuditDurability::Batched,
            interval_ms: 100,
            on_failure: AuditFailure::Refuse,
            open_endpoints: false,
            keep_days: 0,
        }
    }
}

impl Audit {
    /// The same in the store's words.
    #[must_use]
    pub fn options(&self) -> AuditOptions {
        AuditOptions {
            durability: match self.durability {
                AuditDurability::Batched => Durability::Batched,
                AuditDurability::Each => Durability::Each,
            },
            on_failure: match self.on_failure {
                AuditFailure::Refuse => OnFailure::Refuse,
                AuditFailure::Serve => OnFailure::Serve,
            },
            interval_ms: self.interval_ms,
            ..AuditOptions::default()
        }
    }
}
