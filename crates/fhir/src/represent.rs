//! Makes resources out of the model: one file per resource, the versions side by side.
//!
//! Nothing here reads content: a resource names the *slot* that its bytes come from, and writing it
//! gives pieces between which they are streamed.

mod binary;
mod bundle;
mod capability;
mod outcome;
mod source;
mod subset;

pub use binary::binary;
pub use bundle::{BundleLink, Entry, Page, history, searchset};
pub use capability::{Capabilities, capability};
pub use outcome::{Issue, IssueCode, Severity, outcome};
pub use subset::{Subset, Summary};

use crate::{Format, Node, Piece, json, xml};

/// Writes a resource in `format`; `pretty` indents it.
#[must_use]
pub fn write(node: &Node, format: Format, pretty: bool) -> Vec<Piece> {
    match format {
        Format::Json => json::write(node, pretty),
        Format::Xml => xml::write(node, pretty),
    }
}

#[cfg(test)]
mod tests;
