//! Someone who signs: well, or in the ways that are known to have worked somewhere.

use base64_simd::URL_SAFE_NO_PAD;
use charta_model::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
    },
};
use serde_json::{Value, json};

use crate::{KeySet, SigningKey};

/// The time in all these tests, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

pub fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// A key of each kind.
pub struct Signer {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: SigningKey,
}

impl Signer {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self {
            rsa: RsaKeyPair::from_pkcs8(include_bytes!("../../testdata/rsa-2048.pk8.der")).unwrap(),
            p256: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random).unwrap(),
            p384: SigningKey::read(&SigningKey::generate(&random).unwrap(), &random).unwrap(),
        }
    }

    /// Public keys with ids `rsa`, `p256` and `p384`.
    pub fn jwks(&self) -> Vec<Value> {
        let rsa: RsaPublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        let point = self.p256.public_key().as_ref();
        let mut p384 = self.p384.public()["keys"][0].clone();
        p384["kid"] = json!("p384");
        vec![
            json!({
                "kty": "RSA", "kid": "rsa", "use": "sig",
                "n": URL_SAFE_NO_PAD.encode_to_string(&rsa.n),
                "e": URL_SAFE_NO_PAD.encode_to_string(&rsa.e),
            }),
            json!({
                "kty": "EC", "crv": "P-256", "kid": "p256",
                "x": URL_SAFE_NO_PAD.encode_to_string(&point[1..33]),
                "y": URL_SAFE_NO_PAD.encode_to_string(&point[33..65]),
            }),
            p384,
        ]
    }

    pub fn keys(&self) -> KeySet {
        keys(&self.jwks())
    }

    /// A token with this header, signed as `alg` in it says; `none` with nothing, `HS256` with the public key
    /// as the secret.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode_to_string(value.to_string());
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let signature = self.signature(header["alg"].as_str().unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
    }

    fn signature(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa.sign(encoding, &random, message, &mut signature).unwrap();
            signature
        };
        match algorithm {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "RS384" => rsa(&RSA_PKCS1_SHA384),
            "ES256" => self.p256.sign(&random, message).unwrap().as_ref().to_vec(),
            "ES384" => self.p384.sign_bytes(message, &random).unwrap(),
            "HS256" => {
                let secret = self.jwks()[0]["n"].as_str().unwrap().to_owned();
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
                ring::hmac::sign(&key, message).as_ref().to_vec()
            }
            _ => Vec::new(),
        }
    }
}

pub fn keys(jwks: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": jwks }).to_string().as_bytes()).unwrap()
}

/// `base` with the members of `change` put in; `null` takes one out.
pub fn with(base: &Value, change: &Value) -> Value {
    let mut changed = base.as_object().unwrap().clone();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => changed.remove(name),
            value => changed.insert(name.clone(), value.clone()),
        };
    }
    Value::Object(changed)
}
