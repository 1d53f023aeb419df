//! What an endpoint can do: Conformance in DSTU2, CapabilityStatement later.
//!
//! The statement says what the endpoint really does; an interaction is added here when it is served,
//! not before.

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
    let version = of.version;
    let from_stu3 = version >= Version::Stu3;
    let kind = if from_stu3 { "CapabilityStatement" } else { "Conformance" };
    let software = Node::object([("name", text("Charta")), ("version", owned(of.software_version))]);
    let implementation = Node::object([
        ("description", owned(&format!("Clinical documents, FHIR {version}"))),
        ("url", owned(of.base_url)),
    ]);
    Node::object([
        ("resourceType", text(kind)),
        ("url", owned(&format!("{}/metadata", of.base_url))),
        ("version", owned(of.software_version)),
        ("name", text("Charta")),
        ("title", owned(&format!("Charta, FHIR {version}")).filter(|_| from_stu3)),
        ("status", text("active")),
        ("date", owned(of.date)),
        ("kind", text("instance")),
        ("software", Some(software)),
        ("implementation", Some(implementation)),
        ("fhirVersion", text(version.number())),
        // Gone with R4.
        ("acceptUnknown", text("no").filter(|_| !version.is_r4_or_later())),
        ("format", Node::array(formats(version))),
        ("rest", Some(Node::Array(vec![rest(of)]))),
    ])
}

/// Both spellings are taken everywhere; the version's own comes first.
fn formats(version: Version) -> Vec<Node> {
    let new = ["application/fhir+json", "application/fhir+xml"];
    let old = ["application/json+fhir", "application/xml+fhir"];
    let (own, other) = if version == Version::Dstu2 { (old, new) } else { (new, old) };
    own.into_iter().chain(other).chain(["json", "xml"]).map(Node::text).collect()
}

fn rest(of: &Capabilities<'_>) -> Node {
    Node::object([
        ("mode", text("server")),
        ("security", Some(security(of))),
        ("resource", Some(Node::Array(vec![binary(of)]))),
    ])
}

fn security(of: &Capabilities<'_>) -> Node {
    let system = if of.version.is_r4_or_later() {
        "http://terminology.hl7.org/CodeSystem/restful-security-service"
    } else {
        "http://hl7.org/fhir/restful-security-service"
    };
    let smart = Node::object([
        (
            "coding",
            Some(Node::Array(vec![Node::object([
                ("system", text(system)),
                ("code", text("SMART-on-FHIR")),
            ])])),
        ),
        ("text", text("OAuth2 access tokens with SMART scopes")),
    ]);
    let description =
        "A signed access token with SMART scopes; .well-known/smart-configuration has the details.";
    Node::object([
        ("cors", Some(Node::Bool(true))),
        ("service", of.secured.then(|| Node::Array(vec![smart]))),
        ("description", text(description).filter(|_| of.secured)),
    ])
}

fn binary(of: &Capabilities<'_>) -> Node {
    let version = of.version;
    let all = of.profile == Profile::Standard;
    let writes = all && of.writable;
    let yes_or_no = |yes: bool| Some(Node::Bool(yes));
    let interactions = interactions(version, all, writes)
        .into_iter()
        .map(|code| Node::object([("code", text(code))]))
        .collect();
    Node::object([
        ("type", text("Binary")),
        ("documentation", documentation(version)),
        ("interaction", Node::array(interactions)),
        ("versioning", text("versioned")),
        ("readHistory", yes_or_no(all)),
        ("updateCreate", yes_or_no(writes)),
        ("conditionalCreate", yes_or_no(writes)),
        ("conditionalRead", text("full-support").filter(|_| version >= Version::Stu3)),
        ("conditionalUpdate", yes_or_no(writes)),
        ("conditionalDelete", text(if writes { "single" } else { "not-supported" })),
        ("searchParam", Node::array(if all { search_parameters(version) } else { Vec::new() })),
    ])
}

fn interactions(version: Version, all: bool, writes: bool) -> Vec<&'static str> {
    let mut codes = vec!["read"];
    if all {
        codes.extend(["vread", "history-instance", "history-type"]);
    }
    if writes {
        codes.extend(["create", "update", "delete"]);
    }
    // Since R4, Binary "does not support searching".
    if all && !version.is_r4_or_later() {
        codes.push("search-type");
    }
    codes
}

/// DSTU2 has no place for it.
fn documentation(version: Version) -> Option<Node> {
    let content = "Read gives the bytes as stored, or the resource where a FHIR type is asked for.";
    text(content).filter(|_| version >= Version::Stu3)
}

/// Clause: FHIR STU3 binary.html#search
fn search_parameters(version: Version) -> Vec<Node> {
    if version.is_r4_or_later() {
        return Vec::new();
    }
    let parameters = [
        ("_id", "token", Some("Resource-id")),
        ("_lastUpdated", "date", Some("Resource-lastUpdated")),
        ("_profile", "uri", Some("Resource-profile")),
        ("_security", "token", Some("Resource-security")),
        ("_tag", "token", Some("Resource-tag")),
        ("contenttype", "token", Some("Binary-contenttype")),
        ("size", "number", None),
    ];
    let parameters = parameters.into_iter().map(|(name, kind, definition)| {
        let url = definition.map(|id| Node::text(format!("http://hl7.org/fhir/SearchParameter/{id}")));
        let ours = "The number of bytes of the content; a parameter of this server.";
        Node::object([
            ("name", text(name)),
            ("definition", url),
            ("type", text(kind)),
            ("documentation", text(ours).filter(|_| definition.is_none())),
        ])
    });
    parameters.collect()
}

fn text(value: &'static str) -> Option<Node> {
    Some(Node::text(value))
}

fn owned(value: &str) -> Option<Node> {
    Some(Node::text(value.to_owned()))
}
