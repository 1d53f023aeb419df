//! The authorization endpoint: an app sends a person here, who picks a patient and what the app may do, and is
//! sent back with a code.
//!
//! Clause: SMART 2.2 app-launch.html#obtain-authorization-code

use charta_auth::{Context, Grant};
use charta_model::{Query, ResourceId, ResourceType, Scope, TenantId};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{AuthorizationServer, Form, client::RegisteredClient, only, page, path, scope, token::Code};
use crate::{
    clock,
    config::{Auth, EndpointTenant, Issuer, route},
    http::{
        App,
        answer::Answer,
        respond,
        smart::{expiring::Expiring, keys::seconds_after},
    },
};

/// A page that was shown waits so long for its answer.
const PAGE_SECONDS: i64 = 600;
/// A code waits so long for its client.
const CODE_SECONDS: i64 = 60;
/// Patients on the page at most; any other can be typed in.
const PATIENTS_MAX: usize = 50;

/// What an app asks for, once all of it is known to be right.
#[derive(Clone)]
pub struct Request {
    client: String,
    redirect_uri: String,
    state: Option<String>,
    challenge: String,
    /// The base of the endpoint that the token is for.
    pub audience: String,
    tenant: TenantId,
    /// What the client may get of what it asks for.
    pub scopes: Vec<String>,
}

impl Request {
    /// Whether a patient has to be picked.
    pub fn needs_patient(&self) -> bool {
        needs_patient(&self.scopes)
    }
}

/// Shows the page, or says what is wrong: to the app if it can be believed that it is one, else to the person.
pub async fn begin(app: &App, server: &AuthorizationServer, form: &Form) -> Answer {
    let (client, redirect_uri) = match back(server, form) {
        Ok(back) => back,
        Err(why) => return page::wrong(why),
    };
    let state = only(form, "state").ok().flatten().map(str::to_owned);
    let request = match request(app, client, redirect_uri, form) {
        Ok(request) => request,
        Err((error, why)) => {
            return send_back(
                app,
                redirect_uri,
                &[("error", error), ("error_description", why)],
                state.as_deref(),
            );
        }
    };
    let patients = if request.needs_patient() { patients(app, &request.tenant).await } else { Vec::new() };
    let (ticket, now) = (random(), clock::now());
    let html = page::ask(client, &request, &patients, &ticket);
    if remembered(&server.requests, ticket, request, seconds_after(now, PAGE_SECONDS)) {
        html
    } else {
        send_back(app, redirect_uri, &[("error", "temporarily_unavailable")], state.as_deref())
    }
}

/// Takes the person's decision and sends them back.
pub async fn decide(app: &App, server: &AuthorizationServer, headers: &HeaderMap, form: &Form) -> Answer {
    // The ticket is in no other page than the one that was shown; a browser also says where a form comes from.
    let own = HeaderValue::from_str(app.config.public_url.as_str()).ok();
    if headers.get(header::ORIGIN).is_some_and(|origin| Some(origin) != own.as_ref() && origin != "null") {
        return page::wrong("The form comes from another page.");
    }
    let ticket = only(form, "ticket").ok().flatten().unwrap_or_default();
    let Some(request) = server.requests.take(ticket, clock::now()) else {
        return page::wrong(
            "This page was answered before, or is too old. Go back to the app and begin again.",
        );
    };
    let state = request.state.as_deref();
    let denied = [("error", "access_denied")];
    if only(form, "decision") != Ok(Some("allow")) {
        return send_back(app, &request.redirect_uri, &denied, state);
    }
    let chosen = |text: &&String| form.iter().any(|(name, value)| name == "scope" && value == *text);
    let scopes: Vec<String> = request.scopes.iter().filter(chosen).cloned().collect();
    if scopes.is_empty() {
        return send_back(app, &request.redirect_uri, &denied, state);
    }
    let patient = match patient(app, &request, &scopes, form).await {
        Ok(patient) => patient,
        Err(why) => return page::wrong(why),
    };
    let code = Code {
        client: request.client,
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge,
        scopes,
        patient,
        audience: request.audience,
        tenant: request.tenant,
    };
    let text = random();
    if !remembered(&server.codes, text.clone(), code, seconds_after(clock::now(), CODE_SECONDS)) {
        return send_back(app, &request.redirect_uri, &[("error", "temporarily_unavailable")], state);
    }
    send_back(app, &request.redirect_uri, &[("code", &text)], state)
}

/// The client, and where it wants the person back. Row 38: as long as that is not certain, nobody is sent
/// anywhere.
fn back<'s, 'f>(
    server: &'s AuthorizationServer,
    form: &'f Form,
) -> Result<(&'s RegisteredClient, &'f str), &'static str> {
    let id = only(form, "client_id").map_err(|()| "The app names itself twice.")?;
    let client = id.and_then(|id| server.client(id)).ok_or("No app of this name is registered.")?;
    let uri = only(form, "redirect_uri").map_err(|()| "The app names two places to go back to.")?;
    let is_registered = |uri: &&str| client.settings.redirect_uris.iter().any(|known| known == uri);
    let uri = uri.filter(is_registered).ok_or("The place to go back to is not registered for this app.")?;
    Ok((client, uri))
}

type Refused = (&'static str, &'static str);

fn request(
    app: &App,
    client: &RegisteredClient,
    redirect_uri: &str,
    form: &Form,
) -> Result<Request, Refused> {
    let one = |name| only(form, name).map_err(|()| ("invalid_request", "a parameter is there twice"));
    if one("response_type")? != Some("code") {
        return Err(("unsupported_response_type", "response_type must be code"));
    }
    if one("code_challenge_method")? != Some("S256") {
        return Err(("invalid_request", "code_challenge_method must be S256"));
    }
    let challenge = one("code_challenge")?.filter(|text| text.len() == 43);
    let challenge = challenge.ok_or(("invalid_request", "a code_challenge of SHA-256 is needed"))?;
    let audience = one("aud")?.ok_or(("invalid_request", "aud is needed: the base URL of the endpoint"))?;
    let tenant =
        tenant_at(app, audience).ok_or(("invalid_request", "aud is no secured endpoint of this server"))?;
    let scopes = scope::granted(one("scope")?.unwrap_or_default(), &client.settings.scope);
    let scopes: Vec<String> =
        scopes.into_iter().filter(|text| !scope::has_context([text], Context::System)).collect();
    if scopes.is_empty() {
        return Err(("invalid_scope", "none of the scopes is one that this app may have"));
    }
    Ok(Request {
        client: client.settings.id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: one("state")?.map(str::to_owned),
        challenge: challenge.to_owned(),
        audience: audience.strip_suffix('/').unwrap_or(audience).to_owned(),
        tenant,
        scopes,
    })
}

/// The tenant of the secured endpoint that has this base URL, if this server's tokens count there.
fn tenant_at(app: &App, base: &str) -> Option<TenantId> {
    let config = &app.config;
    let path = base.strip_prefix(config.public_url.as_str())?;
    let (endpoint, named, rest) = route(&config.endpoints, path)?;
    let tenant = match &endpoint.tenant {
        EndpointTenant::Fixed(tenant) => tenant,
        EndpointTenant::InPath => config.tenants.iter().find(|tenant| Some(tenant.as_str()) == named)?,
    };
    let issuer = config.issuers.iter().find(|issuer| Issuer::is_development(issuer))?;
    let counts = issuer.tenants.is_empty() || issuer.tenants.contains(tenant);
    (endpoint.auth == Auth::Smart && matches!(rest, "" | "/") && counts).then(|| tenant.clone())
}

fn needs_patient(scopes: &[String]) -> bool {
    scopes.iter().any(|text| text == "launch/patient") || scope::has_context(scopes, Context::Patient)
}

/// The patient that was picked.
async fn patient(
    app: &App,
    request: &Request,
    scopes: &[String],
    form: &Form,
) -> Result<Option<ResourceId>, &'static str> {
    if !needs_patient(scopes) {
        return Ok(None);
    }
    let picked = only(form, "patient").ok().flatten().and_then(|text| ResourceId::new(text).ok());
    let picked = picked.ok_or("No patient was picked. Go back and pick one.")?;
    let grant = Grant::of_operator();
    let lookup = app.service.lookup(&request.tenant, &grant);
    match lookup.read(&ResourceType::PATIENT, &picked).await {
        Ok(_) => Ok(Some(picked)),
        Err(_) => Err("There is no such patient. Go back and pick another."),
    }
}

/// Ids and names for the page.
async fn patients(app: &App, tenant: &TenantId) -> Vec<(String, String)> {
    let scopes = vec![Scope { kind: ResourceType::PATIENT, dialect: None }];
    let query = Query { scopes, limit: PATIENTS_MAX, ..Query::default() };
    let grant = Grant::of_operator();
    let found = app.service.lookup(tenant, &grant).search(&query).await;
    let matches = found.map(|page| page.matches).unwrap_or_default();
    let named = |stored: &charta_store::Stored| {
        let source = stored.document.source()?;
        let resource: serde_json::Value = serde_json::from_str(&source.body).ok()?;
        Some((stored.document.id.to_string(), name(&resource["name"][0])))
    };
    matches.iter().filter_map(|stored| named(stored)).collect()
}

/// A name as it is spoken; in DSTU2 there may be several family names.
fn name(name: &serde_json::Value) -> String {
    let texts = |value: &serde_json::Value| -> Vec<String> {
        let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    match name["text"].as_str() {
        Some(text) => text.to_owned(),
        None => [texts(&name["given"]), texts(&name["family"])].concat().join(" "),
    }
}

/// 256 bits that nobody can guess.
fn random() -> String {
    format!("{}{}", clock::fresh_uuid(), clock::fresh_uuid()).replace('-', "")
}

fn remembered<T>(memory: &Expiring<T>, name: String, thing: T, until: charta_model::Timestamp) -> bool {
    memory.insert(name, thing, until, clock::now())
}

/// Sends the person back to the app.
///
/// Clause: RFC 9207 2
fn send_back(app: &App, uri: &str, parameters: &[(&str, &str)], state: Option<&str>) -> Answer {
    let issuer = format!("{}{}", app.config.public_url, path::ISSUER);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters).append_pair("iss", &issuer);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    let mark = if uri.contains('?') { '&' } else { '?' };
    let location = respond::value(&format!("{uri}{mark}{}", query.finish()));
    respond::empty(StatusCode::SEE_OTHER, HeaderMap::from_iter([(header::LOCATION, location)]))
}
