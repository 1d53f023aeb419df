//! capabilities: `GET [base]/metadata`
//!
//! Clause: FHIR R4 http.html#capabilities

use charta_fhir::{
    Version,
    represent::{self, Capabilities, OauthUris, ResourceCapabilities},
};
use charta_model::ResourceType;
use http::{Method, StatusCode, header};

use super::{Offered, operation};
use crate::{
    config::Auth,
    http::{answer::Answer, call::Call, outcome::Refusal, precondition, respond, smart},
};

/// The day of this release's statements; changes when what an endpoint does changes.
const STATEMENT_DATE: &str = "2026-11-21";

/// What this endpoint does, in its version's own resource.
///
/// # Errors
/// 405 for other methods, 406.
pub fn capabilities(call: &Call<'_>) -> Result<Answer, Refusal> {
    if !matches!(call.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Err(Refusal::MethodNotAllowed { allow: "GET, HEAD, OPTIONS".into() });
    }
    let fhir_type = call.wanted.resource()?;
    let node = represent::capability(&Capabilities {
        version: call.version(),
        profile: call.profile(),
        base_url: call.base(),
        date: STATEMENT_DATE,
        software_version: env!("CARGO_PKG_VERSION"),
        secured: call.endpoint.auth == Auth::Smart,
        oauth: oauth(call),
        resources: resources(call),
        interactions: of_system(call),
        operations: operation::capabilities(call),
    });
    let mut answer = respond::fhir(call, StatusCode::OK, &fhir_type, &node);
    let etag = precondition::weak_etag_of(&format!("{STATEMENT_DATE}-{}", env!("CARGO_PKG_VERSION")));
    answer.headers_mut().insert(header::ETAG, respond::value(&etag));
    Ok(answer)
}

/// Where tokens are had, for clients that do not read `.well-known/smart-configuration`.
fn oauth(call: &Call<'_>) -> Option<OauthUris> {
    let told = smart::discovery(call)?;
    Some(OauthUris {
        token: told.token_endpoint,
        authorize: told.more.authorization_endpoint,
        register: told.more.registration_endpoint,
        manage: told.more.management_endpoint,
    })
}

/// What the endpoint does with every type that it serves.
fn resources(call: &Call<'_>) -> Vec<ResourceCapabilities> {
    let definitions = call.version().definitions();
    let of = |name: &'static str| {
        let kind = ResourceType::new(name).ok()?;
        let offered = Offered::at(call, Some(&kind));
        offered.is_served.then(|| one(name, &offered))
    };
    definitions.resources().filter_map(|resource| of(resource.name)).collect()
}

fn one(name: &'static str, offered: &Offered) -> ResourceCapabilities {
    let codes = [
        ("read", true),
        ("vread", offered.versions),
        ("update", offered.update),
        ("patch", offered.patch),
        ("delete", offered.delete),
        ("history-instance", offered.versions),
        ("history-type", offered.versions),
        ("create", offered.create),
        ("search-type", offered.search),
    ];
    ResourceCapabilities {
        name,
        interactions: codes.into_iter().filter(|(_, does)| *does).map(|(code, _)| code).collect(),
        versions: offered.versions,
        update_create: offered.conditional,
        conditional: offered.conditional,
        patch: offered.patch,
        search: offered.search,
    }
}

fn of_system(call: &Call<'_>) -> Vec<&'static str> {
    let offered = Offered::at(call, None);
    let codes = [
        ("transaction", offered.bundle && call.version() != Version::Dstu2),
        ("batch", offered.bundle),
        ("search-system", offered.search),
        ("history-system", offered.versions),
    ];
    codes.into_iter().filter(|(_, does)| *does).map(|(code, _)| code).collect()
}
