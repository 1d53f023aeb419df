//! read of the OperationDefinitions of what this server offers. They are of the program, not of the store.

use charta_fhir::represent::{self, OperationDefinition};
use http::{Method, StatusCode};

use super::defined;
use crate::http::{answer::Answer, call::Call, outcome::Refusal, respond, target::Target};

/// The definition, if the path names one. Public, as the capability statement is.
///
/// # Errors
/// 405 for what would change it, 406.
pub fn definition(call: &Call<'_>) -> Option<Result<Answer, Refusal>> {
    let Target::Instance(kind, id) = call.target else { return None };
    let operation = defined(call.endpoint, kind, id)?;
    if call.method == Method::OPTIONS {
        return None;
    }
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Some(Err(Refusal::MethodNotAllowed { allow: "GET, HEAD, OPTIONS".into() }));
    }
    let of = OperationDefinition {
        id: operation.definition,
        base_url: call.base(),
        name: operation.title,
        code: operation.name,
        kind: operation.kind,
        instance: operation.instance,
        description: operation.description,
        affects_state: (operation.affects_state)(call.endpoint),
        parameters: &(operation.parameters)(call.endpoint),
    };
    let node = represent::operation_definition(&of, call.version());
    let answer = |fhir_type| respond::fhir(call, StatusCode::OK, &fhir_type, &node);
    Some(call.wanted.resource().map(answer).map_err(Refusal::NotAcceptable))
}
