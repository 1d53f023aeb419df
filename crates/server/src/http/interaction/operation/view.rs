//! `Binary/[id]/$view` and `Binary/$view`: a CDA document as a page for people, one that is stored and one that is made of a
//! patient's record. Who may see the page is who may read the document: it is found by the same door.
//!
//! The page is a Binary with the type `text/html`: a browser gets it as it is, a client that names a FHIR type gets the
//! resource. It is made anew each time and never kept.

use std::sync::LazyLock;

use charta_ccd::view::{self, View, ViewError};
use charta_fhir::{negotiate::Chosen, represent::OperationParameter};
use charta_model::{MediaType, ResourceId, ResourceType};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio::sync::Semaphore;

use super::{
    Operation, Which, autogen_ccd,
    parameters::{self, Fault, Given},
};
use crate::{
    clock,
    http::{
        answer::Answer, audit, body::AnswerBody, call::Call, coding::Coding, compress, generated,
        interaction::rules::missing_status, outcome::Refusal, precondition, respond,
    },
};

pub(super) const OF_DOCUMENT: Operation = Operation {
    which: Which::View,
    name: "view",
    kind: "Binary",
    instance: true,
    definition: "binary-view",
    title: "View",
    description: "Shows a CDA document as a page for people.",
    is_offered: autogen_ccd::is_offered,
    scopes: &["Binary.r", "DocumentReference.r", "DiagnosticReport.r"],
    affects_state: |_| false,
    parameters: |_| vec![PAGE],
};

pub(super) const OF_RECORD: Operation = Operation {
    which: Which::ViewRecord,
    name: "view",
    kind: "Binary",
    instance: false,
    definition: "binary-view-record",
    title: "ViewRecord",
    description: "Shows a patient's record as a page for people: the document that $autogen-ccd-if makes.",
    is_offered: autogen_ccd::is_offered,
    scopes: &["Binary.r", "DocumentReference.r"],
    affects_state: |_| false,
    parameters: |endpoint| {
        let mut all = autogen_ccd::taken(endpoint);
        all.retain(|parameter| parameter.direction == "in" && parameter.name != "persist");
        all.push(PAGE);
        all
    },
};

const PAGE: OperationParameter = OperationParameter {
    name: "result",
    direction: "out",
    min: 1,
    max: "1",
    kind: "Binary",
    documentation: "The page, with the type text/html.",
};

const CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// So many pages are made at a time. Each may take the memory of its document several times over.
static PAGES: Semaphore = Semaphore::const_new(4);

/// A stored document as a page.
///
/// # Errors
/// Those of a read; 406 for what is no CDA, 422 for one that is broken, too large or declares entities.
pub async fn of_document(call: &Call<'_>, id: &ResourceId, given: &Given) -> Result<Answer, Refusal> {
    parameters::check_known(call, given, &[])?;
    let found = call.lookup().read(&ResourceType::BINARY, id).await?;
    if missing_status::hides(call, &found.document) {
        return Err(Refusal::NotFound);
    }
    audit::shown(call, &found).await?;
    let chosen = chosen(call)?;
    let facts = found.document.content().ok_or(Refusal::NotFound)?;
    let size_bytes = facts.size_bytes;
    if !is_xml(&facts.content_type) {
        return Err(Refusal::View(ViewError::NotCda));
    }
    if size_bytes > view::BYTES_MAX as u64 {
        return Err(Refusal::View(ViewError::TooLarge));
    }
    let etag = precondition::weak_etag_of(&format!("{}-view{}", found.document.version, view::EDITION));
    if precondition::is_known(call.headers, &etag) {
        let headers = HeaderMap::from_iter([(header::ETAG, respond::value(&etag))]);
        return Ok(respond::empty(StatusCode::NOT_MODIFIED, headers));
    }
    let _permit = PAGES.acquire().await;
    let document = call.lookup().content(&found).await?.read(0..size_bytes).await.map_err(Refusal::Store)?;
    let native = call.url(&found.document);
    let page = made(move || view::view(&document, Some(&native))).await?;
    answer(call, &chosen, page, Some(&etag))
}

/// The record of a patient as a page.
///
/// # Errors
/// Those of `$autogen-ccd-if`; 422 for a document that is too large to be shown.
pub async fn of_record(call: &Call<'_>, given: &Given) -> Result<Answer, Refusal> {
    let asked = autogen_ccd::asked(call, given)?;
    if asked.persist {
        return Err(parameters::refused("persist", Fault::Unknown)); // a page is never kept
    }
    let content_type = autogen_ccd::content_type(CONTENT_TYPE)?;
    let (chosen, facts, request) = autogen_ccd::material(call, &asked, &content_type).await?;
    let _permit = PAGES.acquire().await;
    let page = made(move || {
        let document: String = charta_ccd::Document::new(facts, request).collect();
        view::view(document.as_bytes(), None)
    });
    answer(call, &chosen, page.await?, None)
}

fn chosen(call: &Call<'_>) -> Result<Chosen, Refusal> {
    Ok(call.wanted.choose(&autogen_ccd::content_type(CONTENT_TYPE)?)?)
}

/// Makes a page where it holds up nobody else.
async fn made(make: impl FnOnce() -> Result<View, ViewError> + Send + 'static) -> Result<View, Refusal> {
    let made = tokio::task::spawn_blocking(make).await;
    made.map_err(|_| Refusal::Internal("a page was not made"))?.map_err(Refusal::View)
}

/// Whether a document of this type can be a CDA.
fn is_xml(stored: &MediaType) -> bool {
    let essence = stored.essence();
    matches!(essence, "text/xml" | "application/xml") || essence.ends_with("+xml")
}

fn answer(call: &Call<'_>, chosen: &Chosen, page: View, etag: Option<&str>) -> Result<Answer, Refusal> {
    let id = clock::fresh_id();
    if let Chosen::Resource(_) = chosen {
        let content_type = autogen_ccd::content_type(CONTENT_TYPE)?;
        return generated::answer(call, &id, &content_type, chosen, move || [page.html].into_iter());
    }
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"document.html\""));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    if let Some(language) = &page.language {
        headers.insert(header::CONTENT_LANGUAGE, respond::value(language));
    }
    if let Some(etag) = etag {
        headers.insert(header::ETAG, respond::value(etag));
    }
    let body = AnswerBody::text(page.html);
    Ok(match Coding::for_answer(call.headers, true, body.remaining()) {
        Some(coding) => compress::answer(call, headers, body, coding),
        None => respond::with_body(call, StatusCode::OK, headers, body),
    })
}

/// What the page allows itself, in an origin of its own. The sandbox lets the document itself be saved, which the page links
/// to, and nothing else.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    respond::value(&format!("{}; frame-ancestors 'none'; sandbox allow-downloads", view::policy()))
});
