//! The stages of a request, in order; the order is policy. What the client wants is read first and
//! never refuses, so that every refusal can speak the client's version and format; whoever calls is
//! authorized before anything is looked up.

use std::{net::IpAddr, sync::OnceLock, time::Instant};

use charta_auth::Grant;
use charta_model::TenantId;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header, request::Parts};
use hyper::body::Incoming;

use super::{
    App,
    answer::Answer,
    audit::{self, Notes},
    authorize::authorize,
    body::AnswerBody,
    call::{self, Call},
    client::{Client, Place, Throttled},
    cors,
    evenly::evenly,
    forwarded, host, interaction, ops,
    outcome::{self, Refusal},
    record::Record,
    request_body::RequestBody,
    respond,
    serve::Link,
    smart,
    target::Target,
};
use crate::{
    clock,
    config::{Auth, Config, Endpoint, EndpointTenant, route},
};

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_HTTP_METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// Answers one request.
pub async fn handle(app: &App, request: Request<Incoming>, link: &Link) -> Answer {
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let body = RequestBody::new(body, link.unread.clone());
    let request_id = request_id(&parts.headers);
    let method = parts.method.clone();
    let routed = match route(&app.config.endpoints, parts.uri.path()) {
        Some((endpoint, tenant, rest)) => {
            endpoint_answer(app, endpoint, tenant, rest, &parts, body, &request_id, link).await
        }
        None => Box::pin(ops::answer(app, &parts, body, link)).await,
    };
    let Routed { mut answer, template, tenant } = routed;
    common_headers(answer.headers_mut(), &request_id, link);
    let status = answer.status().as_u16();
    let promised = match method {
        Method::HEAD => None,
        _ => answer.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok()),
    };
    let record =
        Record::new(app.metrics.clone(), begun, &request_id, &tenant, method, template, status, promised);
    answer.body_mut().recorded(record);
    answer
}

/// An answer and what is noted of it.
pub struct Routed {
    /// The answer.
    pub answer: Answer,
    /// The route, without ids.
    pub template: &'static str,
    /// The tenant, if the path led to one that exists.
    pub tenant: String,
}

#[allow(clippy::too_many_arguments, reason = "the parts of one request, used once")]
async fn endpoint_answer(
    app: &App,
    endpoint: &Endpoint,
    tenant_text: Option<&str>,
    rest: &str,
    parts: &Parts,
    body: RequestBody,
    request_id: &str,
    link: &Link,
) -> Routed {
    let target = Target::parse(rest);
    let parameters = parameters(parts.uri.query());
    let known = tenant(app, endpoint, tenant_text);
    let recorded = endpoint.auth == Auth::Smart || app.config.audit.open_endpoints;
    let address = address(app, parts, link);
    let address_text =
        if address == link.peer { (&*link.peer_text).into() } else { address.to_string().into() };
    let notes = Notes::new(recorded, &parts.uri, address_text);
    let call = Call {
        app,
        endpoint,
        tenant: known.as_ref().unwrap_or(&app.no_tenant),
        method: method(endpoint, parts, &parameters),
        target: &target,
        parameters: &parameters,
        headers: &parts.headers,
        wanted: call::wanted(endpoint, &parts.headers, &parameters),
        grant: Grant::of_nobody(),
        token: None,
        pretty: call::last(&parameters, "_pretty") == Some("true"),
        request_id,
        now: clock::now(),
        outbox: &link.outbox,
        last_token: &link.last_token,
        notes: &notes,
        base: OnceLock::new(),
    };
    // A client is known by its address alone before the token is read.
    let mut answer = match app.clients.admit(Client::at(address), Instant::now()) {
        Err(throttled) => {
            let refusal = Refusal::Throttled { throttled, client: Client::at(address) };
            refused(&call, &refusal, Instant::now()).await
        }
        Ok(mut place) => {
            let mut answer = match cors::preflight(&call) {
                Some(answer) => answer,
                None => answer(call, known.is_some(), body, &mut place).await,
            };
            if let Some(place) = place {
                answer.body_mut().holds(place, link.outbox.clone());
            }
            answer
        }
    };
    match target {
        Target::SmartConfiguration => cors::public(answer.headers_mut()),
        _ => cors::headers(endpoint.profile, &parts.headers, answer.headers_mut()),
    }
    fhir_headers(endpoint, answer.headers_mut());
    let tenant = known.map_or_else(String::new, |tenant| tenant.as_str().to_owned());
    Routed { answer, template: target.template(), tenant }
}

/// Where a request comes from, as far as those tell who are trusted.
fn address(app: &App, parts: &Parts, link: &Link) -> IpAddr {
    let Config { trusted_proxies, proxy_header, .. } = &app.config;
    forwarded::client(trusted_proxies, *proxy_header, link.peer, &parts.headers)
}

/// A place for a request that is no endpoint's. `Ok(None)` if requests are not counted.
///
/// # Errors
/// If its client has all it may have.
pub fn admitted(app: &App, parts: &Parts, link: &Link) -> Result<Option<Place>, Throttled> {
    app.clients.admit(Client::at(address(app, parts, link)), Instant::now())
}

async fn answer(
    mut call: Call<'_>,
    tenant_known: bool,
    body: RequestBody,
    place: &mut Option<Place>,
) -> Answer {
    let begun = Instant::now();
    let public = interaction::public(&call);
    let is_public = public.is_some() || *call.target == Target::SmartConfiguration;
    let result = async {
        let tenant = if tenant_known { Ok(()) } else { Err(Refusal::TenantUnknown) };
        if call.endpoint.auth == Auth::Open && !host::is_own(&call.app.config, call.notes.uri, call.headers) {
            return Err(Refusal::HostUnknown);
        }
        if *call.target == Target::SmartConfiguration {
            tenant?;
            return smart::smart_configuration(&call); // read before there is a token
        }
        if let Some(answer) = public {
            tenant?;
            return answer;
        }
        audit::ready(&call)?; // what cannot be recorded is not done
        let caller = authorize(&call).await?; // before anything is looked up
        (call.grant, call.token) = (caller.grant, caller.token);
        admit_holder(&call, place)?;
        tenant?;
        interaction::dispatch(&call, body).await
    }
    .await;
    let answer = match result {
        Ok(answer) => answer,
        Err(refusal) => {
            let answer = refused(&call, &refusal, begun).await;
            if matches!(refusal, Refusal::Throttled { .. }) {
                return answer; // recorded by itself, now and then
            }
            answer
        }
    };
    if is_public || call.method == Method::OPTIONS {
        return answer;
    }
    match audit::record(&call, answer.status()).await {
        Ok(()) => answer,
        Err(refusal) => outcome::refusal(&call, &refusal),
    }
}

/// Whoever holds the token is a client as well, and has its place beside that of its address.
fn admit_holder(call: &Call<'_>, place: &mut Option<Place>) -> Result<(), Refusal> {
    let Some(client) = call.claims().and_then(|claims| call.app.clients.holder(claims)) else {
        return Ok(());
    };
    let admitted = call.app.clients.admit(client, Instant::now());
    let own = admitted.map_err(|throttled| Refusal::Throttled { throttled, client })?;
    *place = Place::joined(place.take(), own);
    Ok(())
}

async fn refused(call: &Call<'_>, refusal: &Refusal, begun: Instant) -> Answer {
    match refusal {
        Refusal::NotFound => evenly(&call.grant, begun).await,
        Refusal::Throttled { client, .. } => audit::throttled(call, *client).await,
        _ => {}
    }
    outcome::refusal(call, refusal)
}

fn tenant(app: &App, endpoint: &Endpoint, text: Option<&str>) -> Option<TenantId> {
    match &endpoint.tenant {
        EndpointTenant::Fixed(tenant) => Some(tenant.clone()),
        EndpointTenant::InPath => {
            app.config.tenants.iter().find(|tenant| Some(tenant.as_str()) == text).cloned()
        }
    }
}

/// The method, or the one that a client without PUT and DELETE names on Millennium.
fn method(endpoint: &Endpoint, parts: &Parts, parameters: &[(String, String)]) -> Method {
    if endpoint.profile == charta_fhir::Profile::Millennium && parts.method == Method::POST {
        let header = parts.headers.get(&X_HTTP_METHOD_OVERRIDE).and_then(|value| value.to_str().ok());
        let named = header.or_else(|| call::last(parameters, "_method"));
        if let Some(method) = named.and_then(|name| Method::try_from(&*name.to_ascii_uppercase()).ok()) {
            return method;
        }
    }
    parts.method.clone()
}

fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    query.map_or_else(Vec::new, |query| form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// The client's request id if it can be put into a log and a header, else one of ours.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) => {
            id.to_owned()
        }
        _ => clock::fresh_uuid(),
    }
}

/// What every answer of this server says.
///
/// Clause: RFC 6797 7.1
fn common_headers(headers: &mut HeaderMap, request_id: &str, link: &Link) {
    if link.secure {
        // A year; other names of this domain are not this server's to speak for.
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.insert(X_REQUEST_ID.clone(), respond::value(request_id));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// What every answer of an endpoint says: nobody but the caller may keep it.
fn fhir_headers(endpoint: &Endpoint, headers: &mut HeaderMap) {
    static CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let cache = match endpoint.profile {
        // Clients of Millennium know `no-cache`; `no-store` is stricter and holds for all.
        charta_fhir::Profile::Millennium => "private, no-cache, no-store",
        _ => "private, no-store",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Authorization, Accept-Encoding, Origin"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY.clone(), HeaderValue::from_static("same-site"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

/// A short text that is not FHIR.
pub fn plain(status: StatusCode, content_type: &'static str, text: impl Into<bytes::Bytes>) -> Answer {
    let body = AnswerBody::text(text);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.remaining()));
    respond::answer(status, headers, body)
}
