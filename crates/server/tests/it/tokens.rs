//! Access tokens over HTTP: where they are read, what a refusal says, and who signs them.

use base64_simd::URL_SAFE_NO_PAD;
use charta_auth::SigningKey;
use reqwest::Method;
use ring::rand::SystemRandom;
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    command::{charta, text},
};

const TRUSTING: &str = "[[issuer]]\ndevelopment = true";

/// Signs as an operator would.
fn token(app: &TestApp, arguments: &[&str]) -> String {
    let data = app.data();
    let output = charta(&[&["token", "--data", text(&data)], arguments].concat()).ok();
    output.trim_end().to_owned()
}

/// Signs what no operator would, with the key of the data directory.
fn sign(app: &TestApp, claims: &Value) -> String {
    let pem = std::fs::read_to_string(app.data().join("development-key.pem")).expect("the key");
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs8 = base64_simd::STANDARD.decode_to_vec(lines).expect("base64");
    let random = SystemRandom::new();
    let key = SigningKey::read(&pkcs8, &random).expect("a key");
    key.sign("at+jwt", claims, &random).expect("signed")
}

async fn with_headers(app: &TestApp, path: &str, values: &[&str]) -> Answer {
    let request = app.request(Method::GET, path);
    Answer::of(values.iter().fold(request, |request, value| request.header("Authorization", *value))).await
}

/// Whether the caller was known; what it may do is another question.
fn is_known(answer: &Answer) -> bool {
    assert_ne!(answer.status, 503, "{}", answer.text());
    answer.status != 401
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(payload).expect("base64")).expect("JSON")
}

#[tokio::test]
async fn a_token_of_the_development_key_counts_where_it_is_trusted() {
    let app = TestApp::with(TRUSTING);
    let signed = token(&app, &["--scope", "user/*.cruds"]);
    assert!(is_known(&with_headers(&app, "/secure/Binary/1", &[&format!("Bearer {signed}")]).await));

    let other = TestApp::with(TRUSTING);
    let refused = with_headers(&other, "/secure/Binary/1", &[&format!("Bearer {signed}")]).await;
    assert!(!is_known(&refused), "the key of another data directory");

    let strict = TestApp::start();
    let signed = token(&strict, &["--scope", "user/*.cruds"]);
    let refused = with_headers(&strict, "/secure/Binary/1", &[&format!("Bearer {signed}")]).await;
    assert!(!is_known(&refused), "nobody is trusted unless the configuration says so");
}

#[tokio::test]
async fn charta_token_says_what_it_was_told() {
    let app = TestApp::with(TRUSTING);
    let signed = token(
        &app,
        &[
            "--scope",
            "patient/*.rs launch/patient",
            "--patient",
            "p-1",
            "--user",
            "Practitioner/7",
            "--client",
            "c1",
            "--expires",
            "60",
            "--tenant",
            "default",
            "--purpose",
            "TREAT",
            "--purpose",
            "ETREAT",
        ],
    );
    let claims = claims(&signed);
    for (name, value) in [
        ("scope", "patient/*.rs launch/patient"),
        ("patient", "p-1"),
        ("fhirUser", "Practitioner/7"),
        ("sub", "Practitioner/7"),
        ("client_id", "c1"),
        ("tenant", "default"),
        ("iss", "urn:charta:development"),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["purpose_of_use"], serde_json::json!(["TREAT", "ETREAT"]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    let again = self::claims(&token(&app, &["--scope", "patient/*.rs"]));
    assert_ne!(again["jti"], claims["jti"]);
    let ended = charta(&["token", "--data", text(&app.data())]);
    assert_eq!((ended.code, ended.err.contains("--scope")), (2, true), "{ended:?}");
}

#[tokio::test]
async fn a_key_made_before_the_store_is_no_obstacle_to_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    charta(&["token", "--data", text(&data), "--scope", "user/*.rs"]).ok();
    let app = TestApp::in_directory(directory, TRUSTING);
    let signed = token(&app, &["--scope", "user/*.rs"]);
    assert!(is_known(&with_headers(&app, "/secure/Binary/1", &[&format!("Bearer {signed}")]).await));
}

/// RFC 6750: who shows nothing is not told of an error; who shows something wrong learns no more than that.
#[tokio::test]
async fn a_refusal_says_what_to_do_and_not_what_is_wrong() {
    let app = TestApp::with(TRUSTING);
    let good = token(&app, &["--scope", "user/*.rs"]);
    let mut over = claims(&good);
    over["exp"] = json!(over["iat"].as_i64().expect("a number") - 60);
    let old = sign(&app, &over);
    let elsewhere = token(&app, &["--scope", "user/*.rs", "--audience", "https://fhir.example.org/r4"]);
    let north = token(&app, &["--scope", "user/*.rs", "--tenant", "north"]);
    let (bare, invalid) = ("Bearer realm=\"charta\"", "Bearer realm=\"charta\", error=\"invalid_token\"");
    let bearer = |token: &str| format!("Bearer {token}");
    let (scrambled, twice) = (bearer(&good[..good.len() - 4]), bearer(&good));
    let cases: [(&[&str], &str); 12] = [
        (&[], bare),
        (&["Basic Y2hhcnRhOnMzY3JldA=="], bare),
        (&["DPoP abc"], bare),
        (&["Bearer"], invalid),
        (&["Bearer "], invalid),
        (&["Bearer opaque"], invalid),
        (&["Bearer a b"], invalid),
        (&[&scrambled], invalid),
        (&[&twice, &twice], invalid),
        (&["Basic Y2hhcnRhOnMzY3JldA==", &twice], invalid),
        (&[&bearer(&elsewhere)], invalid),
        (&[&bearer(&north)], invalid),
    ];
    for (values, expected) in cases {
        let answer = with_headers(&app, "/secure/Binary/1", values).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (401, "login"), "{values:?}");
        assert_eq!(answer.header("www-authenticate"), expected, "{values:?}");
    }
    let expired = format!("{invalid}, error_description=\"The access token expired\"");
    let answer = with_headers(&app, "/secure/Binary/1", &[&bearer(&old)]).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, expired.as_str()));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = with_headers(&app, "/secure/Binary/1", &[&format!("{scheme} {good}")]).await;
        assert!(is_known(&answer), "{scheme}");
    }
}

#[tokio::test]
async fn a_token_in_the_url_or_the_body_is_not_read() {
    let app = TestApp::with(TRUSTING);
    let good = token(&app, &["--scope", "user/*.cruds"]);
    let answer = app.get(&format!("/secure/Binary/1?access_token={good}"), None).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer realm=\"charta\""));
    let form = app
        .request(Method::POST, "/secure/Patient/_search")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("access_token={good}"));
    assert_eq!(Answer::of(form).await.status, 401);
}

/// Row 36: a token for one base does not open another.
#[tokio::test]
async fn a_token_counts_at_the_base_that_it_names() {
    let app = TestApp::with(TRUSTING);
    for (audience, known) in [
        (format!("{}/secure", app.url), true),
        (format!("{}/secure/", app.url), true),
        (format!("{}/r4", app.url), false),
        (app.url.clone(), false),
        (format!("{}/secure/Binary", app.url), false),
        (format!("{}/secur", app.url), false),
        ("urn:charta:development".to_owned(), true),
    ] {
        let signed = token(&app, &["--scope", "user/*.rs", "--audience", &audience]);
        let answer = with_headers(&app, "/secure/Binary/1", &[&format!("Bearer {signed}")]).await;
        assert_eq!(is_known(&answer), known, "{audience}");
        // The second time it comes out of the cache.
        let answer = with_headers(&app, "/secure/Binary/1", &[&format!("Bearer {signed}")]).await;
        assert_eq!(is_known(&answer), known, "{audience}");
    }
}

#[tokio::test]
async fn without_keys_nobody_is_known_and_nobody_let_in() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let issuer = format!(
        "[[issuer]]\nurl = \"https://a.example\"\nintrospection = \"http://127.0.0.1:{port}/\"\nclient_id = \"c\"\n\
         client_secret = \"env:PATH\""
    );
    let app = TestApp::with(&issuer);
    let answer = with_headers(&app, "/secure/Binary/1", &["Bearer opaque"]).await;
    assert_eq!((answer.status, answer.issue_code().as_str()), (503, "transient"));
    assert_eq!((answer.header("www-authenticate"), answer.header("retry-after")), ("", "5"));
}

#[test]
fn a_file_without_keys_stops_the_start() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("jwks.json"), r#"{"keys":[]}"#).expect("a file");
    let file = directory.path().join("charta.toml");
    let config = "listen = \"127.0.0.1:0\"\n[[issuer]]\nurl = \"https://a.example\"\njwks = \"jwks.json\"";
    std::fs::write(&file, config).expect("a file");
    let line = charta(&["serve", "--config", text(&file)]).refused();
    assert!(line.contains("jwks.json") && line.contains("no RSA, P-256 or P-384 key"), "{line}");
}

#[tokio::test]
async fn a_403_names_the_scope_that_would_do() {
    let app = TestApp::with(TRUSTING);
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}";
    app.put("/r4/Patient/p-1", "application/fhir+json", patient).await;
    let binary = "patient/Binary.r patient/DocumentReference.r patient/DiagnosticReport.r";
    for (scope, method, path, needed) in [
        ("patient/Observation.rs", Method::GET, "Patient/p-1", "patient/Patient.r"),
        ("patient/Observation.rs", Method::GET, "Patient/never-there", "patient/Patient.r"),
        ("patient/Observation.rs", Method::GET, "Patient/p-1/_history/1", "patient/Patient.r"),
        ("patient/Observation.rs", Method::GET, "Patient?name=x", "patient/Patient.s"),
        ("patient/Observation.rs", Method::GET, "Binary/1", binary),
        ("patient/*.rs", Method::GET, "AuditEvent", "patient/AuditEvent.s"),
        ("user/Patient.rs", Method::PUT, "Patient/p-1", "user/Patient.u"),
        ("user/Patient.rs", Method::PATCH, "Patient/p-1", "user/Patient.u"),
        ("user/Patient.rs", Method::DELETE, "Patient/p-1", "user/Patient.d"),
        ("system/Patient.rs", Method::POST, "Observation", "system/Observation.c"),
        ("openid", Method::GET, "Patient/p-1", "patient/Patient.r"),
    ] {
        let signed = token(&app, &["--scope", scope, "--patient", "p-1"]);
        let ask = async |signed: &str| {
            let request = app.request(method.clone(), &format!("/secure/{path}")).bearer_auth(signed);
            Answer::of(request.header("Content-Type", "application/fhir+json").body("")).await
        };
        let answer = ask(&signed).await;
        assert_eq!(answer.status, 403, "{scope} {method} {path}: {}", answer.text());
        let expected = format!("Bearer realm=\"charta\", error=\"insufficient_scope\", scope=\"{needed}\"");
        assert_eq!(answer.header("www-authenticate"), expected, "{scope} {method} {path}");
        // What it names does.
        let signed = token(&app, &["--scope", needed, "--patient", "p-1"]);
        assert_ne!(ask(&signed).await.status, 403, "{needed} {method} {path}");
    }
}
