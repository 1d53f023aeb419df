//! Reads resources of every type, in JSON and XML, by the element tables of their version.
//!
//! The result is the tree of the resource as JSON has it. A body that cannot be read at all is refused with
//! the place where reading ended; one that breaks rules of its type, with every problem at once.
//! [`crate::parse`] is for Binary, whose content is no part of any tree.

mod check;
mod empty;
mod json;
mod narrative;
mod order;
mod parts;
mod xml;

#[cfg(test)]
mod tests;

pub use crate::parse::{ReadError, ReadErrorKind};

use crate::{Format, Node, Version};

pub use empty::without_empty;
pub use order::in_order;
pub use parts::Parts;

/// Deepest nesting of a body.
pub const DEPTH_MAX: usize = 64;
/// Most values of a body.
pub const VALUES_MAX: usize = 5_000_000;
/// Most problems that are told.
pub const PROBLEMS_MAX: usize = 100;

/// Reads the resource that `bytes` are.
///
/// # Errors
/// All problems, in the order of the body; at most [`PROBLEMS_MAX`], at least one.
///
/// Clause: FHIR R4 xml.html
/// Clause: FHIR R4 json.html
pub fn read(bytes: &[u8], format: Format, version: Version) -> Result<Node, Vec<ReadError>> {
    let (resource, mut problems) = parse(bytes, format, version)?;
    problems.extend(check::problems(&resource, version));
    problems.truncate(PROBLEMS_MAX);
    if problems.is_empty() { Ok(resource) } else { Err(problems) }
}

/// Reads a Bundle whose entries are judged one by one, each with [`check`]: what it returns is well-formed, and
/// nothing more is known of it.
///
/// # Errors
/// What keeps it from being read at all.
pub fn read_unchecked(bytes: &[u8], format: Format, version: Version) -> Result<Node, Vec<ReadError>> {
    let (resource, problems) = parse(bytes, format, version)?;
    if problems.is_empty() { Ok(resource) } else { Err(problems) }
}

/// The problems of a resource that was read unchecked, or made here.
#[must_use]
pub fn check(resource: &Node, version: Version) -> Vec<ReadError> {
    check::problems(resource, version)
}

fn parse(bytes: &[u8], format: Format, version: Version) -> Result<(Node, Vec<ReadError>), Vec<ReadError>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| vec![ReadError::new(ReadErrorKind::Structure, "", "the body is not UTF-8")])?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    match format {
        Format::Json => Ok((json::read(text).map_err(|error| vec![error])?, Vec::new())),
        Format::Xml => xml::read(text, version).map_err(|error| vec![error]),
    }
}

/// The type that a tree says it is.
#[must_use]
pub fn type_of(resource: &Node) -> Option<&str> {
    resource.text_at("resourceType")
}
