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
    let issues = issues.iter().map(|issue| issue.node(version, request_id)).collect();
    Node::object([("resourceType", Some(Node::text("OperationOutcome"))), ("issue", Node::array(issues))])
}

impl Issue {
    fn node(&self, version: Version, request_id: Option<&str>) -> Node {
        let diagnostics = match (&self.diagnostics, request_id) {
            (Some(known), Some(id)) => Some(format!("{known} (request {id})")),
            (None, Some(id)) => Some(format!("request {id}")),
            (known, None) => known.clone(),
        };
        // DSTU2 knows no expressions, and no way to point at a header.
        let (location, expression) = match &self.expression {
            Some(path) if version == Version::Dstu2 => (xpath(path), None),
            known => (None, known.clone()),
        };
        let single = |text: String| Node::Array(vec![Node::text(text)]);
        Node::object([
            ("severity", Some(Node::text(self.severity.code()))),
            ("code", Some(Node::text(self.code.code(version)))),
            ("details", Some(Node::object([("text", Some(Node::text(self.text.clone())))]))),
            ("diagnostics", diagnostics.map(Node::text)),
            ("location", location.map(single)),
            ("expression", expression.map(single)),
        ])
    }
}

impl Severity {
    const fn code(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

impl IssueCode {
    /// The code of `version` that says this.
    ///
    /// Clause: FHIR R4 valueset-issue-type.html
    #[must_use]
    pub fn code(self, version: Version) -> &'static str {
        match self {
            // New in R4; before, these said it best.
            Self::Deleted if !version.is_r4_or_later() => "not-found",
            Self::MultipleMatches if !version.is_r4_or_later() => "duplicate",
            Self::Deleted => "deleted",
            Self::MultipleMatches => "multiple-matches",
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::Security => "security",
            Self::Login => "login",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::Suppressed => "suppressed",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::Duplicate => "duplicate",
            Self::NotFound => "not-found",
            Self::TooLong => "too-long",
            Self::CodeInvalid => "code-invalid",
            Self::Extension => "extension",
            Self::TooCostly => "too-costly",
            Self::BusinessRule => "business-rule",
            Self::Conflict => "conflict",
            Self::Transient => "transient",
            Self::LockError => "lock-error",
            Self::NoStore => "no-store",
            Self::Exception => "exception",
            Self::Timeout => "timeout",
            Self::Incomplete => "incomplete",
            Self::Throttled => "throttled",
            Self::Informational => "informational",
        }
    }
}

/// The XPath of a simple FHIRPath: `Binary.meta.tag[0]` is `/f:Binary/f:meta/f:tag[1]`.
fn xpath(expression: &str) -> Option<String> {
    if expression.starts_with("http.") {
        return None;
    }
    let steps = expression.split('.').map(|step| {
        let (name, index) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((name, index)) => (name, Some(index.parse::<u32>().ok()?.checked_add(1)?)),
            None => (step, None),
        };
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        let index = index.map(|index| format!("[{index}]")).unwrap_or_default();
        is_name.then(|| format!("/f:{name}{index}"))
    });
    steps.collect()
}
