//! capabilities: `GET [base]/metadata`
//!
//! Clause: FHIR R4 http.html#capabilities

use charta_fhir::represent::{self, Capabilities};
use http::{Method, StatusCode, header};

use crate::{
    config::Auth,
    http::{answer::Answer, call::Call, outcome::Refusal, precondition, respond},
};

/// The day of this release's statements; changes when what an endpoint does changes.
const STATEMENT_DATE: &str = "2026-11-21";

/// What this endpoint does, in its version's own resource.
///
/// # Errors
/// 405 for other methods, 406.
pub fn capabilities(call: &Call<'_>) -> Result<Answer, Refusal> {
    if !matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Err(Refusal::MethodNotAllowed { allow: "GET, HEAD, OPTIONS" });
    }
    let fhir_type = call.wanted.resource()?;
    let node = represent::capability(&Capabilities {
        version: call.version(),
        profile: call.profile(),
        base_url: call.base(),
        date: STATEMENT_DATE,
        software_version: env!("CARGO_PKG_VERSION"),
        secured: call.endpoint.auth == Auth::Smart,
        writable: call.endpoint.writable,
    });
    let mut answer = respond::fhir(call, StatusCode::OK, &fhir_type, &node);
    let etag = precondition::weak_etag_of(&format!("{STATEMENT_DATE}-{}", env!("CARGO_PKG_VERSION")));
    answer.headers_mut().insert(header::ETAG, respond::value(&etag));
    Ok(answer)
}
