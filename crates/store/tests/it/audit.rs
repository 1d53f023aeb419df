//! The audit log: what is synced stays, in order, whatever ends the process; searches find what a look at every
//! event would.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use charta_model::{
    Timestamp,
    audit::{AuditFilter, AuditQuery, Caller, Entity, Event, Interaction, Outcome},
};
use charta_store::{Access, AuditLog, AuditOptions, Durability};
use proptest::prelude::*;

const KEY: [u8; 16] = [7; 16];

pub fn small() -> AuditOptions {
    AuditOptions { segment_events: 40, interval_ms: 5, ..AuditOptions::default() }
}

fn open(directory: &Path, options: AuditOptions) -> AuditLog {
    AuditLog::open(directory, Access::Exclusive, options, KEY).expect("the log opens")
}

/// Event number so-and-so of a made-up day: patients, agents and documents come back again and again.
pub fn event(number: u64) -> Event<'static> {
    let interaction = [Interaction::Read, Interaction::SearchType, Interaction::Update][number as usize % 3];
    let shown = Entity { kind: "Binary".into(), id: format!("b{}", number % 11).into(), version: 1 };
    Event {
        recorded: Timestamp::from_millisecond(1_000_000 + number as i64 * 10).expect("a time"),
        tenant: if number % 10 == 9 { "other".into() } else { "default".into() },
        interaction,
        status: if number % 5 == 4 { 404 } else { 200 },
        endpoint: "/r4".into(),
        request_id: format!("request-{number}").into(),
        caller: Caller { client: format!("app-{}", number % 4), ..Caller::default() }.into(),
        patient: if number.is_multiple_of(6) { "".into() } else { format!("p{}", number % 7).into() },
        entities: (interaction != Interaction::SearchType).then_some(shown).into_iter().collect(),
        query: "GET /r4/Binary?x=\t\n".into(),
    }
}

pub fn all() -> AuditQuery {
    AuditQuery { tenant: "default".into(), filters: Vec::new(), only: None, before: None, limit: 1000 }
}

pub async fn record(log: &AuditLog, numbers: std::ops::Range<u64>) {
    for number in numbers {
        log.record(&event(number)).await.expect("the log takes it");
    }
}

/// Every page of a search, with pages of `limit`.
pub async fn pages(log: &AuditLog, mut query: AuditQuery) -> Vec<(u64, Event<'static>)> {
    let mut found = Vec::new();
    loop {
        let page = log.search(query.clone()).await.expect("the log is read");
        found.extend(page.events);
        match page.next {
            Some(next) => query.before = Some(next),
            None => return found,
        }
    }
}

#[tokio::test]
async fn events_are_there_after_a_restart_in_order_and_numbered_without_gaps() {
    let directory = tempfile::tempdir().unwrap();
    for run in 0..5 {
        let log = open(directory.path(), small());
        record(&log, run * 33..(run + 1) * 33).await;
        log.close().await;
    }
    let log = open(directory.path(), small());
    let mut found = pages(&log, AuditQuery { limit: 7, ..all() }).await;
    found.extend(pages(&log, AuditQuery { tenant: "other".into(), ..all() }).await);
    found.sort_by_key(|(number, _)| *number);
    let expected: Vec<_> = (0..165).map(|number| (number + 1, event(number))).collect();
    assert_eq!(found, expected);
    assert_eq!(log.check().await.unwrap(), []);
    assert_eq!(log.statistics().synced, 165);
}

#[tokio::test]
async fn every_event_is_found_with_who_asked_however_many_and_whatever_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), AuditOptions { segment_events: 2_000, ..small() });
    let asked = |number: u64| {
        let who = number as usize % 1_500;
        let client = format!("app\t{who}\\{}", "x".repeat(who % 700)); // longer than what is read at once
        let caller = Caller { client, address: "192.0.2.1".into(), ..Caller::default() };
        Event { tenant: "default".into(), caller: caller.into(), ..event(number) }
    };
    for number in 0..4_500 {
        log.record(&asked(number)).await.expect("the log takes it");
    }
    let found = pages(&log, all()).await;
    assert_eq!(found.len(), 4_500);
    assert!(found.iter().rev().zip(0..).all(|((_, found), number)| *found == asked(number)));
    let agent = AuditFilter::Agent(vec![asked(7).caller.client.clone()]);
    let numbers = pages(&log, AuditQuery { filters: vec![agent], ..all() }).await;
    assert_eq!(numbers.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3_008, 1_508, 8]);
    assert_eq!(log.check().await.unwrap(), []);
    log.close().await;
}

#[tokio::test]
async fn a_torn_batch_is_cut_off_and_the_log_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), AuditOptions::default());
    record(&log, 0..10).await;
    log.flush().await.unwrap();
    record(&log, 10..20).await;
    log.close().await;
    let file = directory.path().join("00000000000000000001.log");
    let whole = std::fs::read(&file).unwrap();
    let start = whole.windows(7).rposition(|at| at == b"#batch ").unwrap();
    for cut in [whole.len() - 1, start + 120, start + 93, start + 10, start + 1] {
        std::fs::write(&file, &whole[..cut]).unwrap();
        let reader = AuditLog::open(directory.path(), Access::ReadOnly, small(), KEY).unwrap();
        assert_eq!(reader.check().await.unwrap(), [], "what is being written is no finding");
        let log = open(directory.path(), AuditOptions::default());
        record(&log, 50..51).await;
        let found = pages(&log, all()).await;
        let expected: Vec<_> = (0..9).map(event).chain([event(50)]).rev().collect();
        assert_eq!(
            found.iter().map(|(_, event)| event.clone()).collect::<Vec<_>>(),
            expected,
            "cut at {cut}"
        );
        assert_eq!(found[0].0, 11);
        assert_eq!(log.check().await.unwrap(), []);
        log.close().await;
    }
}

#[tokio::test]
async fn what_was_changed_is_found_and_what_comes_after_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), AuditOptions::default());
    for batch in 0..3 {
        record(&log, batch * 5..(batch + 1) * 5).await;
        log.flush().await.unwrap();
    }
    log.close().await;
    let file = directory.path().join("00000000000000000001.log");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(9).position(|at| at == b"request-7").unwrap();
    bytes[at + 8] = b'6';
    std::fs::write(&file, &bytes).unwrap();
    let log = open(directory.path(), AuditOptions::default());
    record(&log, 20..21).await;
    let found = pages(&log, all()).await;
    assert_eq!(found[0], (16, event(20)), "it goes on behind the damage");
    assert_eq!(found.last().unwrap(), &(1, event(0)));
    let findings = log.check().await.unwrap();
    assert!(findings[0].problem.contains("segment 1 is damaged after event 6"), "{findings:?}");
    log.close().await;
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "nothing of the damaged segment is lost");
}

#[tokio::test]
async fn old_segments_go_and_young_ones_stay() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), small());
    for number in 0..200 {
        record(&log, number..number + 1).await;
        if number.is_multiple_of(10) {
            log.flush().await.unwrap();
        }
    }
    log.flush().await.unwrap();
    let size = |log: &AuditLog| log.statistics().bytes;
    let before = size(&log);
    let time = event(100).recorded;
    assert!(log.expire(time).await.unwrap() >= 1);
    assert!(size(&log) < before);
    let found = pages(&log, all()).await;
    assert!(found.iter().any(|(_, known)| known.recorded == time), "the time itself is kept");
    let oldest = &found.last().unwrap().1;
    let in_order: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
    assert!(in_order.is_sorted_by(|a, b| a > b));
    assert!(oldest.recorded > event(0).recorded);
    assert_eq!(log.check().await.unwrap(), []);
    // All of it: what is being written ends with the next event.
    log.expire(event(500).recorded).await.unwrap();
    record(&log, 600..601).await;
    log.flush().await.unwrap();
    record(&log, 601..602).await;
    log.flush().await.unwrap();
    log.expire(event(500).recorded).await.unwrap();
    log.close().await;
    let log = open(directory.path(), small());
    let found = pages(&log, all()).await;
    assert_eq!(found.first().unwrap().1, event(601));
    assert_eq!(log.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_lost_index_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), small());
    record(&log, 0..300).await;
    log.close().await;
    let query = AuditQuery { filters: vec![AuditFilter::Patient(vec!["p3".into()])], ..all() };
    let log = open(directory.path(), small());
    let expected = pages(&log, query.clone()).await;
    assert!(!expected.is_empty());
    log.close().await;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|of| of == "index") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let log = open(directory.path(), small());
    assert_eq!(pages(&log, query).await, expected);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_says_so_and_goes_on_when_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("audit");
    let options = AuditOptions { durability: Durability::Each, segment_events: 1, ..small() };
    let log = open(&place, options);
    record(&log, 0..3).await;
    // Each event begins a segment, and the directory for it is gone.
    let aside = directory.path().join("aside");
    std::fs::rename(&place, &aside).unwrap();
    assert!(log.record(&event(3)).await.is_err());
    assert!(log.ready().is_err());
    assert!(log.record(&event(4)).await.is_err(), "nothing is taken that would not be kept");
    std::fs::rename(&aside, &place).unwrap();
    while log.ready().is_err() {
        let _ = log.flush().await;
    }
    record(&log, 5..6).await;
    let found: Vec<_> = pages(&log, all()).await.into_iter().map(|(_, event)| event).collect();
    assert_eq!(found, [event(5), event(3), event(2), event(1), event(0)], "what was taken in is written");
    assert!(log.statistics().failures > 0);
    log.close().await;
}

#[test]
fn what_was_synced_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.pop();
    let program = program.join("examples/audit_writer");
    let mut expected = Vec::new();
    for run in 0..6_u64 {
        let mut child = Command::new(&program)
            .arg(directory.path())
            .arg(run.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example is built with the tests");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok).take(200 + run as usize * 37) {
            expected.push(line);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let log = open(directory.path(), small());
        assert_eq!(log.check().await.unwrap(), []);
        let found = pages(&log, AuditQuery { tenant: "t".into(), ..all() }).await;
        let mut names: Vec<_> = found.iter().map(|(_, event)| event.request_id.to_string()).collect();
        let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).rev().collect();
        assert_eq!(numbers, (1..=found.len() as u64).collect::<Vec<_>>());
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "nothing is there twice");
        for acknowledged in &expected {
            assert!(names.binary_search(acknowledged).is_ok(), "{acknowledged} was acknowledged");
        }
        assert!(expected.len() > 1000);
    });
}

fn filter() -> impl Strategy<Value = AuditFilter> {
    let time = |number: u64| event(number).recorded;
    let span = (0..260_u64, 0..260_u64).prop_map(move |(from, length)| (time(from), time(from + length)));
    let interactions = prop::sample::subsequence(
        vec![Interaction::Read, Interaction::SearchType, Interaction::Update],
        1..3,
    );
    let outcomes = prop::sample::subsequence(vec![Outcome::Success, Outcome::Refused, Outcome::Failed], 1..3);
    prop_oneof![
        prop::collection::vec("p[0-8]", 1..3).prop_map(AuditFilter::Patient),
        prop::collection::vec("app-[0-5]", 1..3).prop_map(AuditFilter::Agent),
        prop::collection::vec(("Binary|Patient", "[bp][0-9]"), 1..3).prop_map(AuditFilter::Entity),
        span.clone().prop_map(|(from, to)| AuditFilter::Recorded(from, to)),
        span.prop_map(|(from, to)| AuditFilter::NotRecorded(from, to)),
        interactions.prop_map(AuditFilter::Interaction),
        outcomes.prop_map(AuditFilter::Outcome),
    ]
}

#[test]
fn a_search_finds_what_a_look_at_every_event_finds() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let log = runtime.block_on(async {
        // The first log leaves complete segments, the second indexes what has no index and goes on.
        let log = open(directory.path(), small());
        record(&log, 0..170).await;
        log.close().await;
        let log = open(directory.path(), small());
        for number in 170..250 {
            record(&log, number..number + 1).await;
            log.flush().await.unwrap();
        }
        log
    });
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    let strategy = (prop::collection::vec(filter(), 0..4), 1_usize..60, prop::option::of(0_u64..260));
    runner
        .run(&strategy, |(filters, limit, before)| {
            let query = AuditQuery { filters: filters.clone(), before, limit, ..all() };
            let found = runtime.block_on(pages(&log, query));
            let expected: Vec<_> = (0..250)
                .rev()
                .map(|number| (number + 1, event(number)))
                .filter(|(number, event)| {
                    before.is_none_or(|before| *number < before)
                        && event.tenant == "default"
                        && filters.iter().all(|filter| filter.holds(event))
                })
                .collect();
            prop_assert_eq!(found, expected);
            Ok(())
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_takes_the_log_along() {
    let directory = tempfile::tempdir().unwrap();
    let options = charta_store::Options::new(directory.path().join("data"));
    let store = charta_store::Store::open(&options, Access::Exclusive).unwrap();
    let log = store.audit_log(small()).unwrap();
    record(&log, 0..100).await;
    log.flush().await.unwrap();
    let beside = charta_store::Store::open(&options, Access::ReadOnly).unwrap();
    let (backup, restored) = (directory.path().join("backup"), directory.path().join("restored"));
    beside.backup(&backup, &|_, _| {}).await.unwrap();
    let expected = pages(&log, all()).await;
    let (from, to) = (backup.clone(), restored.clone());
    let restoring = tokio::task::spawn_blocking(move || charta_store::Store::restore(&from, &to, &|_, _| {}));
    restoring.await.unwrap().unwrap();
    let options = charta_store::Options::new(&restored);
    let again = charta_store::Store::open(&options, Access::Exclusive).unwrap();
    let copy = again.audit_log(small()).unwrap();
    assert_eq!(pages(&copy, all()).await, expected);
    record(&copy, 100..101).await;
    assert_eq!(pages(&copy, all()).await.first().unwrap(), &(101, event(100)));
    copy.close().await;
    assert_eq!(again.check(false, &|_, _| {}).await.unwrap(), []);
}
