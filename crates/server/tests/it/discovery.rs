//! Where clients learn how to get tokens: security test list, item 2.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TENANT, TestApp};

/// A secured endpoint of each version and profile.
const SECURED: &str = r#"
[[issuer]]
url = "https://silent.example.org"
jwks = "jwks.json"
[[issuer]]
url = "https://login.example.org"
jwks = "jwks.json"
authorization_endpoint = "https://login.example.org/authorize"
token_endpoint = "https://login.example.org/token"
revocation_endpoint = "https://login.example.org/revoke"
registration_endpoint = "https://login.example.org/register"
management_endpoint = "https://login.example.org/manage"
introspection = "https://login.example.org/introspect"
client_id = "charta"
client_secret = "env:HOME"
grant_types = ["authorization_code", "client_credentials"]
auth_methods = ["private_key_jwt"]
capabilities = ["launch-standalone", "client-public", "permission-v2"]
[[endpoint]]
path = "/s/dstu2"
fhir = "DSTU2"
[[endpoint]]
path = "/s/stu3"
fhir = "STU3"
[[endpoint]]
path = "/s/r4"
fhir = "R4"
writable = true
[[endpoint]]
path = "/s/r4b"
fhir = "R4B"
[[endpoint]]
path = "/s/r5"
fhir = "R5"
[[endpoint]]
path = "/s/millennium/{tenant}"
fhir = "R4"
profile = "millennium"
[[endpoint]]
path = "/s/soarian/{tenant}"
fhir = "R4"
profile = "soarian"
[[endpoint]]
path = "/s/ccri"
fhir = "STU3"
profile = "care-connect"
"#;

const KEY: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

fn app() -> TestApp {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("jwks.json"), KEY).expect("a file");
    TestApp::in_directory(directory, SECURED)
}

fn bases() -> Vec<String> {
    let mut bases =
        ["/s/dstu2", "/s/stu3", "/s/r4", "/s/r4b", "/s/r5", "/s/ccri"].map(str::to_owned).to_vec();
    bases.extend([format!("/s/millennium/{TENANT}"), format!("/s/soarian/{TENANT}")]);
    bases
}

async fn configuration(app: &TestApp, base: &str) -> Value {
    let answer = app.get(&format!("{base}/.well-known/smart-configuration"), None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{base}");
    answer.json()
}

#[tokio::test]
async fn every_secured_base_says_where_tokens_are_had() {
    let app = app();
    for base in bases() {
        let mut told = configuration(&app, &base).await;
        let scopes = told.as_object_mut().unwrap().remove("scopes_supported").expect("scopes");
        let expected = json!({
            "authorization_endpoint": "https://login.example.org/authorize",
            "token_endpoint": "https://login.example.org/token",
            "revocation_endpoint": "https://login.example.org/revoke",
            "registration_endpoint": "https://login.example.org/register",
            "management_endpoint": "https://login.example.org/manage",
            "introspection_endpoint": "https://login.example.org/introspect",
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-standalone", "client-public", "permission-v2"],
        });
        assert_eq!(told, expected, "{base}");
        let has = |scope: &str| scopes.as_array().unwrap().iter().any(|one| one == scope);
        let is_millennium = base.contains("millennium");
        assert_eq!(
            (has("patient/*.rs"), has("patient/Binary.read")),
            (!is_millennium, is_millennium),
            "{base}"
        );
        assert_eq!(has("user/*.cruds"), base == "/s/r4", "{base}: no more than the endpoint does");
    }
}

#[tokio::test]
async fn it_is_json_for_everybody_whatever_they_accept() {
    let app = app();
    for base in bases() {
        let path = format!("{base}/.well-known/smart-configuration");
        for accept in ["application/fhir+xml", "text/html", "image/png", "application/json;q=0"] {
            let request = app.request(Method::GET, &path).header("Accept", accept);
            let answer = Answer::of(request.header("Origin", "https://app.example.org")).await;
            assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{accept}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{base}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{base}");
        }
        let request = app.request(Method::GET, &path).header("Authorization", "Bearer nonsense");
        assert_eq!(Answer::of(request).await.status, 200, "{base}: a token is not looked at");
        assert_eq!(Answer::of(app.request(Method::HEAD, &path)).await.status, 200, "{base}");
        let post = Answer::of(app.request(Method::POST, &path)).await;
        assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"), "{base}");
    }
}

#[tokio::test]
async fn statements_of_every_version_say_the_same() {
    let app = app();
    for base in bases() {
        let statement = app.get(&format!("{base}/metadata"), None).await.json();
        let security = &statement["rest"][0]["security"];
        assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR", "{base}");
        let expected = json!([{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [
                { "url": "token", "valueUri": "https://login.example.org/token" },
                { "url": "authorize", "valueUri": "https://login.example.org/authorize" },
                { "url": "register", "valueUri": "https://login.example.org/register" },
                { "url": "manage", "valueUri": "https://login.example.org/manage" },
            ],
        }]);
        assert_eq!(security["extension"], expected, "{base}");
        // Those systems show no XML.
        if !base.contains("millennium") && !base.contains("soarian") {
            let xml = app.get(&format!("{base}/metadata?_format=xml"), None).await.text();
            assert!(xml.contains("<valueUri value=\"https://login.example.org/token\"/>"), "{base}");
        }
    }
}

#[tokio::test]
async fn where_nobody_gives_tokens_nothing_is_said() {
    let app = app();
    for base in ["/r4", "/dstu2", &format!("/millennium/r4/{TENANT}")] {
        let answer = app.get(&format!("{base}/.well-known/smart-configuration"), None).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (404, "not-found"), "{base}: open");
        let statement = app.get(&format!("{base}/metadata"), None).await.json();
        assert_eq!(statement["rest"][0]["security"]["extension"], Value::Null, "{base}");
    }
    let app = TestApp::start();
    let answer = app.get("/secure/.well-known/smart-configuration", None).await;
    assert_eq!(answer.status, 404, "secured, and no issuer");
}

#[tokio::test]
async fn an_issuer_of_other_tenants_is_not_told_of() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("jwks.json"), KEY).expect("a file");
    let issuer = |name: &str, tenant: &str| {
        format!(
            "[[issuer]]\nurl = \"https://{name}.example.org\"\njwks = \"jwks.json\"\ntenants = [\"{tenant}\"]\n\
             token_endpoint = \"https://{name}.example.org/token\"\n"
        )
    };
    let endpoint = "[[endpoint]]\npath = \"/s/{tenant}\"\nfhir = \"R4\"\n";
    let rest = format!("{}{}{endpoint}", issuer("a", TENANT), issuer("b", "default"));
    let app = TestApp::in_directory(directory, &rest);
    for (tenant, name) in [(TENANT, "a"), ("default", "b")] {
        let told = configuration(&app, &format!("/s/{tenant}")).await;
        assert_eq!(told["token_endpoint"], format!("https://{name}.example.org/token"));
        assert_eq!(told["grant_types_supported"], json!(["client_credentials"]));
        let policy = ["permission-patient", "permission-user", "permission-v1", "permission-v2"];
        assert_eq!(told["capabilities"], json!(policy));
        assert_eq!(told["response_types_supported"], Value::Null);
    }
}
