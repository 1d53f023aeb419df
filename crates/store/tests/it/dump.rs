//! Keeping several nodes' store as docs/operations/cluster.md says: a dump of the database, and a copy of the bucket that
//! is not older.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use charta_model::ResourceType;
use charta_store::{Access, CatalogPlace, ContentPlace, Options, Store, testing};

use crate::{
    bucket::Bucket,
    database::{Database, place},
    support::{INLINE_BYTES_MAX, assert_clean, bytes, put, read},
};

/// Runs one of PostgreSQL's programs on the tests' database.
fn run(program: &str, arguments: &[&str]) {
    let versions = fs::read_dir("/usr/lib/postgresql").unwrap().map(|version| version.unwrap().path());
    let newest = versions.max().unwrap().join("bin").join(program);
    let done = Command::new(newest).arg("--dbname").arg(place()).args(arguments).output().unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The objects by where they are.
fn copy(bucket: &Bucket) -> Vec<(PathBuf, Vec<u8>)> {
    bucket.objects().into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Two of each seed: one in the database, one in the bucket.
async fn fill(store: &Store, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        put(store, &format!("small{seed}"), &bytes(seed, 100)).await;
        put(store, &format!("large{seed}"), &bytes(seed, 5000)).await;
    }
}

async fn open(database: &Database, bucket: &Bucket, directory: &Path) -> Store {
    let options = Options {
        catalog: CatalogPlace::Postgres(database.url().clone()),
        content: ContentPlace::S3(bucket.place()),
        inline_bytes_max: INLINE_BYTES_MAX,
        ..Options::new(directory)
    };
    Store::connect(&options, Access::Exclusive).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_dump_of_postgres_and_a_later_copy_of_the_bucket_are_the_store_of_the_dump() {
    let (database, bucket, directory) = (Database::new().await, Bucket::new(), tempfile::tempdir().unwrap());
    let dump = directory.path().join("dump");
    let dump = dump.to_str().unwrap();

    let store = open(&database, &bucket, &directory.path().join("before")).await;
    fill(&store, 0..10).await;
    run("pg_dump", &["--format=custom", "--schema", database.schema(), "--file", dump]);
    fill(&store, 10..12).await;
    let copied = copy(&bucket);
    for seed in 0..12 {
        let (tenant, id) = (testing::tenant("t"), testing::id(&format!("large{seed}")));
        store.purge(&tenant, &ResourceType::BINARY, &id).await.unwrap();
    }
    store.sweep().await.unwrap();
    assert_eq!(bucket.objects().len(), 0);
    store.close().await;
    drop(store);

    database
        .client()
        .await
        .batch_execute(&format!("DROP SCHEMA {} CASCADE", database.schema()))
        .await
        .unwrap();
    run("pg_restore", &["--exit-on-error", dump]);
    for (path, object) in &copied {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, object).unwrap();
    }

    let store = open(&database, &bucket, &directory.path().join("after")).await;
    for seed in 0..10 {
        assert_eq!(read(&store, &format!("small{seed}")).await.unwrap().unwrap(), bytes(seed, 100));
        assert_eq!(read(&store, &format!("large{seed}")).await.unwrap().unwrap(), bytes(seed, 5000));
    }
    assert!(read(&store, "large10").await.unwrap().is_none(), "it came after the dump");
    let findings = store.check(false, &|_, _| {}).await.unwrap();
    assert_eq!(findings.len(), 2, "what came between dump and copy belongs to nobody: {findings:?}");
    assert_eq!(store.sweep().await.unwrap().files, 2);
    assert_clean(&store).await;

    fs::remove_file(&bucket.objects()[0]).unwrap();
    let findings = store.check(false, &|_, _| {}).await.unwrap();
    assert_eq!(findings.len(), 1, "a copy that lacks an object: {findings:?}");
}
