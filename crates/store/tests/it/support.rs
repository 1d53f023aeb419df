//! A store in a directory that goes away.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use charta_model::{Document, ResourceId, ResourceType, TenantId, Write, WriteOutcome};
use charta_store::{
    Access, CatalogPlace, CommitError, Content, ContentPlace, Error, Options, S3Place, Store, Uploaded,
    catalog::{Catalog, Companion},
    content::ContentStore,
    testing,
};
use tempfile::TempDir;

use crate::{bucket::Bucket, database::Database, real_s3::RealBucket};

/// Smaller than by default, so that files come into play early.
pub const INLINE_BYTES_MAX: usize = 1000;

pub struct TestStore {
    pub store: Store,
    pub place: Place,
}

/// Where a test's store is: a directory that goes away, its content in it or in a bucket, its records in it or in a
/// database.
pub struct Place {
    directory: TempDir,
    pub bucket: Option<AnyBucket>,
    database: Option<Database>,
}

/// A bucket in this process, or one of a store that runs elsewhere.
pub enum AnyBucket {
    Here(Bucket),
    Real(RealBucket),
}

impl AnyBucket {
    fn place(&self) -> S3Place {
        match self {
            Self::Here(bucket) => bucket.place(),
            Self::Real(bucket) => bucket.place(),
        }
    }

    fn object_count(&self) -> usize {
        match self {
            Self::Here(bucket) => bucket.objects().len(),
            Self::Real(bucket) => wait(bucket.objects()).len(),
        }
    }

    fn remove_all(&self) {
        match self {
            Self::Here(bucket) => remove(&bucket.objects()),
            Self::Real(bucket) => wait(bucket.remove_all()),
        }
    }
}

impl Place {
    /// All in one directory.
    pub fn of_files() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), bucket: None, database: None }
    }

    /// Content in a bucket.
    pub fn of_bucket() -> Self {
        Self { bucket: Some(AnyBucket::Here(Bucket::new())), ..Self::of_files() }
    }

    /// Records in PostgreSQL, content in a bucket.
    pub fn of_database() -> Self {
        Self { database: Some(wait(Database::new())), ..Self::of_bucket() }
    }

    /// The same with the bucket of `TEST_S3_URL`.
    pub fn of_real_s3() -> Self {
        Self { bucket: Some(AnyBucket::Real(RealBucket::new())), ..Self::of_database() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl std::ops::Deref for TestStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

pub fn options(place: &Place) -> Options {
    let content =
        place.bucket.as_ref().map_or(ContentPlace::Files, |bucket| ContentPlace::S3(bucket.place()));
    let catalog = place
        .database
        .as_ref()
        .map_or(CatalogPlace::Sqlite, |database| CatalogPlace::Postgres(database.url().clone()));
    Options {
        inline_bytes_max: INLINE_BYTES_MAX,
        catalog,
        content,
        ..Options::new(place.path().join("store"))
    }
}

/// Waits for what a test needs before it goes on. Only in a runtime of several threads.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

/// Opens the store of a place with something around its backends.
pub fn open_wrapped(
    place: &Place,
    wrap: impl FnOnce(Arc<dyn Catalog>, Arc<dyn ContentStore>) -> (Arc<dyn Catalog>, Arc<dyn ContentStore>),
) -> Store {
    let options = options(place);
    let opened = match place.database {
        None => Store::open_wrapped(&options, Access::Exclusive, wrap),
        Some(_) => wait(Store::connect_wrapped(&options, Access::Exclusive, wrap)),
    };
    opened.unwrap()
}

impl TestStore {
    pub fn new() -> Self {
        Self::at(Place::of_files())
    }

    pub fn at(place: Place) -> Self {
        Self { store: open_wrapped(&place, |catalog, content| (catalog, content)), place }
    }

    pub async fn reopen(self) -> Self {
        self.store.close().await;
        let Self { store, place } = self;
        drop(store);
        Self::at(place)
    }

    /// Removes every file of content that a record may name.
    pub fn lose_files(&self) {
        let content = self.place.path().join("store/content");
        match &self.place.bucket {
            Some(bucket) => bucket.remove_all(),
            None => remove(&walk(&content)),
        }
    }

    /// Waits until so many files of content are left and nothing is on its way: files move on, or go, a moment
    /// after their writer was answered.
    pub async fn assert_settles_at(&self, files: usize) {
        for _ in 0..10_000 {
            if self.files() == (files, 0) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        panic!("{:?} instead of {files}", self.files());
    }

    /// The files of content that a record may name, and what is left in `incoming`; of a bucket all objects.
    pub fn files(&self) -> (usize, usize) {
        if let Some(bucket) = &self.place.bucket {
            return (bucket.object_count(), 0);
        }
        let content = self.place.path().join("store/content");
        let (mut named, mut incoming) = (0, 0);
        for shard in std::fs::read_dir(content).unwrap() {
            let shard = shard.unwrap().path();
            let files = std::fs::read_dir(&shard).unwrap().count();
            if shard.ends_with("incoming") { incoming += files } else { named += files }
        }
        (named, incoming)
    }
}

/// The files of the directories in `directory`.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let shelves = std::fs::read_dir(directory).unwrap();
    let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

fn remove(files: &[PathBuf]) {
    files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
}

pub async fn upload(store: &Store, bytes: &[u8]) -> Result<Uploaded, Error> {
    let mut upload = store.upload();
    for piece in bytes.chunks(300_000) {
        upload.write(Bytes::copy_from_slice(piece)).await?;
    }
    upload.finish().await
}

pub async fn commit(store: &Store, write: Write, bytes: &[u8], ms: i64) -> Result<WriteOutcome, CommitError> {
    let has_bytes = write.state.as_ref().is_some_and(|state| state.content.is_some());
    let content = if has_bytes { Some(upload(store, bytes).await?) } else { None };
    store.commit(&testing::tenant("t"), write, content, testing::at(ms)).await
}

pub async fn put(store: &Store, name: &str, bytes: &[u8]) -> Document {
    match commit(store, testing::update(name), bytes, 1).await.unwrap() {
        WriteOutcome::Created(document) | WriteOutcome::Updated(document) => document,
        other => panic!("{other:?}"),
    }
}

/// The bytes of the current version; `None` if there is none or it is a deletion.
pub async fn read(store: &Store, name: &str) -> Result<Option<Bytes>, Error> {
    let stored = store.current(&testing::tenant("t"), &ResourceType::BINARY, &testing::id(name)).await?;
    match stored {
        Some(stored) if stored.document.description.is_some() => {
            read_all(&store.content(&stored).await?).await.map(Some)
        }
        _ => Ok(None),
    }
}

pub async fn read_all(content: &Content) -> Result<Bytes, Error> {
    content.read(0..content.size_bytes()).await
}

pub async fn assert_clean(store: &Store) {
    let findings = store.check(false, &|_, _| {}).await.unwrap();
    assert!(findings.is_empty(), "{findings:?}");
}

/// Bytes that differ for each seed and do not repeat.
pub fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(length)
    .collect()
}

/// Each of these claims about a store four times: with files, with content in a bucket, with records in a database as
/// well, and with that bucket in a store that runs elsewhere.
macro_rules! over_each_place {
    ($($claim:ident),* $(,)?) => {
        mod over_files {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $claim() {
                super::$claim(crate::support::Place::of_files).await;
            }
        )*}
        mod over_a_bucket {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $claim() {
                super::$claim(crate::support::Place::of_bucket).await;
            }
        )*}
        mod over_postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs TEST_POSTGRES_URL"]
            async fn $claim() {
                super::$claim(crate::support::Place::of_database).await;
            }
        )*}
        mod over_real_s3 {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs TEST_POSTGRES_URL and TEST_S3_URL"]
            async fn $claim() {
                super::$claim(crate::support::Place::of_real_s3).await;
            }
        )*}
    };
}
pub(crate) use over_each_place;

/// A catalog without a store around it.
pub struct Alone;

impl Companion for Alone {
    fn changing(&self, _: &[(TenantId, ResourceType, ResourceId)]) {}
    fn changed(&self, _: &[(TenantId, ResourceType, ResourceId)]) {}
    fn holds(&self, _: &str, _: u64) -> bool {
        true
    }
    fn replaced(&self) {}
}
