//! A store that moves to another one while it is used.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use charta_model::{Digest, Filter, HistoryQuery, HistoryScope, Query, ResourceType, TokenMatch};
use charta_store::{
    Access, CatalogPlace, CommitError, ContentPlace, Error, Migrated, Migrating, Options, Stage, Standstill,
    Store, Watch,
    testing::{
        self, entry,
        faulty::{Fault, FaultyCatalog, FaultyContent},
    },
};
use tokio::{runtime::Handle, task::block_in_place};

use crate::{
    bucket::Bucket,
    database::Database,
    support::{Place, TestStore, assert_clean, bytes, commit, options, put, read, read_all, upload},
};

const ON: Watch<'static> = &|_| ControlFlow::Continue(());

/// The target keeps more in its catalog than the source does: its own rule counts.
fn target_options(place: &Path) -> Options {
    Options { inline_bytes_max: 3000, ..Options::new(place.join("target")) }
}

fn open_target(place: &Path) -> Store {
    Store::open(&target_options(place), Access::Exclusive).unwrap()
}

/// As the command opens it beside a server.
fn beside(store: &TestStore) -> Store {
    Store::open(&options(&store.place), Access::ReadOnly).unwrap()
}

async fn in_tenant(store: &Store, tenant: &str, write: charta_model::Write, content: &[u8]) {
    let has_bytes = write.state.as_ref().is_some_and(|state| state.content.is_some());
    let content = if has_bytes { Some(upload(store, content).await.unwrap()) } else { None };
    store.commit(&testing::tenant(tenant), write, content, testing::at(7)).await.unwrap();
}

/// Several tenants, files and small content, histories, deletions, labels, entries and links.
async fn fill(store: &Store, documents: u64) {
    for seed in 0..documents {
        let length = [10, 999, 2000, 5000][seed as usize % 4] + seed as usize;
        put(store, &format!("d{seed}"), &bytes(seed % 50, length)).await;
        let record =
            testing::put_record("DocumentReference", &format!("r{seed}"), &format!("{{\"of\":{seed}}}"));
        let record = entry::with(record, [entry::token("type", "s", &format!("T{}", seed % 3))]);
        let pinned = (seed % 2 == 0).then_some(1);
        let record = entry::linking(record, [entry::link(&format!("d{seed}"), pinned)]);
        commit(store, record, b"", 3).await.unwrap();
        if seed % 5 == 0 {
            in_tenant(store, "u", testing::update(&format!("d{seed}")), &bytes(seed, 4000)).await;
        }
    }
    // What an index of PostgreSQL does not take as it is.
    let (system, code) = ("s\0".repeat(900), "C\0ode".repeat(900));
    let strange = [entry::token("type", &system, &code), entry::quantity("much", 1.0, 2.0, &system, &code)];
    let record = testing::put_record("DocumentReference", "strange", "{}");
    commit(store, entry::with(record, strange), b"", 3).await.unwrap();
    put(store, "d0", b"a second version").await;
    put(store, "d2", &bytes(1000, 6000)).await;
    commit(store, testing::delete("d4"), b"", 9).await.unwrap();
}

fn of_type(code: &str, offset: u64) -> Query {
    let token = TokenMatch { system: None, code: Some(code.into()), case_sensitive: true };
    let filters = vec![Filter::Token("type".into(), vec![token])];
    Query { scopes: vec![testing::scope("DocumentReference")], filters, offset, limit: 7, ..Query::default() }
}

/// What a caller sees: pages of searches and histories, with the numbers that page links hold, links, and all bytes.
async fn view(store: &Store) -> Vec<String> {
    let mut seen = Vec::new();
    let tenant = testing::tenant("t");
    for (code, offset) in [("T0", 0), ("T1", 0), ("T1", 7), ("T2", 14), (&*"C\0ode".repeat(900), 0)] {
        let page = store.search(&tenant, &of_type(code, offset)).await.unwrap();
        seen.push(format!("{code} {}", page.total));
        seen.extend(page.matches.iter().map(|stored| format!("{:?}", stored.document)));
    }
    for who in ["t", "u"] {
        let tenant = testing::tenant(who);
        let scope = HistoryScope::Tenant;
        let mut query = HistoryQuery { scope, since: None, at: None, before: None, limit: 50 };
        loop {
            let page = store.history(&tenant, &query).await.unwrap();
            for (sequence, stored) in &page.entries {
                seen.push(format!("{who} {sequence} {:?}", stored.document));
                if stored.document.content().is_some() {
                    let content = read_all(&store.content(stored).await.unwrap()).await.unwrap();
                    assert_eq!(Digest::of(&content), stored.document.content().unwrap().digest);
                }
            }
            query.before = page.entries.last().map(|(sequence, _)| *sequence);
            if !page.more {
                break;
            }
        }
    }
    for name in ["d1", "d2", "d3"] {
        let referrers = store.referrers(&tenant, &testing::id(name), 9).await.unwrap();
        seen.extend(referrers.iter().map(|found| format!("{name} {:?}", (found.version, found.current))));
    }
    seen
}

async fn assert_same(source: &Store, target: &Store) {
    let (here, there) = (view(source).await, view(target).await);
    assert_eq!(here.len(), there.len());
    for (here, there) in here.iter().zip(&there) {
        assert_eq!(here, there);
    }
    assert_clean(target).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_and_the_target_takes_over() {
    let source = TestStore::new();
    fill(&source, 60).await;
    let target = open_target(source.place.path());
    let stages = Mutex::new(Vec::new());
    let seen = |state: &Migrating| {
        assert!(state.versions <= state.versions_total, "{state:?}");
        let mut stages = stages.lock().unwrap();
        if stages.last() != Some(&state.stage) {
            stages.push(state.stage);
        }
        ControlFlow::Continue(())
    };
    let moved = beside(&source).migrate(&target, &seen).await.unwrap();
    let statistics = source.statistics().await.unwrap();
    assert_eq!((moved.documents, moved.versions), (statistics.documents, statistics.versions));
    assert_same(&source, &target).await;
    use Stage::{Comparing, Copying, Switching, Verifying};
    let expected = [Copying, Verifying, Comparing, Copying, Verifying, Switching];
    assert_eq!(*stages.lock().unwrap(), expected);

    assert_eq!(source.standstill().await.unwrap(), Some(Standstill::Leaving));
    let refused = commit(&source, testing::update("late"), b"late", 1).await;
    assert!(matches!(refused, Err(CommitError::Store(Error::Standstill))), "{refused:?}");
    assert_eq!(read(&source, "d1").await.unwrap(), read(&target, "d1").await.unwrap());
    assert_eq!(target.standstill().await.unwrap(), None);
    put(&target, "late", b"late").await;
    target.close().await;
    drop(target);

    let target = open_target(source.place.path());
    assert_eq!(target.secret(), source.secret());
    assert_eq!(read(&target, "late").await.unwrap().unwrap(), "late");
    let files = |at: &str| walk(&source.place.path().join(at).join("content"));
    assert!(
        files("target") < files("store") && files("target") > 0,
        "each store's own rule says what is a file"
    );
}

fn walk(directory: &Path) -> usize {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap().count())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_failed_at_any_step_goes_on() {
    let source = TestStore::new();
    fill(&source, 6).await;
    let expected = view(&source).await;
    // Every third call, and others where only the answer is lost.
    for lost_answer in [false, true] {
        for call in (1 + u64::from(lost_answer)..).step_by(3) {
            let place = tempfile::tempdir().unwrap();
            let fault = Fault::default();
            let faulty = |options: &Options, access| {
                Store::open_wrapped(options, access, |catalog, content| {
                    let catalog = FaultyCatalog { inner: catalog, fault: fault.clone() };
                    let content = FaultyContent { inner: content, fault: fault.clone() };
                    (Arc::new(catalog), Arc::new(content))
                })
                .unwrap()
            };
            let from = faulty(&options(&source.place), Access::ReadOnly);
            let to = faulty(&target_options(place.path()), Access::Exclusive);
            fault.arm(call, lost_answer);
            let result = from.migrate(&to, ON).await;
            let failed = fault.disarm();
            if let Err(error) = &result {
                assert!(failed && error.is_transient(), "{error:?}");
            }
            to.close().await;
            drop(to);
            let to = open_target(place.path());
            let moved = from.migrate(&to, ON).await.unwrap();
            assert_eq!(source.standstill().await.unwrap(), Some(Standstill::Leaving));
            assert_eq!(to.standstill().await.unwrap(), None);
            assert_eq!(moved.versions, source.statistics().await.unwrap().versions);
            assert!(view(&to).await == expected, "call {call}");
            assert_clean(&to).await;
            assert!(source.give_up_migration().await.unwrap());
            if !failed {
                assert!(call > 30, "a migration makes many calls");
                break;
            }
        }
    }
}

/// Writes until the store takes no more; gives what was acknowledged.
async fn write_on(store: Store, writer: u64) -> Vec<(String, Option<Vec<u8>>)> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let name = format!("w{writer}-{}", number % 90);
        let content = bytes(writer * 1_000_000 + number, [50, 1500, 4000][number as usize % 3]);
        let is_deletion = number % 7 == 6;
        let write = if is_deletion { testing::delete(&name) } else { testing::update(&name) };
        match commit(&store, write, &content, 1).await {
            Ok(_) => acknowledged.push((name, (!is_deletion).then_some(content))),
            Err(CommitError::Store(Error::Standstill)) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_meanwhile_arrives() {
    let source = TestStore::new();
    fill(&source, 40).await;
    let target = open_target(source.place.path());
    let writers: Vec<_> = (0..3).map(|writer| tokio::spawn(write_on(source.store.clone(), writer))).collect();
    beside(&source).migrate(&target, ON).await.unwrap();
    let mut number = 0;
    for writer in writers {
        let acknowledged = writer.await.unwrap();
        number += acknowledged.len();
        let last: BTreeMap<_, _> = acknowledged.into_iter().collect();
        for (name, content) in last {
            let found = read(&target, &name).await.unwrap().map(|bytes| bytes.to_vec());
            assert!(found == content, "{name}");
        }
    }
    assert!(number > 0, "something was written meanwhile");
    assert_same(&source, &target).await;
}

/// Also there the switch stops all who write, and what each catalog encodes in its own way means the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_store_moves_to_postgresql_and_s3_and_back() {
    let source = TestStore::new();
    fill(&source, 60).await;
    let there = TestStore::at(Place::of_database());
    let writer = tokio::spawn(write_on(source.store.clone(), 1));
    beside(&source).migrate(&there, ON).await.unwrap();
    let mut acknowledged: BTreeMap<_, _> = writer.await.unwrap().into_iter().collect();
    assert_same(&source, &there).await;

    let place = tempfile::tempdir().unwrap();
    let back = open_target(place.path());
    let node = Store::connect(&options(&there.place), Access::ReadOnly).await.unwrap();
    let writers: Vec<_> = (1..3).map(|writer| tokio::spawn(write_on(there.store.clone(), writer))).collect();
    node.migrate(&back, ON).await.unwrap();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert_same(&there, &back).await;
    for (name, content) in acknowledged {
        let found = read(&back, &name).await.unwrap().map(|bytes| bytes.to_vec());
        assert!(found == content, "{name}");
    }
    let purged = there.purge(&testing::tenant("t"), &ResourceType::BINARY, &testing::id("d3")).await;
    assert!(matches!(purged, Err(Error::Standstill)), "{purged:?}");
}

/// At each stage: copied already, compared already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_purged_meanwhile_goes_at_the_target_too() {
    for (when, nth) in [(Stage::Comparing, 1), (Stage::Copying, 2), (Stage::Verifying, 2)] {
        let source = TestStore::new();
        fill(&source, 20).await;
        let target = open_target(source.place.path());
        let (before, times) = (Mutex::new(None), AtomicU64::new(0));
        let purge = |state: &Migrating| {
            let mut before = before.lock().unwrap();
            let is_entered = before.replace(state.stage) != Some(state.stage) && state.stage == when;
            if is_entered && times.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                block_in_place(|| {
                    Handle::current().block_on(async {
                        for name in ["d3", "d7"] {
                            let (who, id) = (testing::tenant("t"), testing::id(name));
                            assert!(source.purge(&who, &ResourceType::BINARY, &id).await.unwrap());
                        }
                        put(&source, "d7", b"made anew").await;
                    });
                });
            }
            ControlFlow::Continue(())
        };
        beside(&source).migrate(&target, &purge).await.unwrap();
        assert!(times.load(Ordering::SeqCst) >= nth, "{when:?}");
        assert!(read(&target, "d3").await.unwrap().is_none());
        assert_eq!(read(&target, "d7").await.unwrap().unwrap(), "made anew");
        assert_same(&source, &target).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_stopped_lets_the_source_go_on() {
    let source = TestStore::new();
    fill(&source, 10).await;
    let target = open_target(source.place.path());
    for stage in [Stage::Copying, Stage::Verifying, Stage::Comparing, Stage::Switching] {
        let stop = |state: &Migrating| match state.stage == stage {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let stopped = beside(&source).migrate(&target, &stop).await;
        assert!(matches!(stopped, Err(Error::Unusable(_))), "{stage:?} {stopped:?}");
        assert_eq!(target.standstill().await.unwrap(), Some(Standstill::Adopting));
        put(&source, "d0", format!("{stage:?}").as_bytes()).await;
    }
    beside(&source).migrate(&target, ON).await.unwrap();
    assert_eq!(read(&target, "d0").await.unwrap().unwrap(), "Switching");
    assert_same(&source, &target).await;
}

fn line(result: Result<Migrated, Error>) -> String {
    match result {
        Err(Error::Unusable(line)) => line.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_holds_something_else_is_refused_and_stays() {
    let (source, other) = (TestStore::new(), TestStore::new());
    put(&source, "a", b"one").await;
    put(&other, "b", b"two").await;
    assert!(line(source.migrate(&other, ON).await).contains("neither empty nor"));
    assert_eq!(read(&other, "b").await.unwrap().unwrap(), "two");
    assert_eq!(read(&other, "a").await.unwrap(), None);
    put(&source, "a", b"it still takes writes").await;
    put(&other, "b", b"so does the other").await;
    // An unfinished migration of another store.
    let target = open_target(source.place.path());
    let stop: Watch<'_> = &|state| match state.stage {
        Stage::Comparing => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    assert!(line(source.migrate(&target, stop).await).contains("stopped"));
    assert!(line(other.migrate(&target, ON).await).contains("neither empty nor"));
    assert!(line(target.migrate(&other, ON).await).contains("itself an unfinished migration"));
    // The source itself, and what is finished.
    assert!(line(source.migrate(&source, ON).await).contains("this store itself"));
    let moved = source.migrate(&target, ON).await.unwrap();
    assert_eq!(source.migrate(&target, ON).await.unwrap(), moved, "asked once more, it says the same");
    put(&target, "c", b"three").await;
    assert!(line(source.migrate(&target, ON).await).contains("finished migration"));
    assert_eq!(source.standstill().await.unwrap(), Some(Standstill::Leaving));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_at_the_source_is_named_and_can_be_mended() {
    let source = TestStore::new();
    let content = bytes(3, 9000);
    put(&source, "whole", &bytes(1, 9000)).await;
    put(&source, "damaged", &content).await;
    source.assert_settles_at(2).await;
    let shard = source.place.path().join("store/content").join(&Digest::of(&content).hex()[..2]);
    let file = std::fs::read_dir(shard).unwrap().next().unwrap().unwrap().path();
    let mut other = content.clone();
    other[8999] ^= 1;
    std::fs::write(&file, other).unwrap();
    let target = open_target(source.place.path());
    let failed = source.migrate(&target, ON).await;
    let Err(Error::Corrupt(problem)) = failed else { panic!("{failed:?}") };
    assert!(problem.contains("Binary/damaged version 1"), "{problem}");
    put(&source, "it", b"takes writes").await;
    std::fs::write(&file, &content).unwrap();
    source.migrate(&target, ON).await.unwrap();
    assert_eq!(read(&target, "damaged").await.unwrap().unwrap(), content);
}

/// A whole store there and back: to PostgreSQL and S3 where there is one, else to another directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_hundred_thousand_documents_move_there_and_back() {
    // Fewer where time is short.
    let documents = std::env::var("CHARTA_MIGRATED_DOCUMENTS").ok().and_then(|text| text.parse().ok());
    let documents: usize = documents.unwrap_or(100_000);
    let source = TestStore::new();
    let seed = |number: usize| {
        bytes(number as u64, [40, 300, 900, 2_000, 700, 20, 1_500, 60, 30_000, 500][number % 10])
    };
    let writes = (0..documents).collect::<Vec<_>>();
    for page in writes.chunks(200) {
        let mut transaction = Vec::new();
        for number in page {
            let content = upload(&source, &seed(*number)).await.unwrap();
            transaction.push((testing::update(&format!("n{number}")), Some(content)));
            let record = testing::put_record("DocumentReference", &format!("r{number}"), "{}");
            let record = entry::with(record, [entry::token("type", "s", &format!("T{}", number % 3))]);
            let record = entry::linking(record, [entry::link(&format!("n{number}"), None)]);
            if number % 10 == 0 {
                transaction.push((record, None));
            }
        }
        source.transact(&testing::tenant("t"), transaction, Vec::new(), testing::at(1)).await.unwrap();
    }
    let database =
        if std::env::var_os("TEST_POSTGRES_URL").is_some() { Some(Database::new().await) } else { None };
    let bucket = database.as_ref().map(|_| Bucket::new());
    let directory = tempfile::tempdir().unwrap();
    let mut there = target_options(directory.path());
    if let (Some(database), Some(bucket)) = (&database, &bucket) {
        there.catalog = CatalogPlace::Postgres(database.url().clone());
        there.content = ContentPlace::S3(bucket.place());
    }
    let there = Store::connect(&there, Access::Exclusive).await.unwrap();
    let back = Store::open(&Options::new(directory.path().join("back")), Access::Exclusive).unwrap();
    let statistics = source.statistics().await.unwrap();
    for (from, to, way) in [(&beside(&source), &there, "there"), (&there, &back, "and back")] {
        let reading = Arc::new(AtomicBool::new(true));
        let reader = tokio::spawn(read_on(from.clone(), Arc::clone(&reading), documents));
        let (begun, switched) = (Instant::now(), Mutex::new(None));
        let watch = |state: &Migrating| {
            if state.stage == Stage::Switching {
                switched.lock().unwrap().get_or_insert_with(Instant::now);
            }
            ControlFlow::Continue(())
        };
        let moved = from.migrate(to, &watch).await.unwrap();
        let (all, still) = (begun.elapsed(), switched.lock().unwrap().unwrap().elapsed());
        reading.store(false, Ordering::Relaxed);
        let reads = reader.await.unwrap();
        #[allow(clippy::print_stdout, reason = "the figures are what it is run for")]
        {
            println!("{way}: {moved:?} in {all:?}, no writes for {still:?}, {reads} reads meanwhile");
        }
        assert_eq!((moved.documents, moved.versions), (statistics.documents, statistics.versions));
        assert_clean(to).await;
        assert!(reads > 0);
    }
    for number in (0..documents).step_by(13) {
        assert!(read(&back, &format!("n{number}")).await.unwrap().unwrap() == seed(number), "n{number}");
    }
    for code in ["T0", "T1", "T2"] {
        let found = async |store: &Store| {
            let page = store.search(&testing::tenant("t"), &of_type(code, 21)).await.unwrap();
            (page.total, page.matches.iter().map(|stored| stored.document.clone()).collect::<Vec<_>>())
        };
        assert_eq!(found(&source).await, found(&back).await);
    }
}

/// Every read finds what is there. Gives how many there were.
async fn read_on(store: Store, reading: Arc<AtomicBool>, documents: usize) -> u64 {
    let mut reads = 0;
    while reading.load(Ordering::Relaxed) {
        let name = format!("n{}", (reads as usize * 7919) % documents);
        assert!(read(&store, &name).await.unwrap().is_some(), "{name}");
        reads += 1;
    }
    reads
}

/// Each content is read, written and read back once more where its store was away for a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_that_is_away_for_a_moment_does_not_end_a_migration() {
    let source = TestStore::new();
    fill(&source, 4).await;
    let expected = view(&source).await;
    for call in 1.. {
        let place = tempfile::tempdir().unwrap();
        let fault = Fault::default();
        let from = Store::open_wrapped(&options(&source.place), Access::ReadOnly, |catalog, content| {
            (catalog, Arc::new(FaultyContent { inner: content, fault: fault.clone() }))
        });
        let (from, to) = (from.unwrap(), open_target(place.path()));
        fault.arm(call, false);
        from.migrate(&to, ON).await.unwrap();
        let was_away = fault.disarm();
        assert!(view(&to).await == expected, "call {call}");
        assert!(source.give_up_migration().await.unwrap());
        if !was_away {
            assert!(call > 3, "content is asked for");
            break;
        }
    }
}
