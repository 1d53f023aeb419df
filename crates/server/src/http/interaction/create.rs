//! create and conditional create: `POST [base]/Binary`
//!
//! Clause: FHIR R4 http.html#create

use charta_model::{Intent, Write};
use http::HeaderName;
use hyper::body::Incoming;

use super::state::{criteria, submitted, written};
use crate::{
    clock,
    http::{answer::Answer, call::Call, outcome::Refusal},
};

static IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// Stores the body as a new document under an id of ours; one inside the body is ignored.
///
/// # Errors
/// Those of the body; 412 if `If-None-Exist` matches several documents.
pub async fn create(call: &Call<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let fresh = clock::fresh_id();
    let intent = match call.header(&IF_NONE_EXIST) {
        None => Intent::Create { id: fresh },
        Some(text) => {
            // Only what follows the `?` belongs here; clients are known to send more.
            let text = text.rsplit_once('?').map_or(text, |(_, parameters)| parameters);
            let parameters: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            Intent::CreateUnlessExists { fresh, criteria: criteria(call, &parameters)? }
        }
    };
    let submitted = submitted(call, body).await?;
    let write = Write { intent, if_match: None, if_none_match: None, state: Some(submitted.state) };
    let outcome =
        call.app.service.write(call.tenant, &call.grant, write, Some(submitted.content), call.now).await?;
    written(call, outcome).await
}
