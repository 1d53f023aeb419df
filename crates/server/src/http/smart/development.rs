//! The development key: it signs the tokens of `charta token` and of the development authorization server. It
//! is made when it is first needed and never leaves the data directory; endpoints trust it where the
//! configuration says so, and nowhere else.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64_simd::STANDARD;
use charta_auth::{KeySet, SigningError, SigningKey};
use ring::rand::SystemRandom;
use serde_json::Value;

/// Its file in the data directory.
pub const FILE: &str = "development-key.pem";

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Why there is no development key.
#[derive(Debug, thiserror::Error)]
pub enum DevelopmentKeyError {
    /// The file cannot be read or written.
    #[error("{}: {source}", file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file has something else.
    #[error("{}: {source}", file.display())]
    Content {
        /// Which.
        file: PathBuf,
        /// Why.
        source: SigningError,
    },
    /// Others could sign with it.
    #[error("{}: others than its owner can read it; chmod 600", file.display())]
    Exposed {
        /// Which.
        file: PathBuf,
    },
}

/// The key of a data directory.
pub struct DevelopmentKey {
    key: SigningKey,
    random: SystemRandom,
}

impl DevelopmentKey {
    /// Reads the key of a data directory, or makes it.
    ///
    /// # Errors
    /// As [`DevelopmentKeyError`].
    pub fn of(data_dir: &Path) -> Result<Self, DevelopmentKeyError> {
        let file = data_dir.join(FILE);
        let random = SystemRandom::new();
        let io = |source| DevelopmentKeyError::Io { file: file.clone(), source };
        let content = |source| DevelopmentKeyError::Content { file: file.clone(), source };
        if !file.try_exists().map_err(io)? {
            let pkcs8 = SigningKey::generate(&random).map_err(content)?;
            create(data_dir, &file, &to_pem(&pkcs8)).map_err(io)?;
        }
        let mode = fs::metadata(&file).map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(DevelopmentKeyError::Exposed { file });
        }
        let text = fs::read_to_string(&file).map_err(io)?;
        let pkcs8 = of_pem(&text).ok_or_else(|| content(SigningError::NotAKey))?;
        let key = SigningKey::read(&pkcs8, &random).map_err(content)?;
        Ok(Self { key, random })
    }

    /// The public half as others read it.
    pub fn jwks(&self) -> Value {
        self.key.public()
    }

    /// The public half as this program uses it.
    pub fn public_keys(&self) -> Arc<KeySet> {
        let keys = KeySet::parse(self.jwks().to_string().as_bytes());
        Arc::new(keys.expect("a P-384 key for signatures, written just now"))
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn sign(&self, claims: &Value) -> Result<String, SigningError> {
        self.key.sign("at+jwt", claims, &self.random)
    }
}

/// Puts the file there whole; that of another process which was quicker stays.
fn create(data_dir: &Path, file: &Path, text: &str) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let beside = data_dir.join(format!("{FILE}.{}", std::process::id()));
    let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    let linked = fs::hard_link(&beside, file);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::File::open(data_dir)?.sync_all(),
    }
}

fn to_pem(der: &[u8]) -> String {
    let text = STANDARD.encode_to_string(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}

fn of_pem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (lines, _) = rest.split_once(END)?;
    let text: String = lines.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode_to_vec(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let made = DevelopmentKey::of(&data).unwrap().jwks();
        assert_eq!(DevelopmentKey::of(&data).unwrap().jwks(), made);
        let file = data.join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing is left beside it");

        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(DevelopmentKey::of(&data), Err(DevelopmentKeyError::Exposed { .. })));
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "x", &format!("{BEGIN}\n????\n{END}"), &format!("{BEGIN}\nMAA=\n{END}\n")] {
            let file = directory.path().join(FILE);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            let refused = DevelopmentKey::of(directory.path());
            assert!(matches!(refused, Err(DevelopmentKeyError::Content { .. })), "{text:?}");
        }
    }
}
