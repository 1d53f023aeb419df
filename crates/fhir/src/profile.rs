//! Whose clients an endpoint serves.

/// How the system behaves that an endpoint's clients know.
///
/// In which ways: docs/decisions/0001-endpoints-and-profiles.md
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// FHIR as HL7 has it, all interactions of the version.
    Standard,
    /// Cerner Millennium, DSTU2 or R4.
    Millennium,
    /// Cerner Soarian Clinicals, R4.
    Soarian,
    /// NHS Care Connect, STU3.
    CareConnect,
}
