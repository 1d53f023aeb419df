//! Which FHIR interaction a method and a path are, and which of them an endpoint has.

mod audit;
mod bundle;
mod capabilities;
mod create;
mod delete;
mod history;
mod offered;
mod operation;
mod page;
mod patch;
mod prefer;
mod publish;
mod read;
mod resource_body;
mod rules;
mod search;
mod state;
mod update;
mod vread;

use charta_auth::{Action, covers};
use charta_fhir::Version;
use charta_model::ResourceType;
use http::{HeaderMap, Method, StatusCode, header};

use super::{answer::Answer, call::Call, outcome::Refusal, respond, target::Target};
use crate::http::request_body::RequestBody;

use capabilities::capabilities;
pub use offered::Offered;
pub use operation::{Fault as ParameterFault, scopes as operation_scopes};
pub use rules::millennium_write::Broken;

/// What everybody may see, with or without a token: what the endpoint does. It says nothing of patients.
pub fn public(call: &Call<'_>) -> Option<Result<Answer, Refusal>> {
    match call.target {
        Target::Metadata => Some(capabilities(call)),
        _ => operation::definition(call),
    }
}

/// Carries out the interaction that was asked for.
///
/// # Errors
/// 404 for what is not served, 405 for what the endpoint does not do, or the interaction's own.
pub async fn dispatch(call: &Call<'_>, body: RequestBody) -> Result<Answer, Refusal> {
    match call.target {
        Target::Instance(kind, id) if kind.is_binary() && is_get(&call.method) => {
            read::read(call, kind, id).await
        }
        // The others are boxed: a read of a document should not carry the room that they need.
        target => Box::pin(others(call, target, body)).await,
    }
}

fn is_get(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

async fn others(call: &Call<'_>, target: &Target, body: RequestBody) -> Result<Answer, Refusal> {
    if let Target::Operation(..) = target {
        return operation::operation(call, body).await;
    }
    let offered = Offered::at(call, target.kind());
    if call.method == Method::OPTIONS {
        return options(call, &offered.allow(target));
    }
    if !offered.is_served {
        return Err(Refusal::TypeUnknown);
    }
    if target.kind() == Some(&ResourceType::AUDIT_EVENT) {
        return audit::audit(call).await;
    }
    let is_get = is_get(&call.method);
    let refused = || Err(Refusal::MethodNotAllowed { allow: offered.allow(target) });
    if let Some((action, kind)) = asked(call, target, &offered)
        && !covers(&call.grant, action, kind)
    {
        return Err(Refusal::Forbidden); // before a body is read
    }
    match target {
        Target::Unknown => Err(Refusal::NotFound),
        Target::Instance(kind, id) => match call.method {
            _ if is_get => read::read(call, kind, id).await,
            Method::PUT if offered.update => update::update(call, kind, id, body).await,
            Method::DELETE if offered.delete => delete::delete(call, kind, id).await,
            Method::PATCH if offered.patch => patch::patch(call, kind, id, body).await,
            _ => refused(),
        },
        Target::Type(kind) => match call.method {
            _ if is_get && offered.search => search::get(call, kind).await,
            Method::POST if offered.create => create::create(call, kind, body).await,
            Method::PUT if offered.conditional => update::update_matching(call, kind, body).await,
            Method::DELETE if offered.conditional => delete::delete_matching(call, kind).await,
            Method::PATCH if offered.patch => patch::patch_matching(call, kind, body).await,
            _ => refused(),
        },
        Target::Version(kind, id, version) if is_get && offered.versions => {
            vread::vread(call, kind, id, *version).await
        }
        Target::InstanceHistory(kind, id) if is_get && offered.versions => {
            history::instance(call, kind, id).await
        }
        Target::TypeHistory(kind) if is_get && offered.versions => history::of_type(call, kind).await,
        Target::SystemHistory if is_get && offered.versions => history::of_system(call).await,
        Target::TypeSearch(kind) if call.method == Method::POST && offered.search => {
            search::post(call, kind, body).await
        }
        Target::System if is_get && offered.search => search::of_system(call).await,
        Target::SystemSearch if call.method == Method::POST && offered.search => {
            search::of_system_by_post(call, body).await
        }
        Target::Compartment(of, id, kind) if is_get && offered.search => {
            search::of_compartment(call, of, id, kind.as_ref()).await
        }
        Target::CompartmentSearch(of, id, kind) if call.method == Method::POST && offered.search => {
            search::of_compartment_by_post(call, of, id, kind.as_ref(), body).await
        }
        Target::System if call.method == Method::POST && offered.bundle => bundle::bundle(call, body).await,
        _ => refused(),
    }
}

/// What a scope must cover, if it is offered at all. Reads and searches ask by themselves.
fn asked<'t>(call: &Call<'_>, target: &'t Target, offered: &Offered) -> Option<(Action, &'t ResourceType)> {
    let (kind, action) = match (target, &call.method) {
        (Target::Instance(kind, _), &Method::PUT) if offered.update => (kind, Action::Update),
        (Target::Instance(kind, _) | Target::Type(kind), &Method::PATCH) if offered.patch => {
            (kind, Action::Update)
        }
        (Target::Instance(kind, _), &Method::DELETE) if offered.delete => (kind, Action::Delete),
        (Target::Type(kind), &Method::POST) if offered.create => (kind, Action::Create),
        (Target::Type(kind), &Method::PUT) if offered.conditional => (kind, Action::Update),
        (Target::Type(kind), &Method::DELETE) if offered.conditional => (kind, Action::Delete),
        _ => return None,
    };
    Some((action, kind))
}

/// In DSTU2 `OPTIONS [base]` asks for the conformance statement; elsewhere for the methods.
fn options(call: &Call<'_>, allow: &str) -> Result<Answer, Refusal> {
    if call.version() == Version::Dstu2 && *call.target == Target::System {
        return capabilities(call);
    }
    let headers = HeaderMap::from_iter([(header::ALLOW, respond::value(allow))]);
    Ok(respond::empty(StatusCode::NO_CONTENT, headers))
}
