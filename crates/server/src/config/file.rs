//! The form of the configuration in a file. Here are names and values of keys, and what holds when a
//! key is absent; what contradicts another key is `check.rs`'s to find.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use charta_fhir::{Profile, Version};
use charta_model::TenantId;
use charta_store::{PostgresUrl, S3Place};
use serde::{Deserialize, Serialize};

use super::{
    Audit, Auth, CatalogBackend, Confidentiality, Config, ConfigError, ContentBackend, Endpoint,
    EndpointTenant, Limits, Network, Organization, Origin, ProxyHeader, StoreConfig, TlsFiles,
    authorization_server,
    authorization_server::AuthorizationServerForm,
    builtin::{DEFAULT_TENANT, standard_endpoints},
    check,
    endpoint::TENANT_SUFFIX,
    error::Problem,
    issuer::{self, IssuerForm},
};

const SQLITE: &str = "sqlite";
const FILES: &str = "files";

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<String>,
    ops_listen: Option<String>,
    public_url: Option<String>,
    hosts: Option<Vec<String>>,
    trusted_proxies: Option<Vec<String>>,
    proxy_header: Option<ProxyHeader>,
    data_dir: Option<String>,
    shutdown_seconds: Option<u64>,
    worker_threads: Option<usize>,
    log: Option<String>,
    allow_open_network: Option<bool>,
    limits: Option<Limits>,
    audit: Option<Audit>,
    store: Option<StoreForm>,
    tls: Option<TlsForm>,
    tenant: Option<Vec<TenantForm>>,
    issuer: Option<Vec<IssuerForm>>,
    authorization_server: Option<AuthorizationServerForm>,
    confidentiality: Option<Confidentiality>,
    endpoint: Option<Vec<EndpointForm>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
struct StoreForm {
    catalog: Option<String>,
    content: Option<String>,
    cache_bytes: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct TlsForm {
    certificate: String,
    key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct TenantForm {
    id: String,
    organization: Option<Organization>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct EndpointForm {
    path: String,
    fhir: Version,
    profile: Option<Profile>,
    auth: Option<Auth>,
    tenant: Option<String>,
    writable: Option<bool>,
    negotiation: Option<Negotiation>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Negotiation {
    Lenient,
    Strict,
}

/// Reads the form, without a look at contradictions.
pub fn parse(text: &str, name: &str) -> Result<Config, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| ConfigError::of_toml(name, text, &error))?;
    config(file, name).map_err(|problem| problem.of(name).located(text))
}

/// Writes the form with every key.
pub fn to_toml(config: &Config) -> String {
    let file = form(config);
    toml::to_string(&file)
        .expect("strings, lists, truth values and numbers that `check` found to be in range")
}

fn config(file: File, name: &str) -> Result<Config, Problem> {
    let standard = Config::standard();
    let listen = address("listen", file.listen)?.unwrap_or(standard.listen);
    let organizations = organizations(file.tenant.as_deref().unwrap_or_default())?;
    let tenants = tenants(file.tenant)?.unwrap_or(standard.tenants);
    check::tenants(&tenants)?; // the endpoints' default follows from them
    let issuers = file.issuer.unwrap_or_default();
    Ok(Config {
        name: name.to_owned(),
        listen,
        ops_listen: address("ops_listen", file.ops_listen)?,
        public_url: public_url(file.public_url, file.tls.is_some(), listen)?,
        hosts: file.hosts.unwrap_or_default(),
        trusted_proxies: networks(file.trusted_proxies.unwrap_or_default())?,
        proxy_header: file.proxy_header.unwrap_or_default(),
        data_dir: file.data_dir.map_or(standard.data_dir, PathBuf::from),
        shutdown_seconds: file.shutdown_seconds.unwrap_or(standard.shutdown_seconds),
        worker_threads: file.worker_threads.unwrap_or(standard.worker_threads),
        log: file.log.unwrap_or(standard.log),
        allow_open_network: file.allow_open_network.unwrap_or(standard.allow_open_network),
        limits: file.limits.unwrap_or_default(),
        audit: file.audit.unwrap_or_default(),
        store: store(file.store.unwrap_or_default())?,
        tls: file.tls.map(tls),
        issuers: issuers.into_iter().enumerate().map(issuer::read).collect::<Result<_, _>>()?,
        authorization_server: file.authorization_server.map(authorization_server::read).transpose()?,
        confidentiality: file.confidentiality.unwrap_or_default(),
        endpoints: endpoints(file.endpoint, &tenants)?,
        tenants,
        organizations,
    })
}

fn address(key: &'static str, text: Option<String>) -> Result<Option<SocketAddr>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let address = text.parse();
    address.map(Some).map_err(|_| {
        Problem::new(key, 0, format!("{text:?} is not an IP address with a port, such as 127.0.0.1:8080"))
    })
}

fn public_url(text: Option<String>, tls: bool, listen: SocketAddr) -> Result<Origin, Problem> {
    let Some(text) = text else { return Ok(Origin::of_address(tls, listen)) };
    Origin::new(&text).map_err(|error| Problem::new("public_url", 0, error.to_string()))
}

fn networks(texts: Vec<String>) -> Result<Vec<Network>, Problem> {
    let network = |text: &String| {
        text.parse().map_err(|error| Problem::new("trusted_proxies", 0, format!("{text:?}: {error}")))
    };
    texts.iter().map(network).collect()
}

fn tls(form: TlsForm) -> TlsFiles {
    TlsFiles { certificate: PathBuf::from(form.certificate), key: PathBuf::from(form.key) }
}

fn store(form: StoreForm) -> Result<StoreConfig, Problem> {
    Ok(StoreConfig {
        catalog: catalog(form.catalog)?,
        content: content(form.content)?,
        cache_bytes: form.cache_bytes,
    })
}

fn catalog(value: Option<String>) -> Result<CatalogBackend, Problem> {
    // The value is not repeated: it may have a password in it.
    match value.as_deref() {
        None | Some(SQLITE) => Ok(CatalogBackend::Sqlite),
        Some(url) => match PostgresUrl::new(url) {
            Ok(url) => Ok(CatalogBackend::Postgres(url)),
            Err(problem) => {
                Err(Problem::new("store.catalog", 0, format!("neither {SQLITE:?} nor {problem}")))
            }
        },
    }
}

fn content(value: Option<String>) -> Result<ContentBackend, Problem> {
    // The value is not repeated: it may have a password in it.
    match value.as_deref() {
        None | Some(FILES) => Ok(ContentBackend::Files),
        Some(url) => match S3Place::new(url, []) {
            Ok(place) => Ok(ContentBackend::S3(place.url().to_owned())),
            Err(problem) => Err(Problem::new("store.content", 0, format!("{problem}, nor {FILES:?}"))),
        },
    }
}

fn tenants(forms: Option<Vec<TenantForm>>) -> Result<Option<Vec<TenantId>>, Problem> {
    let Some(forms) = forms else { return Ok(None) };
    let tenants = forms.iter().enumerate().map(|(index, form)| tenant("tenant.id", index, &form.id));
    tenants.collect::<Result<_, _>>().map(Some)
}

/// Those that tenants name. One whose id is none is refused as such.
fn organizations(forms: &[TenantForm]) -> Result<BTreeMap<TenantId, Organization>, Problem> {
    let named = forms.iter().enumerate().filter_map(|(n, form)| Some((n, form, form.organization.as_ref()?)));
    named.map(|(n, form, one)| Ok((tenant("tenant.id", n, &form.id)?, one.clone()))).collect()
}

fn tenant(key: &'static str, index: usize, id: &str) -> Result<TenantId, Problem> {
    TenantId::new(id).map_err(|error| Problem::new(key, index, format!("{id:?}: {error}")))
}

fn endpoints(forms: Option<Vec<EndpointForm>>, tenants: &[TenantId]) -> Result<Vec<Endpoint>, Problem> {
    let default = default_tenant(tenants);
    match (forms, default) {
        (Some(forms), _) => forms.into_iter().enumerate().map(|form| endpoint(form, default)).collect(),
        (None, Some(default)) => Ok(standard_endpoints(default)),
        (None, None) => Err(Problem::new("endpoint", 0, "missing, as no tenant is called default")),
    }
}

/// The tenant of an endpoint that names none.
fn default_tenant(tenants: &[TenantId]) -> Option<&TenantId> {
    match tenants {
        [only] => Some(only),
        _ => tenants.iter().find(|tenant| tenant.as_str() == DEFAULT_TENANT),
    }
}

fn endpoint((index, form): (usize, EndpointForm), default: Option<&TenantId>) -> Result<Endpoint, Problem> {
    const KEY: &str = "endpoint.tenant";
    let (path, tenant) = match (form.path.strip_suffix(TENANT_SUFFIX), form.tenant) {
        (Some(path), None) => (path.to_owned(), EndpointTenant::InPath),
        (Some(_), Some(_)) => {
            return Err(Problem::new(KEY, index, format!("{} names the tenant already", form.path)));
        }
        (None, Some(id)) => (form.path, EndpointTenant::Fixed(tenant(KEY, index, &id)?)),
        (None, None) => {
            let needed = || Problem::new(KEY, index, "missing, as no tenant is called default");
            (form.path, EndpointTenant::Fixed(default.ok_or_else(needed)?.clone()))
        }
    };
    Ok(Endpoint {
        path,
        tenant,
        version: form.fhir,
        profile: form.profile.unwrap_or(Profile::Standard),
        auth: form.auth.unwrap_or(Auth::Smart),
        writable: form.writable.unwrap_or(false),
        strict: form.negotiation == Some(Negotiation::Strict),
    })
}

fn form(config: &Config) -> File {
    let StoreConfig { catalog, content, cache_bytes } = &config.store;
    let content = match content {
        ContentBackend::Files => FILES,
        ContentBackend::S3(url) => url,
    };
    File {
        listen: Some(config.listen.to_string()),
        ops_listen: config.ops_listen.map(|address| address.to_string()),
        public_url: Some(config.public_url.to_string()),
        hosts: Some(config.hosts.clone()),
        trusted_proxies: Some(config.trusted_proxies.iter().map(Network::to_string).collect()),
        proxy_header: Some(config.proxy_header),
        data_dir: Some(config.data_dir.display().to_string()),
        shutdown_seconds: Some(config.shutdown_seconds),
        worker_threads: Some(config.worker_threads),
        log: Some(config.log.clone()),
        allow_open_network: Some(config.allow_open_network),
        limits: Some(config.limits.clone()),
        audit: Some(config.audit.clone()),
        store: Some(StoreForm {
            catalog: Some(match catalog {
                CatalogBackend::Sqlite => SQLITE.to_owned(),
                CatalogBackend::Postgres(url) => url.to_string(),
            }),
            content: Some(content.to_owned()),
            cache_bytes: *cache_bytes,
        }),
        tls: config.tls.as_ref().map(|files| TlsForm {
            certificate: files.certificate.display().to_string(),
            key: files.key.display().to_string(),
        }),
        tenant: Some(config.tenants.iter().map(|id| tenant_form(config, id)).collect()),
        issuer: (!config.issuers.is_empty()).then(|| config.issuers.iter().map(issuer::write).collect()),
        authorization_server: config.authorization_server.as_ref().map(authorization_server::write),
        confidentiality: Some(config.confidentiality.clone()),
        endpoint: Some(config.endpoints.iter().map(endpoint_form).collect()),
    }
}

fn tenant_form(config: &Config, id: &TenantId) -> TenantForm {
    TenantForm { id: id.to_string(), organization: config.organizations.get(id).cloned() }
}

fn endpoint_form(endpoint: &Endpoint) -> EndpointForm {
    EndpointForm {
        path: endpoint.full_path(),
        fhir: endpoint.version,
        profile: Some(endpoint.profile),
        auth: Some(endpoint.auth),
        tenant: match &endpoint.tenant {
            EndpointTenant::Fixed(tenant) => Some(tenant.to_string()),
            EndpointTenant::InPath => None,
        },
        writable: Some(endpoint.writable),
        negotiation: Some(if endpoint.strict { Negotiation::Strict } else { Negotiation::Lenient }),
    }
}
