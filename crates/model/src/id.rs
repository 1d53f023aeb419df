//! Identifiers. A value of these types has the right form; whether it names anything is the
//! catalog's to say.

use std::fmt;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'")]
pub struct InvalidId;

/// The logical id of a resource, case-sensitive and opaque.
///
/// Clause: FHIR R4 datatypes.html#id
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId(Box<str>);

impl ResourceId {
    /// # Errors
    /// If `text` does not match `[A-Za-z0-9\-\.]{1,64}`.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        // A file or URL path made of such a segment would mean another place.
        if fits && text != "." && text != ".." { Ok(Self(text.into())) } else { Err(InvalidId) }
    }

    /// The id as it stands in a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a tenant: documents of different tenants never meet, not even as equal content.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Box<str>);

impl TenantId {
    /// # Errors
    /// If `text` does not have the form of a resource id, which tenants share.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        ResourceId::new(text).map(|id| Self(id.0))
    }

    /// The tenant as it stands in configuration and URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_form {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> { Self::new(&text) }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self { id.0.into_string() }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> { Self::new(text) }
        }
    )*};
}
text_form!(ResourceId, TenantId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_sources_are_ids() {
        for id in [
            "TR-21961261",
            "5BDAC5A796D242FAA4FC038CCD357065.DM.YNIULMDWZQI6XAIPABIFNDRONA",
            "5b1e91f0ccf84d0001fffe6d",
            "489580643.0.-4.prsnl",
        ] {
            assert_eq!(ResourceId::new(id).unwrap().as_str(), id);
        }
    }

    #[test]
    fn paths_and_control_characters_are_no_ids() {
        let long = "a".repeat(65);
        for id in ["", ".", "..", "a/b", "a\\b", "a_b", "a\0", "a\n", "%2e", "é", &long] {
            assert_eq!(ResourceId::new(id), Err(InvalidId), "{id:?}");
        }
    }
}
