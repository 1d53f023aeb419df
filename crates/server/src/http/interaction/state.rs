//! The part that create and update share: from a request's body and headers to the new state of a
//! document, and from what the store did to the answer.

use std::collections::HashMap;

use charta_fhir::{
    Node, Profile, Version,
    negotiate::Chosen,
    represent::{self, Issue, IssueCode, Severity},
    search::{self, Among, Purpose},
};
use charta_model::{
    Document, Intent, NewContent, NewState, Query, Reference, ResourceId, ResourceType, VersionMatch, Write,
    WriteOutcome,
};
use charta_store::Uploaded;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::{
    prefer::{self, Return},
    resource_body,
    rules::write::Rules,
};
use crate::http::request_body::RequestBody;
use crate::{
    http::{
        answer::Answer,
        audit,
        call::Call,
        ingest::{Ingested, ingest},
        outcome::Refusal,
        precondition, respond,
    },
    intake::{Facts, Intake, Prepared},
};

static X_SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");
static PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a body and its headers ask to be stored.
pub struct Submitted {
    /// The bytes of a Binary, on stable storage.
    pub content: Option<Uploaded>,
    /// All else.
    pub state: NewState,
    /// Binaries that were inside, to be stored together with it.
    pub binaries: Vec<(Write, Uploaded)>,
    /// The id inside the body: `None` if there is none, or if the body is no resource at all.
    pub claimed_id: Option<ResourceId>,
    /// Whether the body was a resource.
    pub is_resource: bool,
}

/// On which state of the document a write depends.
#[derive(Default)]
pub struct Conditions {
    /// Only if the current version is one of these.
    pub if_match: Option<VersionMatch>,
    /// Only if the current version is none of these.
    pub if_none_match: Option<VersionMatch>,
}

impl Conditions {
    /// Those of a request.
    ///
    /// # Errors
    /// `If-Match` that cannot be read must not be taken for none.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let malformed = "If-Match is not a list of version tags such as W/\"3\".";
        Ok(Self {
            if_match: precondition::if_match(headers).map_err(|_| Refusal::BadHeader(malformed))?,
            if_none_match: precondition::if_none_match(headers),
        })
    }
}

/// Takes in the body of a create or update of the document `id`, which keeps to `rules`.
///
/// # Errors
/// Those of [`ingest`] and [`resource_body`]; 400 and 422 for what contradicts itself or breaks a rule.
pub async fn submitted(
    call: &Call<'_>,
    kind: &ResourceType,
    id: &ResourceId,
    rules: &Rules,
    body: RequestBody,
) -> Result<Submitted, Refusal> {
    if kind.is_binary() {
        check_versions(call)?;
        return binary(call, body).await;
    }
    let mut resource = resource(call, kind, body).await?;
    rules.apply(call, &mut resource)?;
    prepared(call, resource, id).await
}

/// The resource of this type in the body, checked.
///
/// # Errors
/// Those of [`resource_body`]; 400 for another type.
pub async fn resource(call: &Call<'_>, kind: &ResourceType, body: RequestBody) -> Result<Node, Refusal> {
    check_versions(call)?;
    let resource = resource_body::read(call, body).await?;
    match charta_fhir::resource::type_of(&resource) == Some(kind.as_str()) {
        true => Ok(resource),
        false => Err(Refusal::TypeMismatch),
    }
}

/// What a checked resource asks to be stored.
///
/// # Errors
/// Those of [`crate::intake`].
pub async fn prepared(call: &Call<'_>, resource: Node, id: &ResourceId) -> Result<Submitted, Refusal> {
    let prepared = prepared_with(call, resource, id, &HashMap::new()).await?;
    let Prepared { claimed, state, content, binaries, .. } = prepared;
    Ok(Submitted { content, state, binaries, claimed_id: claimed, is_resource: true })
}

/// The same, beside Binaries that are to be stored together with it.
///
/// # Errors
/// Those of [`crate::intake`].
pub async fn prepared_with(
    call: &Call<'_>,
    resource: Node,
    id: &ResourceId,
    beside: &HashMap<ResourceId, Facts>,
) -> Result<Prepared, Refusal> {
    prepared_in(call, call.version(), resource, id, beside).await
}

/// The same of a resource in any version.
///
/// # Errors
/// Those of [`crate::intake`].
pub async fn prepared_in(
    call: &Call<'_>,
    version: Version,
    resource: Node,
    id: &ResourceId,
    beside: &HashMap<ResourceId, Facts>,
) -> Result<Prepared, Refusal> {
    let local = |url: &str| call.app.local_part(url, call.tenant).map(str::to_owned);
    let intake = Intake {
        service: &call.app.service,
        tenant: call.tenant,
        grant: &call.grant,
        version,
        document_bytes_max: call.app.config.limits.document_bytes,
        now: call.now,
        local: &local,
        beside,
    };
    Ok(intake.prepare(resource, id).await?)
}

async fn binary(call: &Call<'_>, body: RequestBody) -> Result<Submitted, Refusal> {
    let named = security_context_header(call)?;
    let limits = &call.app.config.limits;
    let taken = ingest(&call.app.service, limits, call.version(), call.headers, body).await?;
    let Ingested { content, content_type, resource } = taken;
    let is_resource = resource.is_some();
    let mut facts = NewContent { content_type, security_context: named };
    let mut state = NewState::default();
    let mut claimed_id = None;
    if let Some(resource) = resource {
        if resource.subsetted {
            return Err(Refusal::Subsetted);
        }
        let inside = resource.security_context.map(|given| local(call, given)).transpose()?;
        if let (Some(inside), Some(named)) = (&inside, &facts.security_context)
            && inside != named
        {
            let text = "X-Security-Context and the securityContext of the body differ.";
            return Err(Refusal::Contradiction(text));
        }
        facts.security_context = facts.security_context.or(inside);
        state.labels = resource.labels;
        state.source = resource.source;
        claimed_id = resource.id;
    }
    state.content = Some(facts);
    Ok(Submitted { content: Some(content), state, binaries: Vec::new(), claimed_id, is_resource })
}

/// Carries out a create or update, together with the Binaries that were inside, and answers it.
///
/// # Errors
/// The condition that did not hold, or the store's error.
pub async fn carry_out(
    call: &Call<'_>,
    kind: &ResourceType,
    intent: Intent,
    conditions: Conditions,
    submitted: Submitted,
) -> Result<Answer, Refusal> {
    let Submitted { content, state, binaries, .. } = submitted;
    let Conditions { if_match, if_none_match } = conditions;
    let write = Write { kind: kind.clone(), intent, if_match, if_none_match, state: Some(state) };
    let service = &call.app.service;
    if binaries.is_empty() {
        let outcome = service.write(call.tenant, &call.grant, write, content, call.now).await?;
        return written(call, outcome).await;
    }
    let inside = binaries.into_iter().map(|(write, content)| (write, Some(content)));
    let writes = inside.chain([(write, content)]).collect();
    let outcomes = service.transact(call.tenant, &call.grant, writes, Vec::new(), call.now).await;
    let mut outcomes = outcomes.map_err(|(_, error)| error)?;
    written(call, outcomes.pop().ok_or(Refusal::Internal("a transaction without outcome"))?).await
}

fn security_context_header(call: &Call<'_>) -> Result<Option<Reference>, Refusal> {
    let Some(value) = call.headers.get(&X_SECURITY_CONTEXT) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refusal::BadHeader("X-Security-Context is not visible ASCII."))?;
    local(call, Reference::new(text)?).map(Some)
}

/// A reference as it is stored: relative. One to another server cannot guard anything here.
fn local(call: &Call<'_>, given: Reference) -> Result<Reference, Refusal> {
    let text = given.as_str();
    if !text.contains(':') {
        return Ok(given);
    }
    let relative = call.app.local_part(text, call.tenant);
    relative
        .and_then(|relative| Reference::new(relative).ok())
        .ok_or(Refusal::SecurityContext("The security context must be a resource of this server."))
}

/// `Accept` and `Content-Type` must not name two versions.
///
/// Clause: FHIR R4 http.html#version-parameter
fn check_versions(call: &Call<'_>) -> Result<(), Refusal> {
    let version = |name| {
        let text = call.header(name)?;
        let at = text.find("fhirVersion=")? + "fhirVersion=".len();
        text[at..].trim_start_matches('"').split(['"', ';', ',', ' ']).next()
    };
    match (version(&header::ACCEPT), version(&header::CONTENT_TYPE)) {
        (Some(accept), Some(body)) if accept != body => {
            Err(Refusal::Contradiction("Accept and Content-Type name different FHIR versions."))
        }
        _ => Ok(()),
    }
}

/// The criteria of a conditional write: `If-None-Exist`, or the parameters of the URL.
///
/// # Errors
/// If there are none that narrow anything down.
pub fn criteria(
    call: &Call<'_>,
    kind: &ResourceType,
    parameters: &[(String, String)],
) -> Result<Query, Refusal> {
    let own = ["_format", "_pretty", "_method"];
    let criteria: Vec<_> =
        parameters.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    let bases = call.bases();
    let among = Among { version: call.version(), kinds: std::slice::from_ref(kind), bases: &bases };
    Ok(search::resources(among, &criteria, Purpose::Criteria)?.query)
}

/// The answer to a write that was carried out.
///
/// # Errors
/// Those of a read, if a representation was asked for.
pub async fn written(call: &Call<'_>, outcome: WriteOutcome) -> Result<Answer, Refusal> {
    let (status, document) = match &outcome {
        WriteOutcome::Created(document) => (StatusCode::CREATED, document),
        WriteOutcome::Updated(document)
        | WriteOutcome::Unchanged(document)
        | WriteOutcome::Existing(document) => (StatusCode::OK, document),
        WriteOutcome::Deleted(_) | WriteOutcome::NothingToDelete => {
            return Err(Refusal::Internal("a deletion came out of a create or update"));
        }
    };
    audit::written(call, document).await;
    let with_location = matches!(outcome, WriteOutcome::Created(_) | WriteOutcome::Existing(_));
    let wanted = prefer::returned(call.headers);
    // Clients rely on it to learn the id; bytes that they have just sent they need not have back.
    let shows_by_default =
        wanted.is_none() && is_read_as_resource(call, document) && call.profile() == Profile::Standard;
    let mut answer = match wanted {
        _ if shows_by_default => representation(call, document).await?,
        Some(Return::Representation) => representation(call, document).await?,
        Some(Return::Outcome) if call.version() != Version::Dstu2 => {
            let issue = Issue {
                severity: Severity::Information,
                code: IssueCode::Informational,
                text: "Stored.".to_owned(),
                diagnostics: None,
                expression: None,
            };
            let node = represent::outcome(call.version(), &[issue], Some(call.request_id));
            respond::fhir(call, status, &call.wanted.outcome(), &node)
        }
        _ => respond::with_body(call, status, HeaderMap::new(), Default::default()),
    };
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    stored_headers(call, headers, document, with_location);
    if call.profile() == Profile::Millennium {
        let created = matches!(outcome, WriteOutcome::Created(_));
        millennium_headers(call, headers, document, created);
    }
    if let Some(applied) = wanted.and_then(applied) {
        headers.insert(PREFERENCE_APPLIED.clone(), HeaderValue::from_static(applied));
    }
    Ok(answer)
}

/// Whether a read would give the client a resource, and not the bytes of a document.
fn is_read_as_resource(call: &Call<'_>, document: &Document) -> bool {
    document
        .content()
        .is_none_or(|facts| matches!(call.wanted.choose(&facts.content_type), Ok(Chosen::Resource(_))))
}

const fn applied(wanted: Return) -> Option<&'static str> {
    match wanted {
        Return::Minimal => Some("return=minimal"),
        Return::Representation => Some("return=representation"),
        Return::Outcome => None,
    }
}

/// Headers of the version that is now the current one.
fn stored_headers(call: &Call<'_>, headers: &mut HeaderMap, document: &Document, with_location: bool) {
    let place = call.versioned_url(document);
    if with_location {
        headers.insert(header::LOCATION, respond::value(&place));
    }
    if call.version() == Version::Dstu2 {
        headers.insert(header::CONTENT_LOCATION, respond::value(&place));
    }
    if !headers.contains_key(header::ETAG) {
        headers.insert(header::ETAG, respond::value(&precondition::weak_etag(document.version)));
    }
    headers.insert(header::LAST_MODIFIED, respond::value(&respond::http_date(document)));
}

/// Its clients know a document without its versions, and a type even where nothing follows.
fn millennium_headers(call: &Call<'_>, headers: &mut HeaderMap, document: &Document, created: bool) {
    if headers.contains_key(header::LOCATION) {
        headers.insert(header::LOCATION, respond::value(&call.url(document)));
    }
    headers.remove(header::CONTENT_LOCATION);
    let content_type = match (created, call.version()) {
        (true, Version::Dstu2) => "text/html; charset=UTF-8",
        (true, _) => "text/html",
        (false, _) => "application/json+fhir",
    };
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
}

/// What a read of the new version would give, conditions and ranges of the write left aside.
///
/// # Errors
/// Those of a read.
pub async fn representation(call: &Call<'_>, document: &Document) -> Result<Answer, Refusal> {
    let stored = call.lookup().vread(&document.kind, &document.id, document.version).await?;
    let mut headers = call.headers.clone();
    for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::RANGE, header::IF_RANGE] {
        headers.remove(name);
    }
    let read = call.as_read(&headers, Method::GET);
    respond::document(&read, &stored).await
}
