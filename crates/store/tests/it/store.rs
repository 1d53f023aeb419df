//! Opening, sizes, sweeps, the cache: what catalog and content do together.

use std::{fs, sync::Arc};

use bytes::Bytes;
use charta_model::{Change, Digest, ResourceType};
use charta_store::{Access, CommitError, Error, OpenError, Options, Store, testing};

use crate::support::{
    INLINE_BYTES_MAX, Place, TestStore, assert_clean, bytes, commit, options, over_each_place, put, read,
    read_all, upload,
};

over_each_place!(
    every_size_comes_back_byte_for_byte,
    any_range_of_a_file_can_be_read,
    what_is_refused_or_given_up_leaves_nothing,
    after_closing_everything_says_so,
    a_sweep_frees_what_was_purged_and_nothing_else,
    sweeps_beside_writes_lose_nothing,
    storing_the_same_bytes_again_brings_back_what_was_lost,
);

async fn every_size_comes_back_byte_for_byte(place: fn() -> Place) {
    let store = TestStore::at(place());
    let max = INLINE_BYTES_MAX;
    let sizes = [1, max - 1, max, max + 1, 256 << 10, (256 << 10) + 1, 3_000_001];
    for (seed, size) in (0..).zip(sizes) {
        let bytes = bytes(seed, size);
        let document = put(&store, &format!("d{size}"), &bytes).await;
        assert_eq!(document.content().unwrap().digest, Digest::of(&bytes));
        assert_eq!(read(&store, &format!("d{size}")).await.unwrap().unwrap(), bytes, "{size}");
    }
    store.assert_settles_at(4).await;
    let store = store.reopen().await;
    for (seed, size) in (0..).zip(sizes) {
        assert_eq!(read(&store, &format!("d{size}")).await.unwrap().unwrap(), bytes(seed, size), "{size}");
    }
    assert_clean(&store).await;
}

#[tokio::test]
async fn a_file_is_named_by_its_digest() {
    let store = TestStore::new();
    let bytes = bytes(1, 5000);
    put(&store, "a", &bytes).await;
    store.assert_settles_at(1).await;
    let hex = Digest::of(&bytes).hex();
    let shard = store.place.path().join("store/content").join(&hex[..2]);
    let name = fs::read_dir(shard).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    assert!(name.starts_with(&format!("{hex}-")), "{name}");
}

async fn any_range_of_a_file_can_be_read(place: fn() -> Place) {
    let store = TestStore::at(place());
    let bytes = bytes(1, 100_000);
    put(&store, "a", &bytes).await;
    let stored = store
        .current(&testing::tenant("t"), &ResourceType::BINARY, &testing::id("a"))
        .await
        .unwrap()
        .unwrap();
    let content = store.content(&stored).await.unwrap();
    assert!(content.file().is_some() != content.is_remote() && content.memory().is_none());
    for (start, end) in [(0, 1), (0, 100_000), (99_999, 100_000), (4095, 4097), (7, 7)] {
        let part = content.read(start..end).await.unwrap();
        assert_eq!(part, &bytes[start as usize..end as usize]);
        if let Some(now) = content.read_now(start..end) {
            assert_eq!(now.unwrap(), part);
        }
    }
    assert!(matches!(content.read(0..100_001).await, Err(Error::Unusable(_))));
}

async fn what_is_refused_or_given_up_leaves_nothing(place: fn() -> Place) {
    let store = TestStore::at(place());
    let mut half = store.upload();
    half.write(Bytes::from(bytes(1, 400_000))).await.unwrap();
    let files = usize::from(store.place.bucket.is_none());
    assert_eq!((half.size_bytes(), store.files()), (400_000, (0, files)));
    drop(half);
    drop(upload(&store, &bytes(2, 5000)).await.unwrap());
    let mut stale = testing::update("a");
    stale.if_match = Some(charta_model::VersionMatch::Any);
    let refused = commit(&store, stale, &bytes(3, 5000), 1).await;
    assert!(matches!(refused, Err(CommitError::NotThere)));
    store.assert_settles_at(0).await;
    assert_clean(&store).await;
}

#[tokio::test]
async fn the_second_of_two_is_told_that_the_store_is_in_use() {
    let store = TestStore::new();
    let second = Store::open(&options(&store.place), Access::Exclusive).map(drop);
    assert!(matches!(&second, Err(OpenError::InUse { .. })), "{second:?}");
    put(&store, "a", b"1").await;
    let beside = Store::open(&options(&store.place), Access::ReadOnly).unwrap();
    assert_eq!(read(&beside, "a").await.unwrap().unwrap(), "1");
    put(&store, "a", b"2").await;
    assert_eq!(read(&beside, "a").await.unwrap().unwrap(), "2");
    assert_eq!(beside.secret(), store.secret());
    let refused = commit(&beside, testing::update("a"), b"3", 1).await;
    assert!(matches!(refused, Err(CommitError::Store(Error::ReadOnly))), "{refused:?}");
    assert_clean(&beside).await;
}

#[tokio::test]
async fn what_is_no_store_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("letters.txt"), "x").unwrap();
    for access in [Access::Exclusive, Access::ReadOnly] {
        let opened = Store::open(&Options::new(place.path()), access).map(drop);
        assert!(matches!(&opened, Err(OpenError::NotAStore { .. })), "{opened:?}");
    }
    fs::remove_file(place.path().join("letters.txt")).unwrap();
    fs::write(place.path().join("catalog.sqlite"), "not a database, but long enough to look at".repeat(50))
        .unwrap();
    let opened = Store::open(&Options::new(place.path()), Access::Exclusive).map(drop);
    assert!(matches!(&opened, Err(OpenError::NotAStore { .. })), "{opened:?}");
    let absent = Store::open(&Options::new(place.path().join("absent")), Access::ReadOnly).map(drop);
    assert!(matches!(&absent, Err(OpenError::NotAStore { .. })), "{absent:?}");
}

#[tokio::test]
async fn the_schema_of_a_newer_release_is_refused() {
    let store = TestStore::new();
    store.close().await;
    let catalog = rusqlite::Connection::open(store.place.path().join("store/catalog.sqlite")).unwrap();
    catalog.pragma_update(None, "user_version", 99).unwrap();
    drop(catalog);
    for access in [Access::Exclusive, Access::ReadOnly] {
        let opened = Store::open(&options(&store.place), access).map(drop);
        assert!(matches!(&opened, Err(OpenError::NewerSchema { found: 99, .. })), "{opened:?}");
    }
}

async fn after_closing_everything_says_so(place: fn() -> Place) {
    let store = TestStore::at(place());
    put(&store, "a", b"1").await;
    store.close().await;
    let again = commit(&store, testing::update("a"), b"2", 1).await;
    assert!(matches!(again, Err(CommitError::Store(Error::Closed))), "{again:?}");
    assert!(matches!(read(&store, "a").await, Err(Error::Closed)));
    let store = store.reopen().await;
    assert_eq!(read(&store, "a").await.unwrap().unwrap(), "1");
}

async fn a_sweep_frees_what_was_purged_and_nothing_else(place: fn() -> Place) {
    let store = TestStore::at(place());
    let (shared, single) = (bytes(1, 5000), bytes(2, 6000));
    put(&store, "a", &shared).await;
    put(&store, "a", &single).await;
    put(&store, "b", &shared).await;
    put(&store, "small", b"small").await;
    assert_eq!(store.sweep().await.unwrap(), charta_store::Swept::default());

    let tenant = testing::tenant("t");
    let version = store.version(&tenant, &ResourceType::BINARY, &testing::id("a"), 2).await.unwrap().unwrap();
    let reading = store.content(&version).await.unwrap();
    for name in ["a", "small"] {
        assert!(store.purge(&tenant, &ResourceType::BINARY, &testing::id(name)).await.unwrap());
        assert!(store.current(&tenant, &ResourceType::BINARY, &testing::id(name)).await.unwrap().is_none());
    }
    let swept = store.sweep().await.unwrap();
    assert_eq!((swept.contents, swept.files, swept.bytes), (2, 1, 6005));
    assert_eq!(store.sweep().await.unwrap(), charta_store::Swept::default());
    assert_eq!(read_all(&reading).await.unwrap(), single, "an opened read goes on");
    assert!(matches!(store.content(&version).await, Err(Error::Missing(_))));
    drop(reading);
    store.assert_settles_at(1).await;
    assert_eq!(read(&store, "b").await.unwrap().unwrap(), shared);
    assert_clean(&store).await;
}

async fn sweeps_beside_writes_lose_nothing(place: fn() -> Place) {
    let store = TestStore::at(place());
    let writers: Vec<_> = (0..4u64)
        .map(|writer| {
            let store = store.store.clone();
            tokio::spawn(async move {
                for round in 0..40 {
                    // The same bytes come and go in all writers, so that sweeps and writes meet in them.
                    let (name, bytes) = (format!("w{writer}"), bytes(round % 3, 3000));
                    put(&store, &name, &bytes).await;
                    assert_eq!(read(&store, &name).await.unwrap().unwrap(), bytes);
                    store
                        .purge(&testing::tenant("t"), &ResourceType::BINARY, &testing::id(&name))
                        .await
                        .unwrap();
                }
                put(&store, &format!("last{writer}"), &bytes(writer, 3000)).await;
            })
        })
        .collect();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        store.sweep().await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    store.sweep().await.unwrap();
    store.assert_settles_at(4).await;
    for writer in 0..4 {
        assert_eq!(read(&store, &format!("last{writer}")).await.unwrap().unwrap(), bytes(writer, 3000));
    }
    assert_clean(&store).await;
}

#[tokio::test]
async fn the_cache_holds_what_is_current() {
    let store = TestStore::new();
    let (tenant, id) = (testing::tenant("t"), testing::id("a"));
    put(&store, "a", b"1").await;
    assert!(store.cached(&tenant, &ResourceType::BINARY, &id).is_none());
    let first = store.current(&tenant, &ResourceType::BINARY, &id).await.unwrap().unwrap();
    let cached = store.cached(&tenant, &ResourceType::BINARY, &id).unwrap();
    assert!(Arc::ptr_eq(&first, &cached));
    put(&store, "a", b"2").await;
    assert!(store.cached(&tenant, &ResourceType::BINARY, &id).is_none());
    commit(&store, testing::delete("a"), b"", 1).await.unwrap();
    let deleted = store.current(&tenant, &ResourceType::BINARY, &id).await.unwrap().unwrap();
    assert_eq!(deleted.document.change, Change::Deleted);
    assert_eq!(store.cached(&tenant, &ResourceType::BINARY, &id).unwrap().document, deleted.document);
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.documents, statistics.versions, statistics.cached_documents), (0, 3, 1));
}

/// Contract 10, by brute force: a reader never sees less than was acknowledged before it began, nor less
/// than it saw before.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_readers_never_see_the_past() {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    let store = TestStore::new();
    let (tenant, id) = (testing::tenant("t"), testing::id("a"));
    put(&store, "a", b"0").await;
    let (acknowledged, done) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, acknowledged, done) =
                (store.store.clone(), Arc::clone(&acknowledged), Arc::clone(&done));
            let (tenant, id) = (tenant.clone(), id.clone());
            tokio::spawn(async move {
                let mut seen = 0;
                while !done.load(Ordering::SeqCst) {
                    let least = acknowledged.load(Ordering::SeqCst).max(seen);
                    let stored = store.current(&tenant, &ResourceType::BINARY, &id).await.unwrap().unwrap();
                    seen = stored.document.version;
                    assert!(seen >= least, "version {seen} after {least}");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 1..1500u64 {
        let document = put(&store, "a", number.to_string().as_bytes()).await;
        acknowledged.store(document.version, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}

async fn storing_the_same_bytes_again_brings_back_what_was_lost(place: fn() -> Place) {
    let store = TestStore::at(place());
    let bytes = bytes(1, 5000);
    put(&store, "a", &bytes).await;
    store.assert_settles_at(1).await;
    store.lose_files();
    let findings = store.check(true, &|_, _| {}).await.unwrap();
    assert!(findings.len() == 1 && findings[0].to_string().ends_with("is missing"), "{findings:?}");
    put(&store, "b", &bytes).await;
    for name in ["a", "b"] {
        assert_eq!(read(&store, name).await.unwrap().unwrap(), bytes);
    }
    assert_clean(&store).await;
}
