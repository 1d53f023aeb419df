//! Contradictions among issuers and clients.

use super::{Checked, is_url, known, refuse};
use crate::config::{Client, Config, DEVELOPMENT, Issuer, Jwks};

/// What is fetched from: https, or http on this machine.
const FETCHED: &str = "an https URL, nor an http URL of this machine";

/// One issuer.
pub(super) fn issuer(config: &Config, index: usize) -> Checked {
    let issuer = &config.issuers[index];
    let Issuer { url, audience, algorithms, tenants, .. } = issuer;
    if url != DEVELOPMENT && !is_url(url, &["https://", "http://"]) {
        return refuse("issuer.url", index, format!("{url:?} is not an https or http URL"));
    }
    if url == DEVELOPMENT && !issuer.is_development() {
        return refuse(
            "issuer.url",
            index,
            format!("{url} is the development key's; set development = true"),
        );
    }
    if config.issuers[..index].iter().any(|other| other.url == *url) {
        return refuse("issuer.url", index, format!("{url} is there twice"));
    }
    sources(config, index)?;
    let is_audience = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if let Some(odd) = audience.iter().find(|text| !is_audience(text)) {
        return refuse("issuer.audience", index, format!("{odd:?} is not a URL or name"));
    }
    if algorithms.is_empty() {
        return refuse("issuer.algorithms", index, "an empty list; leave the key out for the default");
    }
    tenants.iter().try_for_each(|tenant| known(config, "issuer.tenants", index, tenant))?;
    discovery(issuer, index)
}

/// Where keys and answers about tokens come from.
fn sources(config: &Config, index: usize) -> Checked {
    let issuer = &config.issuers[index];
    match &issuer.jwks {
        Some(Jwks::File(path)) if path.as_os_str().is_empty() => {
            return refuse("issuer.jwks", index, "empty; a file or an https URL is needed");
        }
        Some(Jwks::Url(url)) if !is_fetched(url) => {
            return refuse("issuer.jwks", index, format!("{url:?} is neither a file nor {FETCHED}"));
        }
        None if issuer.introspection.is_none() && !is_fetched(&issuer.url) => {
            let problem = format!("missing; {} is not {FETCHED}, to be asked for them", issuer.url);
            return refuse("issuer.jwks", index, problem);
        }
        Some(Jwks::Development) if config.issuers[..index].iter().any(Issuer::is_development) => {
            return refuse("issuer.development", index, "there is one development key, for one issuer");
        }
        _ => {}
    }
    let Some(introspection) = &issuer.introspection else { return Ok(()) };
    if !is_fetched(&introspection.url) {
        let problem = format!("{:?} is neither {FETCHED}", introspection.url);
        return refuse("issuer.introspection", index, problem);
    }
    // An opaque token does not say whose it is, and must not be shown to the others.
    if config.issuers[..index].iter().any(|other| other.introspection.is_some()) {
        return refuse("issuer.introspection", index, "only one issuer can be asked about tokens");
    }
    Ok(())
}

fn discovery(issuer: &Issuer, index: usize) -> Checked {
    let told = &issuer.discovery;
    for (key, url) in [
        ("issuer.authorization_endpoint", &told.authorization_endpoint),
        ("issuer.token_endpoint", &told.token_endpoint),
        ("issuer.revocation_endpoint", &told.revocation_endpoint),
        ("issuer.registration_endpoint", &told.registration_endpoint),
        ("issuer.management_endpoint", &told.management_endpoint),
    ] {
        if let Some(url) = url.as_ref().filter(|url| !is_url(url, &["https://", "http://"])) {
            return refuse(key, index, format!("{url:?} is not an https or http URL"));
        }
    }
    Ok(())
}

/// The development authorization server, which gives tokens to whoever asks.
pub(super) fn authorization_server(config: &Config) -> Checked {
    let Some(server) = &config.authorization_server else { return Ok(()) };
    if !config.issuers.iter().any(Issuer::is_development) {
        let problem = "its tokens count nowhere: no [[issuer]] has development = true";
        return refuse("authorization_server", 0, problem);
    }
    if !config.allow_open_network && !config.listen.ip().to_canonical().is_loopback() {
        let problem = format!(
            "{} is not loopback, and [authorization_server] gives tokens to everybody; \
             if that is meant, set allow_open_network = true",
            config.listen
        );
        return refuse("listen", 0, problem);
    }
    server.clients.iter().enumerate().try_for_each(|(index, client)| {
        if server.clients[..index].iter().any(|other| other.id == client.id) {
            return refuse("authorization_server.client.id", index, format!("{} is there twice", client.id));
        }
        one_client(index, client)
    })
}

fn one_client(index: usize, client: &Client) -> Checked {
    let Client { id, jwks, redirect_uris, .. } = client;
    let is_name = (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if !is_name {
        return refuse("authorization_server.client.id", index, format!("{id:?} is not a name"));
    }
    match jwks {
        Some(Jwks::Url(url)) if !is_fetched(url) => {
            let problem = format!("{url:?} is neither a file nor {FETCHED}");
            return refuse("authorization_server.client.jwks", index, problem);
        }
        None if redirect_uris.is_empty() => {
            return refuse("authorization_server.client", index, "neither jwks nor redirect_uris: of no use");
        }
        _ => {}
    }
    // Apps on a device have schemes of their own.
    let is_redirect = |uri: &str| {
        let has_scheme = uri.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        });
        let lower = uri.to_ascii_lowercase();
        let runs_script =
            ["javascript:", "data:", "vbscript:"].iter().any(|scheme| lower.starts_with(scheme));
        has_scheme && !runs_script && uri.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
    };
    match redirect_uris.iter().find(|uri| !is_redirect(uri)) {
        Some(odd) => {
            let problem = format!("{odd:?} is not an absolute URL without fragment");
            refuse("authorization_server.client.redirect_uris", index, problem)
        }
        None => Ok(()),
    }
}

fn is_fetched(url: &str) -> bool {
    if is_url(url, &["https://"]) {
        return true;
    }
    let authority = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let Some(authority) = authority.filter(|_| is_url(url, &["http://"])) else { return false };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
