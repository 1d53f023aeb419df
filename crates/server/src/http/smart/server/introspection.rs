//! Asking about a token, and giving one back. Both take a client that shows who it is, or a token that counts.

use charta_auth::token::Unverified;
use charta_model::Timestamp;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{AuthorizationServer, Form, json_answer, only, refused};
use crate::{
    clock,
    http::{App, answer::Answer},
};

/// What a token says, if it counts.
///
/// Clause: RFC 7662 2
pub async fn introspect(app: &App, server: &AuthorizationServer, headers: &HeaderMap, form: &Form) -> Answer {
    let now = clock::now();
    if !may_ask(app, server, headers, form, now).await {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "a client or a token is needed");
    }
    match only(form, "token") {
        Ok(Some(token)) => {
            let said = said(app, server, token, now).unwrap_or_else(|| json!({ "active": false }));
            json_answer(StatusCode::OK, &said)
        }
        _ => refused(StatusCode::BAD_REQUEST, "invalid_request", "one token is needed"),
    }
}

/// Makes a token not count any more.
///
/// Clause: RFC 7009 2
pub async fn revoke(app: &App, server: &AuthorizationServer, headers: &HeaderMap, form: &Form) -> Answer {
    let now = clock::now();
    // A public client has nothing to show but the token itself.
    let client = server.authenticate(app, headers, form, now).await.ok();
    let Some(client) = client.map(|client| client.settings.id.as_str()) else {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "the client is not believed");
    };
    let Ok(Some(token)) = only(form, "token") else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request", "one token is needed");
    };
    // What does not count, or is another's, is answered alike and changes nothing.
    if let Some(said) = said(app, server, token, now).filter(|said| said["client_id"] == client)
        && let (Some(id), Some(ends)) = (said["jti"].as_str(), said["exp"].as_i64())
    {
        app.verifier.revoke(id, Timestamp::from_second(ends).unwrap_or(Timestamp::MAX), now);
    }
    json_answer(StatusCode::OK, &json!({}))
}

async fn may_ask(
    app: &App,
    server: &AuthorizationServer,
    headers: &HeaderMap,
    form: &Form,
    now: Timestamp,
) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match shown.and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => {
            said(app, server, token, now).is_some()
        }
        Some(_) => false,
        None => {
            server.authenticate(app, headers, form, now).await.is_ok_and(|client| client.is_confidential())
        }
    }
}

/// What a token of this server says; `None` if it does not count.
fn said(app: &App, server: &AuthorizationServer, token: &str, now: Timestamp) -> Option<Value> {
    let keys = server.key.public_keys();
    let verified =
        Unverified::parse(token).ok()?.verify(&keys, &[charta_auth::Algorithm::Es384], now).ok()?;
    let claims = verified.claims;
    if claims.token_id.as_deref().is_some_and(|id| app.verifier.is_revoked(id, now)) {
        return None;
    }
    let mut members = Map::from_iter([
        ("active".to_owned(), json!(true)),
        ("token_type".to_owned(), json!("Bearer")),
        ("iss".to_owned(), json!(claims.issuer)),
        ("aud".to_owned(), json!(verified.audience)),
        ("scope".to_owned(), json!(claims.scope)),
        ("exp".to_owned(), json!(claims.expires_at.as_second())),
    ]);
    let optional = [
        ("client_id", claims.client),
        ("sub", claims.subject),
        ("jti", claims.token_id),
        ("fhirUser", claims.user),
        ("patient", claims.patient.map(|id| id.to_string())),
        ("tenant", claims.tenant.map(|id| id.to_string())),
    ];
    members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
    Some(Value::Object(members))
}
