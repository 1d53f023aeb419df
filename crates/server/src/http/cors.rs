//! Cross-origin requests of browser clients, as each profile's clients know them. There are no
//! cookies anywhere, so an origin alone opens nothing.
//!
//! Clause: FHIR R4 security.html#cors

use charta_fhir::Profile;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{answer::Answer, call::Call, respond};

const ALLOWED_HEADERS: &str = "Authorization, Accept, Content-Type, If-Match, If-None-Match, If-None-Exist, \
    If-Modified-Since, If-Range, Prefer, Range, X-Request-Id, X-Provenance, X-Security-Context";
const EXPOSED_HEADERS: &str = "ETag, Last-Modified, Location, Content-Location, Content-Disposition, Content-Range, \
    Repr-Digest, X-Request-Id, X-Correlation-Id, X-Security-Context, WWW-Authenticate, Retry-After";

/// The answer to a preflight; `None` if the request is none.
pub fn preflight(call: &Call<'_>) -> Option<Answer> {
    let has = |name| call.headers.contains_key(name);
    let asked = match call.profile() {
        Profile::Soarian => true,
        // A client that is no browser may ask for the headers alone.
        Profile::Millennium if has(header::ACCESS_CONTROL_REQUEST_HEADERS) => true,
        _ => has(header::ORIGIN) && has(header::ACCESS_CONTROL_REQUEST_METHOD),
    };
    if call.method != Method::OPTIONS || !asked {
        return None;
    }
    let mut headers = HeaderMap::new();
    let allowed = match call.profile() {
        // Millennium gives back what was asked for.
        Profile::Millennium => call.header(&header::ACCESS_CONTROL_REQUEST_HEADERS).map(spaced),
        _ => None,
    };
    let allowed = allowed.unwrap_or_else(|| ALLOWED_HEADERS.to_owned());
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, respond::value(&allowed));
    let status = match call.profile() {
        Profile::Millennium => StatusCode::OK,
        _ => StatusCode::NO_CONTENT,
    };
    Some(respond::empty(status, headers))
}

/// `authorization,content-type` -> `authorization, content-type`
fn spaced(names: &str) -> String {
    names.split(',').map(str::trim).collect::<Vec<_>>().join(", ")
}

/// What an answer says that any page may read.
pub fn public(answer: &mut HeaderMap) {
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
}

/// What an answer of this profile says to browsers.
pub fn headers(profile: Profile, request: &HeaderMap, answer: &mut HeaderMap) {
    let origin = request.get(header::ORIGIN);
    if profile == Profile::Soarian {
        let Some(origin) = origin else { return };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("0"));
        return;
    }
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if origin.is_none() {
        return;
    }
    let (methods, exposed, seconds) = match profile {
        Profile::Millennium => (
            "DELETE, GET, POST, PUT, PATCH, OPTIONS, HEAD",
            "ETag, Content-Location, Location, X-Request-Id, WWW-Authenticate, Date",
            "0",
        ),
        _ => ("GET, HEAD, POST, PUT, DELETE, OPTIONS", EXPOSED_HEADERS, "600"),
    };
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(seconds));
}
