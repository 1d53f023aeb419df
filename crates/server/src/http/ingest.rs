//! The body of a request on its way into the store: limits, time limits and content codings first,
//! then the question whether it is a Binary resource or simply the bytes of a document. Memory does
//! not grow with the body: bytes go to the store while they arrive.
//!
//! A FHIR body's root may be named late (`resourceType` behind 5 GB of `data`), so until it is
//! known both readings are kept: the bytes as they are, and what the base64 in them says.

use std::{io, pin::Pin, time::Duration};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use bytes::Bytes;
use charta_fhir::{
    Version,
    parse::{BinaryReader, BinaryResource, ReadError, ReadErrorKind, Root},
};
use charta_model::MediaType;
use charta_service::Service;
use charta_store::{Upload, Uploaded};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::{
    io::AsyncRead,
    time::{Instant, timeout},
};
use tokio_util::io::{ReaderStream, StreamReader};

use super::{
    coding::Coding,
    media::{FhirBody, fhir_body},
};
use crate::config::Limits;
use crate::http::request_body::RequestBody;

/// What a body gave: bytes on stable storage, and what is known of them.
pub struct Ingested {
    /// The bytes of the document.
    pub content: Uploaded,
    /// Their type: the header's, or the one inside the Binary resource.
    pub content_type: MediaType,
    /// The Binary resource, if the body was one.
    pub resource: Option<BinaryResource>,
}

/// Why a body was not taken. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is no Content-Type.
    #[error("no Content-Type")]
    NoType,
    /// The Content-Type is malformed, or names a charset or FHIR version that is not read here.
    #[error("unsupported body type")]
    UnsupportedType(&'static str),
    /// A content coding that is not understood.
    #[error("unsupported content coding")]
    UnsupportedCoding,
    /// More bytes than the limit.
    #[error("too large")]
    TooLarge {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// No bytes at all.
    #[error("empty")]
    Empty,
    /// A Binary resource that breaks the rules.
    #[error("not a valid Binary: {0:?}")]
    Resource(ReadError),
    /// It did not arrive in time.
    #[error("body too slow")]
    Slow,
    /// It ended early or cannot be decoded.
    #[error("body broken")]
    Broken(#[source] io::Error),
    /// The store failed.
    #[error("store unavailable")]
    Store(#[from] charta_store::Error),
}

/// Takes in the body of a create or update.
///
/// # Errors
/// See [`IngestError`]; after any of them nothing is left of the body.
pub async fn ingest(
    service: &Service,
    limits: &Limits,
    version: Version,
    headers: &HeaderMap,
    body: RequestBody,
) -> Result<Ingested, IngestError> {
    let content_type = content_type(headers)?;
    let coding = Coding::of_request(headers).map_err(|_| IngestError::UnsupportedCoding)?;
    let fhir = fhir_body(&content_type, version).map_err(IngestError::UnsupportedType)?;
    let wire_bytes_max = wire_limit(limits, fhir);
    if coding.is_none() && hyper::body::Body::size_hint(&body).lower() > wire_bytes_max {
        return Err(IngestError::TooLarge { limit_bytes: limits.document_bytes });
    }
    let pieces = decoded(timed(body, limits), coding);
    let mut intake = Intake::new(service, limits, version, fhir, wire_bytes_max);
    let mut pieces = std::pin::pin!(pieces);
    while let Some(piece) = pieces.next().await {
        intake.take(piece.map_err(broken)?).await?;
    }
    intake.finish(content_type).await
}

/// A whole body, undone of its content coding, of at most `limit_bytes`.
///
/// # Errors
/// [`IngestError`].
pub async fn collect(
    limits: &Limits,
    limit_bytes: u64,
    headers: &HeaderMap,
    body: RequestBody,
) -> Result<Vec<u8>, IngestError> {
    let coding = Coding::of_request(headers).map_err(|_| IngestError::UnsupportedCoding)?;
    if coding.is_none() && hyper::body::Body::size_hint(&body).lower() > limit_bytes {
        return Err(IngestError::TooLarge { limit_bytes });
    }
    let mut pieces = std::pin::pin!(decoded(timed(body, limits), coding));
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(broken)?;
        if bytes.len() as u64 + piece.len() as u64 > limit_bytes {
            return Err(IngestError::TooLarge { limit_bytes });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The one Content-Type of a request.
///
/// # Errors
/// If there is none, or it cannot be read.
pub fn content_type(headers: &HeaderMap) -> Result<MediaType, IngestError> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let value = values.next().ok_or(IngestError::NoType)?;
    if values.next().is_some() {
        return Err(IngestError::UnsupportedType("Content-Type is given more than once"));
    }
    let text =
        value.to_str().map_err(|_| IngestError::UnsupportedType("Content-Type is not visible ASCII"))?;
    if text.trim().is_empty() {
        return Err(IngestError::NoType);
    }
    MediaType::new(text).map_err(|_| IngestError::UnsupportedType("Content-Type is not a media type"))
}

/// The most bytes that a body may have: a document's, or those of its base64 with line breaks and
/// the elements around it.
fn wire_limit(limits: &Limits, fhir: Option<FhirBody>) -> u64 {
    match fhir {
        None => limits.document_bytes,
        Some(_) => limits.document_bytes.saturating_mul(3) / 2 + (2 << 20),
    }
}

/// The body's bytes; ends with `TimedOut` when the client is too slow.
fn timed(body: RequestBody, limits: &Limits) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let idle = Duration::from_secs(limits.body_idle_seconds);
    let rate_min = limits.body_bytes_per_second_min;
    let begun = Instant::now();
    stream::unfold((body, 0_u64), move |(mut body, mut received)| async move {
        loop {
            let frame = match timeout(idle, body.frame()).await {
                Ok(None) => return None,
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Some((Err(io::Error::other(error)), (body, received))),
                Err(_) => return Some((Err(io::ErrorKind::TimedOut.into()), (body, received))),
            };
            let Ok(piece) = frame.into_data() else { continue };
            received += piece.len() as u64;
            let elapsed = begun.elapsed();
            if elapsed > idle && received < rate_min.saturating_mul(elapsed.as_secs()) {
                return Some((Err(io::ErrorKind::TimedOut.into()), (body, received)));
            }
            return Some((Ok(piece), (body, received)));
        }
    })
}

type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Undoes the content coding. The caller bounds what comes out, so a bomb ends at the limit.
fn decoded(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static, coding: Option<Coding>) -> Pieces {
    fn stream(reader: impl AsyncRead + Send + 'static) -> Pieces {
        Box::pin(ReaderStream::with_capacity(reader, 64 * 1024))
    }
    let Some(coding) = coding else { return Box::pin(pieces) };
    let coded = StreamReader::new(Box::pin(pieces));
    match coding {
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(coded);
            decoder.multiple_members(true);
            stream(decoder)
        }
        Coding::Zstd => stream(ZstdDecoder::new(coded)),
        Coding::Brotli => stream(BrotliDecoder::new(coded)),
    }
}

fn broken(error: io::Error) -> IngestError {
    if error.kind() == io::ErrorKind::TimedOut { IngestError::Slow } else { IngestError::Broken(error) }
}

/// A body that is being taken in.
struct Intake {
    limit_bytes: u64,
    wire_bytes_left: u64,
    /// The bytes as they are; `None` once they turned out to be a Binary resource, or too many.
    plain: Option<Upload>,
    /// The Binary resource in them; `None` once it turned out to be something else.
    resource: Option<Resource>,
}

struct Resource {
    reader: BinaryReader,
    content: Upload,
    decoded: Vec<u8>,
}

impl Intake {
    fn new(
        service: &Service,
        limits: &Limits,
        version: Version,
        fhir: Option<FhirBody>,
        wire_bytes_max: u64,
    ) -> Self {
        let resource = fhir.map(|fhir| Resource {
            reader: BinaryReader::new(fhir.format, version),
            content: service.upload(),
            decoded: Vec::new(),
        });
        Self {
            limit_bytes: limits.document_bytes,
            wire_bytes_left: wire_bytes_max,
            plain: Some(service.upload()),
            resource,
        }
    }

    async fn take(&mut self, piece: Bytes) -> Result<(), IngestError> {
        let too_large = IngestError::TooLarge { limit_bytes: self.limit_bytes };
        let Some(left) = self.wire_bytes_left.checked_sub(piece.len() as u64) else { return Err(too_large) };
        self.wire_bytes_left = left;
        if let Some(resource) = &mut self.resource {
            resource.reader.push(&piece, &mut resource.decoded).map_err(IngestError::Resource)?;
            match resource.reader.root() {
                Root::Binary => self.plain = None,
                Root::Other => self.resource = None,
                Root::Unknown => {}
            }
        }
        if let Some(resource) = &mut self.resource {
            let decoded = std::mem::take(&mut resource.decoded);
            if resource.content.size_bytes() + decoded.len() as u64 > self.limit_bytes {
                return Err(too_large);
            }
            if !decoded.is_empty() {
                resource.content.write(decoded.into()).await?;
            }
        }
        match &mut self.plain {
            Some(plain) if plain.size_bytes() + piece.len() as u64 > self.limit_bytes => {
                if self.resource.is_none() {
                    return Err(too_large);
                }
                self.plain = None;
                Ok(())
            }
            Some(plain) => Ok(plain.write(piece).await?),
            None => Ok(()),
        }
    }

    async fn finish(self, content_type: MediaType) -> Result<Ingested, IngestError> {
        let Self { limit_bytes, plain, resource, .. } = self;
        if let Some(Resource { reader, mut content, mut decoded }) = resource {
            match reader.finish(&mut decoded) {
                Ok(resource) => {
                    if content.size_bytes() + decoded.len() as u64 > limit_bytes {
                        return Err(IngestError::TooLarge { limit_bytes });
                    }
                    if !decoded.is_empty() {
                        content.write(decoded.into()).await?;
                    }
                    if content.size_bytes() == 0 {
                        return Err(IngestError::Empty);
                    }
                    let content_type = resource.content_type.clone();
                    return Ok(Ingested {
                        content: content.finish().await?,
                        content_type,
                        resource: Some(resource),
                    });
                }
                Err(error) if error.kind == ReadErrorKind::NotBinary => {}
                Err(error) => return Err(IngestError::Resource(error)),
            }
        }
        let plain = plain.ok_or(IngestError::TooLarge { limit_bytes })?;
        if plain.size_bytes() == 0 {
            return Err(IngestError::Empty);
        }
        Ok(Ingested { content: plain.finish().await?, content_type, resource: None })
    }
}
