//! `[base]/.well-known/smart-configuration`: where tokens for an endpoint are had. Public: a client reads it
//! before it has a token.
//!
//! Clause: SMART 2.2 conformance.html#using-well-known

use charta_fhir::Profile;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::{
    config::{Auth, Discovery, Issuer},
    http::{answer::Answer, body::AnswerBody, call::Call, outcome::Refusal, respond, smart::server::path},
};

/// What clients are told of an endpoint's issuer.
///
/// # Errors
/// 404 if the endpoint asks for no tokens or nobody knows where they are had; 405.
pub fn smart_configuration(call: &Call<'_>) -> Result<Answer, Refusal> {
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Refusal::MethodNotAllowed { allow: "GET, HEAD".into() });
    }
    let told = discovery(call).ok_or(Refusal::NotFound)?;
    let body = AnswerBody::text(document(call, &told).to_string());
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.remaining()));
    Ok(respond::with_body(call, StatusCode::OK, headers, body))
}

/// What clients of this endpoint are told: of the first issuer that may open its tenant and says where
/// tokens are had.
pub fn discovery(call: &Call<'_>) -> Option<Told> {
    if call.endpoint.auth != Auth::Smart {
        return None;
    }
    let config = &call.app.config;
    let opens = |issuer: &&Issuer| issuer.tenants.is_empty() || issuer.tenants.contains(call.tenant);
    config.issuers.iter().filter(opens).find_map(|issuer| {
        if issuer.is_development() && issuer.discovery == Discovery::default() {
            return config.authorization_server.is_some().then(|| of_development(call));
        }
        issuer.discovery.token_endpoint.clone().map(|token_endpoint| Told {
            token_endpoint,
            introspection_endpoint: issuer.introspection.as_ref().map(|place| place.url.clone()),
            more: issuer.discovery.clone(),
        })
    })
}

/// What clients are told of the development authorization server.
fn of_development(call: &Call<'_>) -> Told {
    let url = |path: &str| format!("{}{path}", call.app.config.public_url);
    let texts = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect());
    Told {
        token_endpoint: url(path::TOKEN),
        introspection_endpoint: Some(url(path::INTROSPECT)),
        more: Discovery {
            authorization_endpoint: Some(url(path::AUTHORIZE)),
            token_endpoint: Some(url(path::TOKEN)),
            revocation_endpoint: Some(url(path::REVOKE)),
            grant_types: texts(&["authorization_code", "client_credentials"]),
            auth_methods: texts(&["private_key_jwt", "none"]),
            capabilities: texts(&DEVELOPMENT_CAPABILITIES),
            ..Discovery::default()
        },
    }
}

/// What the development authorization server and the policy do together. It never asks who a person is, so there
/// is no sign-in to share, and it gives no tokens for later.
const DEVELOPMENT_CAPABILITIES: [&str; 9] = [
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-asymmetric",
    "context-standalone-patient",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
];

/// What clients are told.
pub struct Told {
    /// Where tokens are had.
    pub token_endpoint: String,
    /// Where others ask about tokens.
    introspection_endpoint: Option<String>,
    /// The rest.
    pub more: Discovery,
}

fn document(call: &Call<'_>, told: &Told) -> Value {
    let Told { token_endpoint, introspection_endpoint, more } = told;
    let mut members = Map::new();
    let mut tell = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    let url = |url: &Option<String>| url.clone().map(Value::String);
    let has_authorization = more.authorization_endpoint.is_some();
    tell("authorization_endpoint", url(&more.authorization_endpoint));
    tell("token_endpoint", Some(json!(token_endpoint)));
    tell("introspection_endpoint", url(introspection_endpoint));
    tell("revocation_endpoint", url(&more.revocation_endpoint));
    tell("registration_endpoint", url(&more.registration_endpoint));
    tell("management_endpoint", url(&more.management_endpoint));
    let otherwise = if has_authorization { "authorization_code" } else { "client_credentials" };
    let grant_types = more.grant_types.clone().unwrap_or_else(|| vec![otherwise.to_owned()]);
    tell("grant_types_supported", Some(json!(grant_types)));
    tell("token_endpoint_auth_methods_supported", more.auth_methods.as_ref().map(|methods| json!(methods)));
    tell("response_types_supported", has_authorization.then(|| json!(["code"])));
    tell("code_challenge_methods_supported", Some(json!(["S256"])));
    tell("scopes_supported", Some(json!(scopes(call))));
    let of_this_server = || POLICY.map(str::to_owned).to_vec();
    tell("capabilities", Some(json!(more.capabilities.clone().unwrap_or_else(of_this_server))));
    Value::Object(members)
}

/// What holds whoever gives the tokens.
const POLICY: [&str; 4] = ["permission-patient", "permission-user", "permission-v1", "permission-v2"];

/// The widest scopes that count at the endpoint.
fn scopes(call: &Call<'_>) -> Vec<String> {
    let contexts = ["patient", "user", "system"];
    // Millennium knows no wildcard.
    let types: &[&str] = match call.profile() {
        Profile::Millennium => &["Binary", "DiagnosticReport", "DocumentReference", "Patient"],
        _ => &["*"],
    };
    let writable = call.endpoint.writable;
    let rights: &[&str] = if writable { &["rs", "cruds", "read", "write"] } else { &["rs", "read"] };
    let of = |context: &'static str| {
        types.iter().flat_map(move |kind| rights.iter().map(move |right| format!("{context}/{kind}.{right}")))
    };
    contexts.into_iter().flat_map(of).collect()
}
