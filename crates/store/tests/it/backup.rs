//! Backups, restores, and what a check finds.

use std::{fs, path::Path};

use charta_model::{Digest, ResourceType};
use charta_store::{
    Access, Error, Options, Store,
    testing::{self, entry},
};

use crate::support::{Place, TestStore, assert_clean, bytes, commit, options, put, read};

async fn fill(store: &Store) {
    for seed in 0..20 {
        put(store, &format!("small{seed}"), &bytes(seed, 100)).await;
        put(store, &format!("large{seed}"), &bytes(seed, 5000 + seed as usize)).await;
    }
    put(store, "large0", b"updated").await;
    commit(store, testing::delete("large1"), b"", 2).await.unwrap();
    let record = entry::with(testing::put_record("Patient", "p", "source"), [entry::token("code", "s", "x")]);
    commit(store, entry::linking(record, [entry::link("small3", None)]), b"", 1).await.unwrap();
}

async fn assert_filled(store: &Store) {
    for seed in 2..20 {
        assert_eq!(read(store, &format!("small{seed}")).await.unwrap().unwrap(), bytes(seed, 100));
        let large = read(store, &format!("large{seed}")).await.unwrap().unwrap();
        assert_eq!(large, bytes(seed, 5000 + seed as usize));
    }
    assert_eq!(read(store, "large0").await.unwrap().unwrap(), "updated");
    assert!(read(store, "large1").await.unwrap().is_none());
    let tenant = testing::tenant("t");
    let record = store.current(&tenant, &ResourceType::PATIENT, &testing::id("p")).await.unwrap().unwrap();
    assert_eq!(record.document.source().unwrap().body, "source");
    assert_eq!(store.referrers(&tenant, &testing::id("small3"), 9).await.unwrap().len(), 1);
    assert_clean(store).await;
}

fn restore(from: &Path, to: &Path) -> Result<charta_store::BackupSummary, Error> {
    Store::restore(from, to, &|_, _| {})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_writes_is_a_store_of_one_instant_over_files() {
    a_backup_beside_writes_is_a_store_of_one_instant(Place::of_files).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_writes_is_a_store_of_one_instant_over_a_bucket() {
    a_backup_beside_writes_is_a_store_of_one_instant(Place::of_bucket).await;
}

async fn a_backup_beside_writes_is_a_store_of_one_instant(place: fn() -> Place) {
    let store = TestStore::at(place());
    fill(&store).await;
    let writer = {
        let store = store.store.clone();
        tokio::spawn(async move {
            for number in 0..u64::MAX {
                // Always the small one first: no instant has more large versions than small ones.
                put(&store, "pair-small", format!("{number}").as_bytes()).await;
                put(&store, "pair-large", &bytes(number, 4000)).await;
            }
        })
    };
    for (number, beside) in [(0, false), (1, true)] {
        let backup = store.place.path().join(format!("backup{number}"));
        let other = Store::open(&options(&store.place), Access::ReadOnly).unwrap();
        let from = if beside { &other } else { &store.store };
        let summary = from.backup(&backup, &|done, total| assert!(done <= total)).await.unwrap();
        assert!(summary.findings.is_empty() && summary.documents >= 39, "{summary:?}");

        let restored = store.place.path().join(format!("restored{number}"));
        let to = restored.clone();
        let again = tokio::task::spawn_blocking(move || restore(&backup, &to)).await.unwrap().unwrap();
        assert_eq!(
            (again.documents, again.contents, again.bytes),
            (summary.documents, summary.contents, summary.bytes)
        );
        let restored = Store::open(&Options::new(&restored), Access::Exclusive).unwrap();
        assert_filled(&restored).await;
        assert_eq!(restored.secret(), store.secret());
        let version = async |name: &str| {
            let stored = restored
                .current(&testing::tenant("t"), &ResourceType::BINARY, &testing::id(name))
                .await
                .unwrap();
            stored.map_or(0, |stored| stored.document.version)
        };
        let (small, large) = (version("pair-small").await, version("pair-large").await);
        assert!(small == large || small == large + 1, "{small} {large}");
    }
    writer.abort();
    let _ = writer.await;
    assert_filled(&store).await;
}

#[tokio::test]
async fn a_backup_does_not_overwrite() {
    let store = TestStore::new();
    let place = store.place.path().join("there");
    fs::create_dir(&place).unwrap();
    let refused = store.backup(&place, &|_, _| {}).await;
    assert!(matches!(refused, Err(Error::Unusable(_))), "{refused:?}");
    fs::write(place.join("letter"), "x").unwrap();
    let source = store.place.path().join("store");
    let refused = tokio::task::spawn_blocking(move || restore(&source, &place)).await.unwrap();
    assert!(matches!(refused, Err(Error::Unusable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_sweep_waits_for_backups() {
    let store = TestStore::new();
    put(&store, "a", &bytes(1, 5000)).await;
    store.purge(&testing::tenant("t"), &ResourceType::BINARY, &testing::id("a")).await.unwrap();
    let lock = fs::File::open(store.place.path().join("store/sweep.lock")).unwrap();
    lock.lock_shared().unwrap();
    let refused = store.sweep().await;
    assert!(refused.is_err_and(|error| error.is_transient()));
    lock.unlock().unwrap();
    assert_eq!(store.sweep().await.unwrap().files, 1);
}

fn file_of(store: &TestStore, bytes: &[u8]) -> std::path::PathBuf {
    let hex = Digest::of(bytes).hex();
    let shard = store.place.path().join("store/content").join(&hex[..2]);
    let mut files = fs::read_dir(shard).unwrap().map(|file| file.unwrap().path());
    files.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&hex)).unwrap()
}

async fn problems(store: &Store, repair: bool) -> Vec<String> {
    let findings = store.check(repair, &|_, _| {}).await.unwrap();
    findings.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_check_finds_damaged_missing_and_foreign_content() {
    let store = TestStore::new();
    let [damaged, short, missing] = [bytes(1, 5000), bytes(2, 5000), bytes(3, 5000)];
    for (name, bytes) in [("damaged", &damaged), ("short", &short), ("missing", &missing)] {
        put(&store, name, bytes).await;
    }
    store.assert_settles_at(3).await;
    let mut other = damaged.clone();
    other[4999] ^= 1;
    fs::write(file_of(&store, &damaged), other).unwrap();
    fs::write(file_of(&store, &short), &short[..4999]).unwrap();
    fs::remove_file(file_of(&store, &missing)).unwrap();
    let foreign = store.place.path().join("store/content/ab");
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("foreign"), "x").unwrap();

    let found = problems(&store, false).await;
    assert_eq!(found.len(), 4, "{found:?}");
    for words in
        ["another digest", "4999 bytes instead of 5000", "is missing", "ab/foreign (1 bytes) belongs to no"]
    {
        assert!(found.iter().any(|found| found.contains(words)), "{words}: {found:?}");
    }
    let repaired = problems(&store, true).await;
    assert_eq!(repaired.iter().filter(|found| found.ends_with("(repaired)")).count(), 1, "{repaired:?}");
    assert_eq!(problems(&store, false).await.len(), 3, "what is lost stays reported");

    let summary = store.backup(&store.place.path().join("backup"), &|_, _| {}).await.unwrap();
    assert_eq!(summary.findings.len(), 3, "{summary:?}");
}

#[tokio::test]
async fn a_repair_derives_indexes_again() {
    let store = TestStore::new();
    let write =
        testing::write(charta_model::Intent::Update { id: testing::id("a") }, testing::tagged("s", "x"));
    commit(&store, write, b"1", 1).await.unwrap();
    store.close().await;
    let catalog = rusqlite::Connection::open(store.place.path().join("store/catalog.sqlite")).unwrap();
    catalog
        .execute_batch(
            "DELETE FROM entry; UPDATE document SET essence = 'x/y'; UPDATE tally SET documents = 7",
        )
        .unwrap();
    drop(catalog);
    let store = store.reopen().await;
    let found = problems(&store, false).await;
    assert_eq!(found.len(), 2, "{found:?}");
    let repaired = problems(&store, true).await;
    assert!(
        repaired.len() == 2 && repaired.iter().all(|found| found.ends_with("(repaired)")),
        "{repaired:?}"
    );
    assert_clean(&store).await;
    assert_eq!(store.search(&testing::tenant("t"), &testing::by_tag("x")).await.unwrap().total, 1);
}

#[tokio::test]
async fn entries_and_links_of_nobody_are_found_and_removed() {
    let store = TestStore::new();
    let write = entry::with(testing::put_record("Patient", "a", "1"), [entry::token("code", "s", "x")]);
    commit(&store, entry::linking(write, [entry::link("b", None)]), b"", 1).await.unwrap();
    commit(&store, testing::put_record("Patient", "gone", "1"), b"", 1).await.unwrap();
    commit(&store, testing::delete_record("Patient", "gone"), b"", 2).await.unwrap();
    store.close().await;
    let catalog = rusqlite::Connection::open(store.place.path().join("store/catalog.sqlite")).unwrap();
    catalog
        .execute_batch(
            "INSERT INTO entry (document, parameter, number, part, value, sequence) VALUES
              (99, 1, 0, 0, 'x', 1), (2, 1, 0, 0, 'x', 1), (1, 99, 0, 0, 'x', 1);
             INSERT INTO link SELECT tenant, binary, 99, version, in_error, document FROM link;",
        )
        .unwrap();
    drop(catalog);
    let store = store.reopen().await;
    let found = problems(&store, false).await;
    assert_eq!(
        found,
        ["search index: 3 entries belong to no document", "search index: 1 links belong to no version"]
    );
    assert_eq!(problems(&store, true).await.len(), 2);
    assert_clean(&store).await;
    assert_eq!(store.referrers(&testing::tenant("t"), &testing::id("b"), 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_gap_in_the_versions_is_found() {
    let store = TestStore::new();
    for text in ["1", "2", "3"] {
        put(&store, "a", text.as_bytes()).await;
    }
    store.close().await;
    let catalog = rusqlite::Connection::open(store.place.path().join("store/catalog.sqlite")).unwrap();
    catalog.execute_batch("DELETE FROM version WHERE version = 2; UPDATE tally SET versions = 2").unwrap();
    drop(catalog);
    let store = store.reopen().await;
    assert_eq!(problems(&store, true).await, ["Binary/a: version 3 follows version 1"]);
}
