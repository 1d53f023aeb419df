//! Whose a document is, and how carefully it is to be shown: what access is decided by.

use crate::{Label, ResourceId};

/// What one version says of itself that decides who may see it, beside its security labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Custody {
    /// The patients it is about. Who wrote it does not count: the author of a letter about somebody else has no
    /// claim to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patients: Vec<ResourceId>,
    /// What its own elements ask for, as `DocumentReference.securityLabel` does.
    #[serde(default, skip_serializing_if = "is_normal")]
    pub confidentiality: Confidentiality,
    /// Whether it says that it was entered in error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

impl Custody {
    /// The parameter under which current documents are found by the patients they are about.
    pub const PATIENT: &'static str = "custody.patient";
    /// The parameter under which current documents are found that are not for everyone: `R` or `V`.
    pub const CONFIDENTIALITY: &'static str = "custody.confidentiality";
    /// The parameter under which Binaries are found by their security context.
    pub const CONTEXT: &'static str = "custody.context";
}

/// How carefully a document is to be shown.
///
/// Clause: FHIR R4 security-labels.html#core
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Confidentiality {
    /// To whoever may see the record: `U`, `L`, `M`, `N`, or nothing said.
    #[default]
    Normal,
    /// `R`: only to those who have a purpose for it.
    #[serde(rename = "R")]
    Restricted,
    /// `V`: to fewer still.
    #[serde(rename = "V")]
    VeryRestricted,
}

/// v3 Confidentiality as R4 spells it, as DSTU2 and STU3 do, and as an OID.
const SYSTEMS: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
];

impl Confidentiality {
    /// All that are more than normal.
    pub const ABOVE_NORMAL: [Self; 2] = [Self::Restricted, Self::VeryRestricted];

    /// What this code asks for; other systems ask for nothing.
    #[must_use]
    pub fn of_code(system: Option<&str>, code: &str) -> Self {
        match (system, code) {
            (Some(system), "R") if SYSTEMS.contains(&system) => Self::Restricted,
            (Some(system), "V") if SYSTEMS.contains(&system) => Self::VeryRestricted,
            _ => Self::Normal,
        }
    }

    /// The most that any of these labels asks for.
    #[must_use]
    pub fn of_labels(labels: &[Label]) -> Self {
        let of =
            |label: &Label| Self::of_code(label.system.as_deref(), label.code.as_deref().unwrap_or_default());
        labels.iter().map(of).max().unwrap_or_default()
    }

    /// Its code in v3 Confidentiality.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Normal => "N",
            Self::Restricted => "R",
            Self::VeryRestricted => "V",
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_normal(of: &Confidentiality) -> bool {
    *of == Confidentiality::Normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(system: &str, code: &str) -> Label {
        Label { system: Some(system.into()), code: Some(code.into()), ..Label::default() }
    }

    #[test]
    fn the_highest_label_of_any_spelling_counts() {
        let [new, old, oid] = SYSTEMS;
        for (labels, expected) in [
            (vec![], Confidentiality::Normal),
            (vec![label(new, "N"), label(new, "U")], Confidentiality::Normal),
            (vec![label(new, "N"), label(old, "R")], Confidentiality::Restricted),
            (vec![label(oid, "V"), label(new, "R")], Confidentiality::VeryRestricted),
            (vec![label("http://example.org/other", "V")], Confidentiality::Normal),
            (vec![label(new, "r")], Confidentiality::Normal),
        ] {
            assert_eq!(Confidentiality::of_labels(&labels), expected, "{labels:?}");
        }
    }
}
