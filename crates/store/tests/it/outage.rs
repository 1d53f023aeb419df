//! PostgreSQL stops, crashes, comes back, and is followed by its standby, while nodes write.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use charta_model::ResourceType;
use charta_store::{Access, CatalogPlace, CommitError, Error, Options, PostgresUrl, Store, testing};
use tempfile::TempDir;

use crate::{
    audit,
    ledger::Writers,
    support::{assert_clean, commit},
};

/// A PostgreSQL of one's own; it stops with the test.
pub struct Server(TempDir);

impl Server {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs the script and gives what it prints.
    pub fn run(&self, name: &str, arguments: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres.sh");
        // Its output goes to files: the server inherits it and would keep a pipe open.
        let (out, error) = (self.0.path().join("out"), self.0.path().join("error"));
        let status = Command::new(script)
            .arg(self.path(name))
            .args(arguments)
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&error).unwrap())
            .status()
            .unwrap();
        let said = std::fs::read_to_string(error).unwrap();
        assert!(status.success(), "{name} {arguments:?}: {said}");
        std::fs::read_to_string(out).unwrap().trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for name in ["a", "b"] {
            if self.0.path().join(name).join("data/postmaster.pid").exists() {
                self.run(name, &["kill"]);
            }
        }
    }
}

/// Three nodes, each with a directory of its own.
async fn nodes(server: &Server, url: &str) -> Vec<Store> {
    let mut stores = Vec::new();
    for node in 0..3 {
        let catalog = CatalogPlace::Postgres(PostgresUrl::new(url).unwrap());
        let options = Options { catalog, ..Options::new(server.path(&format!("node{node}"))) };
        stores.push(Store::connect(&options, Access::Exclusive).await.unwrap());
    }
    stores
}

/// The first write makes the tenant and its names, and waits for the disk with each: on a busy machine for longer than
/// a request may.
async fn begin(store: &Store) {
    let begun = Instant::now();
    while let Err(error) = commit(store, testing::update("a"), b"1", 1).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error:?}");
    }
}

/// Refused in time, by the name of what does not answer.
async fn assert_refused(store: &Store) {
    let (tenant, id, begun) = (testing::tenant("t"), testing::id("a"), Instant::now());
    let read = store.current(&tenant, &ResourceType::BINARY, &id).await;
    assert!(matches!(&read, Err(Error::Unavailable(why)) if why.contains("catalog")), "{read:?}");
    let ping = store.ping().await;
    assert!(matches!(&ping, Err(Error::Unavailable(why)) if why.contains("catalog")), "{ping:?}");
    assert!(begun.elapsed() < Duration::from_secs(12), "two answers took {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts PostgreSQL"]
async fn a_server_that_stops_or_crashes_and_comes_back_loses_nothing() {
    let server = Server::new();
    let url = server.run("a", &["start"]);
    let stores = nodes(&server, &url).await;
    begin(&stores[0]).await;
    let writers = Writers::start(&stores);
    for round in 0..6 {
        writers.acknowledge(30).await;
        server.run("a", &[if round % 2 == 0 { "kill" } else { "stop" }]);
        assert_refused(&stores[round % 3]).await;
        server.run("a", &["start"]);
    }
    writers.acknowledge(30).await;
    let ledger = writers.finish().await;
    assert!(!ledger.refused.is_empty(), "an outage was noticed");
    ledger.verify(&stores[1]).await;
    assert_clean(&stores[2]).await;
}

/// Contract of the audit log: what is answered meanwhile is recorded, and found when the catalog is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts PostgreSQL"]
async fn events_are_recorded_without_the_catalog_and_copied_when_it_is_back() {
    let server = Server::new();
    let url = server.run("a", &["start"]);
    let stores = nodes(&server, &url).await;
    let logs: Vec<_> = stores.iter().map(|store| store.audit_log(audit::small()).unwrap()).collect();
    let mut recorded = 0;
    for round in 0..2_usize {
        audit::record(&logs[round], recorded..recorded + 50).await;
        logs[round].search(audit::all()).await.unwrap();
        server.run("a", &[if round % 2 == 0 { "kill" } else { "stop" }]);
        let begun = Instant::now();
        for log in &logs {
            audit::record(log, recorded + 50..recorded + 60).await;
            log.flush().await.unwrap();
            recorded += 10;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "nothing waits for the catalog");
        let refused = logs[2].search(audit::all()).await;
        assert!(matches!(&refused, Err(Error::Unavailable(_))), "{refused:?}");
        let statistics = logs[2].statistics();
        assert!(statistics.uncopied >= 10 && statistics.copy_failures >= 1, "{statistics:?}");
        server.run("a", &["start"]);
        recorded += 50;
    }
    let begun = Instant::now();
    for log in &logs {
        while log.search(audit::all()).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", log.statistics());
        }
        assert_eq!(log.statistics().uncopied, 0);
    }
    let found = audit::pages(&logs[1], audit::all()).await;
    let expected: Vec<_> =
        (0..recorded).rev().map(audit::event).filter(|event| event.tenant == "default").collect();
    assert_eq!(found.into_iter().map(|(_, event)| event).collect::<Vec<_>>(), expected);
}

/// Its processes are stopped, so that connections stay and nothing answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts PostgreSQL"]
async fn a_server_that_hangs_is_waited_for_a_few_seconds() {
    let server = Server::new();
    let url = server.run("a", &["start"]);
    let stores = nodes(&server, &url).await;
    begin(&stores[0]).await;
    server.run("a", &["freeze"]);
    let begun = Instant::now();
    let writes = stores.iter().map(|store| commit(store, testing::update("a"), b"2", 1));
    for refused in futures_util::future::join_all(writes).await {
        assert!(matches!(&refused, Err(CommitError::Store(Error::Unavailable(_)))), "{refused:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert_refused(&stores[1]).await;
    server.run("a", &["thaw"]);
    let writers = Writers::start(&stores);
    writers.acknowledge(30).await;
    writers.finish().await.verify(&stores[2]).await;
    assert_clean(&stores[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts PostgreSQL"]
async fn a_standby_that_takes_over_has_all_that_was_acknowledged() {
    let server = Server::new();
    let first = server.run("a", &["start"]);
    let second = server.run("b", &["standby", &server.path("a")]);
    let port = |url: &str| url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let url = format!("postgres://app@127.0.0.1:{},127.0.0.1:{}/postgres", port(&first), port(&second));
    let stores = nodes(&server, &url).await;
    begin(&stores[0]).await;
    let writers = Writers::start(&stores);
    writers.acknowledge(100).await;
    server.run("a", &["kill"]);
    server.run("b", &["promote"]);
    writers.acknowledge(100).await;
    let ledger = writers.finish().await;
    ledger.verify(&stores[1]).await;
    assert_clean(&stores[2]).await;
}
