//! The audit log of several nodes: what any of them recorded all find, once each, whatever breaks on the way.

use std::time::{Duration, Instant};

use charta_model::audit::{AuditFilter, AuditQuery, Event, Interaction, Outcome};
use charta_store::{Access, AuditLog, AuditOptions, Error, Store};

use super::{Nodes, open};
use crate::audit::{all, event, pages, record, small};

fn log(store: &Store) -> AuditLog {
    store.audit_log(small()).expect("the log opens")
}

#[allow(clippy::print_stdout, reason = "figures for docs/operations/audit.md")]
fn show(figure: &str) {
    println!("{figure}");
}

/// The events of all pages, without their numbers.
async fn found(log: &AuditLog, query: AuditQuery) -> Vec<Event<'static>> {
    pages(log, query).await.into_iter().map(|(_, event)| event).collect()
}

/// The made-up events of these numbers that fit, newest first.
fn expected(numbers: std::ops::Range<u64>, filters: &[AuditFilter]) -> Vec<Event<'static>> {
    let fits =
        |event: &Event<'_>| event.tenant == "default" && filters.iter().all(|filter| filter.holds(event));
    numbers.rev().map(event).filter(fits).collect()
}

/// Everything that a node finds once all have copied what they have.
async fn found_by(logs: &[AuditLog], node: usize, query: AuditQuery) -> Vec<Event<'static>> {
    for log in logs {
        log.search(AuditQuery { limit: 1, ..all() }).await.expect("what is recorded here is found here");
    }
    found(&logs[node], query).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn what_any_node_recorded_every_node_finds_by_every_filter() {
    let nodes = Nodes::new(3).await;
    let logs: Vec<_> = nodes.stores.iter().map(log).collect();
    for number in 0..250 {
        record(&logs[number as usize % 3], number..number + 1).await;
    }
    let recorded = |number: u64| event(number).recorded;
    let entity = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());
    let sets: [Vec<AuditFilter>; 10] = [
        vec![],
        vec![AuditFilter::Patient(vec!["p3".into()])],
        vec![AuditFilter::Patient(vec!["p1".into(), "p5".into()]), AuditFilter::Agent(vec!["app-2".into()])],
        vec![AuditFilter::Agent(vec!["app-1".into(), "nobody".into()])],
        vec![AuditFilter::Entity(vec![entity("Binary", "b7"), entity("Patient", "p2")])],
        vec![AuditFilter::Patient(Vec::new())],
        vec![
            AuditFilter::Recorded(recorded(31), recorded(140)),
            AuditFilter::NotRecorded(recorded(50), recorded(60)),
        ],
        vec![
            AuditFilter::Interaction(vec![Interaction::Update]),
            AuditFilter::Outcome(vec![Outcome::Refused]),
        ],
        vec![AuditFilter::Outcome(vec![Outcome::Failed])],
        vec![AuditFilter::Patient(vec!["p3".into()]), AuditFilter::Outcome(vec![Outcome::Success])],
    ];
    for filters in sets {
        let expected = expected(0..250, &filters);
        for (node, limit) in [(0, 7), (1, 1000), (2, 50)] {
            let query = AuditQuery { filters: filters.clone(), limit, ..all() };
            assert_eq!(found_by(&logs, node, query).await, expected, "{filters:?} at node {node}");
        }
    }
    // One by its number, at a node that did not record it; none of another tenant.
    for (number, known) in pages(&logs[0], AuditQuery { limit: 90, ..all() }).await.into_iter().step_by(40) {
        let one = AuditQuery { only: Some(number), ..all() };
        assert_eq!(pages(&logs[1], one.clone()).await, [(number, known)]);
        let other = AuditQuery { tenant: "other".into(), ..one };
        assert_eq!(pages(&logs[1], other).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn an_event_reaches_the_others_by_itself_and_who_only_reads() {
    let nodes = Nodes::new(2).await;
    let logs: Vec<_> = nodes.stores.iter().map(log).collect();
    record(&logs[0], 0..1).await;
    let begun = Instant::now();
    while found(&logs[1], all()).await != [event(0)] {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never comes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    show(&format!("at another node after {:.2} s", begun.elapsed().as_secs_f64()));
    let reader = Store::connect(&nodes.options(1), Access::ReadOnly).await.unwrap();
    let reader = reader.audit_log(small()).unwrap();
    assert_eq!(found(&reader, all()).await, [event(0)], "as charta audit does");
    assert!(matches!(reader.record(&event(1)).await, Err(Error::ReadOnly)));
}

/// Connections break, and the node ends in the middle of whatever it was copying.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn what_a_crash_cuts_off_is_copied_once() {
    const EVENTS: u64 = 6_000;
    let nodes = Nodes::new(1).await;
    let options = AuditOptions { segment_events: 700, ..small() };
    for round in 0..12 {
        let log = nodes.stores[0].audit_log(options.clone()).unwrap();
        record(&log, round * EVENTS / 12..(round + 1) * EVENTS / 12).await;
        log.flush().await.unwrap();
        // What comes first is any of: the portion is copied, its answer is lost, it was not sent.
        let _ = tokio::time::timeout(Duration::from_millis(round * 3), log.search(all())).await;
        if round % 2 == 0 {
            nodes.cut().await;
        }
        drop(log); // its task is ended wherever it is
    }
    let log = nodes.stores[0].audit_log(options).unwrap();
    let ours = until_copied(&log).await;
    assert_eq!(ours, expected(0..EVENTS, &[]));
    let client = nodes.database.client().await;
    let row = client.query_one("SELECT count(*), count(DISTINCT line) FROM audit_event", &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (EVENTS as i64, EVENTS as i64));
    let names: i64 = client.query_one("SELECT count(*) FROM audit_node", &[]).await.unwrap().get(0);
    assert_eq!(names, 1, "it is one node all the time");
}

/// A search is refused while what it must find is not there yet.
async fn until_copied(log: &AuditLog) -> Vec<Event<'static>> {
    let begun = Instant::now();
    while let Err(error) = log.search(AuditQuery { limit: 1, ..all() }).await {
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    }
    found(log, all()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn old_events_go_from_the_catalog_too() {
    let nodes = Nodes::new(2).await;
    let logs: Vec<_> = nodes.stores.iter().map(log).collect();
    record(&logs[0], 0..60).await;
    record(&logs[1], 60..120).await;
    assert_eq!(found_by(&logs, 0, all()).await, expected(0..120, &[]));
    let second_page = AuditQuery { limit: 100, ..all() };
    let next = logs[0].search(second_page.clone()).await.unwrap().next;
    logs[1].expire(event(80).recorded).await.unwrap();
    assert_eq!(found_by(&logs, 0, all()).await, expected(80..120, &[]));
    let after = AuditQuery { before: next, ..second_page };
    assert_eq!(found(&logs[0], after).await, [], "a page goes on after an event that is gone");
    record(&logs[0], 120..130).await;
    assert_eq!(found_by(&logs, 1, all()).await, expected(80..130, &[]), "none comes back");
}

/// The catalog is put back to an earlier state: what it lost it gets again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_catalog_that_was_put_back_gets_again_what_it_lost() {
    let nodes = Nodes::new(1).await;
    let log = log(&nodes.stores[0]);
    record(&log, 0..100).await;
    assert_eq!(until_copied(&log).await, expected(0..100, &[]));
    let back = "DELETE FROM audit_event WHERE recorded >= 1000500; UPDATE audit_node SET shipped = 50";
    nodes.database.client().await.batch_execute(back).await.unwrap();
    record(&log, 100..110).await;
    assert_eq!(until_copied(&log).await, expected(0..110, &[]));
}

/// The data directory is put back, or another machine begins with a copy: what comes then has the places of events that
/// are in the catalog already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_directory_that_was_put_back_or_copied_loses_nothing() {
    let mut nodes = Nodes::new(1).await;
    let directory = nodes.directories[0].path().join("store/audit");
    let kept = nodes.directories[0].path().join("kept");
    let first = log(&nodes.stores[0]);
    record(&first, 0..30).await;
    assert_eq!(until_copied(&first).await, expected(0..30, &[]));
    copy(&directory, &kept);
    record(&first, 30..60).await;
    assert_eq!(until_copied(&first).await, expected(0..60, &[]));
    first.close().await;

    std::fs::remove_dir_all(&directory).unwrap();
    copy(&kept, &directory);
    let restored = log(&nodes.stores[0]);
    record(&restored, 60..100).await;
    assert_eq!(until_copied(&restored).await, expected(0..100, &[]));

    // A second machine begins with what the first has now, and both go on.
    nodes.directories.push(tempfile::tempdir().unwrap());
    nodes.stores.push(open(nodes.options(1)).await);
    copy(&directory, &nodes.directories[1].path().join("store/audit"));
    let logs = [restored, log(&nodes.stores[1])];
    for number in 100..160_usize {
        record(&logs[number % 2], number as u64..number as u64 + 1).await;
        if number % 10 < 2 {
            until_copied(&logs[number % 2]).await;
        }
    }
    assert_eq!(found_by(&logs, 0, all()).await, expected(0..160, &[]));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A database and a log of the release before: the tables are made, and the log is copied from its beginning. How fast
/// stands in docs/operations/audit.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_log_that_is_older_than_the_table_is_copied_from_its_beginning() {
    let events =
        std::env::var("CHARTA_AUDIT_EVENTS").map_or(10_000, |number| number.parse().expect("a number"));
    let mut nodes = Nodes::new(1).await;
    nodes.stores.remove(0).close().await;
    let before =
        "DROP TABLE audit_event; DROP TABLE audit_node; DELETE FROM charta_migration WHERE number = 3";
    nodes.database.client().await.batch_execute(before).await.unwrap();
    let directory = nodes.directories[0].path().join("store/audit");
    let old = AuditLog::open(&directory, Access::Exclusive, AuditOptions::default(), [1; 16]).unwrap();
    record(&old, 0..events).await;
    old.close().await;

    nodes.stores.push(open(nodes.options(0)).await);
    let begun = Instant::now();
    let log = nodes.stores[0].audit_log(AuditOptions::default()).unwrap();
    while log.search(AuditQuery { limit: 1, ..all() }).await.is_err() {}
    show(&format!("{events} events in {:.1} s", begun.elapsed().as_secs_f64()));
    assert_eq!(log.statistics().uncopied, 0);
    let client = nodes.database.client().await;
    let sql = "SELECT count(*), pg_total_relation_size('audit_event') FROM audit_event";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), events as i64);
    show(&format!("{} bytes for each", row.get::<_, i64>(1) / events as i64));
    let begun = Instant::now();
    let patient = AuditQuery { filters: vec![AuditFilter::Patient(vec!["p3".into()])], limit: 50, ..all() };
    let newest = log.search(patient.clone()).await.unwrap();
    show(&format!("50 of a patient in {:.1} ms", begun.elapsed().as_secs_f64() * 1000.0));
    let newest: Vec<_> = newest.events.into_iter().map(|(_, event)| event).collect();
    assert_eq!(newest, expected(0..events, &patient.filters)[..50]);
}
