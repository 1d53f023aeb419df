//! Connections: bounded in number, and each with limits of time, so that nothing waits for a server that is gone.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    failure::Failure,
    url::{Encryption, PostgresUrl},
};
use crate::Error;

/// So many reads run at once; others wait.
const READERS: usize = 16;

/// So many tenants are written at once; others wait.
const WRITERS: usize = 8;

/// Reaching one host may take so long.
const CONNECT: Duration = Duration::from_secs(2);

/// Getting a connection may take so long, whatever has to be tried for it.
const GET: Duration = Duration::from_secs(4);

/// A request that reads is answered or refused within so long.
pub(super) const READ: Duration = Duration::from_secs(5);

/// A commit may take so long before its callers are told that it is not known what becomes of it, and its server is
/// taken for one that hangs: the longer, the more it writes.
pub(super) fn write_limit(writes: usize) -> Duration {
    const EACH: Duration = Duration::from_millis(5);
    READ + EACH.saturating_mul(u32::try_from(writes).unwrap_or(u32::MAX))
}

/// How the server is to go about all statements. They are written for indexes, one row leading to the next; what
/// statistics would make of tables that have just begun to fill is not to stand in the way. It finds out soon that a
/// node is gone, and Contract 1 wants commits to wait for stable storage whatever the server's default is.
const SESSION: &str = "SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; \
     SET enable_mergejoin = off; \
     SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; \
     SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') IN ('off', 'local');";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Reading,
    Writing,
    /// What may take hours: checks, and locks that are held meanwhile.
    Lasting,
}

impl Purpose {
    const fn session(self) -> &'static str {
        match self {
            Self::Reading => "SET statement_timeout = '5s'; SET lock_timeout = '2s';",
            // A node that hangs in the middle is not to hold up the others of its tenant.
            Self::Writing => {
                "SET statement_timeout = '60s'; SET lock_timeout = '4s'; \
                 SET idle_in_transaction_session_timeout = '20s';"
            }
            Self::Lasting => "SET statement_timeout = 0; SET lock_timeout = '4s';",
        }
    }
}

/// The pools of a node.
pub(super) struct Pools {
    readers: Pool,
    writers: Pool,
    lasting: Pool,
    /// For names that are made while a writer waits for them.
    naming: Pool,
    /// For the events of the audit log.
    shipping: Pool,
}

impl Pools {
    /// Connects to nothing yet.
    pub(super) fn new(url: &PostgresUrl) -> Result<Self, String> {
        let tls = match url.encryption() {
            Encryption::Off => None,
            Encryption::Verified(authority) => Some(tls(authority.as_deref())?),
        };
        let pool = |purpose, size| pool(url, tls.clone(), purpose, size);
        Ok(Self {
            readers: pool(Purpose::Reading, READERS)?,
            writers: pool(Purpose::Writing, WRITERS)?,
            lasting: pool(Purpose::Lasting, 4)?,
            naming: pool(Purpose::Writing, 2)?,
            shipping: pool(Purpose::Writing, 1)?,
        })
    }

    pub(super) async fn reader(&self) -> Result<Lease, Failure> {
        Lease::of(&self.readers).await
    }

    pub(super) async fn writer(&self) -> Result<Lease, Failure> {
        Lease::of(&self.writers).await
    }

    pub(super) async fn lasting(&self) -> Result<Lease, Failure> {
        Lease::of(&self.lasting).await
    }

    pub(super) async fn naming(&self) -> Result<Lease, Failure> {
        Lease::of(&self.naming).await
    }

    pub(super) async fn shipping(&self) -> Result<Lease, Failure> {
        Lease::of(&self.shipping).await
    }

    pub(super) fn close(&self) {
        self.shipping.close();
        self.naming.close();
        self.readers.close();
        self.writers.close();
        self.lasting.close();
    }
}

fn pool(
    url: &PostgresUrl,
    tls: Option<MakeRustlsConnect>,
    purpose: Purpose,
    size: usize,
) -> Result<Pool, String> {
    let mut config = url.config()?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    config.keepalives(true).keepalives_idle(Duration::from_secs(5));
    config.keepalives_interval(Duration::from_secs(1)).keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(5));
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match tls {
        Some(tls) => Manager::from_config(config, tls, recycling),
        None => Manager::from_config(config, NoTls, recycling),
    };
    let configure = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move {
            client.batch_execute(SESSION).await.map_err(HookError::Backend)?;
            client.batch_execute(purpose.session()).await.map_err(HookError::Backend)
        })
    });
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(GET))
        .create_timeout(Some(GET))
        .recycle_timeout(Some(CONNECT))
        .post_create(configure)
        .build()
        .map_err(|error| error.to_string())
}

/// Trusts the authorities of a file, or those that the system trusts.
fn tls(authority: Option<&std::path::Path>) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    match authority {
        Some(path) => {
            let failed = |error: String| format!("sslrootcert: {}: {error}", path.display());
            let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| failed(error.to_string()))?;
                roots.add(certificate).map_err(|error| failed(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(failed("no certificate in it".into()));
            }
        }
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config =
        config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A connection of a pool. It goes back there when it is [`free`](Lease::free); dropped before, it is closed, as nobody
/// knows in what state it is.
pub(super) struct Lease(Option<Object>);

impl Lease {
    async fn of(pool: &Pool) -> Result<Self, Failure> {
        Ok(Self(Some(pool.get().await?)))
    }

    /// Nothing is under way on it, and no transaction.
    pub(super) fn free(mut self) {
        drop(self.0.take());
    }

    pub(super) fn client(&self) -> Result<&deadpool_postgres::ClientWrapper, Failure> {
        let client = self.0.as_deref();
        client.ok_or_else(|| Error::Unavailable("catalog: the connection was given back".into()).into())
    }

    pub(super) fn client_mut(&mut self) -> Result<&mut deadpool_postgres::ClientWrapper, Failure> {
        let client = self.0.as_deref_mut();
        client.ok_or_else(|| Error::Unavailable("catalog: the connection was given back".into()).into())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
