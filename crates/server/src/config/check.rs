//! What contradicts itself. The first contradiction is told, in the order of the reference.

use std::{net::SocketAddr, ops::RangeInclusive};

use charta_fhir::{Profile, Version};
use charta_model::TenantId;
use charta_store::OBJECT_BYTES_MAX;
use tracing_subscriber::EnvFilter;

use super::{
    Auth, Config, ContentBackend, Endpoint, EndpointTenant, Limits, Origin, TlsFiles, error::Problem,
    organization,
};

mod trust;

/// First segments of paths that are not FHIR.
const RESERVED: [&str; 4] = ["health", "metrics", ".well-known", "auth"];
const SECONDS: RangeInclusive<u64> = 1..=86_400;
/// TOML's integers end here.
const BYTES: RangeInclusive<u64> = 1..=i64::MAX as u64;

type Checked = Result<(), Problem>;

/// See [`Config::check`].
pub fn check(config: &Config) -> Checked {
    addresses(config)?;
    hosts(config)?;
    process(config)?;
    limits(&config.limits)?;
    if matches!(config.store.content, ContentBackend::S3(_))
        && config.limits.document_bytes > OBJECT_BYTES_MAX
    {
        let problem = format!("more than the {OBJECT_BYTES_MAX} that go into one object of S3");
        return refuse("limits.document_bytes", 0, problem);
    }
    within("audit.interval_ms", config.audit.interval_ms, 1..=60_000)?;
    within("audit.keep_days", config.audit.keep_days.into(), 0..=36_500)?;
    tls(config)?;
    tenants(&config.tenants)?;
    for (index, tenant) in config.tenants.iter().enumerate() {
        config.organizations.get(tenant).map_or(Ok(()), |one| organization::check(index, one))?;
    }
    for index in 0..config.issuers.len() {
        trust::issuer(config, index)?;
    }
    trust::authorization_server(config)?;
    if config.endpoints.is_empty() {
        return refuse("endpoint", 0, "an empty list; leave it out for the standard endpoints");
    }
    for (index, endpoint) in config.endpoints.iter().enumerate() {
        path(index, endpoint)?;
        overlap(config, index)?;
        serving(config, index)?;
    }
    Ok(())
}

/// No tenant is there twice, and one at least.
pub fn tenants(tenants: &[TenantId]) -> Checked {
    if tenants.is_empty() {
        return refuse("tenant", 0, "an empty list; leave it out for the tenant \"default\"");
    }
    for (index, tenant) in tenants.iter().enumerate() {
        if tenants[..index].contains(tenant) {
            return refuse("tenant.id", index, format!("{tenant} is there twice"));
        }
    }
    Ok(())
}

fn refuse(key: &'static str, index: usize, problem: impl Into<String>) -> Checked {
    Err(Problem::new(key, index, problem))
}

fn within(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Checked {
    if range.contains(&value) {
        return Ok(());
    }
    refuse(key, 0, format!("{value} is not from {} to {}", range.start(), range.end()))
}

fn addresses(config: &Config) -> Checked {
    let Config { listen, ops_listen, .. } = *config;
    if let Some(ops) = ops_listen
        && collide(listen, ops)
    {
        return refuse("ops_listen", 0, format!("{ops} cannot be had beside listen, {listen}"));
    }
    let open = config.endpoints.iter().find(|endpoint| endpoint.auth == Auth::Open);
    let Some(open) = open.filter(|_| !config.allow_open_network) else { return Ok(()) };
    // The operations address serves no documents, so it may be open to the monitoring's network.
    if !listen.ip().to_canonical().is_loopback() {
        let problem = format!(
            "{listen} is not loopback, and endpoint {} is open to everybody; \
             if that is meant, set allow_open_network = true",
            open.full_path()
        );
        return refuse("listen", 0, problem);
    }
    Ok(())
}

/// A host is compared without its port, so a name with one would never fit.
fn hosts(config: &Config) -> Checked {
    let is_name = |name: &String| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        !name.is_empty() && name.bytes().all(is_plain)
    };
    match config.hosts.iter().find(|name| !is_name(name)) {
        Some(odd) => refuse("hosts", 0, format!("{odd:?}: not the name of a host, without port")),
        None => Ok(()),
    }
}

fn process(config: &Config) -> Checked {
    if config.data_dir.as_os_str().is_empty() {
        return refuse("data_dir", 0, "empty");
    }
    within("shutdown_seconds", config.shutdown_seconds, 0..=*SECONDS.end())?;
    within("worker_threads", config.worker_threads as u64, 0..=1024)?;
    match EnvFilter::try_new(&config.log) {
        Ok(_) => Ok(()),
        Err(error) => refuse("log", 0, format!("{:?}: {error}", config.log)),
    }
}

fn limits(limits: &Limits) -> Checked {
    let Limits {
        document_bytes,
        resource_bytes,
        header_bytes,
        header_seconds,
        body_idle_seconds,
        body_bytes_per_second_min,
        write_idle_seconds,
        connections,
        client_connections,
        client_requests_parallel,
        client_requests_per_second,
        client_requests_burst,
    } = *limits;
    within("limits.document_bytes", document_bytes, BYTES)?;
    within("limits.resource_bytes", resource_bytes, BYTES)?;
    // The HTTP library wants 8 KiB at least.
    within("limits.header_bytes", header_bytes as u64, 8192..=1 << 20)?;
    within("limits.header_seconds", header_seconds, SECONDS)?;
    within("limits.body_idle_seconds", body_idle_seconds, SECONDS)?;
    within("limits.body_bytes_per_second_min", body_bytes_per_second_min, 0..=*BYTES.end())?;
    within("limits.write_idle_seconds", write_idle_seconds, SECONDS)?;
    within("limits.connections", connections as u64, 1..=1_000_000)?;
    within("limits.client_connections", client_connections as u64, 0..=1_000_000)?;
    within("limits.client_requests_parallel", client_requests_parallel as u64, 0..=1_000_000)?;
    within("limits.client_requests_per_second", client_requests_per_second.into(), 0..=1_000_000)?;
    within("limits.client_requests_burst", client_requests_burst.into(), 1..=1_000_000)
}

/// Links that clients cannot follow would be in every answer.
fn tls(config: &Config) -> Checked {
    let Some(TlsFiles { certificate, key }) = &config.tls else { return Ok(()) };
    for (name, path) in [("tls.certificate", certificate), ("tls.key", key)] {
        if path.as_os_str().is_empty() {
            return refuse(name, 0, "empty; a file in PEM is needed");
        }
    }
    if config.public_url.as_str().starts_with("http://") {
        let problem = format!("{} is not https, but [tls] is set", config.public_url);
        return refuse("public_url", 0, problem);
    }
    Ok(())
}

fn known(config: &Config, key: &'static str, index: usize, tenant: &TenantId) -> Checked {
    if config.tenants.contains(tenant) {
        return Ok(());
    }
    refuse(key, index, format!("no [[tenant]] has the id {tenant}"))
}

fn path(index: usize, endpoint: &Endpoint) -> Checked {
    let refuse =
        |problem: &str| refuse("endpoint.path", index, format!("{:?}: {problem}", endpoint.full_path()));
    let path = &*endpoint.path;
    if path.contains(['{', '}']) {
        return refuse("only /{tenant} at the end is replaced");
    }
    if matches!(path, "" | "/") {
        return refuse("a segment of its own is needed");
    }
    let Some(segments) = path.strip_prefix('/') else { return refuse("it must begin with a slash") };
    if path.ends_with('/') {
        return refuse("it must not end with a slash");
    }
    for segment in segments.split('/') {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if matches!(segment, "" | "." | "..") {
            return refuse("segments are neither empty nor \".\" nor \"..\"");
        }
        if !segment.bytes().all(is_plain) {
            return refuse("segments have characters out of A-Z, a-z, 0-9, '-', '.', '_' and '~'");
        }
    }
    match segments.split('/').next() {
        Some(first) if RESERVED.contains(&first) => refuse(&format!("/{first} is the server's own")),
        _ => Ok(()),
    }
}

/// Each URL belongs to one endpoint: of two that fit, one is longer.
fn overlap(config: &Config, index: usize) -> Checked {
    let refuse = |problem| refuse("endpoint.path", index, problem);
    let endpoint = &config.endpoints[index];
    let own = endpoint.full_path();
    for other in &config.endpoints[..index] {
        let others = other.full_path();
        if own == others {
            return refuse(format!("{own} is there twice"));
        }
        if endpoint.path == other.path {
            return refuse(format!("{own} and {others} are ambiguous"));
        }
        let mut tenants = config.tenants.iter();
        if let Some(tenant) =
            tenants.find(|tenant| hides(endpoint, other, tenant) || hides(other, endpoint, tenant))
        {
            return refuse(format!("{own} and {others} are ambiguous for tenant {tenant}"));
        }
    }
    Ok(())
}

fn serving(config: &Config, index: usize) -> Checked {
    let Endpoint { tenant, version, profile, writable, .. } = &config.endpoints[index];
    if let EndpointTenant::Fixed(tenant) = tenant {
        known(config, "endpoint.tenant", index, tenant)?;
    }
    let (name, versions, read_only) = traits(*profile);
    if !versions.contains(version) {
        let known: Vec<_> = versions.iter().map(|version| version.name()).collect();
        let problem =
            format!("{version} is not a version of profile {name}, which has {}", known.join(" and "));
        return refuse("endpoint.fhir", index, problem);
    }
    match read_only {
        Some(reason) if *writable => refuse("endpoint.writable", index, format!("profile {name} {reason}")),
        _ => Ok(()),
    }
}

/// Name and versions of a profile, and why it takes no writes, if so.
///
/// Why: docs/decisions/0001-endpoints-and-profiles.md
fn traits(profile: Profile) -> (&'static str, &'static [Version], Option<&'static str>) {
    match profile {
        Profile::Standard => ("standard", &Version::ALL, None),
        Profile::Millennium => ("millennium", &[Version::Dstu2, Version::R4], None),
        Profile::Soarian => ("soarian", &[Version::R4], Some("is read-only")),
        Profile::CareConnect => ("care-connect", &[Version::Stu3], Some("is read-only")),
    }
}

/// Whether `inner` stands where `outer` has its `tenant`.
fn hides(inner: &Endpoint, outer: &Endpoint, tenant: &TenantId) -> bool {
    let below = inner.path.strip_prefix(&*outer.path).and_then(|rest| rest.strip_prefix('/'));
    outer.tenant == EndpointTenant::InPath && below == Some(tenant.as_str())
}

/// Whether one of them cannot be taken beside the other.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    let same_ip = a == b || a.is_unspecified() || b.is_unspecified();
    one.port() == other.port() && one.port() != 0 && same_ip
}

/// Whether `text` begins with one of `schemes` and a host, without spaces, query or fragment.
fn is_url(text: &str, schemes: &[&str]) -> bool {
    let Some(after) = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)) else { return false };
    let authority = after.split('/').next().unwrap_or_default();
    let origin = &text[..text.len() - after.len() + authority.len()];
    let is_plain = |b: u8| b.is_ascii_graphic() && b != b'#' && b != b'?';
    Origin::new(origin).is_ok() && after.bytes().all(is_plain)
}
