//! The client for what this server fetches: keys, and answers about tokens. Only URLs that the operator wrote
//! into the configuration are fetched, and those that an issuer's metadata names, if they are of its own host or public.
//! A redirect is not followed, so nobody else chooses where a request goes; what is fetched has a limit in size and time.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Client, ClientBuilder, RequestBuilder, Url, header, redirect::Policy};
use tokio_rustls::rustls::crypto::ring;

use super::public::{PublicNames, is_public};

/// An answer at most.
const BYTES_MAX: usize = 256 << 10;
/// From the request to the last byte.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Why nothing was fetched. For the log; tells no secret.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, no answer in time, or no TLS.
    #[error("cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The host is not one of the public internet.
    #[error("not a host of the public internet")]
    NotPublic,
    /// An answer other than 200; a redirect is one.
    #[error("status {0}")]
    Status(u16),
    /// More than an answer may have.
    #[error("longer than {BYTES_MAX} bytes")]
    TooLong,
}

/// What was fetched.
pub struct Fetched {
    /// The bytes.
    pub body: Vec<u8>,
    /// How many seconds it may be kept, if it says so; 0 if it must not be.
    pub seconds_max: Option<i64>,
}

/// The client. What it needs is made when it is first used, as most servers fetch nothing.
#[derive(Default)]
pub struct Fetcher {
    client: OnceLock<Client>,
    /// Goes to public addresses alone.
    public: OnceLock<Client>,
}

impl Fetcher {
    /// Fetches JSON.
    ///
    /// # Errors
    /// As [`FetchError`].
    pub async fn get(&self, url: &str) -> Result<Fetched, FetchError> {
        let client = self.client()?;
        fetch(client.get(url).header(header::ACCEPT, "application/json")).await
    }

    /// Fetches JSON from where somebody outside says: https, a host of the public internet, and no proxy that could
    /// look names up otherwise.
    ///
    /// # Errors
    /// As [`FetchError`].
    pub async fn get_public(&self, url: &Url) -> Result<Fetched, FetchError> {
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        // An address is not looked up, so nobody else would ask.
        if url.scheme() != "https" || address.is_ok_and(|address| !is_public(address)) {
            return Err(FetchError::NotPublic);
        }
        let client = made(&self.public, |builder| builder.dns_resolver(Arc::new(PublicNames)).no_proxy())?;
        fetch(client.get(url.clone()).header(header::ACCEPT, "application/json")).await
    }

    /// Sends a form as a client that shows its secret.
    ///
    /// # Errors
    /// As [`FetchError`].
    pub async fn post(
        &self,
        url: &str,
        form: String,
        client_id: &str,
        secret: &str,
    ) -> Result<Fetched, FetchError> {
        let request = self.client()?.post(url).basic_auth(client_id, Some(secret));
        let request = request
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        fetch(request).await
    }

    fn client(&self) -> Result<&Client, FetchError> {
        made(&self.client, |builder| builder)
    }
}

/// The client in its place; made if it is the first time.
fn made(place: &OnceLock<Client>, more: fn(ClientBuilder) -> ClientBuilder) -> Result<&Client, FetchError> {
    if let Some(client) = place.get() {
        return Ok(client);
    }
    let _ = ring::default_provider().install_default(); // another part may have done it
    let client =
        Client::builder().redirect(Policy::none()).timeout(TIME_MAX).connect_timeout(TIME_MAX).referer(false);
    let client = more(client).build().map_err(FetchError::Unreachable)?;
    Ok(place.get_or_init(|| client))
}

async fn fetch(request: RequestBuilder) -> Result<Fetched, FetchError> {
    // The URL is in the configuration; in the log it could carry a secret.
    let unreachable = |error: reqwest::Error| FetchError::Unreachable(error.without_url());
    let mut answer = request.send().await.map_err(unreachable)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let seconds_max =
        answer.headers().get(header::CACHE_CONTROL).and_then(|value| kept(value.to_str().ok()?));
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
        if body.len() + piece.len() > BYTES_MAX {
            return Err(FetchError::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Fetched { body, seconds_max })
}

/// The seconds that `Cache-Control` allows.
///
/// Clause: RFC 9111 5.2.2
fn kept(cache_control: &str) -> Option<i64> {
    let mut directives = cache_control.split(',').map(str::trim);
    let forbids = |name: &str| ["no-store", "no-cache"].iter().any(|word| name.eq_ignore_ascii_case(word));
    if directives.clone().any(forbids) {
        return Some(0);
    }
    directives.find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let seconds = || value.trim_matches('"').parse::<u32>().ok().map(i64::from);
        name.eq_ignore_ascii_case("max-age").then(seconds).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_says_how_long_keys_are_kept() {
        for (text, seconds) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=\"60\", immutable", Some(60)),
            ("no-store", Some(0)),
            ("max-age=60, no-cache", Some(0)),
            ("public", None),
            ("max-age=-1", None),
            ("max-age=much", None),
            ("", None),
        ] {
            assert_eq!(kept(text), seconds, "{text}");
        }
    }
}
