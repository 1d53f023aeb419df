//! TLS: versions 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN, certificates that change while the server
//! runs. Clients are not asked for certificates. A new certificate counts for new connections; those
//! that are open go on.
//!
//! Clause: RFC 9325 3.1.1

mod ending;

use std::{
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
        version::{TLS12, TLS13},
    },
};

use self::ending::Warnings;
use crate::{clock, config::TlsFiles};

/// HTTP/2, as ALPN names it.
pub const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";
/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Why there can be no TLS with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there.
    #[error("{file} cannot be read: {source}")]
    Unreadable {
        /// Its path.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A file is not PEM, or holds something else.
    #[error("{file}: {source}")]
    NotPem {
        /// Its path.
        file: String,
        /// Why.
        source: pem::Error,
    },
    /// They do not belong together, or cannot be used.
    #[error("certificate and key: {0}")]
    Unusable(#[from] rustls::Error),
    /// The signal for a reload cannot be had.
    #[error("SIGHUP: {0}")]
    Signal(#[source] io::Error),
}

/// TLS as this server speaks it.
pub struct Tls {
    /// Takes connections.
    pub acceptor: TlsAcceptor,
    identity: Arc<Identity>,
    hangup: Signal,
    warnings: Warnings,
}

impl Tls {
    /// Reads the files. From now on SIGHUP does not end the process.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let identity = Arc::new(Identity::load(files, provider.clone())?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(identity.clone());
        config.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec()];
        let hangup = signal(SignalKind::hangup()).map_err(TlsError::Signal)?;
        let mut warnings = Warnings::default();
        identity.warn(&mut warnings);
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), identity, hangup, warnings })
    }

    /// Reads the files again whenever they change, or at once on SIGHUP; never ends.
    pub async fn keep_current(mut self) {
        loop {
            let asked = tokio::select! {
                _ = self.hangup.recv() => true,
                () = tokio::time::sleep(LOOK_INTERVAL) => false,
            };
            let identity = self.identity.clone();
            // A panic in there would have been logged; the old certificate stays.
            let _ = tokio::task::spawn_blocking(move || identity.refresh(asked)).await;
            self.identity.warn(&mut self.warnings);
        }
    }
}

/// The certificate and key of this server, as the files had them last.
struct Identity {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Current>,
}

struct Current {
    key: Arc<CertifiedKey>,
    /// Of the files that were read last, be it in vain.
    stamps: [Option<Stamp>; 2],
}

/// What tells that a file is another than before: when it was written, its place on the disk, its size.
type Stamp = (SystemTime, u64, u64);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Identity {
    fn load(files: TlsFiles, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        // Stamps first: what is written between is seen as a change at the next look.
        let stamps = stamps(&files);
        let key = read(&files, &provider)?;
        Ok(Self { files, provider, current: RwLock::new(Current { key: Arc::new(key), stamps }) })
    }

    /// Takes the files if they changed, or if somebody asked; what cannot be used changes nothing.
    fn refresh(&self, asked: bool) {
        let stamps = stamps(&self.files);
        if !asked && self.current.read().unwrap_or_else(PoisonError::into_inner).stamps == stamps {
            return;
        }
        let read = read(&self.files, &self.provider);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.stamps = stamps; // a fault is told once, and again when the files change
        match read {
            Ok(key) => {
                current.key = Arc::new(key);
                tracing::info!("the certificate was read again");
            }
            Err(error) => {
                tracing::error!(cause = %error, "the new certificate cannot be used; the old one stays")
            }
        }
    }
}

impl Identity {
    /// Says in the log, now and then, that the certificate ends soon.
    fn warn(&self, warnings: &mut Warnings) {
        let key = self.current.read().unwrap_or_else(PoisonError::into_inner).key.clone();
        if let Some(not_after) = key.cert.first().and_then(ending::not_after) {
            warnings.say(not_after, clock::now());
        }
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).key.clone())
    }
}

fn stamps(files: &TlsFiles) -> [Option<Stamp>; 2] {
    [&files.certificate, &files.key].map(|path| {
        let found = fs::metadata(path).ok()?; // the file that a link leads to
        Some((found.modified().ok()?, found.ino(), found.len()))
    })
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let not_pem = |path: &Path| {
        let file = path.display().to_string();
        move |source| TlsError::NotPem { file, source }
    };
    let pem = bytes(&files.certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(not_pem(&files.certificate))?;
    if chain.is_empty() {
        return Err(not_pem(&files.certificate)(pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes(&files.key)?).map_err(not_pem(&files.key))?;
    Ok(CertifiedKey::from_der(chain, key, provider)?)
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable { file: path.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a fresh certificate and its key.
    fn certify(files: &TlsFiles) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    }

    #[test]
    fn what_cannot_be_used_keeps_the_old_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            TlsFiles { certificate: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        certify(&files);
        let identity = Identity::load(files.clone(), Arc::new(ring::default_provider())).unwrap();
        let shown = || identity.current.read().unwrap().key.cert.clone();
        let first = shown();
        identity.refresh(true);
        assert_eq!(shown(), first, "asked for without a change");

        let old_key = fs::read(&files.key).unwrap();
        certify(&files);
        let new_key = fs::read(&files.key).unwrap();
        for (what, certificate, key) in [
            ("a key of another certificate", fs::read(&files.certificate).unwrap(), old_key),
            ("no certificate", Vec::new(), new_key.clone()),
            ("no PEM", b"-----BEGIN CERTIFICATE-----\n!".to_vec(), new_key.clone()),
            ("no key", fs::read(&files.certificate).unwrap(), Vec::new()),
        ] {
            let good = (fs::read(&files.certificate).unwrap(), fs::read(&files.key).unwrap());
            fs::write(&files.certificate, certificate).unwrap();
            fs::write(&files.key, key).unwrap();
            identity.refresh(false);
            assert_eq!(shown(), first, "{what}");
            fs::write(&files.certificate, good.0).unwrap();
            fs::write(&files.key, good.1).unwrap();
        }
        fs::remove_file(&files.key).unwrap();
        identity.refresh(false);
        assert_eq!(shown(), first, "no file");

        fs::write(&files.key, new_key).unwrap();
        identity.refresh(false);
        assert_ne!(shown(), first, "both are good again");
    }
}
