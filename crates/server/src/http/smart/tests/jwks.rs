//! Keys in files and at URLs.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;

use super::authority::{Authority, Key, verifier, verify};
use crate::http::smart::{TokenError, Verifier};

async fn trusting(authority: &Authority) -> Verifier {
    verifier(&format!("jwks = \"{}\"", authority.url))
}

const UNKNOWN_KEY: TokenError = TokenError::Invalid("signed with a key that is not known");

#[tokio::test]
async fn keys_are_fetched_once_for_all_who_wait_and_kept() {
    let (authority, key) = (Authority::start().await, Key::new());
    authority.reply_json(&key.jwks());
    let verifier = trusting(&authority).await;
    assert_eq!(authority.asked(), 0, "not before they are needed");
    let tokens: Vec<String> = (0..20).map(|n| key.token(&json!({ "jti": format!("{n}") }))).collect();
    for result in join_all(tokens.iter().map(|token| verify(&verifier, token, 0))).await {
        result.unwrap();
    }
    assert_eq!(authority.asked(), 1);
    verify(&verifier, &tokens[0], 899).await.unwrap();
    assert_eq!(authority.asked(), 1, "fresh for a quarter of an hour");
    verify(&verifier, &tokens[1], 900).await.unwrap();
    assert_eq!(authority.asked(), 2);
}

#[tokio::test]
async fn cache_control_counts_within_bounds() {
    for (cache_control, kept, over) in [
        ("max-age=120", 119, 120),
        ("no-store", 59, 60),
        ("max-age=0", 59, 60),
        ("max-age=999999", 3599, 3600),
    ] {
        let (authority, key) = (Authority::start().await, Key::new());
        authority.reply(&format!("200 OK\r\nCache-Control: {cache_control}"), key.jwks().to_string());
        let verifier = trusting(&authority).await;
        let token =
            |n: u32| key.token(&json!({ "jti": format!("{n}"), "exp": super::authority::NOW + 9999 }));
        for (n, seconds, asked) in [(0, 0, 1), (1, kept, 1), (2, over, 2)] {
            verify(&verifier, &token(n), seconds).await.unwrap();
            assert_eq!(authority.asked(), asked, "{cache_control} after {seconds} s");
        }
    }
}

#[tokio::test]
async fn a_rotated_key_is_found_at_once_and_the_old_one_ends() {
    let (authority, old, new) = (Authority::start().await, Key::new(), Key::new());
    authority.reply_json(&old.jwks());
    let verifier = trusting(&authority).await;
    let old_token = old.token(&json!({}));
    verify(&verifier, &old_token, 0).await.unwrap();
    authority.reply_json(&new.jwks());
    verify(&verifier, &new.token(&json!({})), 1).await.unwrap();
    assert_eq!(authority.asked(), 2);
    // What was verified is good for some minutes, then its key is asked for again.
    verify(&verifier, &old_token, 299).await.unwrap();
    assert_eq!(verify(&verifier, &old_token, 300).await.unwrap_err(), UNKNOWN_KEY);
    assert_eq!(verify(&verifier, &old.token(&json!({ "jti": "2" })), 301).await.unwrap_err(), UNKNOWN_KEY);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_few_fetches() {
    let (authority, key) = (Authority::start().await, Key::new());
    authority.reply_json(&key.jwks());
    let verifier = Arc::new(trusting(&authority).await);
    verify(&verifier, &key.token(&json!({})), 0).await.unwrap();
    let strangers: Vec<String> = (0..100).map(|_| Key::new().token(&json!({}))).collect();
    for result in join_all(strangers.iter().map(|token| verify(&verifier, token, 0))).await {
        assert_eq!(result.unwrap_err(), UNKNOWN_KEY);
    }
    assert!(authority.asked() <= 5, "{} fetches", authority.asked());
    // Meanwhile and afterwards everybody else goes on.
    verify(&verifier, &key.token(&json!({ "jti": "2" })), 0).await.unwrap();
    for (n, token) in strangers.iter().enumerate() {
        let _ = verify(&verifier, token, 60 + n as i64 % 2).await;
    }
    // Five at once, and one more for each half minute.
    assert!(authority.asked() <= 7, "{} fetches", authority.asked());
}

/// Row 30 and security test list, item 3: what the issuer's server says does not choose where we go.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (authority, other, key) = (Authority::start().await, Authority::start().await, Key::new());
    other.reply_json(&key.jwks());
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"] {
        authority.reply(&format!("{status}\r\nLocation: {}", other.url), "");
        let verifier = trusting(&authority).await;
        let result = verify(&verifier, &key.token(&json!({})), 0).await;
        assert_eq!(result.unwrap_err(), TokenError::Unavailable, "{status}");
    }
    assert_eq!((authority.asked(), other.asked()), (4, 0));
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_no_reason_to_let_anyone_in() {
    let key = Key::new();
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "y".repeat(300 << 10));
    for (head, body) in [
        ("500 Internal Server Error", key.jwks().to_string()),
        ("404 Not Found", key.jwks().to_string()),
        ("204 No Content", String::new()),
        ("200 OK", "<html>".to_owned()),
        ("200 OK", r#"{"keys":[]}"#.to_owned()),
        ("200 OK", huge),
    ] {
        let authority = Authority::start().await;
        authority.reply(head, body);
        let verifier = trusting(&authority).await;
        let result = verify(&verifier, &key.token(&json!({})), 0).await;
        assert_eq!(result.unwrap_err(), TokenError::Unavailable, "{head}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let (authority, key) = (Authority::start().await, Key::new());
    let verifier = trusting(&authority).await;
    let result = verify(&verifier, &key.token(&json!({})), 0).await;
    assert_eq!((result.unwrap_err(), authority.asked()), (TokenError::Unavailable, 1));
}

#[tokio::test]
async fn the_last_good_keys_stay_for_a_day() {
    let (authority, key) = (Authority::start().await, Key::new());
    authority.reply_json(&key.jwks());
    let verifier = trusting(&authority).await;
    let day = 86_400;
    let token = |n: u32| key.token(&json!({ "jti": format!("{n}"), "exp": super::authority::NOW + 2 * day }));
    verify(&verifier, &token(0), 0).await.unwrap();
    authority.reply("503 Service Unavailable", "");
    verify(&verifier, &token(1), 3600).await.unwrap();
    let asked = authority.asked();
    verify(&verifier, &token(2), 3601).await.unwrap();
    assert_eq!(authority.asked(), asked, "not asked again at once");
    verify(&verifier, &token(3), day - 1).await.unwrap();
    assert_eq!(verify(&verifier, &token(4), day).await.unwrap_err(), TokenError::Unavailable);
    authority.reply_json(&key.jwks());
    verify(&verifier, &token(5), day + 60).await.unwrap();
}

#[tokio::test]
async fn a_file_is_read_anew_when_it_changes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("jwks.json");
    let (old, new) = (Key::new(), Key::new());
    std::fs::write(&file, old.jwks().to_string()).unwrap();
    let verifier = verifier(&format!("jwks = \"{}\"", file.display()));
    verify(&verifier, &old.token(&json!({})), 0).await.unwrap();
    assert_eq!(verify(&verifier, &new.token(&json!({})), 0).await.unwrap_err(), UNKNOWN_KEY);
    // Longer, so that it differs even where the clock of the file system is coarse.
    std::fs::write(&file, format!("{}\n", new.jwks())).unwrap();
    verify(&verifier, &new.token(&json!({})), 0).await.unwrap();
    assert_eq!(verify(&verifier, &old.token(&json!({ "jti": "2" })), 0).await.unwrap_err(), UNKNOWN_KEY);
    std::fs::write(&file, "no keys").unwrap();
    verify(&verifier, &new.token(&json!({ "jti": "2" })), 0).await.unwrap();
}
