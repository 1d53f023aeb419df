//! Endpoints, and which of them a path names.

use charta_fhir::{Profile, Version};
use charta_model::TenantId;
use serde::{Deserialize, Serialize};

/// The end of a path that names the tenant.
pub const TENANT_SUFFIX: &str = "/{tenant}";

/// What is served at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Begins with a slash, ends without; without the tenant.
    pub path: String,
    /// Whose documents.
    pub tenant: EndpointTenant,
    /// In which FHIR version.
    pub version: Version,
    /// As which system's clients expect it.
    pub profile: Profile,
    /// To whom.
    pub auth: Auth,
    /// Whether clients may create, change and delete.
    pub writable: bool,
    /// Whether an `Accept` that covers nothing on offer is refused.
    pub strict: bool,
}

/// Whose documents an endpoint serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointTenant {
    /// Those of this tenant.
    Fixed(TenantId),
    /// Those of the tenant that the segment after the path names.
    InPath,
}

/// To whom an endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// To holders of an access token, as far as its scopes go.
    Smart,
    /// To everybody, everything.
    Open,
}

impl Endpoint {
    /// The path as the configuration writes it, with `/{tenant}` where the path names the tenant.
    #[must_use]
    pub fn full_path(&self) -> String {
        match self.tenant {
            EndpointTenant::Fixed(_) => self.path.clone(),
            EndpointTenant::InPath => format!("{}{TENANT_SUFFIX}", self.path),
        }
    }
}

/// The endpoint that a URL path names, the tenant in the path if the endpoint wants one there, and
/// what follows: empty or beginning with a slash. The longest endpoint path wins.
#[must_use]
pub fn route<'e, 'p>(
    endpoints: &'e [Endpoint],
    path: &'p str,
) -> Option<(&'e Endpoint, Option<&'p str>, &'p str)> {
    let matches = endpoints.iter().filter_map(|endpoint| {
        let (tenant, rest) = endpoint.matches(path)?;
        Some((endpoint, tenant, rest))
    });
    matches.max_by_key(|(endpoint, _, _)| endpoint.path.len())
}

impl Endpoint {
    fn matches<'p>(&self, path: &'p str) -> Option<(Option<&'p str>, &'p str)> {
        let rest = path.strip_prefix(&*self.path)?;
        match self.tenant {
            EndpointTenant::Fixed(_) => (rest.is_empty() || rest.starts_with('/')).then_some((None, rest)),
            EndpointTenant::InPath => {
                let after = rest.strip_prefix('/')?;
                let (tenant, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
                (!tenant.is_empty()).then_some((Some(tenant), rest))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(path: &str) -> Endpoint {
        let (path, tenant) = match path.strip_suffix(TENANT_SUFFIX) {
            Some(path) => (path, EndpointTenant::InPath),
            None => (path, EndpointTenant::Fixed(TenantId::new("default").unwrap())),
        };
        Endpoint {
            path: path.to_owned(),
            tenant,
            version: Version::R4,
            profile: Profile::Standard,
            auth: Auth::Open,
            writable: false,
            strict: false,
        }
    }

    #[test]
    fn the_longest_endpoint_path_wins_at_a_segment_boundary() {
        let endpoints = ["/r4", "/r4/inner", "/r4b", "/m/{tenant}", "/m/open/r4/{tenant}"].map(endpoint);
        for (path, expected) in [
            ("/r4", Some(("/r4", None, ""))),
            ("/r4/", Some(("/r4", None, "/"))),
            ("/r4/Binary/1", Some(("/r4", None, "/Binary/1"))),
            ("/r4/inner/Binary/1", Some(("/r4/inner", None, "/Binary/1"))),
            ("/r4/innermost", Some(("/r4", None, "/innermost"))),
            ("/r4b/Binary", Some(("/r4b", None, "/Binary"))),
            ("/r4c/Binary", None),
            ("/R4", None),
            ("/m", None),
            ("/m/", None),
            ("/m//Binary", None),
            ("/m/t1", Some(("/m", Some("t1"), ""))),
            ("/m/t1/Binary/1", Some(("/m", Some("t1"), "/Binary/1"))),
            ("/m/open/r4/t1/Binary/1", Some(("/m/open/r4", Some("t1"), "/Binary/1"))),
            ("/m/open/r4", Some(("/m", Some("open"), "/r4"))),
            ("/m/open/r4/", Some(("/m", Some("open"), "/r4/"))),
            ("/m/é/Binary", Some(("/m", Some("é"), "/Binary"))),
            ("/", None),
            ("", None),
            ("*", None),
        ] {
            let found = route(&endpoints, path).map(|(e, tenant, rest)| (e.path.as_str(), tenant, rest));
            assert_eq!(found, expected, "{path}");
        }
    }
}
