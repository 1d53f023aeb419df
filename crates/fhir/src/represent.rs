//! Makes resources out of the model: one file per resource, the versions side by side.
//!
//! Nothing here reads content: a resource names the *slot* that its bytes come from, and writing it
//! gives pieces between which they are streamed.

mod audit_event;
mod binary;
mod bundle;
mod capability;
mod operation;
mod outcome;
mod resource;
mod source;
mod subset;

pub use audit_event::{audit_action, audit_event, audit_outcome, audit_subtypes};
pub use binary::{binary, made_binary};
pub use bundle::{BundleLink, Entry, Page, history, searchset, searchset_of};
pub use capability::{
    Capabilities, OauthUris, OperationCapability, Resource as ResourceCapabilities, capability,
};
pub use operation::{OperationDefinition, Parameter as OperationParameter, operation_definition};
pub use outcome::{Issue, IssueCode, Severity, outcome};
pub use resource::{resource, told};
pub use subset::{Subset, Summary};

use crate::{Format, Node, Piece, Version, json, xml};

/// The resource that a document is shown as; the bytes of a Binary are content number `slot` of the answer.
/// `None` for a deletion, and for a type that this version cannot show.
#[must_use]
pub fn shown(
    document: &charta_model::Document,
    version: Version,
    subset: &Subset,
    base: &str,
    slot: usize,
) -> Option<Node> {
    match document.content() {
        Some(_) => Some(binary(document, version, subset, slot)),
        None => resource(document, version, subset, base),
    }
}

/// Writes a resource of `version` in `format`; `pretty` indents it.
#[must_use]
pub fn write(node: Node, version: Version, format: Format, pretty: bool) -> Vec<Piece> {
    match format {
        Format::Json => json::write(&node, pretty),
        Format::Xml => xml::write(&crate::resource::in_order(node, version), pretty),
    }
}

#[cfg(test)]
mod tests;
