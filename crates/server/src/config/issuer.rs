//! Who may sign access tokens.

use std::path::{Path, PathBuf};

use charta_auth::Algorithm;
use charta_model::TenantId;
use serde::{Deserialize, Serialize};

use super::error::Problem;

/// The `iss` claim of tokens that are signed with the development key.
pub const DEVELOPMENT: &str = "urn:charta:development";

/// Begins a secret that is in the environment.
const ENVIRONMENT: &str = "env:";

/// Who may sign access tokens, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The `iss` claim, compared to the letter.
    pub url: String,
    /// Where its public keys are; `None`: it is asked about each token, or says where they are in its metadata.
    pub jwks: Option<Jwks>,
    /// Where it is asked about tokens.
    pub introspection: Option<Introspection>,
    /// What `aud` may name; empty: the base URL of the endpoint that is called.
    pub audience: Vec<String>,
    /// How its tokens may be signed.
    pub algorithms: Vec<Algorithm>,
    /// Whose documents its tokens may open; empty: those of all tenants.
    pub tenants: Vec<TenantId>,
    /// What clients are told of it.
    pub discovery: Discovery,
}

/// Where an issuer's public keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jwks {
    /// In this file.
    File(PathBuf),
    /// At this URL.
    Url(String),
    /// In the data directory: the development key.
    Development,
}

/// Where an issuer is asked about tokens, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introspection {
    /// The introspection endpoint.
    pub url: String,
    /// What it calls this server.
    pub client_id: String,
    /// Where the secret is that it knows this server by.
    pub secret: Secret,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// In this file.
    File(PathBuf),
    /// In this environment variable.
    Environment(String),
}

/// What clients are told of an issuer: URLs where they get tokens, and what it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Where a person is sent.
    pub authorization_endpoint: Option<String>,
    /// Where tokens are had; without it, clients are told nothing.
    pub token_endpoint: Option<String>,
    /// Where tokens are given back.
    pub revocation_endpoint: Option<String>,
    /// Where clients are registered.
    pub registration_endpoint: Option<String>,
    /// Where a person manages what was granted.
    pub management_endpoint: Option<String>,
    /// How tokens are had: `authorization_code`, `client_credentials`.
    pub grant_types: Option<Vec<String>>,
    /// How clients show who they are.
    pub auth_methods: Option<Vec<String>>,
    /// SMART's names of what it can do.
    pub capabilities: Option<Vec<String>>,
}

/// The form of a block in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct IssuerForm {
    url: Option<String>,
    jwks: Option<String>,
    development: Option<bool>,
    introspection: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    audience: Option<Vec<String>>,
    algorithms: Option<Vec<Algorithm>>,
    tenants: Option<Vec<String>>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    management_endpoint: Option<String>,
    grant_types: Option<Vec<String>>,
    auth_methods: Option<Vec<String>>,
    capabilities: Option<Vec<String>>,
}

impl Issuer {
    /// The issuer of the tokens that are signed with the development key.
    #[must_use]
    pub fn development() -> Self {
        Self {
            url: DEVELOPMENT.to_owned(),
            jwks: Some(Jwks::Development),
            introspection: None,
            audience: Vec::new(),
            algorithms: vec![Algorithm::Es384],
            tenants: Vec::new(),
            discovery: Discovery::default(),
        }
    }

    /// Whether its tokens are signed with the development key.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.jwks == Some(Jwks::Development)
    }

    /// The files that it names, each with its key.
    pub(super) fn files(&mut self) -> impl Iterator<Item = (&'static str, &mut PathBuf)> {
        let jwks = match &mut self.jwks {
            Some(Jwks::File(path)) => Some(("issuer.jwks", path)),
            _ => None,
        };
        let secret = match &mut self.introspection {
            Some(Introspection { secret: Secret::File(path), .. }) => Some(("issuer.client_secret", path)),
            _ => None,
        };
        jwks.into_iter().chain(secret)
    }
}

/// What the form says.
pub(super) fn read((index, form): (usize, IssuerForm)) -> Result<Issuer, Problem> {
    let refuse = |key, problem: &str| Err(Problem::new(key, index, problem));
    // An empty list could mean none or all.
    let empty = "an empty list; leave the key out for the default";
    if form.audience.as_ref().is_some_and(Vec::is_empty) {
        return refuse("issuer.audience", empty);
    }
    if form.tenants.as_ref().is_some_and(Vec::is_empty) {
        return refuse("issuer.tenants", empty);
    }
    let development = form.development == Some(true);
    let jwks = match (&form.jwks, development) {
        (Some(_), true) => return refuse("issuer.jwks", "not beside development, which has its own key"),
        (None, true) => Some(Jwks::Development),
        (Some(text), false) if text.contains("://") => Some(Jwks::Url(text.clone())),
        (Some(text), false) => Some(Jwks::File(PathBuf::from(text))),
        (None, false) => None,
    };
    let introspection = introspection(&form, index)?;
    let url = match (form.url, development) {
        (Some(url), _) => url,
        (None, true) => DEVELOPMENT.to_owned(),
        (None, false) => return refuse("issuer.url", "missing"),
    };
    let algorithms = match development {
        true => vec![Algorithm::Es384],
        false => Algorithm::ALL.to_vec(),
    };
    let tenant = |id: &String| {
        TenantId::new(id).map_err(|error| Problem::new("issuer.tenants", index, format!("{id:?}: {error}")))
    };
    Ok(Issuer {
        url,
        jwks,
        introspection,
        audience: form.audience.unwrap_or_default(),
        algorithms: form.algorithms.unwrap_or(algorithms),
        tenants: form.tenants.unwrap_or_default().iter().map(tenant).collect::<Result<_, _>>()?,
        discovery: Discovery {
            authorization_endpoint: form.authorization_endpoint,
            token_endpoint: form.token_endpoint,
            revocation_endpoint: form.revocation_endpoint,
            registration_endpoint: form.registration_endpoint,
            management_endpoint: form.management_endpoint,
            grant_types: form.grant_types,
            auth_methods: form.auth_methods,
            capabilities: form.capabilities,
        },
    })
}

fn introspection(form: &IssuerForm, index: usize) -> Result<Option<Introspection>, Problem> {
    let refuse = |key, problem: &str| Err(Problem::new(key, index, problem));
    match (&form.introspection, &form.client_id, &form.client_secret) {
        (None, None, None) => Ok(None),
        (Some(url), Some(client_id), Some(secret)) => Ok(Some(Introspection {
            url: url.clone(),
            client_id: client_id.clone(),
            secret: match secret.strip_prefix(ENVIRONMENT) {
                Some(name) => Secret::Environment(name.to_owned()),
                None => Secret::File(PathBuf::from(secret)),
            },
        })),
        (None, ..) => refuse("issuer.introspection", "missing; client_id and client_secret are for it"),
        (_, None, _) => refuse("issuer.client_id", "missing; introspection is asked as a client"),
        (.., None) => refuse("issuer.client_secret", "missing; introspection is asked as a client"),
    }
}

/// The form that says the same, every key with its value.
pub(super) fn write(issuer: &Issuer) -> IssuerForm {
    let Issuer { url, jwks, introspection, audience, algorithms, tenants, discovery } = issuer.clone();
    let path = |path: &Path| path.display().to_string();
    let secret = introspection.as_ref().map(|introspection| &introspection.secret);
    IssuerForm {
        url: Some(url),
        jwks: match &jwks {
            Some(Jwks::File(file)) => Some(path(file)),
            Some(Jwks::Url(url)) => Some(url.clone()),
            Some(Jwks::Development) | None => None,
        },
        development: Some(jwks == Some(Jwks::Development)),
        client_secret: secret.map(|secret| match secret {
            Secret::File(file) => path(file),
            Secret::Environment(name) => format!("{ENVIRONMENT}{name}"),
        }),
        client_id: introspection.as_ref().map(|introspection| introspection.client_id.clone()),
        introspection: introspection.map(|introspection| introspection.url),
        audience: (!audience.is_empty()).then_some(audience),
        algorithms: Some(algorithms),
        tenants: (!tenants.is_empty()).then(|| tenants.iter().map(TenantId::to_string).collect()),
        authorization_endpoint: discovery.authorization_endpoint,
        token_endpoint: discovery.token_endpoint,
        revocation_endpoint: discovery.revocation_endpoint,
        registration_endpoint: discovery.registration_endpoint,
        management_endpoint: discovery.management_endpoint,
        grant_types: discovery.grant_types,
        auth_methods: discovery.auth_methods,
        capabilities: discovery.capabilities,
    }
}
