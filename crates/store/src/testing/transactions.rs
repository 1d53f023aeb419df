//! What every catalog does with several writes at once.

use std::{sync::Arc, time::Instant};

use charta_model::{
    Filter, Guard, Intent, Query, ResourceType, TokenMatch, VersionMatch, Write, WriteOutcome,
};

use super::{
    at, binaries, by_tag,
    catalog::{Subject, found, put, stored},
    delete, delete_record,
    entry::{link, linking, token, with},
    id, put_record, record, scope, tagged, tenant, update, uploaded, write, write_of,
};
use crate::{CommitError, Error, TransactError, Uploaded};

type Writes = Vec<(Write, Option<Uploaded>)>;

async fn transact(
    catalog: &Subject,
    writes: Writes,
    guards: Vec<Guard>,
) -> Result<Vec<WriteOutcome>, TransactError> {
    catalog.transact(&tenant("t"), writes, guards, at(1000)).await
}

/// With its bytes.
async fn binary(write: Write, bytes: &[u8]) -> (Write, Option<Uploaded>) {
    (write, Some(uploaded(bytes).await))
}

fn by_code(code: &str) -> Query {
    let token = TokenMatch { system: Some("s".into()), code: Some(code.into()), case_sensitive: true };
    let filters = vec![Filter::Token("identifier".into(), vec![token])];
    Query { scopes: vec![scope("Patient")], filters, ..binaries() }
}

fn identified(name: &str, code: &str) -> Write {
    with(put_record("Patient", name, "1"), [token("identifier", "s", code)])
}

async fn versions(catalog: &Subject) -> u64 {
    catalog.tally().await.unwrap().versions
}

/// Contract 5: what came of each write, in order.
pub async fn a_transaction_is_done_whole(catalog: &Subject) {
    stored(put(catalog, put_record("Patient", "old", "1"), b"", 1).await);
    stored(put(catalog, put_record("Patient", "same", "1"), b"", 1).await);
    let document = linking(put_record("DocumentReference", "d", "1"), [link("b", None)]);
    let writes = vec![
        binary(update("b"), b"bytes").await,
        (document, None),
        (put_record("Patient", "old", "2"), None),
        (put_record("Patient", "same", "1"), None),
        (delete_record("Patient", "none"), None),
        (delete_record("Patient", "old"), None),
    ];
    let outcomes = transact(catalog, writes, vec![]).await.unwrap();
    let [b, d, old, same, none, gone] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(matches!(b, WriteOutcome::Created(b) if b.kind.is_binary()));
    assert!(matches!(d, WriteOutcome::Created(d) if d.id == id("d")));
    assert!(matches!(old, WriteOutcome::Updated(old) if old.version == 2));
    assert!(matches!(same, WriteOutcome::Unchanged(_)));
    assert!(matches!(none, WriteOutcome::NothingToDelete));
    assert!(matches!(gone, WriteOutcome::Deleted(old) if old.version == 3));
    assert_eq!(catalog.referrers(&tenant("t"), &id("b"), 9).await.unwrap().len(), 1);
    assert_eq!(transact(catalog, vec![], vec![]).await.unwrap(), []);
}

/// Conditions look at what came before in the same transaction.
pub async fn a_write_sees_those_before_it(catalog: &Subject) {
    let create = |fresh: &str| {
        let intent = Intent::CreateUnlessExists { fresh: id(fresh), criteria: by_code("1") };
        let mut write = write_of(ResourceType::PATIENT, intent, record("1"));
        write.state.as_mut().unwrap().index.entries.push(token("identifier", "s", "1"));
        (write, None)
    };
    let outcomes = transact(catalog, vec![create("a"), create("b")], vec![]).await.unwrap();
    assert!(matches!(&outcomes[0], WriteOutcome::Created(a) if a.id == id("a")));
    assert!(matches!(&outcomes[1], WriteOutcome::Existing(a) if a.id == id("a")));
    let second = Write { if_match: Some(VersionMatch::OneOf(vec![2])), ..identified("a", "3") };
    let writes = vec![(put_record("Patient", "a", "2"), None), (second, None)];
    let outcomes = transact(catalog, writes, vec![]).await.unwrap();
    assert!(matches!(&outcomes[1], WriteOutcome::Updated(a) if a.version == 3));
}

/// Contract 5, wherever it fails: records, entries, links, bytes and names.
pub async fn the_nth_failure_takes_all_back(catalog: &Subject) {
    stored(put(catalog, put_record("Patient", "there", "1"), b"", 1).await);
    let failing =
        || Write { if_match: Some(VersionMatch::OneOf(vec![9])), ..put_record("Patient", "there", "2") };
    for nth in 0..4 {
        let document = linking(put_record("DocumentReference", "d", "1"), [link("b", None)]);
        let mut writes = vec![
            binary(write(Intent::Update { id: id("b") }, tagged("new", "x")), b"bytes").await,
            (with(document, [token("fresh", "fresh", "fresh")]), None),
            (delete_record("Patient", "there"), None),
        ];
        writes.insert(nth, (failing(), None));
        let failed = transact(catalog, writes, vec![]).await.unwrap_err();
        assert_eq!(failed.index, Some(nth));
        let expected = if nth == 3 { "NotThere" } else { "PreconditionFailed" };
        assert_eq!(format!("{:?}", failed.error), expected);
        assert_eq!(versions(catalog).await, 1);
        assert_eq!(catalog.content_totals().await.unwrap(), (0, 0));
        assert_eq!(catalog.referrers(&tenant("t"), &id("b"), 9).await.unwrap().len(), 0);
        assert_eq!(found(catalog, &by_tag("x")).await, Vec::<String>::new());
        assert!(catalog.current(&tenant("t"), &ResourceType::BINARY, &id("b")).await.unwrap().is_none());
    }
    let bare = vec![binary(update("b"), b"1").await, (update("c"), None)];
    let failed = transact(catalog, bare, vec![]).await.unwrap_err();
    assert!(matches!(
        failed,
        TransactError { index: Some(1), error: CommitError::Store(Error::Unusable(_)) }
    ));
    // Names that were taken back are made anew.
    let again = linking(put_record("DocumentReference", "d", "1"), [link("b", None)]);
    let again = with(again, [token("fresh", "fresh", "fresh")]);
    stored(put(catalog, again, b"", 1).await);
    let fresh = TokenMatch { system: Some("fresh".into()), code: Some("fresh".into()), case_sensitive: true };
    let filters = vec![Filter::Token("fresh".into(), vec![fresh])];
    let query = Query { scopes: vec![scope("DocumentReference")], filters, ..binaries() };
    assert_eq!(found(catalog, &query).await, ["d"]);
}

/// What was found must still be found, and nothing else.
pub async fn a_guard_that_no_longer_holds_stops_all(catalog: &Subject) {
    stored(put(catalog, identified("a", "1"), b"", 1).await);
    stored(put(catalog, identified("b", "2"), b"", 1).await);
    stored(put(catalog, identified("c", "2"), b"", 1).await);
    let guard = |code: &str, found: Option<&str>| Guard { criteria: by_code(code), found: found.map(id) };
    for (guards, holds) in [
        (vec![guard("1", Some("a"))], true),
        (vec![guard("1", Some("a")), guard("3", None)], true),
        (vec![guard("1", None)], false),
        (vec![guard("1", Some("b"))], false),
        (vec![guard("2", Some("b"))], false),
        (vec![guard("3", Some("a"))], false),
        (vec![guard("1", Some("a")), guard("2", None)], false),
    ] {
        let before = versions(catalog).await;
        // The write itself would break the guard; guards come first.
        let writes =
            vec![(identified("a", "1"), None), (put_record("Patient", "new", &before.to_string()), None)];
        match transact(catalog, writes, guards.clone()).await {
            Ok(_) => assert!(holds, "{guards:?}"),
            Err(TransactError { index: None, error: CommitError::Changed }) => assert!(!holds, "{guards:?}"),
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(versions(catalog).await, before + u64::from(holds));
    }
    let breaking = vec![(put_record("Patient", "a", "x"), None)];
    transact(catalog, breaking, vec![guard("1", Some("a"))]).await.unwrap();
    let stranger = catalog.transact(&tenant("u"), vec![], vec![guard("2", None)], at(1)).await;
    assert_eq!(stranger.unwrap(), []);
}

/// Contract 11: one of them finds that it is too late.
pub async fn racing_transactions_make_one_document(catalog: &Subject) {
    let racers = (0..16).map(|number| {
        let catalog = Arc::clone(catalog);
        tokio::spawn(async move {
            let guards = vec![Guard { criteria: by_code("1"), found: None }];
            let writes = vec![
                (put_record("Observation", &format!("o{number}"), "1"), None),
                (identified(&format!("p{number}"), "1"), None),
            ];
            transact(&catalog, writes, guards).await
        })
    });
    let mut done = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(_) => done += 1,
            Err(TransactError { index: None, error: CommitError::Changed }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((done, versions(catalog).await), (1, 2));
}

/// Contract 11: a transaction may let go of bytes and change them, in any order.
pub async fn use_is_judged_after_all_writes(catalog: &Subject) {
    let document = |body: &str, links| linking(put_record("DocumentReference", "d", body), links);
    let writes = vec![binary(update("b"), b"1").await, (document("1", vec![link("b", None)]), None)];
    transact(catalog, writes, vec![]).await.unwrap();

    let writes = vec![binary(update("b"), b"2").await, (document("2", vec![link("b", None)]), None)];
    let failed = transact(catalog, writes, vec![]).await.unwrap_err();
    assert_eq!(failed.index, Some(0));
    assert!(matches!(failed.error, CommitError::InUse { id: user, .. } if user == id("d")));
    let writes = vec![(put_record("Patient", "x", "1"), None), (delete("b"), None)];
    assert_eq!(transact(catalog, writes, vec![]).await.unwrap_err().index, Some(1));

    let writes = vec![binary(update("b"), b"3").await, (document("3", vec![link("b", Some(1))]), None)];
    transact(catalog, writes, vec![]).await.unwrap();
    transact(catalog, vec![(document("4", vec![link("b", None)]), None)], vec![]).await.unwrap();
    let writes = vec![(delete("b"), None), (delete_record("DocumentReference", "d"), None)];
    transact(catalog, writes, vec![]).await.unwrap();
    // Names become bytes in use within the transaction that takes them away.
    transact(catalog, vec![binary(update("b"), b"4").await], vec![]).await.unwrap();
    let writes = vec![(document("5", vec![link("b", None)]), None), (delete("b"), None)];
    assert_eq!(transact(catalog, writes, vec![]).await.unwrap_err().index, Some(1));
}

/// Contract 5: a transaction that fails does not take along what shares its commit.
pub async fn what_others_wrote_with_it_stays(catalog: &Subject) {
    let tasks = (0..40).map(|number| {
        let catalog = Arc::clone(catalog);
        tokio::spawn(async move {
            let good = identified(&format!("g{number}"), &format!("good{}", number % 3));
            let mut writes = vec![(good, None), binary(update(&format!("b{number}")), b"same").await];
            if number % 2 == 1 {
                let absent = Write { if_match: Some(VersionMatch::Any), ..put_record("Device", "none", "1") };
                writes.push((absent, None));
            }
            transact(&catalog, writes, vec![]).await.is_ok()
        })
    });
    for (number, task) in tasks.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), number % 2 == 0);
    }
    assert_eq!(versions(catalog).await, 40);
    assert_eq!(catalog.content_totals().await.unwrap(), (1, 4));
    let mut names = Vec::new();
    for code in ["good0", "good1", "good2"] {
        names.extend(found(catalog, &by_code(code)).await);
    }
    assert_eq!(names.len(), 20);
    assert!(names.iter().all(|name| name[1..].parse::<u32>().unwrap() % 2 == 0), "{names:?}");
}

/// Within seconds, and reads go on meanwhile.
pub async fn many_writes_are_one_transaction(catalog: &Subject) {
    const WRITES: u64 = 30_000;
    stored(put(catalog, put_record("Patient", "p", "1"), b"", 1).await);
    let writer = Arc::clone(catalog);
    let task = tokio::spawn(async move {
        let writes = (0..WRITES).map(|number| {
            let entries = [token("identifier", "s", &number.to_string()), token("status", "s", "final")];
            (with(put_record("Observation", &format!("n{number}"), "1"), entries), None)
        });
        transact(&writer, writes.collect(), vec![]).await.unwrap().len()
    });
    let mut slowest = std::time::Duration::ZERO;
    while !task.is_finished() {
        let begun = Instant::now();
        let there = catalog.current(&tenant("t"), &ResourceType::PATIENT, &id("p")).await.unwrap();
        slowest = slowest.max(begun.elapsed());
        assert!(there.is_some());
        let total = catalog.tally().await.unwrap().versions;
        assert!(total == 1 || total == 1 + WRITES, "{total}");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(task.await.unwrap() as u64, WRITES);
    assert!(slowest.as_secs() < 2, "a read took {slowest:?}");
    let status = TokenMatch { system: None, code: Some("final".into()), case_sensitive: true };
    let filters = vec![Filter::Token("status".into(), vec![status])];
    let query = Query { scopes: vec![scope("Observation")], filters, ..binaries() };
    assert_eq!(catalog.search(&tenant("t"), &query).await.unwrap().total, WRITES);
}
