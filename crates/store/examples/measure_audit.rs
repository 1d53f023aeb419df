//! What the audit log costs: CPU per event, events a second, and how long a search takes among many.
//!
//! ```text
//! measure_audit <directory> <events> <tasks>
//! ```

use std::{path::Path, time::Instant};

use charta_model::{
    Timestamp,
    audit::{AuditFilter, AuditQuery, Caller, Entity, Event, Interaction},
};
use charta_store::{Access, AuditLog, AuditOptions};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, events, tasks] = &arguments[..] else { return };
    let (events, tasks): (u64, u64) = (events.parse().expect("a number"), tasks.parse().expect("a number"));
    let log = AuditLog::open(Path::new(directory), Access::Exclusive, AuditOptions::default(), [1; 16]);
    let log = log.expect("the log opens");
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let share = events / tasks;
    let tasks: Vec<_> =
        (0..tasks).map(|task| tokio::spawn(record(log.clone(), task * share, share))).collect();
    for task in tasks {
        task.await.expect("a task does not fail");
    }
    log.flush().await.expect("the disk works");
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    report("recorded, events", events as f64);
    report("events/s", events as f64 / seconds);
    report("CPU us/event, with its making, its sync and the indexes so far", cpu / events as f64 * 1e6);
    log.close().await;
    let begun = Instant::now();
    let log = AuditLog::open(Path::new(directory), Access::Exclusive, AuditOptions::default(), [1; 16]);
    let log = log.expect("the log opens");
    report("opened, ms", begun.elapsed().as_secs_f64() * 1e3);
    report("bytes/event", log.statistics().bytes as f64 / log.statistics().synced as f64);
    let patient = |id: u64| AuditFilter::Patient(vec![format!("patient-{id}")]);
    let deleted = AuditFilter::Interaction(vec![Interaction::Delete]);
    for (name, filters) in [
        ("newest 50, ms", vec![]),
        ("by patient, ms", vec![patient(4321)]),
        ("by patient again, ms", vec![patient(4321)]),
        ("by another patient, ms", vec![patient(77)]),
        ("by a patient who is not there, ms", vec![patient(1 << 40)]),
        ("by what no index knows, one page, ms", vec![deleted]),
    ] {
        let query = AuditQuery { tenant: "default".into(), filters, only: None, before: None, limit: 50 };
        let begun = Instant::now();
        let found = log.search(query).await.expect("the log is read");
        report(name, begun.elapsed().as_secs_f64() * 1e3);
        report("  found", found.events.len() as f64);
    }
    log.close().await;
}

async fn record(log: AuditLog, first: u64, count: u64) {
    for number in first..first + count {
        let (id, patient) =
            (format!("binary-{}", number % 1_000_003), format!("patient-{}", number % 100_003));
        let event = Event {
            recorded: Timestamp::from_millisecond(1_790_000_000_000 + number as i64).expect("a time"),
            tenant: "default".into(),
            interaction: Interaction::Read,
            status: 200,
            endpoint: "/r4".into(),
            request_id: "2f0c1a54-0d4c-4a9e-8a53-3a58d1d6a7f1".into(),
            caller: Caller {
                client: "a-backend-service".into(),
                issuer: "https://login.example.org".into(),
                subject: "service-account-7".into(),
                user: "".into(),
                token_id: "0b7e4f0e-5a5f-4f6c".into(),
                address: "192.0.2.17".into(),
            }
            .into(),
            patient: patient.into(),
            entities: [Entity { kind: "Binary".into(), id: id.into(), version: 1 }].into_iter().collect(),
            query: "".into(),
        };
        log.record(&event).await.expect("the disk works");
        if number.is_multiple_of(64) {
            tokio::task::yield_now().await;
        }
    }
}

/// Seconds that all threads of this process have computed, by `/proc`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = after_name.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // Without the state, which is a letter: utime and stime are the 11th and 12th.
    fields.get(10).zip(fields.get(11)).map_or(0.0, |(user, system)| (user + system) / 100.0)
}

#[allow(clippy::print_stdout, reason = "the result")]
fn report(name: &str, value: f64) {
    println!("{name}: {value:.3}");
}
