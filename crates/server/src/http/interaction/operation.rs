//! Operations: what an endpoint does that is no interaction. One table says which there are, of which type, and where.
//!
//! Clause: FHIR R4 operations.html

mod autogen_ccd;
mod definition;
mod docref;
mod gather;
mod on_demand;
mod parameters;
mod persist;
mod view;

use charta_fhir::represent::{OperationCapability, OperationParameter};
use charta_model::{ResourceId, ResourceType};
use http::{HeaderMap, Method, StatusCode, header};

use crate::{
    config::Endpoint,
    http::{
        answer::Answer, call::Call, outcome::Refusal, request_body::RequestBody, respond, target::Target,
    },
};

pub use definition::definition;
pub use on_demand::{entry as on_demand_entry, in_search};
pub use parameters::Fault;

/// An operation.
pub struct Operation {
    which: Which,
    /// How it is called in a URL, without `$`.
    name: &'static str,
    /// The type that it is an operation of.
    kind: &'static str,
    /// Whether it is asked of one resource; if not, of the type.
    instance: bool,
    /// The id of its definition.
    definition: &'static str,
    /// Its name for programs.
    title: &'static str,
    description: &'static str,
    is_offered: fn(&Endpoint) -> bool,
    /// What it takes, in one context; to keep what it makes takes more.
    scopes: &'static [&'static str],
    /// Whether it may change what is kept.
    affects_state: fn(&Endpoint) -> bool,
    parameters: fn(&Endpoint) -> Vec<OperationParameter>,
}

/// The operations by what carries them out.
#[derive(Clone, Copy)]
enum Which {
    AutogenCcd,
    Docref,
    View,
    ViewRecord,
}

/// All operations.
static ALL: [Operation; 4] = [autogen_ccd::OPERATION, docref::OPERATION, view::OF_DOCUMENT, view::OF_RECORD];

/// What `Allow` says of an operation.
const ALLOW: &str = "GET, HEAD, POST, OPTIONS";

/// The operation that a path names, if the endpoint offers it.
fn named(endpoint: &Endpoint, target: &Target) -> Option<&'static Operation> {
    let Target::Operation(Some(kind), id, name) = target else { return None };
    ALL.iter().find(|operation| {
        operation.name == &**name
            && operation.kind == kind.as_str()
            && operation.instance == id.is_some()
            && (operation.is_offered)(endpoint)
    })
}

/// The scopes that the operation takes which a path names.
pub fn scopes(call: &Call<'_>) -> Option<&'static [&'static str]> {
    named(call.endpoint, call.target).map(|operation| operation.scopes)
}

/// Carries out an operation.
///
/// # Errors
/// 404 for one that is not offered, 405 for other methods than GET and POST, or the operation's own.
pub async fn operation(call: &Call<'_>, body: RequestBody) -> Result<Answer, Refusal> {
    let found = named(call.endpoint, call.target);
    if call.method == Method::OPTIONS {
        let allow = if found.is_some() { ALLOW } else { "OPTIONS" };
        let headers = HeaderMap::from_iter([(header::ALLOW, respond::value(allow))]);
        return Ok(respond::empty(StatusCode::NO_CONTENT, headers));
    }
    let operation = found.ok_or(Refusal::OperationUnknown)?;
    let given = match call.method {
        Method::GET | Method::HEAD => call.parameters.to_vec(),
        Method::POST => parameters::of_post(call, body).await?,
        _ => return Err(Refusal::MethodNotAllowed { allow: ALLOW.into() }),
    };
    match operation.which {
        Which::View => match call.target {
            Target::Operation(_, Some(id), _) => view::of_document(call, id, &given).await,
            _ => Err(Refusal::OperationUnknown),
        },
        Which::ViewRecord => view::of_record(call, &given).await,
        Which::AutogenCcd => autogen_ccd::autogen_ccd(call, &given).await,
        Which::Docref => docref::docref(call, &given).await,
    }
}

/// What the endpoint's capability statement says of them.
pub fn capabilities(call: &Call<'_>) -> Vec<OperationCapability> {
    let offered = ALL.iter().filter(|operation| (operation.is_offered)(call.endpoint));
    let of = |operation: &Operation| OperationCapability {
        kind: operation.kind,
        name: operation.name,
        definition: format!("{}/OperationDefinition/{}", call.base(), operation.definition),
    };
    offered.map(of).collect()
}

/// The operation that a path names the definition of, if the endpoint offers it.
fn defined(endpoint: &Endpoint, kind: &ResourceType, id: &ResourceId) -> Option<&'static Operation> {
    let mut offered = ALL.iter().filter(|operation| (operation.is_offered)(endpoint));
    offered.find(|operation| kind.as_str() == "OperationDefinition" && operation.definition == id.as_str())
}
