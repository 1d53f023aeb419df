//! The name of a resource type. Which types exist is for each FHIR version to say.

use std::{borrow::Cow, fmt};

/// Why a text is not the name of a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name of a resource type has 1 to 64 letters, the first of them a capital")]
pub struct InvalidResourceType;

/// The name of a resource type, as in `DocumentReference`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceType(Cow<'static, str>);

impl ResourceType {
    /// Binary: the one type whose resources have content.
    pub const BINARY: Self = Self(Cow::Borrowed("Binary"));
    /// AuditEvent: made of the audit log, never stored.
    pub const AUDIT_EVENT: Self = Self(Cow::Borrowed("AuditEvent"));
    /// Patient
    pub const PATIENT: Self = Self(Cow::Borrowed("Patient"));
    /// DocumentReference
    pub const DOCUMENT_REFERENCE: Self = Self(Cow::Borrowed("DocumentReference"));
    /// DiagnosticReport
    pub const DIAGNOSTIC_REPORT: Self = Self(Cow::Borrowed("DiagnosticReport"));

    /// # Errors
    /// If `text` is not of the form `[A-Z][A-Za-z]{0,63}`.
    pub fn new(text: &str) -> Result<Self, InvalidResourceType> {
        let fits = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_alphabetic());
        if fits { Ok(Self(Cow::Owned(text.to_owned()))) } else { Err(InvalidResourceType) }
    }

    /// The name as it stands in a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is Binary.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.0 == "Binary"
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_a_word_with_a_capital() {
        assert_eq!(ResourceType::new("Binary").unwrap(), ResourceType::BINARY);
        let long = "A".repeat(65);
        for text in ["", "patient", "Patient/1", "Patient1", "_history", "É", &long] {
            assert!(ResourceType::new(text).is_err(), "{text:?}");
        }
    }
}
