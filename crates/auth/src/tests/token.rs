//! Access tokens: what is taken, and what is not.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::signer::{NOW, Signer, keys, now, with};
use crate::{
    Algorithm, InvalidKeySet, KeySet,
    token::{InvalidToken, Unverified, Verified, introspected},
};

const ISSUER: &str = "https://login.example.org";
const BASE: &str = "https://fhir.example.org/r4";

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": BASE, "exp": NOW + 300, "scope": "patient/*.rs", "sub": "u1" })
}

fn verify(token: &str, keys: &KeySet) -> Result<Verified, InvalidToken> {
    Unverified::parse(token)?.verify(keys, &Algorithm::ALL, now())
}

/// The reason why a token with these changes to header and claims is refused.
fn refused(signer: &Signer, header: Value, change: Value) -> InvalidToken {
    let header = with(&json!({ "alg": "ES384", "kid": "p384" }), &header);
    let token = signer.sign(&header, &with(&claims(), &change));
    verify(&token, &signer.keys()).expect_err(&format!("{header} {change}"))
}

#[test]
fn every_algorithm_of_the_list_is_taken_with_its_own_key() {
    let signer = Signer::new();
    for (algorithm, own) in [("RS256", "rsa"), ("RS384", "rsa"), ("ES256", "p256"), ("ES384", "p384")] {
        for id in ["rsa", "p256", "p384"] {
            let token = signer.sign(&json!({ "alg": algorithm, "kid": id }), &claims());
            let verified = verify(&token, &signer.keys());
            match id == own {
                true => assert_eq!(verified.unwrap().claims.subject.as_deref(), Some("u1"), "{algorithm}"),
                // Row 34: a curve or kind of key that is not the algorithm's.
                false => assert_eq!(verified, Err(InvalidToken::UnknownKey), "{algorithm} {id}"),
            }
            let others: Vec<_> = Algorithm::ALL.into_iter().filter(|one| one.name() != algorithm).collect();
            let parsed = Unverified::parse(&token).unwrap();
            let not_allowed = InvalidToken::Broken("signed in a way that is not allowed");
            assert_eq!(parsed.verify(&signer.keys(), &others, now()), Err(not_allowed), "{algorithm}");
        }
    }
}

#[test]
fn claims_say_what_the_token_says() {
    let signer = Signer::new();
    let change = json!({
        "aud": ["https://other.example.org", BASE], "client_id": "c1", "azp": "c2", "patient": "p-1", "jti": "j1",
        "fhirUser": "Practitioner/7", "tenant": "north", "purpose_of_use": ["TREAT", "ETREAT"], "nbf": NOW + 29,
        "exp": NOW as f64 + 0.5, "extra": {"a": []},
    });
    let token =
        signer.sign(&json!({ "alg": "ES384", "kid": "p384", "typ": "at+jwt" }), &with(&claims(), &change));
    let Verified { claims, audience } = verify(&token, &signer.keys()).unwrap();
    assert_eq!(audience, ["https://other.example.org", BASE]);
    assert_eq!((claims.issuer.as_str(), claims.scope.as_str()), (ISSUER, "patient/*.rs"));
    assert_eq!((claims.client.as_deref(), claims.token_id.as_deref()), (Some("c1"), Some("j1")));
    assert_eq!(claims.patient.unwrap().as_str(), "p-1");
    assert_eq!(claims.user.as_deref(), Some("Practitioner/7"));
    assert_eq!(claims.tenant.unwrap().as_str(), "north");
    assert_eq!(claims.purposes, ["TREAT", "ETREAT"]);
    assert_eq!(claims.expires_at, now());

    let one = signer.sign(
        &json!({ "alg": "ES384" }),
        &with(&self::claims(), &json!({ "azp": "c2", "purpose_of_use": "TREAT" })),
    );
    let claims = verify(&one, &signer.keys()).unwrap().claims;
    assert_eq!((claims.client.as_deref(), claims.purposes), (Some("c2"), vec!["TREAT".to_owned()]));
}

#[test]
fn types_of_access_tokens_are_taken_in_any_letter_case() {
    let signer = Signer::new();
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"] {
        let token = signer.sign(&json!({ "alg": "ES256", "typ": typ }), &claims());
        verify(&token, &signer.keys()).expect(typ);
    }
    let of_another = InvalidToken::Broken("its type is not that of an access token");
    for typ in ["id+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "", "application/", "JOSE"] {
        assert_eq!(refused(&signer, json!({ "typ": typ }), json!({})), of_another, "{typ:?}");
    }
}

/// Row 34, RFC 8725.
#[test]
fn signatures_that_prove_nothing_are_refused() {
    let signer = Signer::new();
    let not_allowed = InvalidToken::Broken("signed in a way that is not allowed");
    for algorithm in
        ["none", "None", "NONE", "", "HS256", "HS384", "ES512", "PS256", "EdDSA", "es384", "RS256 "]
    {
        for id in ["rsa", "p384"] {
            let header = json!({ "alg": algorithm, "kid": id });
            assert_eq!(refused(&signer, header, json!({})), not_allowed, "{algorithm} {id}");
        }
    }
    let stranger = Signer::new();
    let token = stranger.sign(&json!({ "alg": "ES384", "kid": "p384" }), &claims());
    assert_eq!(verify(&token, &signer.keys()), Err(InvalidToken::Broken("its signature is wrong")));
}

/// Row 34: keys that a token brings along are not even looked at.
#[test]
fn a_key_inside_the_token_does_not_vouch_for_it() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let own = stranger.jwks()[2].clone();
    for (header, expected) in [
        (json!({ "jwk": own, "kid": null }), InvalidToken::Broken("its signature is wrong")),
        (json!({ "jwk": own }), InvalidToken::Broken("its signature is wrong")),
        (json!({ "jku": "https://evil.example.org/jwks" }), InvalidToken::Broken("its signature is wrong")),
        (json!({ "x5u": "https://evil.example.org/x" }), InvalidToken::Broken("its signature is wrong")),
        (json!({ "x5c": ["MIIB"] }), InvalidToken::Broken("its signature is wrong")),
    ] {
        let header = with(&json!({ "alg": "ES384", "kid": "p384" }), &header);
        assert_eq!(verify(&stranger.sign(&header, &claims()), &signer.keys()), Err(expected), "{header}");
    }
}

#[test]
fn the_key_id_is_only_a_name_in_the_set() {
    let signer = Signer::new();
    for id in
        ["unknown", "", "../../etc/passwd", "' OR 1=1 --", "https://evil.example.org/key", "P384", "p384\0"]
    {
        assert_eq!(refused(&signer, json!({ "kid": id }), json!({})), InvalidToken::UnknownKey, "{id:?}");
    }
}

#[test]
fn exactly_one_key_fits_or_none_does() {
    let (signer, other) = (Signer::new(), Signer::new());
    let ambiguous = InvalidToken::Broken("several keys could have signed it");
    let token = |header: Value| signer.sign(&with(&json!({ "alg": "ES384" }), &header), &claims());
    let (named, unnamed) = (token(json!({ "kid": "p384" })), token(json!({})));
    verify(&unnamed, &signer.keys()).expect("the only one of its kind");

    let both = keys(&[signer.jwks()[2].clone(), other.jwks()[2].clone()]);
    for text in [&named, &unnamed] {
        assert_eq!(verify(text, &both), Err(ambiguous), "two keys of one name");
    }
    let renamed = with(&other.jwks()[2], &json!({ "kid": "other" }));
    let both = keys(&[signer.jwks()[2].clone(), renamed]);
    verify(&named, &both).expect("the name tells them apart");
    assert_eq!(verify(&unnamed, &both), Err(ambiguous));

    let same_name = with(&signer.jwks()[0], &json!({ "kid": "p384" }));
    verify(&named, &keys(&[signer.jwks()[2].clone(), same_name])).expect("the kind tells them apart");
}

#[test]
fn keys_that_are_not_for_this_are_left_out() {
    let signer = Signer::new();
    let token = signer.sign(&json!({ "alg": "ES384", "kid": "p384" }), &claims());
    let key = &signer.jwks()[2];
    for change in [
        json!({ "use": "enc" }),
        json!({ "key_ops": ["sign"] }),
        json!({ "alg": "ES256" }),
        json!({ "crv": "P-521" }),
        json!({ "kty": "OKP" }),
        json!({ "x": null }),
        json!({ "x": "AAAA" }),
        json!({ "y": "!" }),
    ] {
        let keys = keys(&[with(key, &change), signer.jwks()[0].clone()]);
        assert_eq!(verify(&token, &keys), Err(InvalidToken::UnknownKey), "{change}");
    }
    verify(&token, &keys(&[with(key, &json!({ "key_ops": ["verify"], "alg": null, "use": null }))])).unwrap();
}

#[test]
fn sets_without_a_usable_key_are_refused() {
    for (text, expected) in [
        ("", InvalidKeySet::Form),
        ("[]", InvalidKeySet::Form),
        ("{}", InvalidKeySet::Form),
        ("<html>", InvalidKeySet::Form),
        (r#"{"keys":[]}"#, InvalidKeySet::Empty),
        (r#"{"keys":[1,null,{}]}"#, InvalidKeySet::Empty),
        (r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}"#, InvalidKeySet::Empty),
        // 1024 bits
        (
            &format!(r#"{{"keys":[{{"kty":"RSA","n":"{}","e":"AQAB"}}]}}"#, "q".repeat(171)),
            InvalidKeySet::Empty,
        ),
        (&format!(r#"{{"keys":[{}1]}}"#, "1,".repeat(100)), InvalidKeySet::TooMany),
    ] {
        assert_eq!(KeySet::parse(text.as_bytes()), Err(expected), "{text}");
    }
}

#[test]
fn times_count_with_half_a_minute_of_leeway() {
    let signer = Signer::new();
    let verify = |change: Value| {
        let token = signer.sign(&json!({ "alg": "ES384" }), &with(&claims(), &change));
        super::token::verify(&token, &signer.keys()).map(|_| ())
    };
    for (change, expected) in [
        (json!({ "exp": NOW - 29 }), Ok(())),
        (json!({ "exp": NOW - 30 }), Err(InvalidToken::Expired)),
        (json!({ "exp": 0 }), Err(InvalidToken::Expired)),
        (json!({ "exp": -1 }), Err(InvalidToken::Expired)),
        (json!({ "nbf": NOW + 30 }), Ok(())),
        (json!({ "nbf": NOW + 31 }), Err(InvalidToken::Broken("not valid yet"))),
        (json!({ "exp": null }), Err(InvalidToken::Broken("it never ends"))),
        (json!({ "exp": 1e300 }), Err(InvalidToken::Broken("it never ends"))),
        (json!({ "exp": "tomorrow" }), Err(InvalidToken::Broken("its claims cannot be read"))),
    ] {
        assert_eq!(verify(change.clone()), expected, "{change}");
    }
}

/// Row 36: what was signed for another purpose.
#[test]
fn what_is_no_access_token_is_refused() {
    let signer = Signer::new();
    for (change, why) in [
        (json!({ "nonce": "n" }), "an ID token, not an access token"),
        (json!({ "at_hash": "h" }), "an ID token, not an access token"),
        (json!({ "c_hash": "h" }), "an ID token, not an access token"),
        (json!({ "scope": null }), "it has no scope"),
        (json!({ "aud": null }), "it does not say whom it is for"),
        (json!({ "cnf": { "jkt": "x" } }), "bound to a key of its holder, which is not supported"),
        (json!({ "patient": "../1" }), "its patient is not an id"),
        (json!({ "patient": "" }), "its patient is not an id"),
        (json!({ "patient": "Patient/1" }), "its patient is not an id"),
        (json!({ "patient": ["1"] }), "its claims cannot be read"),
        (json!({ "tenant": "a/b" }), "its tenant is not an id"),
        (json!({ "scope": ["a"] }), "its claims cannot be read"),
        (json!({ "iss": null }), "it does not say who signed it"),
    ] {
        assert_eq!(refused(&signer, json!({}), change.clone()), InvalidToken::Broken(why), "{change}");
    }
    let extended = InvalidToken::Broken("its header has extensions that must be understood");
    for header in [json!({ "crit": ["b64"], "b64": false }), json!({ "crit": [] }), json!({ "crit": "exp" })]
    {
        assert_eq!(refused(&signer, header.clone(), json!({})), extended, "{header}");
    }
}

#[test]
fn a_claim_that_is_there_twice_is_refused() {
    let signer = Signer::new();
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode_to_string(text);
    let twice = claims().to_string().replacen('{', r#"{"patient":"a","patient":"b","#, 1);
    let token = format!("{}.{}.AAAA", encoded(r#"{"alg":"ES384"}"#), encoded(&twice));
    let refused = verify(&token, &signer.keys());
    assert_eq!(refused, Err(InvalidToken::Broken("its claims cannot be read")));
}

#[test]
fn what_is_no_signed_token_is_opaque() {
    let signer = Signer::new();
    let whole = signer.sign(&json!({ "alg": "ES384" }), &claims());
    let (message, signature) = whole.rsplit_once('.').unwrap();
    for text in [
        "",
        ".",
        "..",
        "...",
        "2YotnFZFEjr1zCsicMWpAA",
        message,
        &format!("{whole}.x"),
        &format!("{whole}="),
        &format!("{message}. {signature}"),
        &format!("{message}.{signature}+"),
        &whole.replacen('e', "!", 1),
    ] {
        assert_eq!(verify(text, &signer.keys()), Err(InvalidToken::Opaque), "{text}");
    }
    // Bits that no byte needs would give one token two spellings.
    let last = signature.chars().last().unwrap();
    if signature.len() % 4 != 0 {
        let other = char::from_u32(last as u32 + 1).unwrap();
        let spelled = format!("{message}.{}{other}", &signature[..signature.len() - 1]);
        assert!(verify(&spelled, &signer.keys()).is_err());
    }
    let long = signer.sign(&json!({ "alg": "ES384" }), &with(&claims(), &json!({ "x": "y".repeat(8192) })));
    assert_eq!(verify(&long, &signer.keys()), Err(InvalidToken::Broken("longer than 8 KiB")));
}

#[test]
fn every_changed_byte_breaks_a_token() {
    let signer = Signer::new();
    let token = signer.sign(&json!({ "alg": "ES256", "kid": "p256" }), &claims());
    verify(&token, &signer.keys()).unwrap();
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(verify(&changed, &signer.keys()).is_err(), "byte {at}");
    }
}

#[test]
fn an_introspection_says_what_a_token_would() {
    let active = json!({
        "active": true, "scope": "user/*.rs", "client_id": "c1", "exp": NOW + 60, "patient": "p1", "sub": "u1",
    });
    let ask = |change: Value| introspected(with(&active, &change).to_string().as_bytes(), ISSUER, now());
    let verified = ask(json!({})).unwrap().unwrap();
    assert_eq!((verified.claims.issuer.as_str(), verified.claims.client.as_deref()), (ISSUER, Some("c1")));
    assert!(verified.audience.is_empty());
    assert_eq!(ask(json!({ "aud": BASE })).unwrap().unwrap().audience, [BASE]);
    for change in [json!({ "active": false }), json!({ "active": null })] {
        assert_eq!(ask(change.clone()), Ok(None), "{change}");
    }
    for (change, why) in [
        (json!({ "iss": "https://evil.example.org" }), "the introspection is about another issuer's token"),
        (json!({ "active": "yes" }), "the introspection cannot be read"),
        (json!({ "exp": null }), "it never ends"),
        (json!({ "scope": null }), "it has no scope"),
        (json!({ "cnf": {} }), "bound to a key of its holder, which is not supported"),
    ] {
        assert_eq!(ask(change.clone()), Err(InvalidToken::Broken(why)), "{change}");
    }
    assert_eq!(ask(json!({ "exp": NOW - 31 })), Err(InvalidToken::Expired));
    assert!(introspected(b"", ISSUER, now()).is_err());
}
