//! Keys of an issuer of which only the URL is known.

use serde_json::json;

use super::authority::{Authority, Key, verifier_of, verify};
use crate::http::smart::TokenError;

const OPENID: &str = "/realm/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server/realm";

/// An issuer on loopback with keys, whose metadata lies nowhere yet.
async fn issuer() -> (Authority, String, Key) {
    let (authority, key) = (Authority::start().await, Key::new());
    let url = authority.url.replace("/answer", "/realm");
    authority.reply("404 Not Found", "");
    authority.reply_at("/keys", &key.jwks());
    (authority, url, key)
}

fn beside(url: &str, path: &str) -> String {
    url.replace("/realm", path)
}

#[tokio::test]
async fn keys_are_where_the_metadata_says() {
    for path in [OPENID, OAUTH] {
        let (authority, url, key) = issuer().await;
        authority.reply_at(path, &json!({ "issuer": url, "jwks_uri": beside(&url, "/keys") }));
        let verifier = verifier_of(&url);
        assert_eq!(authority.asked(), 0, "not before they are needed");
        verify(&verifier, &key.token(&json!({ "iss": url })), 0).await.unwrap();
        let asked = authority.asked();
        verify(&verifier, &key.token(&json!({ "iss": url, "jti": "2" })), 899).await.unwrap();
        assert_eq!(authority.asked(), asked, "kept as other keys are");
        let stranger = Key::new().token(&json!({ "iss": url }));
        assert!(verify(&verifier, &stranger, 0).await.is_err());
    }
}

#[tokio::test]
async fn keys_that_moved_are_found() {
    let (authority, url, old) = issuer().await;
    authority.reply_at(OPENID, &json!({ "issuer": url, "jwks_uri": beside(&url, "/keys") }));
    let verifier = verifier_of(&url);
    verify(&verifier, &old.token(&json!({ "iss": url })), 0).await.unwrap();
    let new = Key::new();
    authority.reply_at("/new-keys", &new.jwks());
    authority.reply_at(OPENID, &json!({ "issuer": url, "jwks_uri": beside(&url, "/new-keys") }));
    verify(&verifier, &new.token(&json!({ "iss": url })), 1).await.unwrap();
}

#[tokio::test]
async fn metadata_that_leads_elsewhere_is_not_followed() {
    let (other, stolen) = (Authority::start().await, Key::new());
    other.reply_json(&stolen.jwks());
    for metadata in [
        json!({ "issuer": "ISSUER", "jwks_uri": other.url }),
        json!({ "issuer": "ISSUER", "jwks_uri": other.url.replace("http:", "https:") }),
        json!({ "issuer": "ISSUER", "jwks_uri": other.url.replace("127.0.0.1", "localhost").replace("http:", "https:") }),
        json!({ "issuer": "ISSUER", "jwks_uri": "https://169.254.169.254/keys" }),
        json!({ "issuer": "ISSUER", "jwks_uri": "https://[::1]/keys" }),
        json!({ "issuer": "ISSUER", "jwks_uri": "http://login.example.org/keys" }),
        json!({ "issuer": "ISSUER", "jwks_uri": "file:///etc/keys.json" }),
        json!({ "issuer": "ISSUER", "jwks_uri": "BASE/keys", "more": "name and password" }),
        json!({ "issuer": "https://other.example.org", "jwks_uri": "BASE/keys" }),
        json!({ "issuer": "ISSUER/", "jwks_uri": "BASE/keys" }),
        json!({ "jwks_uri": "BASE/keys" }),
        json!({ "issuer": "ISSUER" }),
        json!([]),
    ] {
        let (authority, url, key) = issuer().await;
        let base = match metadata["more"].is_string() {
            true => beside(&url, "").replace("http://", "http://name:password@"),
            false => beside(&url, ""),
        };
        let text = metadata.to_string().replace("ISSUER", &url).replace("BASE", &base);
        authority.reply_at(OPENID, &serde_json::from_str(&text).unwrap());
        let verifier = verifier_of(&url);
        for key in [&key, &stolen] {
            let refused = verify(&verifier, &key.token(&json!({ "iss": url })), 0).await.unwrap_err();
            assert_eq!(refused, TokenError::Unavailable, "{text}");
        }
        assert_eq!(other.asked(), 0, "{text}");
    }
}
