//! The part that create and update share: from a request's body and headers to the new state of a
//! document, and from what the store did to the answer.

use charta_fhir::{
    represent::{self, Issue, IssueCode, Severity},
    search::{self, Purpose},
};
use charta_model::{Document, NewState, Query, Reference, ResourceId, WriteOutcome};
use charta_store::Uploaded;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;

use super::prefer::{self, Return};
use crate::http::{
    answer::Answer,
    call::Call,
    ingest::{Ingested, ingest},
    outcome::Refusal,
    precondition, respond,
};

static X_SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");
static PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a body and its headers ask to be stored.
pub struct Submitted {
    /// The bytes, on stable storage.
    pub content: Uploaded,
    /// All else.
    pub state: NewState,
    /// The id inside the body: `None` if there is none, or if the body is no resource at all.
    pub claimed_id: Option<ResourceId>,
    /// Whether the body was a Binary resource.
    pub is_resource: bool,
}

/// Takes in the body of a create or update.
///
/// # Errors
/// Those of [`ingest`]; 400 and 422 for what contradicts itself.
pub async fn submitted(call: &Call<'_>, body: Incoming) -> Result<Submitted, Refusal> {
    let named = security_context_header(call)?;
    check_versions(call)?;
    let limits = &call.app.config.limits;
    let taken = ingest(&call.app.service, limits, call.version(), call.headers, body).await?;
    let Ingested { content, content_type, resource } = taken;
    let is_resource = resource.is_some();
    let mut state =
        NewState { content_type, security_context: named, labels: Default::default(), source: None };
    let mut claimed_id = None;
    if let Some(resource) = resource {
        if resource.subsetted {
            return Err(Refusal::Subsetted);
        }
        let inside = resource.security_context.map(|given| local(call, given)).transpose()?;
        if let (Some(inside), Some(named)) = (&inside, &state.security_context)
            && inside != named
        {
            let text = "X-Security-Context and the securityContext of the body differ.";
            return Err(Refusal::Contradiction(text));
        }
        state.security_context = state.security_context.or(inside);
        state.labels = resource.labels;
        state.source = resource.source;
        claimed_id = resource.id;
    }
    Ok(Submitted { content, state, claimed_id, is_resource })
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
pub fn criteria(call: &Call<'_>, parameters: &[(String, String)]) -> Result<Query, Refusal> {
    let own = ["_format", "_pretty", "_method"];
    let criteria: Vec<_> =
        parameters.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    Ok(search::binary(call.version(), &criteria, Purpose::Criteria)?.query)
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
    let with_location = matches!(outcome, WriteOutcome::Created(_) | WriteOutcome::Existing(_));
    let wanted = prefer::returned(call.headers);
    let mut answer = match wanted {
        Some(Return::Representation) => representation(call, document).await?,
        Some(Return::Outcome) if call.version() != charta_fhir::Version::Dstu2 => {
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
    if let Some(applied) = wanted.and_then(applied) {
        headers.insert(PREFERENCE_APPLIED.clone(), HeaderValue::from_static(applied));
    }
    Ok(answer)
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
    let place = call.versioned_url(&document.id, document.version);
    if with_location {
        headers.insert(header::LOCATION, respond::value(&place));
    }
    if call.version() == charta_fhir::Version::Dstu2 {
        headers.insert(header::CONTENT_LOCATION, respond::value(&place));
    }
    if !headers.contains_key(header::ETAG) {
        headers.insert(header::ETAG, respond::value(&precondition::weak_etag(document.version)));
    }
    headers.insert(header::LAST_MODIFIED, respond::value(&respond::http_date(document)));
}

/// What a read of the new version would give, conditions and ranges of the write left aside.
async fn representation(call: &Call<'_>, document: &Document) -> Result<Answer, Refusal> {
    let stored = call.lookup().vread(&document.id, document.version).await?;
    let mut headers = call.headers.clone();
    for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::RANGE, header::IF_RANGE] {
        headers.remove(name);
    }
    let read = call.as_read(&headers, Method::GET);
    respond::document(&read, &stored).await
}
