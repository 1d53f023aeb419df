//! Every refusal: its status and its OperationOutcome. The only place that knows either, so that a
//! status can be looked up here, whoever refused. Two readers: the client gets a safe sentence and a
//! request id; the log gets the cause, once, from here.
//!
//! Where texts leave the status open, docs/decisions/0001-endpoints-and-profiles.md has what holds.
//!
//! Clause: FHIR R4 http.html#ops

use std::borrow::Cow;

use charta_ccd::view::ViewError;
use charta_fhir::{
    Node, Profile, Version,
    negotiate::NotAcceptable,
    parse::{ReadError as ResourceError, ReadErrorKind},
    patch::PatchError,
    represent::{self, Issue, IssueCode, Severity},
    search::SearchError,
};
use charta_model::InvalidReference;
use charta_service::{ReadError, WriteError};
use charta_store::CommitError;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    answer::Answer,
    body::AnswerBody,
    call::Call,
    client::{Client, Throttled},
    coding,
    ingest::IngestError,
    interaction::{Broken, ParameterFault},
    needed, respond,
    smart::TokenError,
};
use crate::intake::IntakeError;

/// Why a request is refused.
#[derive(Debug)]
pub enum Refusal {
    /// No token, or none that counts here.
    Unauthorized(TokenError),
    /// A token that does not cover the request.
    Forbidden,
    /// The client wants more than it may have.
    Throttled {
        /// When it may try again.
        throttled: Throttled,
        /// Which client.
        client: Client,
    },
    /// The request calls this server by a name that is not its own.
    HostUnknown,
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
        allow: String,
    },
    /// The client takes no form of what there is.
    NotAcceptable(NotAcceptable),
    /// `Accept` and `Content-Type` name different FHIR versions, or the like.
    Contradiction(&'static str),
    /// A header that cannot be read.
    BadHeader(&'static str),
    /// A parameter that cannot be read or is not supported.
    Search(SearchError),
    /// A parameter of an operation.
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        fault: ParameterFault,
    },
    /// A document that is not shown as a page.
    View(ViewError),
    /// A record that is too large for one document.
    RecordTooLarge,
    /// A search that names nobody.
    SearchNeeds(String),
    /// A search that finds more than this endpoint allows.
    TooManyMatches {
        /// What it allows.
        max: u64,
    },
    /// No byte of the range exists.
    RangeNotSatisfiable {
        /// The size of the document.
        size_bytes: u64,
    },
    /// A body that is not taken.
    Body(IngestError),
    /// A resource that breaks rules: every problem.
    Resource(Vec<ResourceError>),
    /// A resource that breaks rules of the endpoint's profile: every one.
    Rules(Vec<Broken>),
    /// An update that does not say of which version.
    IfMatchNeeded,
    /// A resource, or form, without a byte.
    EmptyBody,
    /// The resource in the body is not of the type in the URL.
    TypeMismatch,
    /// What an attachment declares is not so.
    Attachment {
        /// Which attachment.
        expression: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// A patch that cannot be read or applied.
    Patch(PatchError),
    /// A patch in a format that is not read here.
    PatchFormat,
    /// An entry of a Bundle, and why it fails.
    Entry {
        /// Its number, from 0.
        index: usize,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// A Bundle that cannot be carried out.
    Bundle(&'static str),
    /// A profile that is claimed and not kept: every problem.
    Profiles(Vec<ResourceError>),
    /// A profile that is claimed and not known.
    Profile(&'static str),
    /// A conditional reference that finds nothing.
    Dangling,
    /// This type can only be read in the version that it was written in.
    OtherVersion {
        /// That version.
        version: String,
    },
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
    let mut verdict = verdict(refusal, call.version(), call.profile());
    if let (Refusal::Forbidden, Profile::CareConnect, Some(kind)) =
        (refusal, call.profile(), call.target.kind())
    {
        verdict.text = format!("Insufficient Access Rights to access {kind}.").into();
    }
    log(refusal, verdict.status, call.request_id);
    if is_without_body(call, verdict.status) {
        let mut answer = respond::with_body(call, verdict.status, HeaderMap::new(), AnswerBody::default());
        extra_headers(call, refusal, verdict.status, answer.headers_mut());
        return answer;
    }
    let issues = issues(refusal, verdict);
    let node = represent::outcome(call.version(), &issues.1, Some(call.request_id));
    let mut answer = respond::fhir(call, issues.0, &call.wanted.outcome(), &node);
    extra_headers(call, refusal, issues.0, answer.headers_mut());
    answer
}

/// Soarian answers a type that it does not know, of a resource other than Binary, with the status alone.
fn is_without_body(call: &Call<'_>, status: StatusCode) -> bool {
    call.profile() == Profile::Soarian
        && matches!(status, StatusCode::NOT_ACCEPTABLE | StatusCode::UNSUPPORTED_MEDIA_TYPE)
        && !call.target.kind().is_some_and(charta_model::ResourceType::is_binary)
}

/// The status and the OperationOutcome of an entry of a Bundle that failed alone.
#[must_use]
pub fn of_entry(call: &Call<'_>, refusal: &Refusal) -> (StatusCode, Node) {
    let verdict = verdict(refusal, call.version(), call.profile());
    log(refusal, verdict.status, call.request_id);
    let (status, issues) = issues(refusal, verdict);
    (status, represent::outcome(call.version(), &issues, Some(call.request_id)))
}

/// The issues that tell a refusal: of a resource, every problem.
fn issues(refusal: &Refusal, verdict: Verdict) -> (StatusCode, Vec<Issue>) {
    if let Refusal::Rules(broken) = refusal {
        return (verdict.status, broken.iter().map(rule).collect());
    }
    let severity = if verdict.status.is_server_error() { Severity::Fatal } else { Severity::Error };
    let (problems, prefix) = match refusal {
        Refusal::Resource(problems) | Refusal::Profiles(problems) => (problems.as_slice(), String::new()),
        Refusal::Entry { index, refusal } => match &**refusal {
            Refusal::Resource(problems) => (problems.as_slice(), format!("Bundle.entry[{index}].resource: ")),
            _ => (&[][..], String::new()),
        },
        _ => (&[][..], String::new()),
    };
    let told = |verdict: Verdict| Issue {
        severity,
        code: verdict.code,
        text: format!("{prefix}{}", verdict.text),
        diagnostics: None,
        expression: verdict.expression,
    };
    let status = verdict.status;
    let issues = match problems {
        [] => vec![told(verdict)],
        problems => problems.iter().map(|problem| told(resource(problem))).collect(),
    };
    (status, issues)
}

fn rule(broken: &Broken) -> Issue {
    Issue {
        severity: Severity::Error,
        code: broken.code,
        text: format!("{}.", broken.text),
        diagnostics: None,
        expression: Some(broken.expression.clone()),
    }
}

/// What a refusal says beside its body.
fn extra_headers(call: &Call<'_>, refusal: &Refusal, status: StatusCode, headers: &mut HeaderMap) {
    let mut insert = |name, text: &str| headers.insert(name, respond::value(text));
    match refusal {
        Refusal::Unauthorized(TokenError::Unavailable) => {}
        Refusal::Unauthorized(error) => {
            insert(header::WWW_AUTHENTICATE, &challenge(*error));
        }
        Refusal::Forbidden => {
            insert(header::WWW_AUTHENTICATE, &needed::challenge(call));
        }
        Refusal::Throttled { throttled, .. } => {
            insert(header::RETRY_AFTER, &throttled.retry_after_seconds.to_string());
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

/// What a caller is told of its token: what it should do, not what is wrong with it.
///
/// Clause: RFC 6750 3.1
fn challenge(error: TokenError) -> String {
    let what = match error {
        // Who shows none is not told of an error.
        TokenError::Missing | TokenError::Unavailable => return "Bearer realm=\"charta\"".to_owned(),
        TokenError::Expired => "error=\"invalid_token\", error_description=\"The access token expired\"",
        TokenError::Malformed | TokenError::Invalid(_) | TokenError::WrongTenant => "error=\"invalid_token\"",
    };
    format!("Bearer realm=\"charta\", {what}")
}

fn log(refusal: &Refusal, status: StatusCode, request_id: &str) {
    if let Refusal::Internal(cause) = refusal {
        tracing::error!(request_id, cause, "a fault of this program");
    } else if let Refusal::Unauthorized(error) = refusal {
        // The words never have a part of the token in them.
        tracing::info!(request_id, cause = %error, "a caller is not known");
    } else if status.is_server_error() {
        tracing::error!(request_id, status = status.as_u16(), cause = ?refusal, "request failed");
    }
}

fn verdict(refusal: &Refusal, version: Version, profile: Profile) -> Verdict {
    use IssueCode as Code;
    use StatusCode as Status;
    match refusal {
        Refusal::Unauthorized(TokenError::Unavailable) => {
            say(Status::SERVICE_UNAVAILABLE, Code::Transient, "Access tokens cannot be checked now.")
        }
        Refusal::Unauthorized(_) if profile == Profile::Soarian => {
            say(Status::UNAUTHORIZED, Code::Unknown, "A valid access token is needed.")
        }
        Refusal::Unauthorized(_) => say(Status::UNAUTHORIZED, Code::Login, "A valid access token is needed."),
        Refusal::Forbidden if profile == Profile::Soarian => {
            say(Status::FORBIDDEN, Code::Security, "The access token does not cover this request.")
        }
        Refusal::Forbidden if profile == Profile::CareConnect => {
            say(Status::FORBIDDEN, Code::Forbidden, "Insufficient Access Rights.")
        }
        Refusal::Forbidden => {
            say(Status::FORBIDDEN, Code::Forbidden, "The access token does not cover this request.")
        }
        Refusal::HostUnknown => say(
            Status::MISDIRECTED_REQUEST,
            Code::Forbidden,
            "This server is not called by the name in Host; its operator can add it to hosts.",
        ),
        Refusal::Throttled { .. } => {
            say(Status::TOO_MANY_REQUESTS, Code::Throttled, "Too many requests; try again later.")
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
        Refusal::Parameter { name, fault } => say(Status::BAD_REQUEST, fault.code(), fault.text(name)),
        Refusal::View(error) => view(*error),
        Refusal::RecordTooLarge => {
            say(Status::BAD_REQUEST, Code::TooCostly, "The record is too large for one document.")
        }
        Refusal::SearchNeeds(_) if profile == Profile::Millennium => {
            say(Status::BAD_REQUEST, Code::Required, "no supported search parameters provided")
        }
        Refusal::SearchNeeds(names) => {
            say(Status::BAD_REQUEST, Code::Required, format!("[{names}] is required and is missing."))
        }
        Refusal::TooManyMatches { max } => say(
            Status::BAD_REQUEST,
            Code::BusinessRule,
            format!("More than {max} search results qualify. Narrow the search down."),
        ),
        Refusal::Rules(_) => say(
            Status::UNPROCESSABLE_ENTITY,
            Code::BusinessRule,
            "The resource breaks rules of this endpoint.",
        ),
        Refusal::IfMatchNeeded => say(
            Status::BAD_REQUEST,
            Code::Required,
            "An update needs If-Match with the version that it replaces.",
        ),
        Refusal::RangeNotSatisfiable { .. } => {
            say(Status::RANGE_NOT_SATISFIABLE, Code::Value, "The document has no byte in that range.")
        }
        Refusal::Body(error) => body(error),
        Refusal::Resource(problems) => match problems.first() {
            Some(first) => resource(first),
            None => say(Status::BAD_REQUEST, Code::Structure, "The body is not a resource."),
        },
        Refusal::EmptyBody => say(Status::BAD_REQUEST, Code::Required, "The request needs a body."),
        Refusal::TypeMismatch => {
            say(Status::BAD_REQUEST, Code::Invalid, "The resource in the body is not of the type in the URL.")
        }
        Refusal::Attachment { expression, reason } => {
            let mut verdict = say(Status::UNPROCESSABLE_ENTITY, Code::Value, format!("{reason}."));
            verdict.expression = Some(expression.clone());
            verdict
        }
        Refusal::Patch(error) => patch(error),
        Refusal::PatchFormat => say(
            Status::UNSUPPORTED_MEDIA_TYPE,
            Code::NotSupported,
            "A patch is a JSON Patch or, from R4 on, a Parameters resource.",
        ),
        Refusal::Entry { index, refusal } => {
            let mut verdict = verdict(refusal, version, profile);
            verdict.text = format!("Bundle.entry[{index}]: {}", verdict.text).into();
            verdict
        }
        Refusal::Bundle(text) => say(Status::BAD_REQUEST, Code::Invalid, *text),
        Refusal::Profiles(_) | Refusal::Profile(_) => say(
            Status::UNPROCESSABLE_ENTITY,
            Code::BusinessRule,
            match refusal {
                Refusal::Profile(text) => text,
                _ => "The resource does not keep the profile that it claims.",
            },
        ),
        Refusal::Dangling => {
            say(Status::BAD_REQUEST, Code::NotFound, "A conditional reference finds no resource.")
        }
        Refusal::OtherVersion { version } => say(
            Status::NOT_FOUND,
            Code::NotSupported,
            format!("This resource can be read in FHIR {version} only, in which it was written."),
        ),
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

fn view(error: ViewError) -> Verdict {
    let (status, code) = match error {
        // There is no page of it that any Accept could ask for.
        ViewError::NotCda => (StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported),
        ViewError::TooLarge => (StatusCode::UNPROCESSABLE_ENTITY, IssueCode::TooCostly),
        ViewError::Malformed | ViewError::Encoding | ViewError::Declarations => {
            (StatusCode::UNPROCESSABLE_ENTITY, IssueCode::Processing)
        }
    };
    say(status, code, format!("{error}; it can be read as it is, without $view."))
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
        CommitError::InUse { kind, id } => say(
            Status::CONFLICT,
            Code::Conflict,
            format!(
                "{kind}/{id} names this document as its content, which never changes: store the new bytes under a \
                 new id and let {kind}/{id} name that, or mark it entered-in-error first."
            ),
        ),
        CommitError::Changed => say(
            Status::SERVICE_UNAVAILABLE,
            Code::LockError,
            "Others changed what this depends on; try again.",
        ),
        CommitError::Store(error) => store(error),
    }
}

fn store(error: &charta_store::Error) -> Verdict {
    match error {
        charta_store::Error::Full { .. } => {
            say(StatusCode::INSUFFICIENT_STORAGE, IssueCode::NoStore, "The store has no space left.")
        }
        charta_store::Error::Standstill => say(
            StatusCode::SERVICE_UNAVAILABLE,
            IssueCode::Transient,
            "The store is being moved and takes no writes for a moment; try again.",
        ),
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

fn patch(error: &PatchError) -> Verdict {
    let status = match error {
        PatchError::Malformed { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let code = match error {
        PatchError::TooCostly => IssueCode::TooCostly,
        PatchError::Malformed { .. } => IssueCode::Structure,
        _ => IssueCode::Processing,
    };
    say(status, code, format!("{error}."))
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::Unauthorized(error)
    }
}

impl From<PatchError> for Refusal {
    fn from(error: PatchError) -> Self {
        Self::Patch(error)
    }
}

impl From<IntakeError> for Refusal {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Problems(problems) => Self::Resource(problems),
            IntakeError::Attachment { expression, reason } => Self::Attachment { expression, reason },
            IntakeError::TooLarge { limit_bytes } => Self::Body(IngestError::TooLarge { limit_bytes }),
            IntakeError::Subsetted => Self::Subsetted,
            IntakeError::SecurityContext => {
                Self::SecurityContext("The security context must be a resource of this server.")
            }
            IntakeError::Store(error) => Self::Store(error),
        }
    }
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
            WriteError::NotFound => Self::NotFound,
            WriteError::Names => Self::SecurityContext(
                "The resource names a document, as content or as security context, that is not there.",
            ),
            WriteError::Commit(error) => Self::Commit(error),
        }
    }
}
