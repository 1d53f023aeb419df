//! Search parameters -> [`Query`].

use charta_model::{Query, Timestamp};

use crate::Version;
use crate::represent::{Subset, Summary};

/// What the parameters are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A search of a client, which the server offers in DSTU2 and STU3.
    Search {
        /// Whether an unknown parameter is an error (`Prefer: handling=strict`).
        strict: bool,
        /// The page size of who asks for none.
        count_default: usize,
        /// The largest page size.
        count_max: usize,
    },
    /// The criteria of a conditional write, where an unknown parameter is always an error.
    Criteria,
}

/// A search that can be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What is looked for. Criteria are limited to two documents: enough to tell one from many.
    pub query: Query,
    /// The parameters that were used, as they go into the self link.
    pub used: Vec<(String, String)>,
    /// The names of those that were not.
    pub ignored: Vec<String>,
    /// `_summary`, except `count`.
    pub summary: Option<Summary>,
    /// `_elements`
    pub elements: Option<Vec<String>>,
    /// Only the total is wanted (`_summary=count`, `_count=0`).
    pub count_only: bool,
}

/// Why a search is refused. Values are never in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// A parameter, modifier or prefix that is not there.
    #[error("search parameter {parameter}: {reason}")]
    NotSupported {
        /// Its name.
        parameter: String,
        /// What is not supported.
        reason: &'static str,
    },
    /// A value that does not have the form of its type.
    #[error("search parameter {parameter}: {reason}")]
    Value {
        /// Its name.
        parameter: String,
        /// What was expected.
        reason: &'static str,
    },
    /// More parameters or alternatives than are looked at.
    #[error("{0}")]
    TooCostly(&'static str),
    /// A condition that says nothing.
    #[error("the criteria have no search parameter that narrows them down")]
    NoCriteria,
}

/// The parameters of a history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryParameters {
    /// `_count`
    pub count: Option<usize>,
    /// `_since`
    pub since: Option<Timestamp>,
    /// `_at`, start included, end excluded; from STU3 on.
    pub at: Option<(Timestamp, Timestamp)>,
    /// `_summary`, except `count`.
    pub summary: Option<Summary>,
    /// `_elements`
    pub elements: Option<Vec<String>>,
    /// Only the total is wanted (`_summary=count`, `_count=0`).
    pub count_only: bool,
    /// The parameters that were used, as they go into the self link.
    pub used: Vec<(String, String)>,
    /// The names of those that were not.
    pub ignored: Vec<String>,
}

/// The parameters of a search on Binary, decoded, in their order.
///
/// # Errors
/// See [`SearchError`].
pub fn binary(version: Version, parameters: &[(String, String)], purpose: Purpose) -> Result<Parsed, SearchError> {
    let _ = (version, parameters, purpose);
    Err(SearchError::NoCriteria)
}

/// The parameters of a history, decoded, in their order.
///
/// # Errors
/// `Value` for one that cannot be read; `NotSupported` for an order that is not there.
pub fn history(version: Version, parameters: &[(String, String)]) -> Result<HistoryParameters, SearchError> {
    let _ = (version, parameters);
    Err(SearchError::NoCriteria)
}

/// `_summary` and `_elements` of a read; other parameters are left alone.
///
/// # Errors
/// `Value` for a `_summary` that does not exist, or `count`, which only searches have.
pub fn subset(parameters: &[(String, String)]) -> Result<Subset, SearchError> {
    let _ = parameters;
    Ok(Subset::default())
}
