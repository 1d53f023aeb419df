//! The development authorization server, under `/auth`: a SMART app and a backend service can be tried against
//! Charta alone. It never asks who a person is, which is why it is for development only: whoever reaches it
//! gets every token that the configured clients may have.

mod authorize;
mod client;
mod introspection;
mod page;
mod scope;
mod token;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use serde_json::{Value, json};

use self::client::RegisteredClient;
use super::{development::DevelopmentKey, expiring::Expiring, fetch::Fetcher, keys::KeysError};
use crate::http::request_body::RequestBody;
use crate::{
    config::AuthorizationServer as Settings,
    http::{
        App, answer::Answer, body::AnswerBody, client::Throttled, host, ingest, pipeline, respond,
        serve::Link,
    },
};

/// A form at most.
const FORM_BYTES_MAX: u64 = 64 << 10;

/// The server and what it remembers: nothing of it survives a restart, and all of it is bounded.
pub struct AuthorizationServer {
    clients: Vec<RegisteredClient>,
    key: Arc<DevelopmentKey>,
    fetcher: Fetcher,
    /// Pages that were shown and not yet answered, by their tickets.
    requests: Expiring<authorize::Request>,
    /// Codes that were given, by themselves.
    codes: Expiring<token::Code>,
    /// Codes that were used, and which token each gave.
    redeemed: Expiring<token::Given>,
    /// Assertions that were used, by client and id.
    assertions: Expiring<()>,
}

/// Where everything is, below the public URL.
pub mod path {
    /// What all others begin with; also what the server is called.
    pub const ISSUER: &str = "/auth";
    /// Where a person is sent.
    pub const AUTHORIZE: &str = "/auth/authorize";
    /// Where the page is sent to.
    pub const DECIDE: &str = "/auth/decide";
    /// Where tokens are had.
    pub const TOKEN: &str = "/auth/token";
    /// Where tokens are asked about.
    pub const INTROSPECT: &str = "/auth/introspect";
    /// Where tokens are given back.
    pub const REVOKE: &str = "/auth/revoke";
    /// The public key.
    pub const JWKS: &str = "/auth/jwks.json";
    /// All of the above.
    pub const METADATA: [&str; 3] = [
        "/auth/.well-known/openid-configuration",
        "/auth/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/auth",
    ];
}

/// The parameters of a request.
pub type Form = Vec<(String, String)>;

impl AuthorizationServer {
    /// With the clients of the configuration.
    ///
    /// # Errors
    /// If a file of keys does not have them.
    pub fn new(settings: &Settings, key: Arc<DevelopmentKey>) -> Result<Self, KeysError> {
        let clients = settings.clients.iter().map(RegisteredClient::new).collect::<Result<_, _>>()?;
        Ok(Self {
            clients,
            key,
            fetcher: Fetcher::default(),
            requests: Expiring::new(),
            codes: Expiring::new(),
            redeemed: Expiring::new(),
            assertions: Expiring::new(),
        })
    }
}

/// Whether a path is this server's, if there is one.
pub fn serves(path: &str) -> bool {
    path.strip_prefix(path::ISSUER).is_some_and(|rest| rest.starts_with('/'))
        || path::METADATA.contains(&path)
}

/// Answers a request to the server, within the limits of a client and to its own names alone.
pub async fn answer(
    app: &App,
    server: &AuthorizationServer,
    parts: &Parts,
    body: RequestBody,
    link: &Link,
) -> Answer {
    let mut answer = match pipeline::admitted(app, parts, link) {
        Err(throttled) => busy(throttled),
        Ok(_) if !host::is_own(&app.config, &parts.uri, &parts.headers) => {
            refused(StatusCode::MISDIRECTED_REQUEST, "invalid_request", "Host names another server")
        }
        Ok(_place) => routed(app, server, parts, body).await,
    };
    common(server, parts, answer.headers_mut());
    answer
}

/// The client has all it may have.
fn busy(throttled: Throttled) -> Answer {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut answer = refused(status, "temporarily_unavailable", "too many requests; try again later");
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(throttled.retry_after_seconds));
    answer
}

async fn routed(app: &App, server: &AuthorizationServer, parts: &Parts, body: RequestBody) -> Answer {
    let path = parts.uri.path();
    let get = matches!(parts.method, Method::GET | Method::HEAD);
    let post = parts.method == Method::POST;
    match path {
        _ if parts.method == Method::OPTIONS => respond::empty(StatusCode::NO_CONTENT, HeaderMap::new()),
        path::AUTHORIZE if get => authorize::begin(app, server, &query(parts)).await,
        path::AUTHORIZE | path::DECIDE | path::TOKEN | path::INTROSPECT | path::REVOKE if post => {
            match form(app, parts, body).await {
                None => {
                    refused(StatusCode::BAD_REQUEST, "invalid_request", "a form of at most 64 KiB is needed")
                }
                Some(form) => match path {
                    path::AUTHORIZE => authorize::begin(app, server, &form).await,
                    path::DECIDE => authorize::decide(app, server, &parts.headers, &form).await,
                    path::TOKEN => token::answer(app, server, &parts.headers, &form).await,
                    path::INTROSPECT => introspection::introspect(app, server, &parts.headers, &form).await,
                    _ => introspection::revoke(app, server, &parts.headers, &form).await,
                },
            }
        }
        path::JWKS if get => json_answer(StatusCode::OK, &server.key.jwks()),
        _ if get && path::METADATA.contains(&path) => json_answer(StatusCode::OK, &metadata(app)),
        _ => refused(StatusCode::NOT_FOUND, "invalid_request", "there is nothing here"),
    }
}

/// What the server can do.
///
/// Clause: RFC 8414 2
fn metadata(app: &App) -> Value {
    let url = |path: &str| format!("{}{path}", app.config.public_url);
    json!({
        "issuer": url(path::ISSUER),
        "authorization_endpoint": url(path::AUTHORIZE),
        "token_endpoint": url(path::TOKEN),
        "introspection_endpoint": url(path::INTROSPECT),
        "revocation_endpoint": url(path::REVOKE),
        "jwks_uri": url(path::JWKS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn query(parts: &Parts) -> Form {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

async fn form(app: &App, parts: &Parts, body: RequestBody) -> Option<Form> {
    let content_type = parts.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = content_type.split(';').next()?.trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return None;
    }
    let bytes = ingest::collect(&app.config.limits, FORM_BYTES_MAX, &parts.headers, body).await.ok()?;
    Some(form_urlencoded::parse(&bytes).into_owned().collect())
}

/// The value of a parameter, which must not be there twice: of two, another part might read the other.
fn only<'f>(form: &'f Form, name: &str) -> Result<Option<&'f str>, ()> {
    let mut values = form.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let value = values.next().filter(|value| !value.is_empty());
    if values.next().is_some() { Err(()) } else { Ok(value) }
}

/// JSON that nobody keeps.
fn json_answer(status: StatusCode, value: &Value) -> Answer {
    let body = AnswerBody::text(value.to_string());
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.remaining()));
    respond::answer(status, headers, body)
}

/// A refusal of the endpoints that programs call.
///
/// Clause: RFC 6749 5.2
fn refused(status: StatusCode, error: &str, description: &str) -> Answer {
    json_answer(status, &json!({ "error": error, "error_description": description }))
}

/// What every answer says. Browser apps may read what programs read, from origins that are registered; the
/// page nobody may.
fn common(server: &AuthorizationServer, parts: &Parts, headers: &mut HeaderMap) {
    static PRAGMA: HeaderName = header::PRAGMA;
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA.clone(), HeaderValue::from_static("no-cache"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    let path = parts.uri.path();
    let origin = parts.headers.get(header::ORIGIN);
    let allowed = if path == path::JWKS || path::METADATA.contains(&path) {
        Some(HeaderValue::from_static("*"))
    } else if [path::TOKEN, path::INTROSPECT, path::REVOKE].contains(&path) {
        let registered =
            |origin: &&HeaderValue| server.clients.iter().any(|client| client.has_origin(origin));
        origin.filter(registered).cloned()
    } else {
        None
    };
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        let names = HeaderValue::from_static("Authorization, Content-Type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
}
