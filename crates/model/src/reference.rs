//! References between resources, in the form in which they are stored.

use std::fmt;

use crate::{ResourceId, ResourceType};

/// Why a text is not a reference that a document can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a reference of the form Type/id or an absolute URL")]
pub struct InvalidReference;

/// A reference to another resource: `Type/id`, `Type/id/_history/version`, or an absolute URL.
///
/// The text is safe as a header value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reference(Box<str>);

impl Reference {
    /// Longest text that is accepted, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// # Errors
    /// If `text` is empty, too long, or holds anything but visible ASCII; or if it is neither
    /// absolute nor of the form `Type/id`.
    pub fn new(text: &str) -> Result<Self, InvalidReference> {
        let visible = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
        if text.is_empty() || text.len() > Self::MAX_BYTES || !visible {
            return Err(InvalidReference);
        }
        if text.contains(':') || is_local(text) { Ok(Self(text.into())) } else { Err(InvalidReference) }
    }

    /// The resource of the same tenant that it names, whatever version; `None` if it leads elsewhere.
    #[must_use]
    pub fn local(&self) -> Option<(ResourceType, ResourceId)> {
        let mut parts = self.0.split('/');
        let kind = ResourceType::new(parts.next()?).ok()?;
        Some((kind, ResourceId::new(parts.next()?).ok()?)).filter(|_| !self.0.contains(':'))
    }

    /// The reference as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local(text: &str) -> bool {
    let mut parts = text.split('/');
    let named = |part: Option<&str>| part.is_some_and(|p| crate::ResourceId::new(p).is_ok());
    let kind = parts.next().unwrap_or_default();
    if !kind.starts_with(|c: char| c.is_ascii_uppercase())
        || !kind.bytes().all(|b| b.is_ascii_alphanumeric())
        || !named(parts.next())
    {
        return false;
    }
    match parts.next() {
        None => true,
        Some("_history") => named(parts.next()) && parts.next().is_none(),
        Some(_) => false,
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_and_absolute_references_are_taken() {
        for text in ["Patient/1", "DocumentReference/a-b.c/_history/3", "https://ehr.example/r4/Patient/1"] {
            assert_eq!(Reference::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn paths_and_header_breaks_are_refused() {
        for text in ["", "Patient", "patient/1", "Patient/../x", "Patient/1/x", "Patient/1\r\nX: y", "#a"] {
            assert!(Reference::new(text).is_err(), "{text:?}");
        }
    }
}
