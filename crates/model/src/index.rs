//! What a document is found by: the values of its search parameters, and the content that it names. Made by
//! `fhir` when a version is written; the store compares and never interprets.

use std::borrow::Cow;

use crate::{ResourceId, ResourceType};

/// What one version is found by. The store keeps entries of current versions, links of all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Index {
    /// Values of search parameters.
    pub entries: Vec<Entry>,
    /// Binaries that it names as its attachments.
    pub links: Vec<ContentLink>,
}

/// One value of one search parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The parameter's name, as in `patient`; `subject:identifier` for what stands beside a reference.
    pub parameter: Cow<'static, str>,
    /// 0, or a number that the components of one value of a composite parameter share.
    pub part: u32,
    /// The value.
    pub value: EntryValue,
}

/// A value that searches compare.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryValue {
    /// A code with or without its system; one of them is there.
    Token {
        /// The code system.
        system: Option<String>,
        /// The code.
        code: Option<String>,
    },
    /// A reference to a resource of this tenant.
    Reference {
        /// Its type.
        kind: ResourceType,
        /// Its id.
        id: ResourceId,
    },
    /// Text.
    Text {
        /// Without letter case and accents.
        folded: String,
        /// As it is.
        exact: String,
    },
    /// A URI; also a reference to somewhere else.
    Uri(String),
    /// A stretch of time in milliseconds since 1970, end excluded; open ends are the least and the greatest.
    Date {
        /// Where it starts.
        start_ms: i64,
        /// Where it ends.
        end_ms: i64,
    },
    /// A number or a quantity, or a range of them; both ends included.
    Quantity {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
        /// The system of its unit.
        system: Option<String>,
        /// The code of its unit, or the unit as it is read.
        code: Option<String>,
    },
}

/// A Binary that a version names as its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentLink {
    /// The Binary.
    pub binary: ResourceId,
    /// The version of it that is named; `None` means the current one, whose bytes must then not change.
    pub version: Option<u64>,
    /// Whether the version that names it says of itself that it was entered in error.
    pub in_error: bool,
}
