//! The programs that the server knows, and how they show who they are.
//!
//! Clause: SMART 2.2 client-confidential-asymmetric.html#authenticating-to-the-token-endpoint

use charta_auth::assertion::Assertion;
use charta_model::Timestamp;
use http::{HeaderMap, HeaderValue, header};

use super::{AuthorizationServer, Form, only, path};
use crate::{
    config::{Client, Jwks},
    http::{
        App,
        smart::keys::{FileKeys, KeySource, KeysError, UrlKeys},
    },
};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A program that the server knows.
pub struct RegisteredClient {
    /// As the configuration has it.
    pub settings: Client,
    keys: Option<KeySource>,
}

/// Why a client is not believed. For the log; the client learns that it is not.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unbelieved(String);

impl RegisteredClient {
    /// # Errors
    /// If its file has no keys.
    pub fn new(settings: &Client) -> Result<Self, KeysError> {
        let keys = match &settings.jwks {
            Some(Jwks::File(path)) => Some(KeySource::File(FileKeys::open(path)?)),
            Some(Jwks::Url(url)) => Some(KeySource::Url(UrlKeys::new(url))),
            Some(Jwks::Development) | None => None,
        };
        Ok(Self { settings: settings.clone(), keys })
    }

    /// Whether it can show who it is.
    pub fn is_confidential(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether a page of this origin is one of the places that a person is sent back to.
    pub fn has_origin(&self, origin: &HeaderValue) -> bool {
        let of = |uri: &String| {
            let (scheme, rest) = uri.split_once("://")?;
            Some(format!("{scheme}://{}", rest.split(['/', '?']).next()?))
        };
        self.settings.redirect_uris.iter().filter_map(of).any(|known| origin == known.as_str())
    }
}

impl AuthorizationServer {
    /// The client of this name.
    pub fn client(&self, id: &str) -> Option<&RegisteredClient> {
        self.clients.iter().find(|client| client.settings.id == id)
    }

    /// The client that sends a request to the token endpoint: by its assertion, or by its mere name if it is
    /// public.
    ///
    /// # Errors
    /// If it is not believed, for whatever reason.
    pub async fn authenticate(
        &self,
        app: &App,
        headers: &HeaderMap,
        form: &Form,
        now: Timestamp,
    ) -> Result<&RegisteredClient, Unbelieved> {
        let refuse = |why: &str| Err(Unbelieved(why.to_owned()));
        let one = |name| only(form, name).map_err(|()| Unbelieved(format!("{name} is there twice")));
        let (id, assertion) = (one("client_id")?, one("client_assertion")?);
        if headers.contains_key(header::AUTHORIZATION) {
            return refuse("Authorization is no way to show who it is here");
        }
        let Some(assertion) = assertion else {
            return match id.and_then(|id| self.client(id)) {
                Some(client) if !client.is_confidential() => Ok(client),
                Some(_) => refuse("it has keys and did not use them"),
                None => refuse("no client of this name"),
            };
        };
        if one("client_assertion_type")? != Some(ASSERTION_TYPE) {
            return refuse("an assertion of another type");
        }
        let parsed = Assertion::parse(assertion).map_err(|error| Unbelieved(error.to_string()))?;
        let client = self.client(parsed.client());
        let Some((client, keys)) = client.and_then(|client| Some((client, client.keys.as_ref()?))) else {
            return refuse("no client of this name has keys");
        };
        if id.is_some_and(|id| id != client.settings.id) {
            return refuse("client_id names another client");
        }
        self.believe(app, client, keys, assertion, now).await.map(|()| client)
    }

    async fn believe(
        &self,
        app: &App,
        client: &RegisteredClient,
        source: &KeySource,
        text: &str,
        now: Timestamp,
    ) -> Result<(), Unbelieved> {
        let audience = format!("{}{}", app.config.public_url, path::TOKEN);
        let registered_url = match &client.settings.jwks {
            Some(Jwks::Url(url)) => Some(url.as_str()),
            _ => None,
        };
        let failed = |error: &dyn std::error::Error| Unbelieved(error.to_string());
        let verify =
            |keys: &charta_auth::KeySet| Assertion::parse(text)?.verify(keys, registered_url, &audience, now);
        let keys = source.current(&self.fetcher, now).await.map_err(|error| failed(&error))?;
        let asserted = match verify(&keys) {
            Err(error) if error.is_unknown_key() => {
                let newer = source.newer(&self.fetcher, now, &keys).await;
                newer.map_or(Err(error), |keys| verify(&keys))
            }
            other => other,
        };
        let asserted = asserted.map_err(|error| failed(&error))?;
        let name = format!("{} {}", client.settings.id, asserted.id);
        if !self.assertions.insert(name, (), asserted.expires_at, now) {
            return Err(Unbelieved("its assertion was used before".to_owned()));
        }
        Ok(())
    }
}
