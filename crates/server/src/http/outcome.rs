//! Every refusal: its status and its OperationOutcome. The only place that knows either, so that a
//! status can be looked up here, whoever refused. Two readers: the client gets a safe sentence and a
//! request id; the log gets the cause, once, from here.
//!
//! Where texts leave the status open, docs/decisions/0001-endpoints-and-profiles.md has what holds.
//!
//! Clause: FHIR R4 http.html#ops

use std::borrow::Cow;

use charta_fhir::{
    Profile, Version,
    negotiate::NotAcceptable,
    parse::{ReadError as ResourceError, ReadErrorKind},
    represent::{self, Issue, IssueCode, Severity},
    search::SearchError,
};
use charta_model::InvalidReference;
use charta_service::{ReadError, WriteError};
use charta_store::CommitError;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{answer::Answer, call::Call, coding, ingest::IngestError, respond};

/// Why a request is refused.
#[derive(Debug)]
pub enum Refusal {
    /// No token, or none that counts here.
    Unauthorized,
    /// A token that does not cover the request.
    Forbidden,
    /// The URL names a tenant that is not served.
    TenantUnknown,
    /// Never there, or not for this caller.
    NotFound,
    /// The type is not served here.
    TypeUnknown,
    /// The operation is not offered here.
    OperationUnknown,
    /// It was there.
    Gone {
        /// The version that says so.
        version: u64,
    },
    /// The method does nothing here; these do.
    MethodNotAllowed {
        /// As the header `Allow` has it.
        allow: &'static str,
    },
    /// The client takes no form of what there is.
    NotAcceptable(NotAcceptable),
    /// `Accept` and `Content-Type` name different FHIR versions, or the like.
    Contradiction(&'static str),
    /// A header that cannot be read.
    BadHeader(&'static str),
    /// A parameter that cannot be read or is not supported.
    Search(SearchError),
    /// No byte of the range exists.
    RangeNotSatisfiable {
        /// The size of the document.
        size_bytes: u64,
    },
    /// A body that is not taken.
    Body(IngestError),
    /// The id inside the body is missing or not the URL's.
    IdMismatch,
    /// A resource whose content was left out.
    Subsetted,
    /// `X-Security-Context` or `securityContext` cannot be used.
    SecurityContext(&'static str),
    /// A condition did not hold, or the store failed.
    Commit(CommitError),
    /// A page link that is not one of ours, or of another search.
    StalePage,
    /// The store failed.
    Store(charta_store::Error),
    /// A fault of ours.
    Internal(&'static str),
}

/// Status, code and sentence of a refusal.
struct Verdict {
    status: StatusCode,
    code: IssueCode,
    text: Cow<'static, str>,
    expression: Option<String>,
}

fn say(status: StatusCode, code: IssueCode, text: impl Into<Cow<'static, str>>) -> Verdict {
    Verdict { status, code, text: text.into(), expression: None }
}

/// The answer to a request that is refused.
pub fn refusal(call: &Call<'_>, refusal: &Refusal) -> Answer {
    let verdict = verdict(refusal, call.version(), call.profile());
    log(refusal, verdict.status, call.request_id);
    let issue = Issue {
        severity: if verdict.status.is_server_error() { Severity::Fatal } else { Severity::Error },
        code: verdict.code,
        text: verdict.text.into_owned(),
        diagnostics: None,
        expression: verdict.expression,
    };
    let node = represent::outcome(call.version(), &[issue], Some(call.request_id));
    let mut answer = respond::fhir(call, verdict.status, &call.wanted.outcome(), &node);
    extra_headers(refusal, verdict.status, answer.headers_mut());
    answer
}

/// What a refusal says beside its body.
fn extra_headers(refusal: &Refusal, status: StatusCode, headers: &mut HeaderMap) {
    let mut insert = |name, text: &str| headers.insert(name, respond::value(text));
    match refusal {
        Refusal::Unauthorized => {
            insert(header::WWW_AUTHENTICATE, "Bearer realm=\"charta\"");
        }
        Refusal::MethodNotAllowed { allow } => {
            insert(header::ALLOW, allow);
        }
        Refusal::RangeNotSatisfiable { size_bytes } => {
            insert(header::CONTENT_RANGE, &format!("bytes */{size_bytes}"));
        }
        Refusal::Gone { version } => {
            insert(header::ETAG, &super::precondition::weak_etag(*version));
        }
        Refusal::Body(IngestError::UnsupportedCoding) => {
            insert(header::ACCEPT_ENCODING, coding::SUPPORTED);
        }
        _ => {}
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        insert(header::RETRY_AFTER, "5");
    }
    // What is left of the body is not read, so the connection cannot go on.
    if matches!(refusal, Refusal::Body(_)) || status == StatusCode::PAYLOAD_TOO_LARGE {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

fn log(refusal: &Refusal, status: StatusCode, request_id: &str) {
    if let Refusal::Internal(cause) = refusal {
        tracing::error!(request_id, cause, "a fault of this program");
    } else if status.is_server_error() {
        tracing::error!(request_id, status = status.as_u16(), cause = ?refusal, "request failed");
    }
}

fn verdict(refusal: &Refusal, version: Version, profile: Profile) -> Verdict {
    use IssueCode as Code;
    use StatusCode as Status;
    match refusal {
        Refusal::Unauthorized if profile == Profile::Soarian => {
            say(Status::UNAUTHORIZED, Code::Unknown, "A valid access token is needed.")
        }
        Refusal::Unauthorized => say(Status::UNAUTHORIZED, Code::Login, "A valid access token is needed."),
        Refusal::Forbidden if profile == Profile::Soarian => {
            say(Status::FORBIDDEN, Code::Security, "The access token does not cover this request.")
        }
        Refusal::Forbidden => {
            say(Status::FORBIDDEN, Code::Forbidden, "The access token does not cover this request.")
        }
        Refusal::TenantUnknown => match profile {
            Profile::Millennium => say(Status::FORBIDDEN, Code::Forbidden, "Tenant not valid or accessible"),
            Profile::Soarian => say(Status::FORBIDDEN, Code::Security, "Tenant not valid or accessible"),
            Profile::Standard | Profile::CareConnect => {
                say(Status::NOT_FOUND, Code::NotFound, "There is no such tenant.")
            }
        },
        Refusal::NotFound => say(
            Status::NOT_FOUND,
            Code::NotFound,
            match profile {
                Profile::Soarian => "No matching results are found.",
                _ => "Resource not found",
            },
        ),
        Refusal::TypeUnknown => {
            say(Status::NOT_FOUND, Code::NotSupported, "This resource type is not served at this endpoint.")
        }
        Refusal::OperationUnknown => {
            say(Status::NOT_FOUND, Code::NotSupported, "This operation is not offered at this endpoint.")
        }
        Refusal::Gone { .. } => say(Status::GONE, Code::Deleted, "The resource was deleted."),
        Refusal::MethodNotAllowed { .. } => {
            say(Status::METHOD_NOT_ALLOWED, Code::NotSupported, "This interaction is not supported here.")
        }
        Refusal::NotAcceptable(reason) => {
            say(Status::NOT_ACCEPTABLE, Code::NotSupported, format!("{reason}."))
        }
        Refusal::Contradiction(text) => say(Status::BAD_REQUEST, Code::Invalid, *text),
        Refusal::BadHeader(text) => say(Status::BAD_REQUEST, Code::Value, *text),
        Refusal::Search(error) => search(error, version),
        Refusal::RangeNotSatisfiable { .. } => {
            say(Status::RANGE_NOT_SATISFIABLE, Code::Value, "The document has no byte in that range.")
        }
        Refusal::Body(error) => body(error),
        Refusal::IdMismatch => say(
            Status::BAD_REQUEST,
            Code::Value,
            "The id in the body must be there and equal the id in the URL.",
        ),
        Refusal::Subsetted => say(
            Status::UNPROCESSABLE_ENTITY,
            Code::BusinessRule,
            "A resource tagged SUBSETTED lacks content and cannot replace a whole one.",
        ),
        Refusal::SecurityContext(text) => say(Status::UNPROCESSABLE_ENTITY, Code::BusinessRule, *text),
        Refusal::Commit(error) => commit(error, version),
        Refusal::StalePage => say(
            Status::NOT_FOUND,
            Code::NotFound,
            "This page link is not one of this search's; search again.",
        ),
        Refusal::Store(error) => store(error),
        Refusal::Internal(_) => say(Status::INTERNAL_SERVER_ERROR, Code::Exception, "The server failed."),
    }
}

fn no_criteria(version: Version) -> Verdict {
    let status =
        if version.is_r4_or_later() { StatusCode::BAD_REQUEST } else { StatusCode::PRECONDITION_FAILED };
    say(status, IssueCode::Required, "The condition names no criterion that this server searches by.")
}

fn search(error: &SearchError, version: Version) -> Verdict {
    match error {
        SearchError::NoCriteria => no_criteria(version),
        SearchError::NotSupported { .. } => {
            say(StatusCode::BAD_REQUEST, IssueCode::NotSupported, format!("{error}."))
        }
        SearchError::TooCostly(_) => say(StatusCode::BAD_REQUEST, IssueCode::TooCostly, format!("{error}.")),
        SearchError::Value { .. } => say(StatusCode::BAD_REQUEST, IssueCode::Value, format!("{error}.")),
    }
}

fn commit(error: &CommitError, version: Version) -> Verdict {
    use IssueCode as Code;
    use StatusCode as Status;
    let r4 = version.is_r4_or_later();
    // Decision 15: 409 in DSTU2 and STU3, 412 from R4.
    let stale = if r4 { Status::PRECONDITION_FAILED } else { Status::CONFLICT };
    match error {
        CommitError::PreconditionFailed => {
            say(stale, Code::Conflict, "The resource has another version than the request expects.")
        }
        CommitError::NotThere => say(
            if r4 { Status::PRECONDITION_FAILED } else { Status::NOT_FOUND },
            if r4 { Code::Conflict } else { Code::NotFound },
            "The request expects a version of a resource that is not there.",
        ),
        CommitError::MultipleMatches => {
            say(Status::PRECONDITION_FAILED, Code::MultipleMatches, "Several resources match the condition.")
        }
        CommitError::ClaimedIdDiffers => {
            say(Status::BAD_REQUEST, Code::Value, "The resource that matches has another id than the body.")
        }
        CommitError::ClaimedIdExists => say(
            Status::CONFLICT,
            Code::Conflict,
            "The id in the body exists already, but does not match the condition.",
        ),
        CommitError::Store(error) => store(error),
    }
}

fn store(error: &charta_store::Error) -> Verdict {
    match error {
        charta_store::Error::Full { .. } => {
            say(StatusCode::INSUFFICIENT_STORAGE, IssueCode::NoStore, "The store has no space left.")
        }
        error if error.is_transient() => {
            say(StatusCode::SERVICE_UNAVAILABLE, IssueCode::Transient, "The store cannot be used now.")
        }
        _ => say(StatusCode::INTERNAL_SERVER_ERROR, IssueCode::Exception, "The stored content is damaged."),
    }
}

fn body(error: &IngestError) -> Verdict {
    use IssueCode as Code;
    use StatusCode as Status;
    match error {
        IngestError::NoType => {
            say(Status::UNSUPPORTED_MEDIA_TYPE, Code::NotSupported, "A document needs a Content-Type.")
        }
        IngestError::UnsupportedType(text) => {
            say(Status::UNSUPPORTED_MEDIA_TYPE, Code::NotSupported, format!("{text}."))
        }
        IngestError::UnsupportedCoding => say(
            Status::UNSUPPORTED_MEDIA_TYPE,
            Code::NotSupported,
            format!("The body may be coded by one of these: {}.", coding::SUPPORTED),
        ),
        IngestError::TooLarge { limit_bytes } => say(
            Status::PAYLOAD_TOO_LARGE,
            Code::TooLong,
            format!("A document may have at most {limit_bytes} bytes here."),
        ),
        IngestError::Empty => say(Status::BAD_REQUEST, Code::Required, "A document has at least one byte."),
        IngestError::Resource(error) => resource(error),
        IngestError::Slow => say(Status::REQUEST_TIMEOUT, Code::Timeout, "The body arrived too slowly."),
        IngestError::Broken(_) => {
            say(Status::BAD_REQUEST, Code::Structure, "The body ended early or cannot be decoded.")
        }
        IngestError::Store(error) => store(error),
    }
}

fn resource(error: &ResourceError) -> Verdict {
    let (status, code) = match error.kind {
        ReadErrorKind::Structure => (StatusCode::BAD_REQUEST, IssueCode::Structure),
        ReadErrorKind::Required => (StatusCode::BAD_REQUEST, IssueCode::Required),
        ReadErrorKind::CodeInvalid => (StatusCode::UNPROCESSABLE_ENTITY, IssueCode::CodeInvalid),
        ReadErrorKind::TooCostly => (StatusCode::BAD_REQUEST, IssueCode::TooCostly),
        ReadErrorKind::NotBinary | ReadErrorKind::Value => (StatusCode::BAD_REQUEST, IssueCode::Value),
    };
    let mut verdict = say(status, code, error.message.clone());
    verdict.expression = Some(error.expression.clone());
    verdict
}

impl From<NotAcceptable> for Refusal {
    fn from(reason: NotAcceptable) -> Self {
        Self::NotAcceptable(reason)
    }
}

impl From<charta_store::Error> for Refusal {
    fn from(error: charta_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<SearchError> for Refusal {
    fn from(error: SearchError) -> Self {
        Self::Search(error)
    }
}

impl From<IngestError> for Refusal {
    fn from(error: IngestError) -> Self {
        Self::Body(error)
    }
}

impl From<InvalidReference> for Refusal {
    fn from(_: InvalidReference) -> Self {
        Self::SecurityContext("X-Security-Context is not a reference of the form Type/id.")
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::NotFound,
            ReadError::Gone { version, .. } => Self::Gone { version },
            ReadError::Forbidden => Self::Forbidden,
            ReadError::Store(error) => Self::Store(error),
        }
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Forbidden => Self::Forbidden,
            WriteError::Commit(error) => Self::Commit(error),
        }
    }
}
