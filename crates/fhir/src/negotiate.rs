//! What a client asked for, and what it gets. (Signatures; the rules follow.)

use std::borrow::Cow;

use charta_model::MediaType;

use crate::{Format, Profile, Version};

/// What an endpoint promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The version that it speaks.
    pub version: Version,
    /// Whose clients it serves.
    pub profile: Profile,
    /// Whether an `Accept` that covers neither the stored type nor a FHIR form is refused.
    pub strict: bool,
}

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    rules: Rules,
}

/// The form in which a Binary is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// The bytes, labelled with the stored type.
    Native,
    /// The Binary resource.
    Resource(FhirType),
}

/// A format and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FhirType {
    /// How the resource is written.
    pub format: Format,
    /// The answer's `Content-Type`.
    pub content_type: Cow<'static, str>,
}

/// Nothing that the client takes can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotAcceptable {
    /// What cannot be met.
    pub reason: Reason,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// `_format`.
    #[error("_format names a format that this cannot be given in")]
    Format,
    /// `Accept`.
    #[error("Accept names no format that this can be given in")]
    Accept,
    /// The parameter `fhirVersion`.
    #[error("fhirVersion names a version that this endpoint does not serve")]
    FhirVersion,
}

impl Wanted {
    /// Reads the values of all `Accept` lines and the decoded `_format`; never refuses.
    #[must_use]
    pub fn new(rules: &Rules, _accept: &[&str], _format: Option<&str>) -> Self {
        Self { rules: *rules }
    }

    /// The form of a Binary whose bytes are `stored`.
    ///
    /// # Errors
    /// If the client takes neither the stored type nor a FHIR form.
    pub fn choose(&self, _stored: &MediaType) -> Result<Chosen, NotAcceptable> {
        Ok(Chosen::Native)
    }

    /// The form of any other resource.
    ///
    /// # Errors
    /// If the client takes neither FHIR JSON nor FHIR XML.
    pub fn resource(&self) -> Result<FhirType, NotAcceptable> {
        Ok(self.outcome())
    }

    /// The form of an OperationOutcome.
    #[must_use]
    pub fn outcome(&self) -> FhirType {
        let content_type = Cow::Borrowed(self.rules.version.content_type(Format::Json));
        FhirType { format: Format::Json, content_type }
    }
}
