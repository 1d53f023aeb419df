//! Client assertions: security test list, item 3.

use serde_json::{Value, json};

use super::signer::{NOW, Signer, keys, now, with};
use crate::{
    KeySet,
    assertion::{Asserted, Assertion},
};

const TOKEN_URL: &str = "https://fhir.example.org/auth/token";
const JWKS_URL: &str = "https://client.example.org/jwks.json";

fn verify(text: &str, keys: &KeySet) -> Result<Asserted, String> {
    let assertion = Assertion::parse(text).map_err(|error| error.to_string())?;
    assertion.verify(keys, Some(JWKS_URL), TOKEN_URL, now()).map_err(|error| error.to_string())
}

fn assertion(signer: &Signer, header: &Value, claims: &Value) -> String {
    let header = with(&json!({ "alg": "ES384", "kid": "p384", "typ": "JWT" }), header);
    let base = json!({ "iss": "c1", "sub": "c1", "aud": TOKEN_URL, "exp": NOW + 300, "jti": "j1" });
    signer.sign(&header, &with(&base, claims))
}

#[test]
fn assertions_that_keep_the_rules_are_believed() {
    let signer = Signer::new();
    for (header, claims) in [
        (json!({}), json!({})),
        (json!({ "alg": "RS384", "kid": "rsa" }), json!({})),
        (json!({ "jku": JWKS_URL }), json!({})),
        (json!({}), json!({ "aud": ["https://other.example.org", TOKEN_URL] })),
        (json!({}), json!({ "exp": NOW + 330, "nbf": NOW })),
        (json!({}), json!({ "exp": NOW - 29 })),
    ] {
        let text = assertion(&signer, &header, &claims);
        assert_eq!(Assertion::parse(&text).unwrap().client(), "c1");
        assert_eq!(verify(&text, &signer.keys()).unwrap().id, "j1", "{header} {claims}");
    }
}

#[test]
fn assertions_that_break_a_rule_are_not() {
    let signer = Signer::new();
    for (header, claims, why) in [
        (json!({}), json!({ "aud": "https://fhir.example.org/auth" }), "it is for another server"),
        (json!({}), json!({ "aud": format!("{TOKEN_URL}/") }), "it is for another server"),
        (json!({}), json!({ "sub": "c2" }), "issuer and subject differ"),
        (json!({}), json!({ "exp": NOW + 600 }), "valid for more than five minutes"),
        (json!({}), json!({ "exp": NOW - 30 }), "expired"),
        (json!({}), json!({ "nbf": NOW + 31 }), "not valid yet"),
        (json!({}), json!({ "jti": "" }), "its jti is empty or longer than 256 bytes"),
        (json!({}), json!({ "jti": null }), "its claims cannot be read or are not all there"),
        (json!({}), json!({ "exp": null }), "its claims cannot be read or are not all there"),
        (json!({}), json!({ "aud": null }), "its claims cannot be read or are not all there"),
        (json!({ "kid": "unknown" }), json!({}), "signed with a key that is not registered"),
        (json!({ "kid": null }), json!({}), "it names no key"),
        (json!({ "alg": "HS256" }), json!({}), "signed in a way that is not allowed"),
        (json!({ "alg": "none" }), json!({}), "signed in a way that is not allowed"),
        (json!({ "alg": "ES256", "kid": "p256" }), json!({}), "signed in a way that is not allowed"),
        (json!({ "kid": "rsa" }), json!({}), "signed with a key that is not registered"),
        (
            json!({ "jku": "https://evil.example.org/jwks" }),
            json!({}),
            "its keys are said to be where they are not registered",
        ),
        (json!({ "typ": "at+jwt" }), json!({}), "its type is not JWT"),
    ] {
        let text = assertion(&signer, &header, &claims);
        assert_eq!(verify(&text, &signer.keys()), Err(why.to_owned()), "{header} {claims}");
    }
}

#[test]
fn two_keys_of_one_name_and_kind_are_one_too_many() {
    let (signer, other) = (Signer::new(), Signer::new());
    let both = keys(&[signer.jwks()[2].clone(), other.jwks()[2].clone()]);
    let refused = verify(&assertion(&signer, &json!({}), &json!({})), &both);
    assert_eq!(refused, Err("several keys could have signed it".to_owned()));
}

#[test]
fn a_jku_counts_only_where_one_is_registered() {
    let signer = Signer::new();
    let text = assertion(&signer, &json!({ "jku": JWKS_URL }), &json!({}));
    let assertion = Assertion::parse(&text).unwrap();
    assert!(assertion.verify(&signer.keys(), None, TOKEN_URL, now()).is_err());
}
