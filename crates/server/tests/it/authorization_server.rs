//! The development authorization server: what it gives, to whom, and what it refuses.

use base64_simd::URL_SAFE_NO_PAD;
use charta_auth::SigningKey;
use reqwest::{Method, RequestBuilder};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
};
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    command::{charta, text},
};

const BACK: &str = "https://app.example.org/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CLIENTS: &str = r#"
[[issuer]]
development = true
[authorization_server]
[[authorization_server.client]]
id = "backend"
jwks = "backend.json"
scope = "system/*.rs system/DocumentReference.cruds"
[[authorization_server.client]]
id = "other-backend"
jwks = "other.json"
scope = "system/*.rs"
[[authorization_server.client]]
id = "app"
name = "App <b>of</b> a test"
redirect_uris = ["https://app.example.org/callback", "https://app.example.org/other?x=1"]
scope = "launch/patient patient/*.rs user/*.rs system/*.rs"
[[authorization_server.client]]
id = "other-app"
redirect_uris = ["https://app.example.org/callback"]
scope = "patient/*.rs"
"#;

/// A server with its clients, and the key of `backend`.
struct Authority {
    app: TestApp,
    key: SigningKey,
}

impl Authority {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let random = SystemRandom::new();
        let key = || SigningKey::read(&SigningKey::generate(&random).unwrap(), &random).unwrap();
        let (own, other) = (key(), key());
        for (name, key) in [("backend.json", &own), ("other.json", &other)] {
            std::fs::write(directory.path().join(name), key.public().to_string()).expect("a file");
        }
        let app = TestApp::in_directory(directory, CLIENTS);
        let patient =
            r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Testpatient","given":["A<i>nn"]}]}"#;
        app.put("/r4/Patient/p1", "application/fhir+json", patient).await;
        Self { app, key: own }
    }

    fn token_url(&self) -> String {
        format!("{}/auth/token", self.app.url)
    }

    fn assertion(&self, change: &Value) -> String {
        let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
        let mut claims = json!({
            "iss": "backend", "sub": "backend", "aud": self.token_url(), "exp": now + 200,
            "jti": format!("{now}-{:?}", std::time::Instant::now()),
        });
        for (name, value) in change.as_object().expect("an object") {
            match (name.as_str(), value.as_i64()) {
                ("exp", Some(seconds)) => claims["exp"] = json!(now as i64 + seconds),
                _ => claims[name] = value.clone(),
            }
        }
        self.key.sign("JWT", &claims, &SystemRandom::new()).expect("signed")
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = self.app.request(Method::POST, path);
        request.header("Content-Type", "application/x-www-form-urlencoded").body(body.finish())
    }

    /// Asks for a token as `backend`.
    async fn backend(&self, assertion: &str, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        form.extend_from_slice(more);
        Answer::of(self.post("/auth/token", &form)).await
    }

    /// What an app asks for, with other values for some parameters; an empty value leaves one out.
    fn asking(&self, change: &[(&str, &str)]) -> Vec<(String, String)> {
        let challenge = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, VERIFIER.as_bytes()).as_ref());
        let mut form: Vec<(String, String)> = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", "launch/patient patient/*.rs patient/Observation.rs?category=laboratory openid"),
            ("state", "s t&x"),
            ("aud", &format!("{}/secure", self.app.url)),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (name, value) in change {
            form.retain(|(known, _)| known != name);
            if !value.is_empty() {
                form.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        form
    }

    async fn ask(&self, change: &[(&str, &str)]) -> Answer {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.asking(change));
        self.app.get(&format!("/auth/authorize?{}", query.finish()), None).await
    }

    /// Answers a page that was shown.
    async fn decide(&self, page: &Answer, more: &[(&str, &str)]) -> Answer {
        assert_eq!((page.status, page.essence()), (200, "text/html"), "{}", page.text());
        let html = page.text();
        let ticket = between(&html, "name=\"ticket\" value=\"", "\"");
        let mut form = vec![("ticket", ticket)];
        form.extend_from_slice(more);
        Answer::of(self.post("/auth/decide", &form)).await
    }

    /// The code for the usual request.
    async fn code(&self) -> String {
        let page = self.ask(&[]).await;
        let scope = ("scope", "patient/*.rs");
        let answer = self.decide(&page, &[("decision", "allow"), ("patient", "p1"), scope]).await;
        parameter(&answer, "code").expect("a code")
    }

    async fn redeem(&self, code: &str, change: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("code", code),
        ];
        for (name, value) in change {
            form.retain(|(known, _)| known != name);
            form.push((name, value));
        }
        Answer::of(self.post("/auth/token", &form)).await
    }
}

fn between<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    let rest = text.split_once(begin).unwrap_or_else(|| panic!("no {begin}: {text}")).1;
    rest.split_once(end).expect("an end").0
}

/// A parameter of the URL that the person is sent back to.
fn parameter(answer: &Answer, name: &str) -> Option<String> {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let (uri, query) = answer.header("location").split_once('?').expect("a query");
    assert_eq!(uri, BACK);
    form_urlencoded::parse(query.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(payload).expect("base64")).expect("JSON")
}

/// Whether a token makes its holder known at the secured endpoint.
async fn is_known(app: &TestApp, token: &str) -> bool {
    let request = app.request(Method::GET, "/secure/Binary/1").bearer_auth(token);
    Answer::of(request).await.status != 401
}

fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_backend_service_gets_a_token_for_five_minutes() {
    let authority = Authority::start().await;
    let asked = [("scope", "system/Binary.rs system/Patient.cruds system/DocumentReference.c patient/*.rs")];
    let answer = authority.backend(&authority.assertion(&json!({})), &asked).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let token = answer.json();
    assert_eq!((token["token_type"].as_str(), token["expires_in"].as_i64()), (Some("Bearer"), Some(300)));
    assert_eq!(
        token["scope"], "system/Binary.rs system/DocumentReference.c",
        "what it may have, and no more"
    );
    assert_eq!(token["refresh_token"], Value::Null);
    let text = token["access_token"].as_str().expect("a token");
    assert_eq!(claims(text)["client_id"], "backend");
    assert!(is_known(&authority.app, text).await);
}

/// Row 35 and security test list, item 3.
#[tokio::test]
async fn an_assertion_that_breaks_a_rule_gets_nothing() {
    let authority = Authority::start().await;
    let scope = [("scope", "system/*.rs")];
    let base = authority.app.url.clone();
    for change in [
        json!({ "aud": format!("{base}/auth") }),
        json!({ "aud": format!("{base}/secure") }),
        json!({ "aud": "https://other.example.org/token" }),
        json!({ "sub": "other-backend" }),
        json!({ "iss": "other-backend", "sub": "other-backend" }),
        json!({ "iss": "app", "sub": "app" }),
        json!({ "iss": "nobody", "sub": "nobody" }),
        json!({ "exp": 600 }),
        json!({ "exp": -60 }),
        json!({ "jti": "" }),
    ] {
        refused(&authority.backend(&authority.assertion(&change), &scope).await, 401, "invalid_client");
    }
    let once = authority.assertion(&json!({ "jti": "once" }));
    assert_eq!(authority.backend(&once, &scope).await.status, 200);
    refused(&authority.backend(&once, &scope).await, 401, "invalid_client");
    let again = authority.assertion(&json!({ "jti": "once" }));
    refused(&authority.backend(&again, &scope).await, 401, "invalid_client");
    for text in ["", "x", "a.b.c"] {
        refused(&authority.backend(text, &scope).await, 401, "invalid_client");
    }
    let good = authority.assertion(&json!({}));
    let twice = [("scope", "system/*.rs"), ("client_assertion", good.as_str())];
    refused(&authority.backend(&good, &twice).await, 401, "invalid_client");
    refused(&authority.backend(&good, &[("client_id", "app"), scope[0]]).await, 401, "invalid_client");
    let named = Answer::of(
        authority
            .post("/auth/token", &[("grant_type", "client_credentials"), ("client_id", "backend"), scope[0]]),
    );
    refused(&named.await, 401, "invalid_client");
}

#[tokio::test]
async fn what_else_a_backend_service_asks_wrongly() {
    let authority = Authority::start().await;
    let assertion = || authority.assertion(&json!({}));
    for scope in ["patient/*.rs", "system/*.cruds", "user/*.rs", "openid", "system/*.sr"] {
        refused(&authority.backend(&assertion(), &[("scope", scope)]).await, 400, "invalid_scope");
    }
    refused(&authority.backend(&assertion(), &[]).await, 400, "invalid_scope");
    let form = [("grant_type", "client_credentials"), ("client_id", "app"), ("scope", "system/*.rs")];
    refused(&Answer::of(authority.post("/auth/token", &form)).await, 400, "unauthorized_client");
    for grant_type in ["password", "refresh_token", "implicit"] {
        let form = [("grant_type", grant_type), ("client_id", "app")];
        refused(&Answer::of(authority.post("/auth/token", &form)).await, 400, "unsupported_grant_type");
    }
    let as_json = authority.app.request(Method::POST, "/auth/token").json(&json!({}));
    refused(&Answer::of(as_json).await, 400, "invalid_request");
    assert_eq!(authority.app.get("/auth/token", None).await.status, 404);
}

#[tokio::test]
async fn a_person_picks_a_patient_and_what_the_app_may_do() {
    let authority = Authority::start().await;
    let page = authority.ask(&[]).await;
    let html = page.text();
    assert!(html.contains("For development only"), "{html}");
    assert!(
        html.contains("App &lt;b&gt;of&lt;/b&gt; a test") && html.contains("A&lt;i&gt;nn Testpatient (p1)")
    );
    for scope in ["launch/patient", "patient/*.rs", "patient/Observation.rs?category=laboratory"] {
        assert!(html.contains(&format!("name=\"scope\" value=\"{scope}\"")), "{scope}: {html}");
    }
    assert!(!html.contains("openid") && !html.contains("<script"), "{html}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"));
    assert_eq!(page.header("access-control-allow-origin"), "", "no page may read this one");

    let scope = "patient/Observation.rs?category=laboratory";
    let allowed = [("decision", "allow"), ("patient", "p1"), ("scope", scope), ("scope", "system/*.rs")];
    let answer = authority.decide(&page, &allowed).await;
    assert_eq!(parameter(&answer, "state").as_deref(), Some("s t&x"));
    assert_eq!(parameter(&answer, "iss"), Some(format!("{}/auth", authority.app.url)));
    let token = authority.redeem(&parameter(&answer, "code").expect("a code"), &[]).await;
    assert_eq!(token.status, 200, "{}", token.text());
    let token = token.json();
    assert_eq!((token["scope"].as_str(), token["patient"].as_str()), (Some(scope), Some("p1")));
    assert_eq!(token["expires_in"], 3600);
    let text = token["access_token"].as_str().expect("a token");
    let claims = claims(text);
    assert_eq!((claims["patient"].as_str(), claims["tenant"].as_str()), (Some("p1"), Some("default")));
    assert_eq!(claims["aud"], format!("{}/secure", authority.app.url));
    assert!(is_known(&authority.app, text).await);
}

#[tokio::test]
async fn a_code_that_is_shown_again_takes_its_token_back() {
    let authority = Authority::start().await;
    let given = async |code: &str| {
        let answer = authority.redeem(code, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().expect("a token").to_owned()
    };
    let (code, other) = (authority.code().await, authority.code().await);
    let (token, another) = (given(&code).await, given(&other).await);
    assert!(is_known(&authority.app, &token).await && is_known(&authority.app, &another).await);
    refused(&authority.redeem(&code, &[]).await, 400, "invalid_grant");
    assert!(
        !is_known(&authority.app, &token).await,
        "whoever shows it second may be the one it was given to"
    );
    assert!(is_known(&authority.app, &another).await, "others stay");
    refused(&authority.redeem(&code, &[]).await, 400, "invalid_grant");
    refused(&authority.redeem("never-given", &[]).await, 400, "invalid_grant");
    assert!(is_known(&authority.app, &another).await);
}

#[tokio::test]
async fn a_page_is_answered_once_and_may_be_denied() {
    let authority = Authority::start().await;
    let page = authority.ask(&[]).await;
    let denied = authority.decide(&page, &[("decision", "deny")]).await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    let allow = [("decision", "allow"), ("patient", "p1"), ("scope", "patient/*.rs")];
    assert_eq!(authority.decide(&page, &allow).await.status, 400, "it was answered before");
    let page = authority.ask(&[]).await;
    let nothing = authority.decide(&page, &[("decision", "allow"), ("patient", "p1")]).await;
    assert_eq!(parameter(&nothing, "error").as_deref(), Some("access_denied"));
    for patient in ["", "p2", "../p1"] {
        let page = authority.ask(&[]).await;
        let chosen = [("decision", "allow"), ("patient", patient), ("scope", "patient/*.rs")];
        assert_eq!(authority.decide(&page, &chosen).await.status, 400, "{patient}");
    }
    let forged = authority.post("/auth/decide", &[&[("ticket", "guessed")], &allow[..]].concat());
    assert_eq!(Answer::of(forged).await.status, 400);
    let page = authority.ask(&[]).await;
    let html = page.text();
    let form = [&[("ticket", between(&html, "name=\"ticket\" value=\"", "\""))], &allow[..]].concat();
    let forged = authority.post("/auth/decide", &form).header("Origin", "https://evil.example.org");
    assert_eq!(Answer::of(forged).await.status, 400, "a form of another page");
}

/// Row 38: nobody is sent to a place that is not registered.
#[tokio::test]
async fn an_unregistered_place_is_never_gone_to() {
    let authority = Authority::start().await;
    for change in [
        ("redirect_uri", "https://evil.example.org/"),
        ("redirect_uri", "https://app.example.org/callback/"),
        ("redirect_uri", "https://app.example.org/callback?x"),
        ("redirect_uri", "https://app.example.org/CALLBACK"),
        ("redirect_uri", "http://app.example.org/callback"),
        ("redirect_uri", "https://app.example.org"),
        ("redirect_uri", ""),
        ("client_id", "nobody"),
        ("client_id", ""),
        ("client_id", "backend"),
    ] {
        let answer = authority.ask(&[change]).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{change:?}");
        assert_eq!(answer.essence(), "text/html");
    }
    let mut form = authority.asking(&[]);
    form.push(("redirect_uri".to_owned(), "https://evil.example.org/".to_owned()));
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(Answer::of(authority.post("/auth/authorize", &form)).await.status, 400);
}

#[tokio::test]
async fn what_an_app_asks_wrongly_it_is_told() {
    let authority = Authority::start().await;
    let (own, url) = (format!("{}/r4", authority.app.url), authority.app.url.clone());
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("aud", "", "invalid_request"),
        ("aud", own.as_str(), "invalid_request"),
        ("aud", url.as_str(), "invalid_request"),
        ("aud", "https://other.example.org/r4", "invalid_request"),
        ("scope", "", "invalid_scope"),
        ("scope", "patient/*.cruds openid", "invalid_scope"),
        ("scope", "system/*.rs", "invalid_scope"),
    ] {
        let answer = authority.ask(&[(name, value)]).await;
        assert_eq!(parameter(&answer, "error").as_deref(), Some(error), "{name}={value}");
        assert_eq!(parameter(&answer, "state").as_deref(), Some("s t&x"));
        assert_eq!(parameter(&answer, "code"), None);
    }
    let form = authority.asking(&[]);
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let posted = Answer::of(authority.post("/auth/authorize", &form)).await;
    assert_eq!(posted.status, 200, "authorize-post");
}

/// Row 38: a code is good once, and only for whom it was given.
#[tokio::test]
async fn a_code_is_bound_to_client_place_and_verifier_and_good_once() {
    let authority = Authority::start().await;
    let other = "a".repeat(43);
    for change in [
        ("client_id", "other-app"),
        ("redirect_uri", "https://app.example.org/other?x=1"),
        ("code_verifier", other.as_str()),
        ("code_verifier", "short"),
    ] {
        let code = authority.code().await;
        refused(&authority.redeem(&code, &[change]).await, 400, "invalid_grant");
        refused(&authority.redeem(&code, &[]).await, 400, "invalid_grant");
    }
    let code = authority.code().await;
    assert_eq!(authority.redeem(&code, &[]).await.status, 200);
    refused(&authority.redeem(&code, &[]).await, 400, "invalid_grant");
    refused(&authority.redeem("guessed", &[]).await, 400, "invalid_grant");
    let code = authority.code().await;
    let twice = [("code", code.as_str())];
    let form = [("grant_type", "authorization_code"), ("client_id", "app"), ("redirect_uri", BACK), twice[0]];
    refused(&Answer::of(authority.post("/auth/token", &form)).await, 400, "invalid_request");
}

#[tokio::test]
async fn tokens_can_be_asked_about_and_given_back() {
    let authority = Authority::start().await;
    let scope = [("scope", "system/*.rs")];
    let own = authority.backend(&authority.assertion(&json!({})), &scope).await.json();
    let own = own["access_token"].as_str().expect("a token");
    let of_app = authority.redeem(&authority.code().await, &[]).await.json();
    let of_app = of_app["access_token"].as_str().expect("a token");
    let ask = async |token: &str, bearer: &str| {
        let request = authority.post("/auth/introspect", &[("token", token)]).bearer_auth(bearer);
        Answer::of(request).await.json()
    };
    let said = ask(of_app, own).await;
    assert_eq!((said["active"].as_bool(), said["scope"].as_str()), (Some(true), Some("patient/*.rs")));
    assert_eq!((said["client_id"].as_str(), said["patient"].as_str()), (Some("app"), Some("p1")));
    assert_eq!(said["exp"], claims(of_app)["exp"]);
    for token in ["opaque", "a.b.c", &of_app[..of_app.len() - 2]] {
        assert_eq!(ask(token, own).await, json!({ "active": false }), "{token}");
    }
    // Who shows nothing, or nothing that counts, is told nothing.
    refused(
        &Answer::of(authority.post("/auth/introspect", &[("token", of_app)])).await,
        401,
        "invalid_client",
    );
    let public = authority.post("/auth/introspect", &[("token", of_app), ("client_id", "app")]);
    refused(&Answer::of(public).await, 401, "invalid_client");
    let nonsense = authority.post("/auth/introspect", &[("token", of_app)]).bearer_auth("x");
    refused(&Answer::of(nonsense).await, 401, "invalid_client");

    assert!(is_known(&authority.app, of_app).await);
    let of_another = [("token", own), ("client_id", "app")];
    assert_eq!(Answer::of(authority.post("/auth/revoke", &of_another)).await.status, 200);
    assert!(is_known(&authority.app, own).await, "another client's token stays");
    let back = [("token", of_app), ("client_id", "app")];
    assert_eq!(Answer::of(authority.post("/auth/revoke", &back)).await.status, 200);
    assert!(!is_known(&authority.app, of_app).await, "also out of the cache");
    assert_eq!(ask(of_app, own).await, json!({ "active": false }));
}

#[tokio::test]
async fn discovery_tells_of_it_and_what_it_tells_is_there() {
    let authority = Authority::start().await;
    let app = &authority.app;
    let told = app.get("/secure/.well-known/smart-configuration", None).await.json();
    for (member, path) in [
        ("authorization_endpoint", "/auth/authorize"),
        ("token_endpoint", "/auth/token"),
        ("introspection_endpoint", "/auth/introspect"),
        ("revocation_endpoint", "/auth/revoke"),
    ] {
        assert_eq!(told[member], format!("{}{path}", app.url), "{member}");
    }
    let capabilities = [
        "launch-standalone",
        "authorize-post",
        "client-public",
        "client-confidential-asymmetric",
        "context-standalone-patient",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
    ];
    assert_eq!(told["capabilities"], json!(capabilities));
    assert_eq!(told["issuer"], Value::Null, "nobody signs in");
    for path in ["/auth/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/auth"] {
        let metadata = app.get(path, None).await;
        assert_eq!(metadata.header("access-control-allow-origin"), "*", "{path}");
        let metadata = metadata.json();
        assert_eq!(metadata["issuer"], format!("{}/auth", app.url));
        assert_eq!(metadata["token_endpoint"], told["token_endpoint"]);
    }
    let keys = app.get("/auth/jwks.json", None).await.json();
    assert_eq!((keys["keys"][0]["crv"].as_str(), keys["keys"][0]["d"].as_str()), (Some("P-384"), None));
}

#[tokio::test]
async fn only_pages_of_registered_origins_may_use_it() {
    let authority = Authority::start().await;
    for (origin, expected) in [
        ("https://app.example.org", "https://app.example.org"),
        ("https://evil.example.org", ""),
        ("http://app.example.org", ""),
        ("https://app.example.org.evil.example.org", ""),
        ("null", ""),
    ] {
        let preflight = authority.app.request(Method::OPTIONS, "/auth/token").header("Origin", origin);
        let preflight = Answer::of(preflight.header("Access-Control-Request-Method", "POST")).await;
        assert_eq!(preflight.header("access-control-allow-origin"), expected, "{origin}");
        let request = authority.post("/auth/token", &[("grant_type", "x")]).header("Origin", origin);
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), expected, "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn without_the_section_there_is_none() {
    let app = TestApp::with("[[issuer]]\ndevelopment = true");
    for path in
        ["/auth/token", "/auth/authorize", "/auth/jwks.json", "/auth/.well-known/openid-configuration"]
    {
        assert_eq!(app.get(path, None).await.status, 404, "{path}");
    }
    assert_eq!(app.get("/secure/.well-known/smart-configuration", None).await.status, 404);
}

#[test]
fn it_is_not_served_to_the_network_unless_that_is_meant() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("charta.toml");
    let endpoint = "[[endpoint]]\npath = \"/r4\"\nfhir = \"R4\"";
    let config =
        format!("listen = \"0.0.0.0:0\"\n[[issuer]]\ndevelopment = true\n[authorization_server]\n{endpoint}");
    std::fs::write(&file, &config).expect("a file");
    let line = charta(&["serve", "--config", text(&file)]).refused();
    assert!(line.contains("authorization_server") && line.contains("allow_open_network"), "{line}");
    let untrusted = format!("listen = \"127.0.0.1:0\"\n[authorization_server]\n{endpoint}");
    std::fs::write(&file, untrusted).expect("a file");
    let line = charta(&["serve", "--config", text(&file)]).refused();
    assert!(line.contains("development = true"), "{line}");
}
