//! What an endpoint can do: Conformance in DSTU2, CapabilityStatement later.
//!
//! The statement says what the endpoint really does; an interaction is added here when it is served,
//! not before.

use crate::{Node, Profile, Version, definitions::ParameterKind};

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
    /// Where those are had, if it is known.
    pub oauth: Option<OauthUris>,
    /// What it does with each type, sorted by name.
    pub resources: Vec<Resource>,
    /// What it does with the system as a whole: the codes of the version.
    pub interactions: Vec<&'static str>,
    /// The operations that it offers.
    pub operations: Vec<OperationCapability>,
}

/// An operation that an endpoint offers.
#[derive(Debug, Clone)]
pub struct OperationCapability {
    /// The type that it is an operation of.
    pub kind: &'static str,
    /// Its name, without `$`.
    pub name: &'static str,
    /// The URL of its definition.
    pub definition: String,
}

/// Where tokens are had: absolute URLs.
#[derive(Debug, Clone)]
pub struct OauthUris {
    /// For clients.
    pub token: String,
    /// For persons.
    pub authorize: Option<String>,
    /// For new clients.
    pub register: Option<String>,
    /// For persons, to see what they granted.
    pub manage: Option<String>,
}

/// What an endpoint does with a type.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The type.
    pub name: &'static str,
    /// Codes of interactions.
    pub interactions: Vec<&'static str>,
    /// Whether it keeps and shows old versions.
    pub versions: bool,
    /// Whether a client may choose the id of a new resource.
    pub update_create: bool,
    /// Whether create, update and delete take conditions.
    pub conditional: bool,
    /// Whether it can be patched.
    pub patch: bool,
    /// Whether its search parameters are listed.
    pub search: bool,
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
        ("format", Node::array(formats(version, of.profile))),
        ("rest", Some(Node::Array(vec![rest(of)]))),
    ])
}

/// Both spellings are taken everywhere; the version's own comes first. On Soarian only a Binary has XML.
fn formats(version: Version, profile: Profile) -> Vec<Node> {
    let new = ["application/fhir+json", "application/fhir+xml"];
    let old = ["application/json+fhir", "application/xml+fhir"];
    let (own, other) = if version == Version::Dstu2 { (old, new) } else { (new, old) };
    let all = own.into_iter().chain(other).chain(["json", "xml"]);
    all.filter(|name| profile != Profile::Soarian || !name.contains("xml")).map(Node::text).collect()
}

fn rest(of: &Capabilities<'_>) -> Node {
    let in_dstu2 = of.version == Version::Dstu2;
    let of_system: Vec<_> =
        of.interactions.iter().copied().filter(|code| !(in_dstu2 && matches!(*code, "batch"))).collect();
    Node::object([
        ("mode", text("server")),
        ("security", Some(security(of))),
        ("resource", Node::array(of.resources.iter().map(|resource| one(of, resource)).collect())),
        ("interaction", Node::array(coded(&of_system))),
        // What DSTU2 has instead of an interaction.
        (
            "transactionMode",
            text("both").filter(|_| of.version == Version::Dstu2 && of.interactions.contains(&"batch")),
        ),
        // From R4 on they stand with their type.
        ("operation", operations(of, |_| !of.version.is_r4_or_later())),
    ])
}

/// Clause: FHIR R4 operations.html#declared
fn operations(of: &Capabilities<'_>, which: impl Fn(&OperationCapability) -> bool) -> Option<Node> {
    let one = |operation: &OperationCapability| {
        let definition = match of.version.is_r4_or_later() {
            true => owned(&operation.definition),
            false => Some(Node::object([("reference", owned(&operation.definition))])),
        };
        Node::object([("name", text(operation.name)), ("definition", definition)])
    };
    Node::array(of.operations.iter().filter(|operation| which(operation)).map(one).collect())
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
        ("extension", of.oauth.as_ref().map(|uris| Node::Array(vec![oauth_uris(uris)]))),
        ("cors", Some(Node::Bool(true))),
        ("service", of.secured.then(|| Node::Array(vec![smart]))),
        ("description", text(description).filter(|_| of.secured)),
    ])
}

/// What clients of DSTU2 and STU3 read.
///
/// Clause: SMART 1.0 conformance.html#declaring-support-for-oauth2-endpoints
fn oauth_uris(uris: &OauthUris) -> Node {
    let inner = |name: &'static str, uri: Option<&String>| {
        uri.map(|uri| Node::object([("url", text(name)), ("valueUri", owned(uri))]))
    };
    let uris = [
        inner("token", Some(&uris.token)),
        inner("authorize", uris.authorize.as_ref()),
        inner("register", uris.register.as_ref()),
        inner("manage", uris.manage.as_ref()),
    ];
    Node::object([
        ("url", text("http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris")),
        ("extension", Node::array(uris.into_iter().flatten().collect())),
    ])
}

fn one(of: &Capabilities<'_>, resource: &Resource) -> Node {
    let version = of.version;
    let yes_or_no = |yes: bool| Some(Node::Bool(yes));
    let is_binary = resource.name == "Binary";
    let conditional_delete = if resource.conditional { "single" } else { "not-supported" };
    let includes = |names: Vec<String>| Node::array(names.into_iter().map(Node::text).collect());
    let references = match resource.search && !is_binary {
        true => references(version, resource.name),
        false => Vec::new(),
    };
    Node::object([
        ("type", text(resource.name)),
        ("documentation", documentation(version).filter(|_| is_binary)),
        ("interaction", Node::array(coded(&resource.interactions))),
        ("versioning", text("versioned")),
        ("readHistory", yes_or_no(resource.versions)),
        ("updateCreate", yes_or_no(resource.update_create)),
        ("conditionalCreate", yes_or_no(resource.conditional)),
        ("conditionalRead", text("full-support").filter(|_| version >= Version::Stu3)),
        ("conditionalUpdate", yes_or_no(resource.conditional)),
        ("conditionalPatch", yes_or_no(resource.patch).filter(|_| version == Version::R5)),
        ("conditionalDelete", text(conditional_delete)),
        ("searchInclude", includes(references)),
        ("searchParam", Node::array(search_parameters(version, resource))),
        (
            "operation",
            operations(of, |operation| version.is_r4_or_later() && operation.kind == resource.name),
        ),
    ])
}

fn coded(codes: &[&'static str]) -> Vec<Node> {
    codes.iter().map(|code| Node::object([("code", text(code))])).collect()
}

fn references(version: Version, name: &str) -> Vec<String> {
    let known = version.definitions().search_parameters(name).iter();
    let references = known.filter(|parameter| parameter.kind == ParameterKind::Reference);
    references.map(|parameter| format!("{name}:{}", parameter.name)).collect()
}

/// DSTU2 has no place for it.
fn documentation(version: Version) -> Option<Node> {
    let content = "Read gives the bytes as stored, or the resource where a FHIR type is asked for.";
    text(content).filter(|_| version >= Version::Stu3)
}

/// What is common to all types.
const COMMON: [(&str, &str, &str); 5] = [
    ("_id", "token", "Resource-id"),
    ("_lastUpdated", "date", "Resource-lastUpdated"),
    ("_profile", "uri", "Resource-profile"),
    ("_security", "token", "Resource-security"),
    ("_tag", "token", "Resource-tag"),
];

/// Clause: FHIR R4 search.html
/// Clause: FHIR STU3 binary.html#search
fn search_parameters(version: Version, resource: &Resource) -> Vec<Node> {
    if !resource.search {
        return Vec::new();
    }
    let of =
        |name: &'static str, kind: &'static str| Node::object([("name", text(name)), ("type", text(kind))]);
    let common = COMMON.into_iter().map(|(name, kind, definition)| {
        let url = Node::text(format!("http://hl7.org/fhir/SearchParameter/{definition}"));
        Node::object([("name", text(name)), ("definition", Some(url)), ("type", text(kind))])
    });
    if resource.name == "Binary" {
        let ours = "The number of bytes of the content; a parameter of this server.";
        let size =
            Node::object([("name", text("size")), ("type", text("number")), ("documentation", text(ours))]);
        let url = "http://hl7.org/fhir/SearchParameter/Binary-contenttype";
        let content_type =
            Node::object([("name", text("contenttype")), ("definition", text(url)), ("type", text("token"))]);
        return common.chain([content_type, size]).collect();
    }
    let own = version.definitions().search_parameters(resource.name).iter();
    let own = own.filter(|parameter| parameter.kind != ParameterKind::Special);
    common.chain(own.map(|parameter| of(parameter.name, kind_name(parameter.kind)))).collect()
}

const fn kind_name(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Token => "token",
        ParameterKind::Reference => "reference",
        ParameterKind::Date => "date",
        ParameterKind::String => "string",
        ParameterKind::Uri => "uri",
        ParameterKind::Quantity => "quantity",
        ParameterKind::Number => "number",
        ParameterKind::Composite => "composite",
        ParameterKind::Special => "special",
    }
}

fn text(value: &'static str) -> Option<Node> {
    Some(Node::text(value))
}

fn owned(value: &str) -> Option<Node> {
    Some(Node::text(value.to_owned()))
}
