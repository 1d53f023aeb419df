//! Opening the store for a command.

use std::path::Path;

use charta_model::TenantId;
use charta_store::{Access, CatalogPlace, ContentPlace, OpenError, Options, S3Place, Store};
use tokio::runtime::{Builder, Runtime};

use super::{Failure, Place};
use crate::config::{CatalogBackend, Config, ContentBackend};

/// A runtime; 0 threads means one per core.
pub fn runtime(worker_threads: usize) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if worker_threads > 0 {
        builder.worker_threads(worker_threads);
    }
    builder.enable_all().build()
}

/// The store of a configuration.
pub async fn open(config: &Config, access: Access) -> Result<Store, OpenError> {
    let mut options = Options::new(&config.data_dir);
    let cache_bytes = config.store.cache_bytes.unwrap_or_else(|| memory_bytes() / CACHE_SHARE);
    options.catalog = match &config.store.catalog {
        CatalogBackend::Sqlite => CatalogPlace::Sqlite,
        CatalogBackend::Postgres(url) => CatalogPlace::Postgres(url.clone()),
    };
    options.content = content(&config.store.content)?;
    options.cache_bytes = usize::try_from(cache_bytes).unwrap_or(usize::MAX).max(CACHE_BYTES_MIN);
    Store::connect(&options, access).await
}

fn content(backend: &ContentBackend) -> Result<ContentPlace, OpenError> {
    let ContentBackend::S3(url) = backend else { return Ok(ContentPlace::Files) };
    let environment = std::env::vars_os();
    let environment =
        environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let problem = |problem: &str| OpenError::Content { place: url.clone(), problem: problem.to_owned() };
    S3Place::new(url, environment).map(ContentPlace::S3).map_err(problem)
}

/// Records that were read may take this part of the machine's memory, unless the configuration says how much.
const CACHE_SHARE: u64 = 8;
/// They always may take so much.
const CACHE_BYTES_MIN: usize = 16 << 20;

/// The memory that this process may have: the machine's, or what its control group leaves it.
fn memory_bytes() -> u64 {
    let system = rustix::system::sysinfo();
    let of_machine = (system.totalram as u64).saturating_mul(system.mem_unit.into());
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let of_group = limit.and_then(|text| text.trim().parse().ok());
    of_group.map_or(of_machine, |limit: u64| limit.min(of_machine))
}

/// Runs a command's work on the store of `place`, which must be there.
pub fn with_store<T>(
    place: &Place,
    access: Access,
    work: impl AsyncFnOnce(Config, Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = place.config(Config::standard)?;
    // A mistyped directory must not look like a store without findings.
    exists(&config.data_dir)?;
    run(config, access, work)
}

/// The same for a command that makes the store if there is none.
pub fn with_store_or_new<T>(
    place: &Place,
    work: impl AsyncFnOnce(Config, Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = place.config(Config::standard)?;
    if config.data_dir.exists() {
        exists(&config.data_dir)?;
    }
    run(config, Access::Exclusive, work)
}

fn run<T>(
    config: Config,
    access: Access,
    work: impl AsyncFnOnce(Config, Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    runtime(0)?.block_on(async {
        let store = open(&config, access).await?;
        let result = work(config, store.clone()).await;
        store.close().await;
        result
    })
}

fn exists(directory: &Path) -> Result<(), Failure> {
    if directory.is_dir() {
        return Ok(());
    }
    Err(Failure(format!("{}: no such data directory", directory.display())))
}

/// The tenant that was named, or the only one.
pub fn tenant(config: &Config, named: Option<&TenantId>) -> Result<TenantId, Failure> {
    match (named, &config.tenants[..]) {
        (Some(named), tenants) if tenants.contains(named) => Ok(named.clone()),
        (Some(named), _) => Err(Failure(format!("--tenant {named}: the configuration has no such tenant"))),
        (None, [only]) => Ok(only.clone()),
        (None, tenants) => match tenants.iter().find(|tenant| tenant.as_str() == "default") {
            Some(default) => Ok(default.clone()),
            None => Err(Failure("--tenant is needed: the configuration has several tenants".into())),
        },
    }
}
