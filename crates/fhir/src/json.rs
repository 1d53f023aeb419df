//! Writes resources as FHIR JSON.

use crate::{Node, Piece};

/// Writes `node`; `pretty` indents by two spaces.
///
/// Clause: FHIR R4 json.html
#[must_use]
pub fn write(node: &Node, pretty: bool) -> Vec<Piece> {
    let _ = (node, pretty);
    Vec::new()
}
