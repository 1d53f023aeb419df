//! What contradicts itself. The first contradiction is told, in the order of the reference.

use std::{net::SocketAddr, ops::RangeInclusive};

use charta_fhir::{Profile, Version};
use charta_model::TenantId;
use tracing_subscriber::EnvFilter;

use super::{Auth, Config, ConfigError, Endpoint, EndpointTenant, Issuer, Jwks, Limits, Origin};

/// First segments of paths that are not FHIR.
const RESERVED: [&str; 3] = ["health", "metrics", ".well-known"];
const SECONDS: RangeInclusive<u64> = 1..=86_400;
/// TOML's integers end here.
const BYTES: RangeInclusive<u64> = 1..=i64::MAX as u64;

/// See [`Config::check`].
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let check = Check(config);
    check.addresses()?;
    check.process()?;
    check.limits()?;
    check.tenants()?;
    for (index, issuer) in config.issuers.iter().enumerate() {
        check.issuer(index, issuer)?;
    }
    if config.endpoints.is_empty() {
        return check.refuse("endpoint", 0, "an empty list; leave it out for the standard endpoints");
    }
    for (index, endpoint) in config.endpoints.iter().enumerate() {
        check.path(index, endpoint)?;
        check.overlap(index, endpoint)?;
        check.endpoint(index, endpoint)?;
    }
    Ok(())
}

struct Check<'c>(&'c Config);

type Checked = Result<(), ConfigError>;

impl Check<'_> {
    fn refuse(&self, key: &str, index: usize, problem: impl Into<String>) -> Checked {
        Err(ConfigError::new(&self.0.name, key, index, problem))
    }

    fn within(&self, key: &str, value: u64, range: RangeInclusive<u64>) -> Checked {
        if range.contains(&value) {
            return Ok(());
        }
        self.refuse(key, 0, format!("{value} is not from {} to {}", range.start(), range.end()))
    }

    fn addresses(&self) -> Checked {
        let Config { listen, ops_listen, .. } = *self.0;
        if let Some(ops) = ops_listen
            && collide(listen, ops)
        {
            return self.refuse("ops_listen", 0, format!("{ops} and listen, {listen}, are the same"));
        }
        if self.0.allow_open_network {
            return Ok(());
        }
        let Some(open) = self.0.endpoints.iter().find(|endpoint| endpoint.auth == Auth::Open) else {
            return Ok(());
        };
        let addresses = [("listen", Some(listen)), ("ops_listen", ops_listen)];
        for (key, address) in addresses.into_iter().filter_map(|(key, address)| Some((key, address?))) {
            if !address.ip().to_canonical().is_loopback() {
                let problem = format!(
                    "{address} is not loopback, and endpoint {} is open to everybody; \
                     if that is meant, set allow_open_network = true",
                    open.full_path()
                );
                return self.refuse(key, 0, problem);
            }
        }
        Ok(())
    }

    fn process(&self) -> Checked {
        if self.0.data_dir.as_os_str().is_empty() {
            return self.refuse("data_dir", 0, "empty");
        }
        self.within("shutdown_seconds", self.0.shutdown_seconds, 0..=*SECONDS.end())?;
        self.within("worker_threads", self.0.worker_threads as u64, 0..=1024)?;
        match EnvFilter::try_new(&self.0.log) {
            Ok(_) => Ok(()),
            Err(error) => self.refuse("log", 0, format!("{:?}: {error}", self.0.log)),
        }
    }

    fn limits(&self) -> Checked {
        let Limits {
            document_bytes,
            resource_bytes,
            header_bytes,
            header_seconds,
            body_idle_seconds,
            body_bytes_per_second_min,
            write_idle_seconds,
            connections,
        } = self.0.limits;
        self.within("limits.document_bytes", document_bytes, BYTES)?;
        self.within("limits.resource_bytes", resource_bytes, BYTES)?;
        // The HTTP library wants 8 KiB at least.
        self.within("limits.header_bytes", header_bytes as u64, 8192..=1 << 20)?;
        self.within("limits.header_seconds", header_seconds, SECONDS)?;
        self.within("limits.body_idle_seconds", body_idle_seconds, SECONDS)?;
        self.within("limits.body_bytes_per_second_min", body_bytes_per_second_min, 0..=*BYTES.end())?;
        self.within("limits.write_idle_seconds", write_idle_seconds, SECONDS)?;
        self.within("limits.connections", connections as u64, 1..=1_000_000)
    }

    fn tenants(&self) -> Checked {
        let tenants = &self.0.tenants;
        if tenants.is_empty() {
            return self.refuse("tenant", 0, "an empty list; leave it out for the tenant \"default\"");
        }
        for (index, tenant) in tenants.iter().enumerate() {
            if tenants[..index].contains(tenant) {
                return self.refuse("tenant.id", index, format!("{tenant} is there twice"));
            }
        }
        Ok(())
    }

    fn known(&self, key: &str, index: usize, tenant: &TenantId) -> Checked {
        if self.0.tenants.contains(tenant) {
            return Ok(());
        }
        self.refuse(key, index, format!("no [[tenant]] has the id {tenant}"))
    }

    fn issuer(&self, index: usize, issuer: &Issuer) -> Checked {
        if !is_url(&issuer.url, &["https://", "http://"]) {
            return self.refuse("issuer.url", index, format!("{:?} is not an https or http URL", issuer.url));
        }
        if self.0.issuers[..index].iter().any(|other| other.url == issuer.url) {
            return self.refuse("issuer.url", index, format!("{} is there twice", issuer.url));
        }
        match &issuer.jwks {
            Jwks::File(path) if path.as_os_str().is_empty() => {
                return self.refuse("issuer.jwks", index, "empty; a file or an https URL is needed");
            }
            Jwks::Url(url) if !is_url(url, &["https://"]) => {
                return self.refuse(
                    "issuer.jwks",
                    index,
                    format!("{url:?} is neither a file nor an https URL"),
                );
            }
            Jwks::File(_) | Jwks::Url(_) => {}
        }
        let is_audience = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if let Some(odd) = issuer.audience.iter().find(|text| !is_audience(text)) {
            return self.refuse("issuer.audience", index, format!("{odd:?} is not a URL or name"));
        }
        if issuer.algorithms.is_empty() {
            return self.refuse(
                "issuer.algorithms",
                index,
                "an empty list; leave the key out for the default",
            );
        }
        issuer.tenants.iter().try_for_each(|tenant| self.known("issuer.tenants", index, tenant))
    }

    fn path(&self, index: usize, endpoint: &Endpoint) -> Checked {
        const KEY: &str = "endpoint.path";
        let path = &*endpoint.path;
        let refuse =
            |problem: &str| self.refuse(KEY, index, format!("{:?}: {problem}", endpoint.full_path()));
        if path.contains(['{', '}']) {
            return refuse("only /{tenant} at the end is replaced");
        }
        let Some(segments) = path.strip_prefix('/') else {
            return refuse(match path {
                "" => "at least one segment must stand before the tenant",
                _ => "it must begin with a slash",
            });
        };
        if segments.is_empty() {
            return refuse("at least one segment is needed");
        }
        if path.ends_with('/') {
            return refuse("it must not end with a slash");
        }
        for segment in segments.split('/') {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            if segment.is_empty() || segment == "." || segment == ".." || !segment.bytes().all(is_plain) {
                return refuse("segments have characters out of A-Z, a-z, 0-9, '-', '.', '_' and '~'");
            }
        }
        let first = segments.split('/').next().unwrap_or_default();
        if RESERVED.contains(&first) {
            return refuse(&format!("/{first} is the server's own"));
        }
        Ok(())
    }

    /// Each URL belongs to one endpoint: of two that fit, one is longer.
    fn overlap(&self, index: usize, endpoint: &Endpoint) -> Checked {
        let own = endpoint.full_path();
        for other in &self.0.endpoints[..index] {
            let others = other.full_path();
            if own == others {
                return self.refuse("endpoint.path", index, format!("{own} is there twice"));
            }
            if endpoint.path == other.path {
                return self.refuse("endpoint.path", index, format!("{own} and {others} are ambiguous"));
            }
            if let Some(tenant) = self
                .0
                .tenants
                .iter()
                .find(|tenant| is_within(endpoint, other, tenant) || is_within(other, endpoint, tenant))
            {
                let problem = format!("{own} and {others} are ambiguous for tenant {tenant}");
                return self.refuse("endpoint.path", index, problem);
            }
        }
        Ok(())
    }

    fn endpoint(&self, index: usize, endpoint: &Endpoint) -> Checked {
        if let EndpointTenant::Fixed(tenant) = &endpoint.tenant {
            self.known("endpoint.tenant", index, tenant)?;
        }
        let (name, versions, read_only) = traits(endpoint.profile);
        if !versions.contains(&endpoint.version) {
            let known: Vec<_> = versions.iter().map(|version| version.name()).collect();
            let problem =
                format!("{} is not a version of profile {name}: {}", endpoint.version, known.join(", "));
            return self.refuse("endpoint.fhir", index, problem);
        }
        if let (true, Some(reason)) = (endpoint.writable, read_only) {
            return self.refuse("endpoint.writable", index, format!("profile {name} {reason}"));
        }
        Ok(())
    }
}

/// Name and versions of a profile, and why it takes no writes, if so.
///
/// Clause: docs/decisions/0001-endpoints-and-profiles.md
fn traits(profile: Profile) -> (&'static str, &'static [Version], Option<&'static str>) {
    match profile {
        Profile::Standard => ("standard", &Version::ALL, None),
        Profile::Millennium => {
            ("millennium", &[Version::Dstu2, Version::R4], Some("takes no writes in this release"))
        }
        Profile::Soarian => ("soarian", &[Version::R4], Some("is read-only")),
        Profile::CareConnect => ("care-connect", &[Version::Stu3], Some("is read-only")),
    }
}

/// Whether `inner` is where `outer` has its `tenant`.
fn is_within(inner: &Endpoint, outer: &Endpoint, tenant: &TenantId) -> bool {
    outer.tenant == EndpointTenant::InPath
        && inner.tenant != EndpointTenant::InPath
        && inner.path.strip_prefix(&*outer.path).and_then(|rest| rest.strip_prefix('/'))
            == Some(tenant.as_str())
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
