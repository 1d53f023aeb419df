//! The token endpoint.
//!
//! Clause: SMART 2.2 backend-services.html

use charta_auth::Context;
use charta_model::{ResourceId, TenantId, Timestamp};
use http::{HeaderMap, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::{AuthorizationServer, Form, client::RegisteredClient, json_answer, only, refused, scope};
use crate::{
    clock,
    config::DEVELOPMENT,
    http::{App, answer::Answer, smart::keys::seconds_after},
};

/// A backend service's token counts so long.
const BACKEND_SECONDS: i64 = 300;
/// An app's.
const APP_SECONDS: i64 = 3600;

/// A code that was given for a decision, good once.
pub struct Code {
    /// To whom.
    pub client: String,
    /// By which redirect.
    pub redirect_uri: String,
    /// The hash of what the client will show.
    pub challenge: String,
    /// What was granted.
    pub scopes: Vec<String>,
    /// The patient in context.
    pub patient: Option<ResourceId>,
    /// The base of the endpoint that it is for.
    pub audience: String,
    /// Whose documents that endpoint serves.
    pub tenant: TenantId,
}

/// What a code gave, so that it can be taken back.
#[derive(Clone)]
pub struct Given {
    token_id: String,
    ends: Timestamp,
}

/// Answers a request for a token.
///
/// Clause: RFC 6749 5
pub async fn answer(app: &App, server: &AuthorizationServer, headers: &HeaderMap, form: &Form) -> Answer {
    let now = clock::now();
    let client = match server.authenticate(app, headers, form, now).await {
        Ok(client) => client,
        Err(error) => {
            tracing::info!(cause = %error, "a client is not believed");
            return refused(StatusCode::UNAUTHORIZED, "invalid_client", "the client is not believed");
        }
    };
    let result = match only(form, "grant_type") {
        Ok(Some("client_credentials")) => of_client(server, client, form, now),
        Ok(Some("authorization_code")) => of_code(app, server, client, form, now),
        Ok(Some(_)) => {
            Err(("unsupported_grant_type", "client_credentials and authorization_code are supported"))
        }
        Ok(None) | Err(()) => Err(("invalid_request", "one grant_type is needed")),
    };
    match result {
        Ok(token) => json_answer(StatusCode::OK, &token),
        Err((error, description)) => refused(StatusCode::BAD_REQUEST, error, description),
    }
}

type Refused = (&'static str, &'static str);

fn of_client(
    server: &AuthorizationServer,
    client: &RegisteredClient,
    form: &Form,
    now: Timestamp,
) -> Result<Value, Refused> {
    if !client.is_confidential() {
        return Err(("unauthorized_client", "a public client gets no token of its own"));
    }
    let asked =
        only(form, "scope").ok().flatten().ok_or(("invalid_scope", "one scope parameter is needed"))?;
    let mut scopes = scope::granted(asked, &client.settings.scope);
    scopes.retain(|text| scope::has_context([text], Context::System));
    if scopes.is_empty() {
        return Err(("invalid_scope", "none of the scopes is one that this client may have"));
    }
    issue(server, client, &scopes, BACKEND_SECONDS, now, &json!({ "aud": DEVELOPMENT }))
}

fn of_code(
    app: &App,
    server: &AuthorizationServer,
    client: &RegisteredClient,
    form: &Form,
    now: Timestamp,
) -> Result<Value, Refused> {
    let parameter =
        |name| only(form, name).ok().flatten().ok_or(("invalid_request", "a parameter is missing"));
    // Whatever is wrong with the rest, the code is used up.
    let (code, token_id) = redeem(app, server, parameter("code")?, now)?;
    let (redirect_uri, verifier) = (parameter("redirect_uri")?, parameter("code_verifier")?);
    let hash = base64_simd::URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, verifier.as_bytes()).as_ref());
    let is_verifier =
        (43..=128).contains(&verifier.len()) && same(hash.as_bytes(), code.challenge.as_bytes());
    if code.client != client.settings.id || code.redirect_uri != redirect_uri || !is_verifier {
        return Err(("invalid_grant", "the code does not count"));
    }
    let mut more = json!({ "aud": code.audience, "tenant": code.tenant.as_str(), "jti": token_id });
    if let Some(patient) = &code.patient {
        more["patient"] = json!(patient.as_str());
    }
    let mut answer = issue(server, client, &code.scopes, APP_SECONDS, now, &more)?;
    if let Some(patient) = code.patient {
        answer["patient"] = json!(patient.as_str());
        answer["need_patient_banner"] = json!(true);
    }
    Ok(answer)
}

/// The code and the name of the token that it gives. Who shows it again may have stolen it, or been stolen from: then
/// that token counts no more.
///
/// Clause: RFC 6749 4.1.2
fn redeem(
    app: &App,
    server: &AuthorizationServer,
    code: &str,
    now: Timestamp,
) -> Result<(Code, String), Refused> {
    const REFUSED: Refused = ("invalid_grant", "the code does not count");
    let given = Given { token_id: clock::fresh_uuid(), ends: seconds_after(now, APP_SECONDS) };
    // Noted before it is taken, so that of two at once the second finds the first.
    let is_first = server.codes.has(code, now)
        && server.redeemed.insert(code.to_owned(), given.clone(), given.ends, now);
    if !is_first {
        if let Some(before) = server.redeemed.known(code, now) {
            app.verifier.revoke(&before.token_id, before.ends, now);
        }
        return Err(REFUSED);
    }
    let code = server.codes.take(code, now).ok_or(REFUSED)?;
    Ok((code, given.token_id))
}

/// Row 44: the time that it takes says nothing about where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn issue(
    server: &AuthorizationServer,
    client: &RegisteredClient,
    scopes: &[String],
    seconds: i64,
    now: Timestamp,
    more: &Value,
) -> Result<Value, Refused> {
    let (id, scope, now) = (&client.settings.id, scopes.join(" "), now.as_second());
    let mut claims = Map::from_iter([
        ("iss".to_owned(), json!(DEVELOPMENT)),
        ("sub".to_owned(), json!(id)),
        ("client_id".to_owned(), json!(id)),
        ("iat".to_owned(), json!(now)),
        ("exp".to_owned(), json!(now + seconds)),
        ("jti".to_owned(), json!(clock::fresh_uuid())),
        ("scope".to_owned(), json!(scope)),
    ]);
    claims.extend(more.as_object().cloned().unwrap_or_default());
    let token =
        server.key.sign(&Value::Object(claims)).map_err(|_| ("server_error", "it cannot be signed"))?;
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": scope }))
}
