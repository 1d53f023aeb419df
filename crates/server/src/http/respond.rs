//! The last stage: a document that was found becomes an answer, in the form that was chosen.
//! ETag, Range, coding and the headers that keep hostile content inert.
//!
//! Clause: FHIR R4 binary.html#rest
//! Clause: RFC 9110 13
//! Clause: RFC 9110 14

use std::sync::Arc;

use bytes::Bytes;
use charta_fhir::{
    negotiate::{Chosen, FhirType},
    represent,
};
use charta_model::{ContentFacts, Document};
use charta_store::{Content, Stored};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::{
    answer::{Answer, Body},
    body::{AnswerBody, Segment},
    call::Call,
    coding::{self, Coding},
    compress, disposition,
    outcome::Refusal,
    precondition, range,
};

/// Answers with one version of a document.
///
/// # Errors
/// 406 if the client takes no form of it, 416, or the store's error.
pub async fn document(call: &Call<'_>, stored: &Arc<Stored>) -> Result<Answer, Refusal> {
    let Some(facts) = stored.document.content() else {
        let fhir_type = call.wanted.resource()?;
        return Box::pin(resource(call, stored, &fhir_type)).await;
    };
    match call.wanted.choose(&facts.content_type)? {
        Chosen::Native => native(call, stored, facts).await,
        Chosen::Resource(fhir_type) => resource(call, stored, &fhir_type).await,
    }
}

/// The bytes as they are.
async fn native(call: &Call<'_>, stored: &Stored, facts: &ContentFacts) -> Result<Answer, Refusal> {
    let document = &stored.document;
    let ranged = call.method == Method::GET && call.headers.contains_key(header::RANGE);
    let text_like = coding::is_text_like(&facts.content_type);
    let coding = match ranged {
        true => None,
        false => Coding::for_answer(call.headers, text_like, facts.size_bytes),
    };
    let etag = precondition::strong_etag(document.version, coding.map(Coding::name));
    let mut headers = HeaderMap::with_capacity(20);
    versioned(&mut headers, document, &etag);
    if not_modified(call, document) {
        return Ok(unmodified(headers));
    }
    let ranges = match ranged && if_range_holds(call, document, &etag) {
        true => range::parse(call.header(&header::RANGE).unwrap_or_default(), facts.size_bytes),
        false => range::Ranges::Whole,
    };
    let ranges = match ranges {
        range::Ranges::Whole => Vec::new(),
        range::Ranges::Satisfiable(ranges) => ranges,
        // Before the content is opened, which may be far away.
        range::Ranges::Unsatisfiable => {
            return Err(Refusal::RangeNotSatisfiable { size_bytes: facts.size_bytes });
        }
    };
    let content = call.lookup().content(stored).await?;
    begin(call, &content, ranges.first().cloned().unwrap_or(0..facts.size_bytes)).await?;
    native_headers(call, &mut headers, document, facts, &content).await?;
    if let Some(coding) = coding {
        return Ok(compress::answer(call, headers, AnswerBody::of([whole(&content)]), coding));
    }
    let (status, body) = match &ranges[..] {
        [] => (StatusCode::OK, AnswerBody::of([whole(&content)])),
        [one] => {
            let span = format!("bytes {}-{}/{}", one.start, one.end - 1, facts.size_bytes);
            headers.insert(header::CONTENT_RANGE, value(&span));
            (StatusCode::PARTIAL_CONTENT, AnswerBody::of([Segment::Raw(content, one.clone())]))
        }
        _ => (StatusCode::PARTIAL_CONTENT, several_ranges(&mut headers, &content, facts, &ranges)),
    };
    Ok(with_body(call, status, headers, body))
}

/// Has the first bytes of a body fetched before its status is sent, if they come from another machine: what is not
/// there now can still be answered as such. An answer to HEAD needs none.
async fn begin(call: &Call<'_>, content: &Content, range: std::ops::Range<u64>) -> Result<(), Refusal> {
    if call.method != Method::HEAD {
        content.begin(range).await?;
    }
    Ok(())
}

/// The same for the first of several contents, which is read as a whole.
///
/// # Errors
/// The store's.
pub async fn begin_first(call: &Call<'_>, contents: &[Content]) -> Result<(), Refusal> {
    match contents.first() {
        Some(first) => begin(call, first, 0..first.size_bytes()).await,
        None => Ok(()),
    }
}

fn whole(content: &Content) -> Segment {
    Segment::Raw(content.clone(), 0..content.size_bytes())
}

fn several_ranges(
    headers: &mut HeaderMap,
    content: &Content,
    facts: &ContentFacts,
    ranges: &[std::ops::Range<u64>],
) -> AnswerBody {
    let boundary = crate::clock::fresh_uuid();
    let stored_type = facts.content_type.as_str();
    let multipart = range::Multipart::new(ranges, facts.size_bytes, stored_type, &boundary);
    headers.insert(header::CONTENT_TYPE, value(&multipart.content_type));
    let parts = multipart
        .parts
        .into_iter()
        .flat_map(|(head, range)| [Segment::Text(head.into()), Segment::Raw(content.clone(), range)]);
    AnswerBody::of(parts.chain([Segment::Text(multipart.end.into())]))
}

/// The resource form.
async fn resource(call: &Call<'_>, stored: &Stored, fhir_type: &FhirType) -> Result<Answer, Refusal> {
    let document = &stored.document;
    let mut headers = HeaderMap::with_capacity(16);
    versioned(&mut headers, document, &precondition::weak_etag(document.version));
    if not_modified(call, document) {
        return Ok(unmodified(headers));
    }
    let subset = call.subset()?;
    let contents = match document.content() {
        Some(_) if !subset.drops_content(call.version()) => vec![call.lookup().content(stored).await?],
        _ => Vec::new(),
    };
    begin_first(call, &contents).await?;
    let node = represent::shown(document, call.version(), &subset, call.base(), 0);
    let node = node.ok_or_else(|| other_version(document))?;
    if call.version() == charta_fhir::Version::Dstu2 {
        let place = call.versioned_url(document);
        headers.insert(header::CONTENT_LOCATION, value(&place));
    }
    headers.insert(header::CONTENT_TYPE, value(&fhir_type.content_type));
    let pieces = represent::write(node, call.version(), fhir_type.format, call.pretty);
    let body = AnswerBody::resource(pieces, &contents);
    Ok(fhir_body(call, StatusCode::OK, headers, body))
}

/// The refusal of what is there, but not in this version.
pub fn other_version(document: &Document) -> Refusal {
    match document.source() {
        Some(source) => Refusal::OtherVersion { version: source.dialect.clone() },
        None => Refusal::NotFound,
    }
}

/// An answer in FHIR JSON or XML that is not a Binary's native form.
pub fn fhir(call: &Call<'_>, status: StatusCode, fhir_type: &FhirType, node: &charta_fhir::Node) -> Answer {
    fhir_with(call, status, fhir_type, node.clone(), &[])
}

/// The same, with contents for the places that `node` keeps for them.
pub fn fhir_with(
    call: &Call<'_>,
    status: StatusCode,
    fhir_type: &FhirType,
    node: charta_fhir::Node,
    contents: &[Content],
) -> Answer {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CONTENT_TYPE, value(&fhir_type.content_type));
    let pieces = represent::write(node, call.version(), fhir_type.format, call.pretty);
    fhir_body(call, status, headers, AnswerBody::resource(pieces, contents))
}

fn fhir_body(call: &Call<'_>, status: StatusCode, mut headers: HeaderMap, body: AnswerBody) -> Answer {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    match Coding::for_answer(call.headers, true, body.remaining()) {
        Some(coding) if status == StatusCode::OK => compress::answer(call, headers, body, coding),
        _ => with_body(call, status, headers, body),
    }
}

/// Puts an answer together; its length is known. An answer to HEAD keeps the length and loses the body.
pub fn with_body(call: &Call<'_>, status: StatusCode, mut headers: HeaderMap, body: AnswerBody) -> Answer {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.remaining()));
    let body = match call.method == Method::HEAD {
        true => AnswerBody::default(),
        false => body.through(call.outbox.clone()),
    };
    answer(status, headers, body)
}

/// An answer without a body.
pub fn empty(status: StatusCode, headers: HeaderMap) -> Answer {
    answer(status, headers, AnswerBody::default())
}

pub(super) fn answer(status: StatusCode, headers: HeaderMap, body: impl Into<Body>) -> Answer {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn versioned(headers: &mut HeaderMap, document: &Document, etag: &str) {
    headers.insert(header::ETAG, value(etag));
    headers.insert(header::LAST_MODIFIED, value(&http_date(document)));
}

/// `meta.lastUpdated` as HTTP writes it, fractions of a second cut off.
pub fn http_date(document: &Document) -> String {
    httpdate::fmt_http_date(document.updated.into())
}

fn not_modified(call: &Call<'_>, document: &Document) -> bool {
    precondition::not_modified(call.headers, document.version, document.updated.as_second())
}

fn unmodified(headers: HeaderMap) -> Answer {
    empty(StatusCode::NOT_MODIFIED, headers)
}

fn if_range_holds(call: &Call<'_>, document: &Document, etag: &str) -> bool {
    call.header(&header::IF_RANGE).is_none_or(|given| {
        let date = (document.version == 1).then(|| document.updated.as_second());
        range::if_range_holds(given, etag, date)
    })
}

async fn native_headers(
    call: &Call<'_>,
    headers: &mut HeaderMap,
    document: &Document,
    facts: &ContentFacts,
    content: &Content,
) -> Result<(), Refusal> {
    static SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");
    static REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
    let media_type = &facts.content_type;
    headers.insert(header::CONTENT_TYPE, value(media_type.as_str()));
    if let Some(start) = first_bytes(call, facts, content).await? {
        let shown = disposition::disposition(&document.id, media_type, &start);
        headers.insert(header::CONTENT_DISPOSITION, value(&shown));
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(REPR_DIGEST.clone(), value(&repr_digest(facts)));
    if let Some(context) = &facts.security_context {
        headers.insert(SECURITY_CONTEXT.clone(), value(context.as_str()));
    }
    if call.version() == charta_fhir::Version::Dstu2 {
        let place = call.versioned_url(document);
        headers.insert(header::CONTENT_LOCATION, value(&place));
    }
    // A sandbox without scripts and an origin of its own, whatever the bytes turn out to be.
    let policy = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(())
}

/// What a document begins with, if that decides how it is shown. `None` if only another machine can tell, and the
/// content itself is not asked for: HEAD may leave out what is found out while content is made (RFC 9110 9.3.2).
async fn first_bytes(
    call: &Call<'_>,
    facts: &ContentFacts,
    content: &Content,
) -> Result<Option<Bytes>, Refusal> {
    if !disposition::looks_at_bytes(&facts.content_type) {
        return Ok(Some(Bytes::new()));
    }
    let start = 0..facts.size_bytes.min(disposition::MAGIC_BYTES);
    if content.is_remote() && call.method == Method::HEAD {
        return Ok(content.read_now(start).transpose()?);
    }
    Ok(Some(content.read(start).await?))
}

/// Clause: RFC 9530 3
fn repr_digest(facts: &ContentFacts) -> String {
    let digest: String = base64_simd::STANDARD.encode_type(facts.digest.as_bytes());
    format!("sha-256=:{digest}:")
}

/// A header value of text that is visible ASCII by construction: ids, numbers, media types,
/// references. Anything else becomes empty rather than a broken answer.
pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
