//! Every call to a backend fails once, in every use case.
//!
//! After each failure the store is opened anew: a check is clean, what was acknowledged is there, and
//! nothing is half there.

use std::sync::Arc;

use charta_model::{Guard, HistoryQuery, HistoryScope, Query, ResourceType};
use charta_store::{
    CommitError, Error, Store,
    testing::{
        self, entry,
        faulty::{Fault, FaultyCatalog, FaultyContent},
    },
};

use crate::support::{Place, assert_clean, bytes, commit, open_wrapped, over_each_place, put, read, upload};

over_each_place!(
    creating_a_small_document,
    creating_a_large_document,
    updating_a_small_document_to_a_large_one,
    storing_bytes_that_are_there_already,
    deleting,
    purging_and_sweeping,
    reading_in_every_way,
    checking_and_repairing,
    a_transaction,
);

fn open(place: &Place, fault: &Fault) -> Store {
    open_wrapped(place, |catalog, content| {
        let catalog = FaultyCatalog { inner: catalog, fault: fault.clone() };
        let content = FaultyContent { inner: content, fault: fault.clone() };
        (Arc::new(catalog), Arc::new(content))
    })
}

/// Some bytes before, other bytes after; `None`: no document.
type Bytes = Option<Vec<u8>>;

/// Runs `case` with the 1st, 2nd, 3rd … call failing until none fails. Each time, the document "x" holds
/// `before` and, if the case says that it succeeded, must hold `after`; else either of them.
async fn fail_each_call<F>(place: fn() -> Place, before: Bytes, after: Bytes, case: impl Fn(Store) -> F)
where
    F: Future<Output = Result<(), Error>>,
{
    for lost_answer in [false, true] {
        for call in 1.. {
            let place = place();
            let fault = Fault::default();
            let store = open(&place, &fault);
            put(&store, "bystander", &bytes(9, 5000)).await;
            if let Some(before) = &before {
                put(&store, "x", before).await;
            }
            fault.arm(call, lost_answer);
            let result = case(store.clone()).await;
            let failed = fault.disarm();
            if let Err(error) = &result {
                assert!(failed && error.is_transient(), "{error:?}");
            }
            check(&store, &before, &after, result.is_ok()).await;
            store.close().await;
            drop(store);
            let store = open(&place, &fault);
            check(&store, &before, &after, !failed).await;
            assert_clean(&store).await;
            if !failed {
                assert!(call > 1, "the case made no call");
                break;
            }
        }
    }
}

async fn check(store: &Store, before: &Bytes, after: &Bytes, succeeded: bool) {
    let found = read(store, "x").await.unwrap().map(|bytes| bytes.to_vec());
    assert!(found == *after || (!succeeded && found == *before), "half done");
    // Where a record was written with it, both are there or none.
    let record =
        store.current(&testing::tenant("t"), &ResourceType::PATIENT, &testing::id("x")).await.unwrap();
    if let Some(source) = record.as_ref().and_then(|record| record.document.source()) {
        assert_eq!(Some(source.body.clone()), found.map(|bytes| bytes.len().to_string()));
    }
    assert_eq!(read(store, "bystander").await.unwrap().unwrap(), bytes(9, 5000));
}

async fn done<T>(result: impl Future<Output = Result<T, CommitError>>) -> Result<(), Error> {
    match result.await {
        Ok(_) => Ok(()),
        Err(CommitError::Store(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

async fn creating_a_small_document(place: fn() -> Place) {
    fail_each_call(place, None, Some(b"small".into()), |store| async move {
        done(commit(&store, testing::update("x"), b"small", 1)).await
    })
    .await;
}

async fn creating_a_large_document(place: fn() -> Place) {
    fail_each_call(place, None, Some(bytes(1, 700_000)), |store| async move {
        done(commit(&store, testing::update("x"), &bytes(1, 700_000), 1)).await
    })
    .await;
}

async fn updating_a_small_document_to_a_large_one(place: fn() -> Place) {
    fail_each_call(place, Some(b"small".into()), Some(bytes(1, 5000)), |store| async move {
        done(commit(&store, testing::update("x"), &bytes(1, 5000), 1)).await
    })
    .await;
}

async fn storing_bytes_that_are_there_already(place: fn() -> Place) {
    fail_each_call(place, None, Some(bytes(9, 5000)), |store| async move {
        done(commit(&store, testing::update("x"), &bytes(9, 5000), 1)).await
    })
    .await;
}

async fn deleting(place: fn() -> Place) {
    fail_each_call(place, Some(bytes(1, 5000)), None, |store| async move {
        done(commit(&store, testing::delete("x"), b"", 1)).await
    })
    .await;
}

async fn purging_and_sweeping(place: fn() -> Place) {
    fail_each_call(place, Some(bytes(1, 5000)), None, |store| async move {
        store.purge(&testing::tenant("t"), &ResourceType::BINARY, &testing::id("x")).await?;
        store.sweep().await.map(drop)
    })
    .await;
}

async fn reading_in_every_way(place: fn() -> Place) {
    fail_each_call(place, Some(bytes(1, 5000)), Some(bytes(1, 5000)), |store| async move {
        let (tenant, id) = (testing::tenant("t"), testing::id("x"));
        let current = store.current(&tenant, &ResourceType::BINARY, &id).await?.unwrap();
        store.content(&current).await?;
        let version = store.version(&tenant, &ResourceType::BINARY, &id, 1).await?.unwrap();
        assert_eq!(version.document, current.document);
        let scope = HistoryScope::Document(ResourceType::BINARY, id);
        let history = HistoryQuery { scope, since: None, at: None, before: None, limit: 5 };
        assert_eq!(store.history(&tenant, &history).await?.total, 1);
        assert_eq!(store.search(&tenant, &Query { limit: 5, ..testing::binaries() }).await?.total, 2);
        store.statistics().await?;
        store.ping().await
    })
    .await;
}

#[tokio::test]
async fn backing_up() {
    fail_each_call(Place::of_files, Some(bytes(1, 5000)), Some(bytes(1, 5000)), |store| async move {
        let place = tempfile::tempdir().unwrap();
        let result = store.backup(&place.path().join("backup"), &|_, _| {}).await;
        let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().collect();
        assert_eq!(left.len(), usize::from(result.is_ok()), "{left:?}");
        result.map(drop)
    })
    .await;
}

async fn checking_and_repairing(place: fn() -> Place) {
    fail_each_call(place, Some(bytes(1, 5000)), Some(bytes(1, 5000)), |store| async move {
        store.check(true, &|_, _| {}).await.map(|findings| assert_eq!(findings, []))
    })
    .await;
}

async fn a_transaction(place: fn() -> Place) {
    fail_each_call(place, Some(bytes(1, 5000)), Some(bytes(2, 7000)), |store| async move {
        let tenant = testing::tenant("t");
        let write = async |store: &Store, write, bytes: &[u8]| {
            let uploaded = upload(store, bytes).await?;
            Ok::<_, Error>((write, Some(uploaded)))
        };
        let record =
            entry::with(testing::put_record("Patient", "x", "7000"), [entry::token("code", "s", "x")]);
        let writes = vec![
            write(&store, testing::update("x"), &bytes(2, 7000)).await?,
            write(&store, testing::update("y"), &bytes(3, 6000)).await?,
            (entry::linking(record, [entry::link("x", Some(2))]), None),
            (testing::delete("y"), None),
        ];
        let guards = vec![Guard { criteria: testing::by_tag("none"), found: None }];
        let outcomes = store.transact(&tenant, writes, guards, testing::at(2)).await;
        let outcomes = done(async { outcomes.map_err(|failed| failed.error) }).await;
        outcomes?;
        let patient = [(ResourceType::PATIENT, testing::id("x"))];
        assert_eq!(store.referrers(&tenant, &testing::id("x"), 9).await?.len(), 1);
        assert_eq!(store.references(&tenant, &patient, None, None).await?, []);
        let referring = store.referring(&tenant, &patient, &testing::scope("Patient"), None, 9).await?;
        assert_eq!(referring.len(), 0);
        Ok(())
    })
    .await;
}
