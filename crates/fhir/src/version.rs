//! The FHIR versions and their names for things.

use std::fmt;

/// A FHIR version that an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Version {
    /// 1.0.2
    Dstu2,
    /// 3.0.2
    Stu3,
    /// 4.0.1
    R4,
    /// 4.3.0
    R4b,
    /// 5.0.0
    R5,
}

/// A way to write a resource down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// FHIR JSON.
    Json,
    /// FHIR XML.
    Xml,
}

impl Version {
    /// All of them, oldest first.
    pub const ALL: [Self; 5] = [Self::Dstu2, Self::Stu3, Self::R4, Self::R4b, Self::R5];

    /// As configuration and command line name it: `DSTU2`, `STU3`, `R4`, `R4B`, `R5`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dstu2 => "DSTU2",
            Self::Stu3 => "STU3",
            Self::R4 => "R4",
            Self::R4b => "R4B",
            Self::R5 => "R5",
        }
    }

    /// The full number, as a capability statement gives it.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::Dstu2 => "1.0.2",
            Self::Stu3 => "3.0.2",
            Self::R4 => "4.0.1",
            Self::R4b => "4.3.0",
            Self::R5 => "5.0.0",
        }
    }

    /// The value of the `fhirVersion` parameter of a media type.
    #[must_use]
    pub const fn mime_parameter(self) -> &'static str {
        match self {
            Self::Dstu2 => "1.0",
            Self::Stu3 => "3.0",
            Self::R4 => "4.0",
            Self::R4b => "4.3",
            Self::R5 => "5.0",
        }
    }

    /// The Content-Type of a resource in this version when the client left the spelling to us.
    ///
    /// Clause: FHIR STU3 http.html#mime-type
    #[must_use]
    pub const fn content_type(self, format: Format) -> &'static str {
        match (self, format) {
            (Self::Dstu2, Format::Json) => "application/json+fhir; charset=UTF-8",
            (Self::Dstu2, Format::Xml) => "application/xml+fhir; charset=UTF-8",
            (Self::Stu3, Format::Json) => "application/fhir+json; charset=UTF-8",
            (Self::Stu3, Format::Xml) => "application/fhir+xml; charset=UTF-8",
            (_, Format::Json) => "application/fhir+json",
            (_, Format::Xml) => "application/fhir+xml",
        }
    }

    /// The element of Binary that holds the bytes.
    ///
    /// Clause: FHIR R4 binary.html#changes
    #[must_use]
    pub const fn payload_element(self) -> &'static str {
        match self {
            Self::Dstu2 | Self::Stu3 => "content",
            Self::R4 | Self::R4b | Self::R5 => "data",
        }
    }

    /// Whether this is R4 or later, where most rules of HTTP changed.
    #[must_use]
    pub fn is_r4_or_later(self) -> bool {
        self >= Self::R4
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|version| version.name().eq_ignore_ascii_case(text)).ok_or(())
    }
}
