//! Disks that are full or cannot be written.

use std::{path::Path, process::Command};

use charta_model::ResourceType;
use charta_store::{Access, BackupSummary, CommitError, Error, OpenError, Options, Store, testing};

use crate::support::{assert_clean, bytes, commit, put, read};

/// A small file system in memory, until it is dropped.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(size: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], place.path());
        Self(place)
    }

    fn read_only(&self) {
        mount(&["-o", "remount,ro"], self.0.path());
    }

    fn options(&self) -> Options {
        Options { inline_bytes_max: 2000, ..Options::new(self.0.path().join("store")) }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], place: &Path) {
    let status = Command::new("mount").args(arguments).arg(place).status().unwrap();
    assert!(status.success(), "mount {arguments:?}: {status}");
}

/// Fills the disk with documents of this size; returns how many were acknowledged.
async fn fill(store: &Store, prefix: &str, size: usize) -> u64 {
    for number in 0.. {
        let write = testing::update(&format!("{prefix}{number}"));
        match commit(store, write, &bytes(number, size), 1).await {
            Ok(_) => {}
            Err(CommitError::Store(error @ Error::Full(_))) => {
                assert!(error.is_transient());
                return number;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    unreachable!("a disk is full at some time");
}

#[tokio::test]
#[ignore = "needs root to mount a file system"]
async fn a_full_disk_refuses_writes_and_serves_reads() {
    let disk = Mounted::new("12m");
    let store = Store::open(&disk.options(), Access::Exclusive).unwrap();
    put(&store, "purged", &bytes(77, 2_000_000)).await;
    let large = fill(&store, "large", 300_000).await;
    let medium = fill(&store, "medium", 5000).await;
    let small = fill(&store, "small", 1000).await;
    assert!(large > 5, "{large}");
    for _ in 0..20 {
        let refused = commit(&store, testing::update("x"), &bytes(1, 1500), 1).await;
        assert!(matches!(refused, Err(CommitError::Store(Error::Full(_)))), "{refused:?}");
    }
    let all_there = async |store: &Store| {
        for (prefix, count, size) in
            [("large", large, 300_000), ("medium", medium, 5000), ("small", small, 1000)]
        {
            for number in 0..count {
                let found = read(store, &format!("{prefix}{number}")).await.unwrap().unwrap();
                assert_eq!(found, bytes(number, size));
            }
        }
        assert!(read(store, "x").await.unwrap().is_none());
    };
    all_there(&store).await;
    assert_clean(&store).await;
    assert!(matches!(store.ping().await, Err(Error::Full(_)) | Ok(())));

    // After a restart too, even without room for a byte.
    store.close().await;
    drop(store);
    let store = Store::open(&disk.options(), Access::Exclusive).unwrap();
    all_there(&store).await;
    assert_clean(&store).await;

    // Room makes it go on by itself.
    mount(&["-o", "remount,size=40m"], disk.0.path());
    put(&store, "x", &bytes(5, 100_000)).await;
    store.ping().await.unwrap();
    assert!(store.purge(&testing::tenant("t"), &ResourceType::BINARY, &testing::id("purged")).await.unwrap());
    assert_eq!(store.sweep().await.unwrap().bytes, 2_000_000);
    assert_clean(&store).await;
    store.close().await;
}

#[tokio::test]
#[ignore = "needs root to mount a file system"]
async fn a_backup_to_a_full_disk_leaves_nothing() {
    let (disk, small) = (Mounted::new("20m"), Mounted::new("2m"));
    let store = Store::open(&disk.options(), Access::Exclusive).unwrap();
    for number in 0..10 {
        put(&store, &format!("d{number}"), &bytes(number, 400_000)).await;
    }
    let result: Result<BackupSummary, Error> = store.backup(&small.0.path().join("backup"), &|_, _| {}).await;
    assert!(matches!(result, Err(Error::Full(_))), "{result:?}");
    assert_eq!(std::fs::read_dir(small.0.path()).unwrap().count(), 0);
    store.close().await;
}

#[tokio::test]
#[ignore = "needs root to mount a file system"]
async fn a_read_only_disk_is_readable_and_says_so_otherwise() {
    let disk = Mounted::new("20m");
    let store = Store::open(&disk.options(), Access::Exclusive).unwrap();
    put(&store, "small", b"small").await;
    put(&store, "large", &bytes(1, 300_000)).await;
    store.close().await;
    drop(store);
    disk.read_only();
    let refused = Store::open(&disk.options(), Access::Exclusive).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::Io { .. } | OpenError::Catalog { .. }), "{refused:?}");
    assert!(refused.to_string().contains("store") && !refused.to_string().contains('\n'), "{refused}");
    let store = Store::open(&disk.options(), Access::ReadOnly).unwrap();
    assert_eq!(read(&store, "small").await.unwrap().unwrap(), "small");
    assert_eq!(read(&store, "large").await.unwrap().unwrap(), bytes(1, 300_000));
    assert_clean(&store).await;
    store.ping().await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let summary = store.backup(&elsewhere.path().join("backup"), &|_, _| {}).await.unwrap();
    assert_eq!((summary.documents, summary.findings.len()), (2, 0));
}
