//! Writes resources as FHIR XML.

use crate::{Node, Piece};

/// Writes `node`, which is a resource; `pretty` indents by two spaces.
///
/// Clause: FHIR R4 xml.html
#[must_use]
pub fn write(node: &Node, pretty: bool) -> Vec<Piece> {
    let _ = (node, pretty);
    Vec::new()
}
