//! HTTP: the only part of the product that knows it. `pipeline.rs` has the stages of a request in
//! order; `outcome.rs` every status; `listen.rs` connections.

mod answer;
mod audit;
mod authorize;
mod body;
mod call;
mod client;
mod coding;
mod compress;
mod connection;
mod cors;
mod disposition;
mod evenly;
mod forwarded;
mod generated;
mod host;
mod http2;
pub mod ingest;
mod interaction;
mod linger;
mod listen;
pub mod media;
mod mhd;
mod needed;
mod ops;
mod outcome;
mod patience;
mod pipeline;
mod precondition;
mod range;
mod record;
mod request_body;
mod respond;
mod serve;
pub mod smart;
mod target;
mod terms;
mod tls;

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use charta_model::TenantId;
use charta_service::Service;

pub use answer::Answer;
pub use listen::Server;
pub use pipeline::plain;

use smart::{Verifier, VerifierError, server::AuthorizationServer};

use crate::config::{Config, Endpoint, EndpointTenant, route};

/// The server, as every request sees it.
pub struct App {
    /// How it is configured.
    pub config: Config,
    /// What it does.
    pub service: Service,
    /// Who calls it.
    pub verifier: Verifier,
    /// Who gives tokens here, if anyone.
    pub authorization_server: Option<AuthorizationServer>,
    /// What its clients have of it now.
    clients: client::Clients,
    /// What it counts.
    pub metrics: Arc<record::Metrics>,
    /// Whether it shows the demo's start page.
    pub demo: bool,
    /// Stands for a tenant that is not there, until the refusal is written.
    no_tenant: TenantId,
    /// The absolute URLs of the endpoints, in their order; none where the tenant is in the path. Made at the first
    /// request, as the port is not known before.
    bases: OnceLock<Vec<Option<String>>>,
}

impl App {
    /// Over an open store.
    ///
    /// # Errors
    /// If the keys that the configuration names are not there.
    pub fn new(config: Config, service: Service, demo: bool) -> Result<Self, VerifierError> {
        let no_tenant = TenantId::new("-").expect("a hyphen is a valid id");
        let verifier = Verifier::new(&config)?;
        let authorization_server = match (&config.authorization_server, verifier.development_key()) {
            (Some(settings), Some(key)) => Some(AuthorizationServer::new(settings, key.clone())?),
            _ => None,
        };
        let clients = client::Clients::new(&config.limits, Instant::now());
        Ok(Self {
            config,
            service,
            verifier,
            authorization_server,
            clients,
            metrics: Arc::default(),
            demo,
            no_tenant,
            bases: OnceLock::new(),
        })
    }

    /// The place of an endpoint in the configuration.
    pub fn place(&self, endpoint: &Endpoint) -> Option<usize> {
        self.config.endpoints.iter().position(|known| std::ptr::eq(known, endpoint))
    }

    /// The absolute URL of an endpoint whose tenant is not in the path, without slash at the end.
    pub fn fixed_base(&self, endpoint: &Endpoint) -> Option<&str> {
        let base = |endpoint: &Endpoint| match &endpoint.tenant {
            EndpointTenant::Fixed(tenant) => Some(self.base_url(endpoint, tenant)),
            EndpointTenant::InPath => None,
        };
        let bases = self.bases.get_or_init(|| self.config.endpoints.iter().map(base).collect());
        bases.get(self.place(endpoint)?)?.as_deref()
    }

    /// The absolute URL of an endpoint for a tenant, without slash at the end.
    pub fn base_url(&self, endpoint: &Endpoint, tenant: &TenantId) -> String {
        let Config { public_url, .. } = &self.config;
        match endpoint.tenant {
            EndpointTenant::Fixed(_) => [public_url.as_str(), &*endpoint.path].concat(),
            EndpointTenant::InPath => [public_url.as_str(), &*endpoint.path, "/", tenant.as_str()].concat(),
        }
    }

    /// What follows the base of one of this server's endpoints for `tenant`; `None` for other URLs.
    pub fn local_part<'t>(&self, url: &'t str, tenant: &TenantId) -> Option<&'t str> {
        let path = url.strip_prefix(self.config.public_url.as_str())?;
        let (endpoint, named, rest) = route(&self.config.endpoints, path)?;
        let same_tenant = match &endpoint.tenant {
            EndpointTenant::Fixed(fixed) => fixed == tenant,
            EndpointTenant::InPath => named == Some(tenant.as_str()),
        };
        if same_tenant { rest.strip_prefix('/') } else { None }
    }
}
