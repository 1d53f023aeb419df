//! The media types that name JSON and XML, by whatever FHIR version.

use crate::Format;

/// A media type that names a FHIR format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    FhirJson,
    FhirXml,
    JsonFhir,
    XmlFhir,
    ApplicationJson,
    TextJson,
    ApplicationXml,
    TextXml,
}

impl Name {
    const ALL: [Self; 8] = [
        Self::FhirJson,
        Self::FhirXml,
        Self::JsonFhir,
        Self::XmlFhir,
        Self::ApplicationJson,
        Self::TextJson,
        Self::ApplicationXml,
        Self::TextXml,
    ];

    /// The name that a `type/subtype` in any letter case is. The older and the newer spelling are taken
    /// by every version.
    ///
    /// Clause: FHIR R4 http.html#mime-type
    pub(super) fn of(essence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(essence))
    }

    pub(super) const fn as_str(self) -> &'static str {
        self.spellings().0
    }

    pub(super) const fn with_charset(self) -> &'static str {
        self.spellings().1
    }

    pub(super) const fn format(self) -> Format {
        match self {
            Self::FhirJson | Self::JsonFhir | Self::ApplicationJson | Self::TextJson => Format::Json,
            Self::FhirXml | Self::XmlFhir | Self::ApplicationXml | Self::TextXml => Format::Xml,
        }
    }

    /// Whether it names any JSON or XML, not just FHIR's.
    pub(super) const fn is_generic(self) -> bool {
        matches!(self, Self::ApplicationJson | Self::TextJson | Self::ApplicationXml | Self::TextXml)
    }

    const fn spellings(self) -> (&'static str, &'static str) {
        match self {
            Self::FhirJson => ("application/fhir+json", "application/fhir+json; charset=UTF-8"),
            Self::FhirXml => ("application/fhir+xml", "application/fhir+xml; charset=UTF-8"),
            Self::JsonFhir => ("application/json+fhir", "application/json+fhir; charset=UTF-8"),
            Self::XmlFhir => ("application/xml+fhir", "application/xml+fhir; charset=UTF-8"),
            Self::ApplicationJson => ("application/json", "application/json; charset=UTF-8"),
            Self::TextJson => ("text/json", "text/json; charset=UTF-8"),
            Self::ApplicationXml => ("application/xml", "application/xml; charset=UTF-8"),
            Self::TextXml => ("text/xml", "text/xml; charset=UTF-8"),
        }
    }
}
