//! OperationDefinitions: what an operation takes and gives, in each version.

use crate::{Node, Version};

/// An operation of one type.
#[derive(Debug, Clone)]
pub struct OperationDefinition<'a> {
    /// The id of the definition.
    pub id: &'a str,
    /// The endpoint's absolute URL, without a slash at the end.
    pub base_url: &'a str,
    /// What it is called, for programs: a word.
    pub name: &'a str,
    /// How it is called in a URL, without `$`.
    pub code: &'a str,
    /// The type that it is an operation of.
    pub kind: &'a str,
    /// Whether it is asked of one resource; if not, of the type.
    pub instance: bool,
    /// What it does.
    pub description: &'a str,
    /// Whether it may change what is kept.
    pub affects_state: bool,
    /// What it takes and gives.
    pub parameters: &'a [Parameter],
}

/// What an operation takes or gives.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// `in` or `out`.
    pub direction: &'static str,
    /// How often it must be there.
    pub min: u64,
    /// How often it may be there.
    pub max: &'static str,
    /// Its type.
    pub kind: &'static str,
    /// What it means.
    pub documentation: &'static str,
}

/// The definition as `version` has it.
///
/// Clause: FHIR R4 operationdefinition.html
#[must_use]
pub fn operation_definition(of: &OperationDefinition<'_>, version: Version) -> Node {
    let text = |text: &str| Some(Node::text(text.to_owned()));
    let in_dstu2 = version == Version::Dstu2;
    let r4 = version.is_r4_or_later();
    let kinds = || Some(Node::Array(vec![Node::text(of.kind.to_owned())]));
    let at_type = !of.instance;
    Node::object([
        ("resourceType", text("OperationDefinition")),
        ("id", text(of.id)),
        ("url", text(&format!("{}/OperationDefinition/{}", of.base_url, of.id))),
        ("name", text(of.name)),
        ("status", text("active")),
        ("kind", text("operation")),
        ("description", text(of.description)),
        ("idempotent", Some(Node::Bool(!of.affects_state)).filter(|_| !r4)),
        ("affectsState", Some(Node::Bool(of.affects_state)).filter(|_| r4)),
        ("code", text(of.code)),
        ("resource", kinds().filter(|_| !in_dstu2)),
        ("system", Some(Node::Bool(false))),
        // In DSTU2 the types, later whether it is asked of the type.
        ("type", if in_dstu2 { kinds().filter(|_| at_type) } else { Some(Node::Bool(at_type)) }),
        ("instance", Some(Node::Bool(of.instance))),
        ("parameter", Node::array(of.parameters.iter().map(parameter).collect())),
    ])
}

fn parameter(of: &Parameter) -> Node {
    Node::object([
        ("name", Some(Node::text(of.name))),
        ("use", Some(Node::text(of.direction))),
        ("min", Some(Node::number(of.min))),
        ("max", Some(Node::text(of.max))),
        ("documentation", Some(Node::text(of.documentation))),
        ("type", Some(Node::text(of.kind))),
    ])
}
