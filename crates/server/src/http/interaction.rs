//! Which FHIR interaction a method and a path are, and which of them an endpoint has.

mod capabilities;
mod create;
mod delete;
mod history;
mod page;
mod prefer;
mod read;
mod search;
mod state;
mod update;
mod vread;

use charta_fhir::{Profile, Version};
use http::{HeaderMap, Method, StatusCode, header};
use hyper::body::Incoming;

use super::{answer::Answer, call::Call, outcome::Refusal, respond, target::Target};

pub use capabilities::capabilities;

/// Carries out the interaction that was asked for.
///
/// # Errors
/// 404 for what is not served, 405 for what the endpoint does not do, or the interaction's own.
pub async fn dispatch(call: &Call<'_>, body: Incoming) -> Result<Answer, Refusal> {
    let offered = Offered::at(call);
    let is_get = matches!(call.method, Method::GET | Method::HEAD);
    let allow = offered.allow(call.target);
    if call.method == Method::OPTIONS {
        return options(call, allow);
    }
    match call.target {
        Target::Instance(id) if is_get => read::read(call, id).await,
        Target::Version(id, version) if is_get && offered.versions => vread::vread(call, id, *version).await,
        // The others are boxed: a read should not carry the room that they need.
        target => Box::pin(others(call, target, &offered, allow, body)).await,
    }
}

async fn others(
    call: &Call<'_>,
    target: &Target,
    offered: &Offered,
    allow: &'static str,
    body: Incoming,
) -> Result<Answer, Refusal> {
    let method = &call.method;
    let is_get = matches!(*method, Method::GET | Method::HEAD);
    match target {
        Target::Instance(id) if method == Method::PUT && offered.writes => {
            update::update(call, id, body).await
        }
        Target::Instance(id) if method == Method::DELETE && offered.writes => delete::delete(call, id).await,
        Target::InstanceHistory(id) if is_get && offered.versions => history::instance(call, id).await,
        Target::TypeHistory if is_get && offered.versions => history::of_type(call).await,
        Target::Type if is_get && offered.search => search::get(call).await,
        Target::TypeSearch if method == Method::POST && offered.search => search::post(call, body).await,
        Target::Type if method == Method::POST && offered.writes => create::create(call, body).await,
        Target::Type if method == Method::PUT && offered.writes => update::update_matching(call, body).await,
        Target::Type if method == Method::DELETE && offered.writes => delete::delete_matching(call).await,
        Target::OtherType => Err(Refusal::TypeUnknown),
        Target::Operation => Err(Refusal::OperationUnknown),
        Target::Unknown => Err(Refusal::NotFound),
        _ => Err(Refusal::MethodNotAllowed { allow }),
    }
}

/// What an endpoint does, of what there is.
struct Offered {
    writes: bool,
    versions: bool,
    search: bool,
}

impl Offered {
    fn at(call: &Call<'_>) -> Self {
        let standard = call.profile() == Profile::Standard;
        Self {
            writes: standard && call.endpoint.writable,
            versions: standard,
            // Decision 20: nowhere else.
            search: standard && matches!(call.version(), Version::Dstu2 | Version::Stu3),
        }
    }

    /// The methods that do something, as the header `Allow` has them.
    const fn allow(&self, target: &Target) -> &'static str {
        match target {
            Target::Instance(_) if self.writes => "GET, HEAD, PUT, DELETE, OPTIONS",
            Target::Type if self.writes && self.search => "GET, HEAD, POST, PUT, DELETE, OPTIONS",
            Target::Type if self.writes => "POST, PUT, DELETE, OPTIONS",
            Target::Type if self.search => "GET, HEAD, OPTIONS",
            Target::TypeSearch if self.search => "POST, OPTIONS",
            Target::Version(..) | Target::InstanceHistory(_) | Target::TypeHistory if self.versions => {
                "GET, HEAD, OPTIONS"
            }
            Target::Instance(_) | Target::Metadata => "GET, HEAD, OPTIONS",
            _ => "OPTIONS",
        }
    }
}

/// In DSTU2 `OPTIONS [base]` asks for the conformance statement; elsewhere for the methods.
fn options(call: &Call<'_>, allow: &'static str) -> Result<Answer, Refusal> {
    if call.version() == Version::Dstu2 && *call.target == Target::System {
        return capabilities(call);
    }
    let headers = HeaderMap::from_iter([(header::ALLOW, respond::value(allow))]);
    Ok(respond::empty(StatusCode::NO_CONTENT, headers))
}
