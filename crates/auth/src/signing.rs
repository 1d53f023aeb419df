//! Signing: for the development key, and for tests. ES384 only.

use base64_simd::URL_SAFE_NO_PAD;
use ring::{
    digest::{SHA256, digest},
    rand::SecureRandom,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The bytes are not a key.
    #[error("not a private key on the curve P-384 in PKCS #8")]
    NotAKey,
    /// The system gives no random numbers.
    #[error("no random numbers to be had")]
    NoRandom,
}

/// A private key on the curve P-384.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    id: String,
}

impl SigningKey {
    /// The bytes of a new key, in PKCS #8 (DER).
    ///
    /// # Errors
    /// `NoRandom`.
    pub fn generate(random: &dyn SecureRandom) -> Result<Vec<u8>, SigningError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, random)
            .map_err(|_| SigningError::NoRandom)?;
        Ok(document.as_ref().to_vec())
    }

    /// Reads a key in PKCS #8 (DER).
    ///
    /// # Errors
    /// `NotAKey`.
    pub fn read(pkcs8: &[u8], random: &dyn SecureRandom) -> Result<Self, SigningError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8, random)
            .map_err(|_| SigningError::NotAKey)?;
        let id = thumbprint(&pair);
        Ok(Self { pair, id })
    }

    /// The key's name: its thumbprint.
    ///
    /// Clause: RFC 7638 3
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half, as a set of one key.
    #[must_use]
    pub fn public(&self) -> Value {
        let (x, y) = coordinates(&self.pair);
        let key = json!({
            "kty": "EC", "crv": "P-384", "x": x, "y": y, "alg": "ES384", "use": "sig", "kid": self.id,
        });
        json!({ "keys": [key] })
    }

    /// A signed token with these claims.
    ///
    /// # Errors
    /// `NoRandom`.
    pub fn sign(
        &self,
        token_type: &str,
        claims: &Value,
        random: &dyn SecureRandom,
    ) -> Result<String, SigningError> {
        let header = json!({ "alg": "ES384", "kid": self.id, "typ": token_type });
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode_to_string(value.to_string());
        let message = format!("{}.{}", encoded(&header), encoded(claims));
        let signature = self.sign_bytes(message.as_bytes(), random)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(signature)))
    }

    pub(crate) fn sign_bytes(
        &self,
        message: &[u8],
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, SigningError> {
        let signature = self.pair.sign(random, message).map_err(|_| SigningError::NoRandom)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// x and y of the public point, which is written uncompressed.
fn coordinates(pair: &EcdsaKeyPair) -> (String, String) {
    let point = pair.public_key().as_ref();
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    (encoded(&point[1..49]), encoded(&point[49..97]))
}

fn thumbprint(pair: &EcdsaKeyPair) -> String {
    let (x, y) = coordinates(pair);
    // The members that make up the key, in the order of their names, without spaces.
    let members = format!(r#"{{"crv":"P-384","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, members.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_the_required_members() {
        let random = SystemRandom::new();
        let key = SigningKey::read(&SigningKey::generate(&random).unwrap(), &random).unwrap();
        let public = key.public()["keys"][0].clone();
        let member = |name: &str| (name.to_owned(), public[name].clone());
        // A map here keeps its names in order, as the thumbprint wants them.
        let members: std::collections::BTreeMap<_, _> = ["kty", "crv", "x", "y"].map(member).into();
        let hash = digest(&SHA256, serde_json::to_string(&members).unwrap().as_bytes());
        assert_eq!(key.id(), URL_SAFE_NO_PAD.encode_to_string(hash.as_ref()));
        assert_eq!(public["kid"], key.id());
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let random = SystemRandom::new();
        let rsa = include_bytes!("../testdata/rsa-2048.pk8.der");
        for bytes in [&rsa[..], b"", b"x"] {
            assert_eq!(SigningKey::read(bytes, &random).err(), Some(SigningError::NotAKey));
        }
    }
}
