//! Where the keys of an issuer are that the configuration names by its URL alone: its metadata says so, under the paths
//! of OpenID Connect and of OAuth. What it says comes from outside, so it chooses less than the operator may: the
//! issuer's own host, or an https URL of a host whose addresses are public.

use reqwest::Url;
use serde::Deserialize;

use super::{
    fetch::{FetchError, Fetched, Fetcher},
    keys::KeysError,
};

/// What is read of the metadata.
///
/// Clause: RFC 8414 2
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Fetches the keys of an issuer.
///
/// # Errors
/// If its metadata cannot be had, is another's, or names a place that is not gone to.
pub async fn keys(fetcher: &Fetcher, issuer: &str) -> Result<(String, Fetched), KeysError> {
    let refused = |why| KeysError::Metadata { issuer: issuer.to_owned(), why };
    let failed = |url: String| move |error| KeysError::Url { url, error };
    let own = Url::parse(issuer).map_err(|_| refused("it is not a URL"))?;
    let metadata = metadata(fetcher, &own).await?;
    // What another issuer says of itself says nothing of this one.
    if metadata.issuer != issuer {
        return Err(refused("its metadata is of another issuer"));
    }
    let url = Url::parse(&metadata.jwks_uri).map_err(|_| refused("jwks_uri is not a URL"))?;
    let text = url.to_string();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("jwks_uri has a name or password"));
    }
    let is_own = (url.scheme(), url.host(), url.port_or_known_default())
        == (own.scheme(), own.host(), own.port_or_known_default());
    let fetched = match url.scheme() {
        _ if is_own => fetcher.get(&text).await,
        "https" => fetcher.get_public(&url).await,
        _ => return Err(refused("jwks_uri is not https")),
    };
    Ok((text.clone(), fetched.map_err(failed(text))?))
}

async fn metadata(fetcher: &Fetcher, issuer: &Url) -> Result<Metadata, KeysError> {
    let [first, second] = places(issuer);
    let fetched = match fetcher.get(&first).await {
        Err(FetchError::Status(404)) => fetcher.get(&second).await.map_err(|error| (second, error)),
        other => other.map_err(|error| (first, error)),
    };
    let fetched = fetched.map_err(|(url, error)| KeysError::Url { url, error })?;
    serde_json::from_slice(&fetched.body)
        .map_err(|_| KeysError::Metadata { issuer: issuer.to_string(), why: "its metadata has no jwks_uri" })
}

/// OpenID Connect appends to the issuer's path, OAuth puts its own before it.
///
/// Clause: RFC 8414 3.1
fn places(issuer: &Url) -> [String; 2] {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        url.to_string()
    };
    [
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_has_two_places() {
        for (issuer, first, second) in [
            (
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example:8443/realms/clinic/",
                "https://a.example:8443/realms/clinic/.well-known/openid-configuration",
                "https://a.example:8443/.well-known/oauth-authorization-server/realms/clinic",
            ),
        ] {
            assert_eq!(places(&Url::parse(issuer).unwrap()), [first, second]);
        }
    }
}
