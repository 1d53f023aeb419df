//! Configuration: what the operator can set, read from TOML and checked before anything is opened.
//!
//! `config/default.toml` is the reference, `file.rs` the form that keys have there, `check.rs` what
//! contradicts itself. A `Config` that passed `check` can be served. Addresses are not taken and
//! nothing is written here.

mod audit;
mod authorization_server;
mod builtin;
mod check;
mod confidentiality;
mod endpoint;
mod error;
mod file;
mod issuer;
mod limits;
mod organization;
mod origin;
mod proxy;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use charta_model::TenantId;
use charta_store::PostgresUrl;

pub use audit::Audit;
pub use authorization_server::{AuthorizationServer, Client};
pub use confidentiality::Confidentiality;
pub use endpoint::{Auth, Endpoint, EndpointTenant, route};
pub use error::ConfigError;
pub use issuer::{DEVELOPMENT, Discovery, Introspection, Issuer, Jwks, Secret};
pub use limits::Limits;
pub use organization::Organization;
pub use origin::Origin;
pub use proxy::{Network, ProxyHeader};

use error::Problem;

/// The commented default: each key, its unit, its default, when to change it.
pub const REFERENCE: &str = include_str!("../../../config/default.toml");

/// How the server is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// What messages call this configuration: its file, or `built-in configuration`.
    pub name: String,
    /// Where requests are answered; port 0 picks one.
    pub listen: SocketAddr,
    /// Where health and metrics are answered; `None`: at `listen`.
    pub ops_listen: Option<SocketAddr>,
    /// How clients reach this server: the beginning of every absolute URL in answers.
    pub public_url: Origin,
    /// Further names under which open endpoints on loopback may be called.
    pub hosts: Vec<String>,
    /// Who may say for whom it calls.
    pub trusted_proxies: Vec<Network>,
    /// Where it says so.
    pub proxy_header: ProxyHeader,
    /// The directory of everything kept.
    pub data_dir: PathBuf,
    /// So long may running requests take to finish when the server stops.
    pub shutdown_seconds: u64,
    /// Threads that answer requests; 0: one per core.
    pub worker_threads: usize,
    /// Which events are logged, as a filter of the `tracing` library.
    pub log: String,
    /// Whether open endpoints may be reached from other machines.
    pub allow_open_network: bool,
    /// What a client may take.
    pub limits: Limits,
    /// How requests are recorded.
    pub audit: Audit,
    /// What keeps the documents.
    pub store: StoreConfig,
    /// What the server proves itself with; `None`: connections are not encrypted.
    pub tls: Option<TlsFiles>,
    /// Whose documents are kept, each apart from the others.
    pub tenants: Vec<TenantId>,
    /// Who keeps them, where the configuration says.
    pub organizations: BTreeMap<TenantId, Organization>,
    /// Who may sign access tokens.
    pub issuers: Vec<Issuer>,
    /// Who may get tokens here, if anyone.
    pub authorization_server: Option<AuthorizationServer>,
    /// Who may see labelled documents.
    pub confidentiality: Confidentiality,
    /// What is served where.
    pub endpoints: Vec<Endpoint>,
}

/// Where certificate and key are, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that lead to its root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What keeps the documents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreConfig {
    /// What keeps the records.
    pub catalog: CatalogBackend,
    /// What keeps the bytes.
    pub content: ContentBackend,
    /// Bytes of memory for records that were read; `None`: an eighth of the machine's.
    pub cache_bytes: Option<u64>,
}

/// What keeps the records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CatalogBackend {
    /// SQLite in the data directory.
    #[default]
    Sqlite,
    /// A database, which several nodes share. It is never shown with its password.
    Postgres(PostgresUrl),
}

/// What keeps the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ContentBackend {
    /// Files in the data directory.
    #[default]
    Files,
    /// A bucket, and perhaps a prefix in it: `s3://bucket/prefix`. Who asks for it is in the environment.
    S3(String),
}

impl Config {
    /// The configuration when no file is named: loopback, one tenant, an open and writable endpoint
    /// for each FHIR version.
    #[must_use]
    pub fn standard() -> Self {
        builtin::standard()
    }

    /// The configuration of `--demo`: besides the standard endpoints those of the source systems.
    #[must_use]
    pub fn demo() -> Self {
        builtin::demo()
    }

    /// Reads a file. Relative paths in it start at its folder.
    ///
    /// # Errors
    /// If the file, or one that it names, cannot be read, and as [`Config::parse`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let unreadable = |error| ConfigError::of_file(&name, format!("cannot be read: {error}"));
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let mut config = Self::parse(&text, &name)?;
        // Absolute, so that the effective configuration means the same in any other folder.
        let file = std::path::absolute(path).map_err(unreadable)?;
        let folder = file.parent().unwrap_or(Path::new("/"));
        config.data_dir = folder.join(&config.data_dir);
        config.find_files(folder).map_err(|problem| problem.of(&name).located(&text))?;
        Ok(config)
    }

    /// Makes the paths of files absolute, and looks whether they can be read.
    fn find_files(&mut self, folder: &Path) -> Result<(), Problem> {
        let issuers = self.issuers.iter_mut().enumerate();
        let of_issuers =
            issuers.flat_map(|(index, issuer)| issuer.files().map(move |(key, path)| (key, index, path)));
        let server = self.authorization_server.iter_mut();
        let of_clients = server.flat_map(AuthorizationServer::files);
        let of_clients = of_clients.map(|(index, path)| ("authorization_server.client.jwks", index, path));
        let of_tls = self
            .tls
            .iter_mut()
            .flat_map(|tls| [("tls.certificate", 0, &mut tls.certificate), ("tls.key", 0, &mut tls.key)]);
        for (key, index, path) in of_tls.chain(of_issuers).chain(of_clients) {
            *path = folder.join(&*path);
            if let Err(error) = fs::File::open(&*path) {
                return Err(Problem::new(key, index, format!("{} cannot be read: {error}", path.display())));
            }
        }
        Ok(())
    }

    /// Reads TOML. `name` is what messages call it. Paths stay as they are written.
    ///
    /// # Errors
    /// If `text` is not TOML, has a key or value that is not known, or contradicts itself.
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let config = file::parse(text, name)?;
        config.check().map_err(|error| error.located(text))?;
        Ok(config)
    }

    /// Looks for contradictions; to be called again after a field was set.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), ConfigError> {
        check::check(self).map_err(|problem| problem.of(&self.name))
    }

    /// The effective configuration: every key with its value. Parses back to the same. It must have
    /// passed [`Config::check`].
    #[must_use]
    pub fn to_toml(&self) -> String {
        file::to_toml(self)
    }

    /// Listens elsewhere. A public URL that was the old address becomes the new one.
    pub fn set_listen(&mut self, listen: SocketAddr) {
        if self.public_url == self.own_origin() {
            self.listen = listen;
            self.public_url = self.own_origin();
        }
        self.listen = listen;
    }

    /// The origin where this server answers by itself.
    #[must_use]
    pub fn own_origin(&self) -> Origin {
        Origin::of_address(self.tls.is_some(), self.listen)
    }
}
