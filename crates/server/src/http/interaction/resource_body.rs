//! The body of a request as a resource of any type but Binary: under one limit, in any content coding, in JSON
//! or XML, checked.

use charta_fhir::{
    Format, Node,
    resource::{self, ReadError},
};

use crate::http::request_body::RequestBody;
use crate::http::{
    call::Call,
    ingest::{self, IngestError},
    media,
    outcome::Refusal,
};

/// The resource in the body, without a fault.
///
/// # Errors
/// 415 for another type, 413 beyond `limits.resource_bytes`, 400 or 422 with every fault.
pub async fn read(call: &Call<'_>, body: RequestBody) -> Result<Node, Refusal> {
    let (bytes, format) = bytes(call, body).await?;
    parsed(&bytes, |bytes| resource::read(bytes, format, call.version()))
}

/// The resource in the body, which is well-formed; the caller judges it.
///
/// # Errors
/// As [`read`], but for faults of its elements.
pub async fn read_unchecked(call: &Call<'_>, body: RequestBody) -> Result<Node, Refusal> {
    let (bytes, format) = bytes(call, body).await?;
    parsed(&bytes, |bytes| resource::read_unchecked(bytes, format, call.version()))
}

fn parsed(bytes: &[u8], read: impl FnOnce(&[u8]) -> Result<Node, Vec<ReadError>>) -> Result<Node, Refusal> {
    read(bytes).map_err(Refusal::Resource)
}

async fn bytes(call: &Call<'_>, body: RequestBody) -> Result<(Vec<u8>, Format), Refusal> {
    let unsupported = "A resource has a body in FHIR JSON or FHIR XML";
    let limits = &call.app.config.limits;
    let content_type = ingest::content_type(call.headers)?;
    let fhir = media::fhir_body(&content_type, call.version()).map_err(IngestError::UnsupportedType)?;
    let format = fhir.ok_or(IngestError::UnsupportedType(unsupported))?.format;
    let bytes = ingest::collect(limits, limits.resource_bytes, call.headers, body).await?;
    if bytes.is_empty() {
        return Err(Refusal::EmptyBody);
    }
    Ok((bytes, format))
}
