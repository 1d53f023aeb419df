//! Random sequences of operations against a model in memory.

use std::collections::BTreeMap;

use charta_model::{
    Change, HistoryQuery, HistoryScope, Intent, Query, ResourceType, VersionMatch, Write, WriteOutcome,
};
use charta_store::{CommitError, testing};
use proptest::prelude::*;

use crate::support::{Place, TestStore, assert_clean, bytes, commit, read_all};

#[derive(Debug, Clone)]
enum Operation {
    /// Which document, which bytes, which tag if any, and whether only over the version it is thought to
    /// have.
    Put(u8, u8, Option<u8>, Option<u64>),
    Delete(u8),
    PutByTag(u8, u8),
    Purge(u8),
    Sweep,
    Reopen,
}

fn operation() -> impl Strategy<Value = Operation> {
    let document = 0..4u8;
    prop_oneof![
        8 => (document.clone(), 0..6u8, proptest::option::of(0..2u8), proptest::option::weighted(0.3, 1..4u64))
            .prop_map(|(d, b, t, v)| Operation::Put(d, b, t, v)),
        3 => document.clone().prop_map(Operation::Delete),
        3 => (0..2u8, 0..6u8).prop_map(|(tag, bytes)| Operation::PutByTag(tag, bytes)),
        1 => document.prop_map(Operation::Purge),
        1 => Just(Operation::Sweep),
        1 => Just(Operation::Reopen),
    ]
}

/// One version, or a deletion.
type Version = Option<State>;

/// Bytes and tags.
type State = (Vec<u8>, Vec<u8>);

/// Documents and their versions from 1.
#[derive(Default)]
struct Model(BTreeMap<String, Vec<Version>>);

#[derive(Debug, PartialEq)]
enum Expected {
    Created,
    Updated,
    Unchanged,
    Deleted,
    Nothing,
    Failed,
    NotThere,
    Several,
}

impl Model {
    fn live(&self, name: &str) -> Option<(u64, &State)> {
        let versions = self.0.get(name)?;
        Some((versions.len() as u64, versions.last()?.as_ref()?))
    }

    fn put(&mut self, name: &str, bytes: Vec<u8>, tag: Option<u8>, only: Option<u64>) -> Expected {
        let live = self.live(name);
        match (only, live) {
            (Some(_), None) => return Expected::NotThere,
            (Some(only), Some((version, _))) if only != version => return Expected::Failed,
            _ => {}
        }
        let mut tags = live.map_or_else(Vec::new, |(_, (_, tags))| tags.clone());
        tags.retain(|old| Some(*old) != tag);
        tags.extend(tag);
        let next = (bytes, tags);
        let expected = match live {
            Some((_, old)) if *old == next => return Expected::Unchanged,
            Some(_) => Expected::Updated,
            None => Expected::Created,
        };
        self.0.entry(name.into()).or_default().push(Some(next));
        expected
    }

    fn delete(&mut self, name: &str) -> Expected {
        if self.live(name).is_none() {
            return Expected::Nothing;
        }
        self.0.entry(name.into()).or_default().push(None);
        Expected::Deleted
    }

    fn tagged(&self, tag: u8) -> Vec<String> {
        let has = |name: &&String| self.live(name).is_some_and(|(_, (_, tags))| tags.contains(&tag));
        self.0.keys().filter(has).cloned().collect()
    }
}

fn said(result: &Result<WriteOutcome, CommitError>) -> Expected {
    match result {
        Ok(WriteOutcome::Created(_)) => Expected::Created,
        Ok(WriteOutcome::Updated(_)) => Expected::Updated,
        Ok(WriteOutcome::Unchanged(_)) => Expected::Unchanged,
        Ok(WriteOutcome::Deleted(_)) => Expected::Deleted,
        Ok(WriteOutcome::NothingToDelete) => Expected::Nothing,
        Err(CommitError::PreconditionFailed) => Expected::Failed,
        Err(CommitError::NotThere) => Expected::NotThere,
        Err(CommitError::MultipleMatches) => Expected::Several,
        other => panic!("{other:?}"),
    }
}

fn content(number: u8) -> Vec<u8> {
    bytes(number.into(), if number.is_multiple_of(2) { 10 } else { 3000 })
}

fn state(tag: Option<u8>) -> charta_model::NewState {
    tag.map_or_else(testing::text, |tag| testing::tagged("s", &tag.to_string()))
}

async fn run(place: Place, operations: Vec<Operation>) {
    let (mut store, mut model) = (TestStore::at(place), Model::default());
    for (number, operation) in operations.into_iter().enumerate() {
        let name = |document: u8| format!("d{document}");
        match operation {
            Operation::Put(document, bytes, tag, only) => {
                let intent = Intent::Update { id: testing::id(&name(document)) };
                let write = Write {
                    if_match: only.map(|only| VersionMatch::OneOf(vec![only])),
                    ..testing::write(intent, state(tag))
                };
                let result = commit(&store, write, &content(bytes), 1).await;
                assert_eq!(said(&result), model.put(&name(document), content(bytes), tag, only));
            }
            Operation::PutByTag(tag, bytes) => {
                let fresh = format!("f{number}");
                let intent = Intent::UpdateMatching {
                    criteria: testing::by_tag(&tag.to_string()),
                    claimed: None,
                    fresh: testing::id(&fresh),
                    claimed_must_be_new: false,
                };
                let result =
                    commit(&store, testing::write(intent, state(Some(tag))), &content(bytes), 1).await;
                let expected = match &model.tagged(tag)[..] {
                    [] => model.put(&fresh, content(bytes), Some(tag), None),
                    [one] => model.put(&one.clone(), content(bytes), Some(tag), None),
                    _ => Expected::Several,
                };
                assert_eq!(said(&result), expected);
            }
            Operation::Delete(document) => {
                let result = commit(&store, testing::delete(&name(document)), b"", 1).await;
                assert_eq!(said(&result), model.delete(&name(document)));
            }
            Operation::Purge(document) => {
                let purged = store
                    .purge(&testing::tenant("t"), &ResourceType::BINARY, &testing::id(&name(document)))
                    .await
                    .unwrap();
                assert_eq!(purged, model.0.remove(&name(document)).is_some());
            }
            Operation::Sweep => drop(store.sweep().await.unwrap()),
            Operation::Reopen => store = store.reopen().await,
        }
    }
    compare(&store, &model).await;
    assert_clean(&store).await;
    store.sweep().await.unwrap();
    compare(&store, &model).await;
}

async fn compare(store: &TestStore, model: &Model) {
    let tenant = testing::tenant("t");
    for (name, versions) in &model.0 {
        let id = testing::id(name);
        for (number, expected) in (1..).zip(versions) {
            let stored = store.version(&tenant, &ResourceType::BINARY, &id, number).await.unwrap().unwrap();
            assert_eq!(stored.document.version, number);
            assert_eq!(stored.document.change == Change::Deleted, expected.is_none());
            if let Some((bytes, _)) = expected {
                let content = store.content(&stored).await.unwrap();
                assert_eq!(read_all(&content).await.unwrap(), *bytes);
            }
        }
        let current = store.current(&tenant, &ResourceType::BINARY, &id).await.unwrap().unwrap();
        assert_eq!(current.document.version, versions.len() as u64);
        let scope = HistoryScope::Document(ResourceType::BINARY, id);
        let history = HistoryQuery { scope, since: None, at: None, before: None, limit: 1000 };
        let page = store.history(&tenant, &history).await.unwrap();
        assert_eq!((page.entries.len(), page.total as usize), (versions.len(), versions.len()));
    }
    let query = |query: Query| Query { limit: 1000, ..query };
    let all = store.search(&tenant, &query(testing::binaries())).await.unwrap();
    let names: Vec<_> = all.matches.iter().map(|stored| stored.document.id.to_string()).collect();
    let live: Vec<_> = model.0.keys().filter(|name| model.live(name).is_some()).cloned().collect();
    assert_eq!((&names, all.total as usize), (&live, live.len()));
    for tag in 0..2u8 {
        let found = store.search(&tenant, &query(testing::by_tag(&tag.to_string()))).await.unwrap();
        let names: Vec<_> = found.matches.iter().map(|stored| stored.document.id.to_string()).collect();
        assert_eq!(names, model.tagged(tag));
    }
    assert_eq!(store.statistics().await.unwrap().documents as usize, live.len());
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_operations_does_what_the_model_does(
        operations in proptest::collection::vec(operation(), 1..40)
    ) {
        block_on(run(Place::of_files(), operations));
    }
}

fn block_on_threads(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn the_same_with_content_in_a_bucket(operations in proptest::collection::vec(operation(), 1..40)) {
        block_on(run(Place::of_bucket(), operations));
    }

    #[test]
    #[ignore = "needs TEST_POSTGRES_URL"]
    fn the_same_over_postgres(operations in proptest::collection::vec(operation(), 1..40)) {
        block_on_threads(async { run(Place::of_database(), operations).await });
    }
}
