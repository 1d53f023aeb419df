//! Several nodes over one database: what one has acknowledged the others see, and no two of them win.

mod audit;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use charta_model::{
    Filter, Guard, HistoryQuery, HistoryScope, Intent, Query, ResourceType, TokenMatch, VersionMatch, Write,
    WriteOutcome,
};
use charta_store::{Access, CatalogPlace, CommitError, ContentPlace, Error, Options, Store, testing};
use tempfile::TempDir;

use crate::{
    bucket::Bucket,
    database::Database,
    ledger::Writers,
    support::{INLINE_BYTES_MAX, assert_clean, bytes, commit, put, read},
};

/// Stores over one database and one bucket.
struct Nodes {
    stores: Vec<Store>,
    database: Database,
    bucket: Bucket,
    directories: Vec<TempDir>,
}

impl Nodes {
    async fn new(number: usize) -> Self {
        let directories = (0..number).map(|_| tempfile::tempdir().unwrap()).collect();
        let mut nodes =
            Self { stores: Vec::new(), database: Database::new().await, bucket: Bucket::new(), directories };
        // All at once, so that one of them makes the tables and the others wait for it.
        let opening: Vec<_> = (0..number).map(|node| tokio::spawn(open(nodes.options(node)))).collect();
        for opened in opening {
            nodes.stores.push(opened.await.unwrap());
        }
        nodes
    }

    fn options(&self, node: usize) -> Options {
        Options {
            catalog: CatalogPlace::Postgres(self.database.url().clone()),
            content: ContentPlace::S3(self.bucket.place()),
            inline_bytes_max: INLINE_BYTES_MAX,
            ..Options::new(self.directories[node].path().join("store"))
        }
    }

    fn of(&self, number: usize) -> &Store {
        &self.stores[number % self.stores.len()]
    }

    /// Ends every connection of the catalogs to the database.
    async fn cut(&self) {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        self.database.client().await.execute(sql, &[&self.database.schema()]).await.unwrap();
    }
}

async fn open(options: Options) -> Store {
    Store::connect(&options, Access::Exclusive).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn what_one_acknowledged_the_others_read() {
    let nodes = Nodes::new(3).await;
    let (tenant, id) = (testing::tenant("t"), testing::id("a"));
    for round in 0..60_usize {
        let (text, reader) =
            (bytes(round as u64, if round % 2 == 0 { 10 } else { 3000 }), nodes.of(round + 1));
        let document = put(nodes.of(round), "a", &text).await;
        assert!(reader.cached(&tenant, &ResourceType::BINARY, &id).is_none());
        let stored = reader.current(&tenant, &ResourceType::BINARY, &id).await.unwrap().unwrap();
        assert_eq!(stored.document, document);
        assert_eq!(read(reader, "a").await.unwrap().unwrap(), text);
    }
    assert_eq!(nodes.stores[0].secret(), nodes.stores[2].secret());
    assert_clean(nodes.of(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn racing_conditional_creates_make_one_document() {
    let nodes = Nodes::new(3).await;
    for round in 0..10 {
        let racers = (0..12_usize).map(|racer| {
            let store = nodes.of(racer).clone();
            tokio::spawn(async move {
                let criteria = testing::by_tag(&round.to_string());
                let fresh = testing::id(&format!("r{round}-{racer}"));
                let state = testing::tagged("s", &round.to_string());
                let write = testing::write(Intent::CreateUnlessExists { fresh, criteria }, state);
                commit(&store, write, racer.to_string().as_bytes(), 1).await.unwrap()
            })
        });
        let mut created = 0;
        for racer in racers.collect::<Vec<_>>() {
            match racer.await.unwrap() {
                WriteOutcome::Created(_) => created += 1,
                WriteOutcome::Existing(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(created, 1, "round {round}");
    }
    assert_clean(nodes.of(0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn versions_have_no_gaps_whoever_writes() {
    const WRITES: usize = 40;
    let nodes = Nodes::new(3).await;
    let writers = (0..6_usize).map(|writer| {
        let store = nodes.of(writer).clone();
        tokio::spawn(async move {
            for write in 0..WRITES {
                put(&store, "a", format!("{writer} {write}").as_bytes()).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let scope = HistoryScope::Document(ResourceType::BINARY, testing::id("a"));
    let query = HistoryQuery { scope, since: None, at: None, before: None, limit: 1000 };
    let page = nodes.of(2).history(&testing::tenant("t"), &query).await.unwrap();
    let found: Vec<(u64, u64)> =
        page.entries.iter().map(|(sequence, stored)| (*sequence, stored.document.version)).collect();
    let versions: Vec<u64> = found.iter().map(|(_, version)| *version).collect();
    assert_eq!(versions, (1..=6 * WRITES as u64).rev().collect::<Vec<_>>());
    assert!(
        found.is_sorted_by(|(later, _), (earlier, _)| later > earlier),
        "sequence numbers rise with versions"
    );
    assert_clean(nodes.of(0)).await;
}

/// Each reads a version and writes the next only if nobody else has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn of_writers_who_saw_the_same_version_one_wins() {
    let nodes = Nodes::new(3).await;
    put(nodes.of(0), "a", b"0").await;
    let won = Arc::new(AtomicU64::new(0));
    let writers = (0..6_usize).map(|writer| {
        let (store, won) = (nodes.of(writer).clone(), Arc::clone(&won));
        tokio::spawn(async move {
            let (tenant, id) = (testing::tenant("t"), testing::id("a"));
            for number in 0..30 {
                let seen = store.current(&tenant, &ResourceType::BINARY, &id).await.unwrap().unwrap();
                let only = Some(VersionMatch::OneOf(vec![seen.document.version]));
                let write = Write { if_match: only, ..testing::update("a") };
                match commit(&store, write, format!("{writer} {number}").as_bytes(), 1).await {
                    Ok(WriteOutcome::Updated(document)) => {
                        assert_eq!(document.version, seen.document.version + 1);
                        won.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(CommitError::PreconditionFailed) => {}
                    other => panic!("{other:?}"),
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let (tenant, id) = (testing::tenant("t"), testing::id("a"));
    let last = nodes.of(0).current(&tenant, &ResourceType::BINARY, &id).await.unwrap().unwrap();
    assert_eq!(last.document.version, 1 + won.load(Ordering::SeqCst));
}

fn by_code(code: &str) -> Query {
    let token = TokenMatch { system: Some("s".into()), code: Some(code.into()), case_sensitive: true };
    let filters = vec![Filter::Token("identifier".into(), vec![token])];
    Query { scopes: vec![testing::scope("Patient")], filters, ..testing::binaries() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn racing_transactions_are_done_whole_or_not_at_all() {
    let nodes = Nodes::new(3).await;
    let racers = (0..24_usize).map(|racer| {
        let store = nodes.of(racer).clone();
        tokio::spawn(async move {
            let code = (racer % 4).to_string();
            let guards = vec![Guard { criteria: by_code(&code), found: None }];
            let mut patient = testing::put_record("Patient", &format!("p{racer}"), "1");
            let index = &mut patient.state.as_mut().unwrap().index;
            index.entries.push(testing::entry::token("identifier", "s", &code));
            let others =
                (0..5).map(|n| (testing::put_record("Observation", &format!("o{racer}-{n}"), "1"), None));
            let writes = others.chain([(patient, None)]).collect();
            store.transact(&testing::tenant("t"), writes, guards, testing::at(1)).await
        })
    });
    let mut done = 0;
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            Ok(outcomes) => {
                assert_eq!(outcomes.len(), 6);
                done += 1;
            }
            Err(failed) => assert!(matches!(failed.error, CommitError::Changed), "{failed:?}"),
        }
    }
    let statistics = nodes.of(0).statistics().await.unwrap();
    assert_eq!((done, statistics.versions), (4, 24));
    assert_clean(nodes.of(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn sweeps_of_one_lose_nothing_of_the_others() {
    let nodes = Nodes::new(3).await;
    let writers: Vec<_> = (0..4_usize)
        .map(|writer| {
            let store = nodes.of(writer).clone();
            tokio::spawn(async move {
                for round in 0..15 {
                    // The same bytes come and go in all writers, so that sweeps and writes meet in them.
                    let (name, bytes) = (format!("w{writer}"), bytes(round % 3, 3000));
                    put(&store, &name, &bytes).await;
                    assert_eq!(read(&store, &name).await.unwrap().unwrap(), bytes);
                    let (tenant, id) = (testing::tenant("t"), testing::id(&name));
                    store.purge(&tenant, &ResourceType::BINARY, &id).await.unwrap();
                }
                put(&store, &format!("last{writer}"), &bytes(writer as u64, 3000)).await;
            })
        })
        .collect();
    let mut swept = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        // Another may be sweeping.
        match nodes.of(swept).sweep().await {
            Ok(_) | Err(Error::Unavailable(_)) => swept += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for writer in 0..4 {
        let found = read(nodes.of(writer + 1), &format!("last{writer}")).await.unwrap().unwrap();
        assert_eq!(found, bytes(writer as u64, 3000));
    }
    assert_clean(nodes.of(0)).await;
}

/// Every connection breaks again and again while all nodes write. What was acknowledged is there; what was not is there
/// whole or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn broken_connections_lose_nothing_and_halve_nothing() {
    let nodes = Nodes::new(3).await;
    let writers = Writers::start(&nodes.stores);
    for _ in 0..12 {
        writers.acknowledge(10).await;
        nodes.cut().await;
    }
    writers.acknowledge(10).await;
    let ledger = writers.finish().await;
    ledger.verify(nodes.of(0)).await;
    assert_clean(nodes.of(1)).await;
}

/// A read does not notice that idle connections have died.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_dead_connection_is_replaced_unseen() {
    let nodes = Nodes::new(1).await;
    let store = nodes.of(0);
    put(store, "a", b"1").await;
    for number in 0..10_u8 {
        nodes.cut().await;
        assert_eq!(read(store, "a").await.unwrap().unwrap()[..], [b'1' + number]);
        nodes.cut().await;
        put(store, "a", &[b'2' + number]).await;
        store.ping().await.unwrap();
    }
}

/// While another holds the tenant's lock, a write is refused in time, and goes on when the lock is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_node_that_hangs_holds_up_nobody_for_long() {
    let nodes = Nodes::new(1).await;
    let store = nodes.of(0);
    put(store, "a", b"1").await;
    let client = nodes.database.client().await;
    client.batch_execute("BEGIN; LOCK TABLE version IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let begun = Instant::now();
    let refused = commit(store, testing::update("a"), b"2", 1).await;
    assert!(matches!(&refused, Err(CommitError::Store(Error::Unavailable(_)))), "{refused:?}");
    let (tenant, id) = (testing::tenant("t"), testing::id("a"));
    let refused = store.current(&tenant, &ResourceType::BINARY, &id).await;
    assert!(matches!(&refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(put(store, "a", b"3").await.version, 2);
}

/// Contract 8: a sweep takes back what was announced long ago; the write that comes after all is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn content_that_was_swept_before_its_record_is_refused() {
    let nodes = Nodes::new(2).await;
    let (text, tenant) = (bytes(1, 5000), testing::tenant("t"));
    let uploaded = crate::support::upload(nodes.of(0), &text).await.unwrap();
    assert_eq!(nodes.of(1).sweep().await.unwrap().files, 0, "it is announced");
    let client = nodes.database.client().await;
    let aged = client.execute("UPDATE announced SET since = since - interval '25 hours'", &[]).await.unwrap();
    assert_eq!(aged, 1);
    assert_eq!(nodes.of(1).sweep_known().await.unwrap().files, 1, "it is nobody's any more");
    let refused = nodes.of(0).commit(&tenant, testing::update("a"), Some(uploaded), testing::at(1)).await;
    assert!(matches!(&refused, Err(CommitError::Store(Error::Unavailable(_)))), "{refused:?}");
    put(nodes.of(0), "a", &text).await;
    assert_eq!(read(nodes.of(1), "a").await.unwrap().unwrap(), text);
    let left: i64 = client.query_one("SELECT count(*) FROM announced", &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "what is named is announced no more");
    assert_clean(nodes.of(0)).await;
}

/// What a later release has added and marked as harmless for this one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_program_serves_a_database_that_a_newer_one_has_widened() {
    let mut nodes = Nodes::new(2).await;
    nodes.directories.push(tempfile::tempdir().unwrap());
    put(nodes.of(0), "before", b"1").await;
    let widen = "CREATE TABLE of_a_later_release (key bigint PRIMARY KEY); \
                 ALTER TABLE version ADD COLUMN later text; ALTER TABLE document ADD COLUMN later bigint; \
                 ALTER TABLE content ADD COLUMN later boolean NOT NULL DEFAULT false; \
                 INSERT INTO charta_migration (number, compatible) VALUES (1000, 1)";
    nodes.database.client().await.batch_execute(widen).await.unwrap();
    put(nodes.of(1), "meanwhile", &bytes(1, 5000)).await;
    let again = open(nodes.options(2)).await;
    for (name, content) in [("before", b"2".to_vec()), ("new", bytes(2, 5000))] {
        put(&again, name, &content).await;
        assert_eq!(read(nodes.of(1), name).await.unwrap().unwrap(), content);
    }
    assert_eq!(read(&again, "meanwhile").await.unwrap().unwrap(), bytes(1, 5000));
    assert_clean(&again).await;
}

/// What is there stays as it is, and who starts it is told why.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_program_that_is_too_old_for_the_database_does_not_start() {
    let mut nodes = Nodes::new(1).await;
    nodes.directories.push(tempfile::tempdir().unwrap());
    let client = nodes.database.client().await;
    client
        .batch_execute("INSERT INTO charta_migration (number, compatible) VALUES (1000, 999)")
        .await
        .unwrap();
    for access in [Access::Exclusive, Access::ReadOnly] {
        let said = Store::connect(&nodes.options(1), access).await.err().expect("it is refused").to_string();
        assert!(said.contains("schema 1000 is newer than this program's"), "{said}");
        assert!(said.contains("use the newer program"), "{said}");
    }
    let number: i64 = client.query_one("SELECT count(*) FROM charta_migration", &[]).await.unwrap().get(0);
    assert!(number > 1, "nothing was taken back");
    client.batch_execute("UPDATE charta_migration SET compatible = 1 WHERE number = 1000").await.unwrap();
    put(&open(nodes.options(1)).await, "a", b"1").await;
}
