//! Public keys, and which one signed a token. A key fits one family of algorithms, so no token can have
//! its key used in another way.

use base64_simd::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use crate::Algorithm;

/// Keys of one set at most; more are a mistake, or meant to cost time.
const KEYS_MAX: usize = 100;

/// The public keys of someone who signs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

/// Why a text is not a set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeySet {
    /// Not JSON of the form `{"keys": [...]}`.
    #[error("not a JSON Web Key Set")]
    Form,
    /// No key with which a signature could be checked.
    #[error("no RSA, P-256 or P-384 key for signatures in it")]
    Empty,
    /// Too many keys.
    #[error("more than {KEYS_MAX} keys")]
    TooMany,
}

/// Why no key is the one that a token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    Unknown,
    Ambiguous,
}

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    id: Option<String>,
    /// The only algorithm it is for, if it says one.
    algorithm: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    /// An uncompressed point.
    P384(Vec<u8>),
}

#[derive(Deserialize)]
struct SetForm {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct KeyForm {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a JSON Web Key Set. Keys of kinds that are not known here, and those that are not for
    /// signatures, are left out, as they may stand beside the ones that are.
    ///
    /// # Errors
    /// If it is not one, or has no key that could check a signature.
    ///
    /// Clause: RFC 7517 5
    pub fn parse(json: &[u8]) -> Result<Self, InvalidKeySet> {
        let form: SetForm = serde_json::from_slice(json).map_err(|_| InvalidKeySet::Form)?;
        if form.keys.len() > KEYS_MAX {
            return Err(InvalidKeySet::TooMany);
        }
        let keys: Vec<Key> = form.keys.into_iter().filter_map(Key::read).collect();
        if keys.is_empty() { Err(InvalidKeySet::Empty) } else { Ok(Self(keys)) }
    }

    /// The one key of this id that fits the algorithm; without an id, the only one that fits.
    ///
    /// Clause: SMART 2.2 client-confidential-asymmetric.html#signature-verification
    pub(crate) fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Result<&Key, NoKey> {
        let named = |key: &&Key| id.is_none() || key.id.as_deref() == id;
        let mut found = self.0.iter().filter(named).filter(|key| key.fits(algorithm));
        let key = found.next().ok_or(NoKey::Unknown)?;
        if found.next().is_some() { Err(NoKey::Ambiguous) } else { Ok(key) }
    }
}

impl Key {
    fn read(value: serde_json::Value) -> Option<Self> {
        let form: KeyForm = serde_json::from_value(value).ok()?;
        let for_signatures = form.usage.as_deref().is_none_or(|usage| usage == "sig")
            && form.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !for_signatures {
            return None;
        }
        let material = match (form.kty.as_str(), form.crv.as_deref()) {
            ("RSA", _) => rsa(&form)?,
            ("EC", Some("P-256")) => Material::P256(point(&form, 32)?),
            ("EC", Some("P-384")) => Material::P384(point(&form, 48)?),
            _ => return None,
        };
        Some(Self { id: form.kid, algorithm: form.alg, material })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let family = match self.material {
            Material::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Rs384),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::P384(_) => algorithm == Algorithm::Es384,
        };
        family && self.algorithm.as_deref().is_none_or(|own| own == algorithm.name())
    }

    /// Whether `signature` over `message` was made with this key's private half.
    pub(crate) fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let checked = match (&self.material, algorithm) {
            (Material::Rsa { modulus, exponent }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    message,
                    signature,
                )
            }
            (Material::Rsa { modulus, exponent }, Algorithm::Rs384) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(
                    &RSA_PKCS1_2048_8192_SHA384,
                    message,
                    signature,
                )
            }
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Material::P384(point), Algorithm::Es384) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            _ => return false,
        };
        checked.is_ok()
    }
}

fn decoded(text: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text?.as_bytes()).ok()
}

fn rsa(form: &KeyForm) -> Option<Material> {
    // Some write the leading zero of the number's sign.
    let unsigned = |bytes: Vec<u8>| bytes.into_iter().skip_while(|&byte| byte == 0).collect::<Vec<u8>>();
    let modulus = unsigned(decoded(form.n.as_ref())?);
    let exponent = unsigned(decoded(form.e.as_ref())?);
    (256..=1024).contains(&modulus.len()).then_some(Material::Rsa { modulus, exponent })
}

fn point(form: &KeyForm, size: usize) -> Option<Vec<u8>> {
    let (x, y) = (decoded(form.x.as_ref())?, decoded(form.y.as_ref())?);
    let whole = x.len() == size && y.len() == size;
    whole.then(|| [&[4][..], &x, &y].concat())
}
