//! Issuers that are asked.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::authority::{Authority, BASE, Key, NOW, verifier, verify};
use crate::http::smart::{TokenError, Verifier};

const OPAQUE: &str = "2YotnFZFEjr1zCsicMWpAA";

/// A verifier that asks; with the directory of its secret.
fn asking(authority: &Authority, rest: &str) -> (Verifier, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    std::fs::write(&secret, "s3cret\n").unwrap();
    let place = format!("introspection = \"{}\"\nclient_id = \"charta\"", authority.url);
    (verifier(&format!("{place}\nclient_secret = \"{}\"\n{rest}", secret.display())), directory)
}

fn active() -> Value {
    json!({ "active": true, "scope": "patient/*.rs", "client_id": "c1", "exp": NOW + 3600, "patient": "p1" })
}

#[tokio::test]
async fn an_opaque_token_is_asked_about_with_the_servers_own_secret() {
    let authority = Authority::start().await;
    authority.reply_json(&active());
    let (verifier, _directory) = asking(&authority, "");
    let claims = verify(&verifier, OPAQUE, 0).await.unwrap();
    assert_eq!(claims.patient.as_ref().unwrap().as_str(), "p1");
    let asked = authority.last();
    assert!(asked.starts_with("POST /answer HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: Basic Y2hhcnRhOnMzY3JldA==\r\n"), "{asked}");
    assert!(asked.ends_with(&format!("token={OPAQUE}&token_type_hint=access_token")), "{asked}");
}

#[tokio::test]
async fn a_revoked_token_ends_with_its_time_in_the_cache() {
    let authority = Authority::start().await;
    authority.reply_json(&active());
    let (verifier, _directory) = asking(&authority, "");
    verify(&verifier, OPAQUE, 0).await.unwrap();
    authority.reply_json(&json!({ "active": false }));
    verify(&verifier, OPAQUE, 59).await.unwrap();
    assert_eq!(authority.asked(), 1, "within a minute it is not asked about again");
    assert!(matches!(verify(&verifier, OPAQUE, 60).await.unwrap_err(), TokenError::Invalid(_)));
    assert_eq!(authority.asked(), 2);
    // That it does not count is remembered for a moment.
    authority.reply_json(&active());
    assert!(verify(&verifier, OPAQUE, 64).await.is_err());
    assert_eq!(authority.asked(), 2);
    verify(&verifier, OPAQUE, 65).await.unwrap();
}

#[tokio::test]
async fn a_token_that_ends_soon_is_not_kept_for_longer() {
    let authority = Authority::start().await;
    let mut ending = active();
    ending["exp"] = json!(NOW - 20);
    authority.reply_json(&ending);
    let (verifier, _directory) = asking(&authority, "");
    verify(&verifier, OPAQUE, 0).await.unwrap();
    verify(&verifier, OPAQUE, 9).await.unwrap();
    assert_eq!(verify(&verifier, OPAQUE, 10).await.unwrap_err(), TokenError::Expired);
}

#[tokio::test]
async fn what_the_answer_says_of_audience_and_issuer_counts() {
    let cases = [
        (json!({ "aud": BASE }), "", true),
        (json!({ "aud": "https://other.example.org" }), "", false),
        (json!({ "iss": "https://issuer.example.org" }), "", true),
        (json!({ "iss": "https://other.example.org" }), "", false),
        (json!({ "aud": "charta" }), "audience = [\"charta\"]", true),
        (json!({}), "audience = [\"charta\"]", false),
        (json!({ "tenant": "default" }), "", true),
        (json!({ "tenant": "north" }), "", false),
    ];
    for (change, rest, counts) in cases {
        let authority = Authority::start().await;
        let mut answer = active();
        answer.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        authority.reply_json(&answer);
        let (verifier, _directory) = asking(&authority, rest);
        assert_eq!(verify(&verifier, OPAQUE, 0).await.is_ok(), counts, "{change} {rest}");
    }
}

#[tokio::test]
async fn without_an_answer_nobody_is_let_in() {
    for head in
        ["401 Unauthorized", "500 Internal Server Error", "302 Found\r\nLocation: http://127.0.0.1:1/"]
    {
        let authority = Authority::start().await;
        authority.reply(head, active().to_string());
        let (verifier, _directory) = asking(&authority, "");
        assert_eq!(verify(&verifier, OPAQUE, 0).await.unwrap_err(), TokenError::Unavailable, "{head}");
    }
}

#[tokio::test]
async fn a_secret_that_is_gone_is_not_sent_as_nothing() {
    let authority = Authority::start().await;
    authority.reply_json(&active());
    let (verifier, directory) = asking(&authority, "");
    drop(directory);
    assert_eq!(verify(&verifier, OPAQUE, 0).await.unwrap_err(), TokenError::Unavailable);
    assert_eq!(authority.asked(), 0);
}

#[tokio::test]
async fn signed_tokens_are_asked_about_only_where_there_are_no_keys() {
    let (authority, key) = (Authority::start().await, Key::new());
    authority.reply_json(&active());
    let (asks, _directory) = asking(&authority, "");
    let token = key.token(&json!({}));
    assert_eq!(verify(&asks, &token, 0).await.unwrap().client.as_deref(), Some("c1"));
    assert_eq!(authority.asked(), 1);
    let other = key.token(&json!({ "iss": "https://other.example.org" }));
    assert!(verify(&asks, &other, 0).await.is_err());
    assert_eq!(authority.asked(), 1, "a stranger's token is not shown to the issuer");

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("jwks.json");
    std::fs::write(&file, key.jwks().to_string()).unwrap();
    let (checks, _directory) = asking(&authority, &format!("jwks = \"{}\"", file.display()));
    verify(&checks, &token, 0).await.unwrap();
    assert_eq!(authority.asked(), 1);
}

#[tokio::test]
async fn many_who_ask_at_once_are_all_answered() {
    let authority = Authority::start().await;
    authority.reply_json(&active());
    let (verifier, _directory) = asking(&authority, "");
    let tokens: Vec<String> = (0..100).map(|n| format!("opaque-{n}")).collect();
    for result in join_all(tokens.iter().map(|token| verify(&verifier, token, 0))).await {
        result.unwrap();
    }
    assert_eq!(authority.asked(), 100);
}
