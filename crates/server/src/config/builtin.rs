//! The configurations that need no file.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use charta_fhir::{Profile, Version};
use charta_model::TenantId;

use super::{
    Audit, Auth, AuthorizationServer, Confidentiality, Config, Endpoint, EndpointTenant, Issuer, Limits,
    Origin, ProxyHeader, StoreConfig,
};

/// The tenant when no other is named.
pub const DEFAULT_TENANT: &str = "default";
/// The tenant of the demo's Millennium endpoints.
const MILLENNIUM_TENANT: &str = "ec2458f2-1e24-41c8-b71b-0e701af7583d";
/// The tenant of the demo's Soarian endpoints.
const SOARIAN_TENANT: &str = "3f2aca24-87f3-4eac-a6d7-1f75247e6b43";

/// See [`Config::standard`].
pub fn standard() -> Config {
    let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let tenant = tenant(DEFAULT_TENANT);
    Config {
        name: "built-in configuration".to_owned(),
        listen,
        ops_listen: None,
        public_url: Origin::of_address(false, listen),
        hosts: Vec::new(),
        trusted_proxies: Vec::new(),
        proxy_header: ProxyHeader::default(),
        data_dir: PathBuf::from("charta-data"),
        shutdown_seconds: 10,
        worker_threads: 0,
        log: "info".to_owned(),
        allow_open_network: false,
        limits: Limits::default(),
        audit: Audit::default(),
        store: StoreConfig::default(),
        tls: None,
        confidentiality: Confidentiality::default(),
        endpoints: standard_endpoints(&tenant),
        tenants: vec![tenant],
        organizations: BTreeMap::new(),
        issuers: Vec::new(),
        authorization_server: None,
    }
}

/// See [`Config::demo`].
pub fn demo() -> Config {
    let mut config = standard();
    config.data_dir = PathBuf::from("charta-demo");
    config.issuers = vec![Issuer::development()];
    config.authorization_server = Some(AuthorizationServer::demo());
    config.tenants.extend([MILLENNIUM_TENANT, SOARIAN_TENANT].map(tenant));
    let in_path = EndpointTenant::InPath;
    let default = EndpointTenant::Fixed(tenant(DEFAULT_TENANT));
    config.endpoints.extend(
        [
            ("/millennium/open/r4", &in_path, Version::R4, Profile::Millennium, Auth::Open),
            ("/millennium/open/dstu2", &in_path, Version::Dstu2, Profile::Millennium, Auth::Open),
            ("/millennium/ehr/r4", &in_path, Version::R4, Profile::Millennium, Auth::Smart),
            ("/millennium/ehr/dstu2", &in_path, Version::Dstu2, Profile::Millennium, Auth::Smart),
            ("/soarian/open/r4", &in_path, Version::R4, Profile::Soarian, Auth::Open),
            ("/soarian/myrecord/r4", &in_path, Version::R4, Profile::Soarian, Auth::Smart),
            ("/ccri/STU3", &default, Version::Stu3, Profile::CareConnect, Auth::Open),
            ("/ccri/secure/STU3", &default, Version::Stu3, Profile::CareConnect, Auth::Smart),
        ]
        .map(|(path, tenant, version, profile, auth)| Endpoint {
            path: path.to_owned(),
            tenant: tenant.clone(),
            version,
            profile,
            auth,
            writable: false,
            strict: false,
        }),
    );
    config
}

/// One endpoint for each FHIR version, open and writable.
pub fn standard_endpoints(tenant: &TenantId) -> Vec<Endpoint> {
    let endpoint = |version: Version| Endpoint {
        path: format!("/{}", version.name().to_ascii_lowercase()),
        tenant: EndpointTenant::Fixed(tenant.clone()),
        version,
        profile: Profile::Standard,
        auth: Auth::Open,
        writable: true,
        strict: false,
    };
    Version::ALL.into_iter().map(endpoint).collect()
}

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).expect("the tenants above are ids; a test makes them all")
}
