//! An entry of a Bundle, understood as a request.

use charta_fhir::{Node, Version};
use charta_model::{ResourceId, ResourceType, VersionMatch};
use http::Method;

use crate::http::{call::Call, outcome::Refusal, target::Target};

/// An entry as a request.
pub struct Entry {
    /// Its number in the Bundle, from 0.
    pub index: usize,
    /// What is to be done.
    pub method: Method,
    /// To what.
    pub target: Target,
    /// What follows the `?`, decoded.
    pub parameters: Vec<(String, String)>,
    /// The resource, if there is one.
    pub resource: Option<Node>,
    /// The identity that other entries use.
    pub full_url: Option<String>,
    /// `request.ifNoneExist`
    pub if_none_exist: Option<String>,
    /// `request.ifMatch`
    pub if_match: Option<VersionMatch>,
    /// `request.ifNoneMatch`
    pub if_none_match: Option<VersionMatch>,
}

impl Entry {
    /// One that no client sent, without conditions.
    #[must_use]
    pub const fn new(index: usize, method: Method, target: Target, resource: Node) -> Self {
        Self {
            index,
            method,
            target,
            parameters: Vec::new(),
            resource: Some(resource),
            full_url: None,
            if_none_exist: None,
            if_match: None,
            if_none_match: None,
        }
    }

    /// All entries of a Bundle.
    ///
    /// # Errors
    /// The first that is no request.
    pub fn all(call: &Call<'_>, bundle: &Node) -> Result<Vec<Self>, Refusal> {
        let entries = 0..bundle.items_at("entry").len();
        entries
            .map(|index| Self::at(call, bundle, index).map_err(|refusal| refusal.of_entry(index)))
            .collect()
    }

    /// One entry of a Bundle.
    ///
    /// # Errors
    /// If it is no request.
    pub fn at(call: &Call<'_>, bundle: &Node, index: usize) -> Result<Self, Refusal> {
        let entry =
            bundle.items_at("entry").get(index).ok_or(Refusal::Internal("an entry that is not there"))?;
        let resource = entry.member("resource").cloned();
        let request = entry.member("request");
        let (method, url) = match request {
            Some(request) => {
                let text = |name| request.text_at(name).map(str::to_owned);
                let method = text("method").ok_or(Refusal::Bundle("An entry's request has no method."))?;
                (method, text("url").ok_or(Refusal::Bundle("An entry's request has no url."))?)
            }
            None => inferred(call.version(), resource.as_ref())?,
        };
        let method = match method.as_str() {
            "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" => Method::from_bytes(method.as_bytes()),
            _ => return Err(Refusal::Bundle("An entry's method is none of those that a Bundle can have.")),
        };
        let method = method.map_err(|_| Refusal::Bundle("An entry's method cannot be read."))?;
        let (target, parameters) = target(call, &url)?;
        let header = |name| request.and_then(|request| request.text_at(name));
        Ok(Self {
            index,
            method,
            target,
            parameters,
            resource,
            full_url: entry.text_at("fullUrl").map(str::to_owned),
            if_none_exist: header("ifNoneExist").map(str::to_owned),
            if_match: header("ifMatch").map(tag).transpose()?,
            if_none_match: header("ifNoneMatch").map(tag).transpose()?,
        })
    }

    /// The type that the request names.
    pub fn kind(&self) -> Result<&ResourceType, Refusal> {
        self.target.kind().ok_or(Refusal::Bundle("An entry's request names no resource type."))
    }
}

impl Refusal {
    /// This refusal as that of an entry.
    #[must_use]
    pub fn of_entry(self, index: usize) -> Self {
        match self {
            Self::Entry { .. } => self,
            refusal => Self::Entry { index, refusal: Box::new(refusal) },
        }
    }
}

/// DSTU2 lets a resource with an id be an update, and one without a create.
///
/// Clause: FHIR DSTU2 http.html#transaction
fn inferred(version: Version, resource: Option<&Node>) -> Result<(String, String), Refusal> {
    let missing = Refusal::Bundle("An entry has no request.");
    let Some(resource) = resource.filter(|_| version == Version::Dstu2) else { return Err(missing) };
    let kind = resource.text_at("resourceType").unwrap_or_default();
    Ok(match resource.text_at("id").and_then(|id| ResourceId::new(id).ok()) {
        Some(id) => ("PUT".to_owned(), format!("{kind}/{id}")),
        None => ("POST".to_owned(), kind.to_owned()),
    })
}

/// What a URL names: relative to the base, or absolute on this server.
fn target(call: &Call<'_>, url: &str) -> Result<(Target, Vec<(String, String)>), Refusal> {
    let (path, query) = url.split_once('?').map_or((url, ""), |(path, query)| (path, query));
    let relative = match path.contains("://") {
        true => call
            .app
            .local_part(path, call.tenant)
            .ok_or(Refusal::Bundle("An entry's url is not of this server."))?,
        false => path.trim_start_matches('/'),
    };
    let target = Target::parse(&format!("/{relative}"));
    let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    match target {
        Target::Unknown => Err(Refusal::Bundle("An entry's url names nothing that is served.")),
        target => Ok((target, parameters)),
    }
}

/// `W/"3"`, `"3"`, `3` or `*`
fn tag(text: &str) -> Result<VersionMatch, Refusal> {
    if text.trim() == "*" {
        return Ok(VersionMatch::Any);
    }
    let number = text.trim().trim_start_matches("W/").trim_matches('"').parse();
    number
        .map(|version| VersionMatch::OneOf(vec![version]))
        .map_err(|_| Refusal::Bundle("An entry's ifMatch or ifNoneMatch is not a version tag."))
}
