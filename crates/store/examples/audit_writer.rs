//! Records events from several threads until it is killed, and prints the request id of each that was
//! acknowledged, with a sync for each. For `tests/it/audit.rs`.
//!
//! ```text
//! audit_writer <directory> <run>
//! ```

use std::{io::Write as _, path::Path, sync::Arc};

use charta_model::{
    Timestamp,
    audit::{Caller, Event, Interaction},
};
use charta_store::{Access, AuditLog, AuditOptions, Durability};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(run)) = (arguments.next(), arguments.next()) else { return };
    let options =
        AuditOptions { durability: Durability::Each, segment_events: 150, ..AuditOptions::default() };
    let log = AuditLog::open(Path::new(&directory), Access::Exclusive, options, [7; 16]);
    let log = log.expect("the log opens after every crash");
    let output = Arc::new(std::sync::Mutex::new(std::io::stdout()));
    let writers: Vec<_> = (0..6)
        .map(|writer| tokio::spawn(write(log.clone(), format!("{run}-{writer}"), Arc::clone(&output))))
        .collect();
    for writer in writers {
        writer.await.expect("a writer does not fail");
    }
}

async fn write(log: AuditLog, name: String, output: Arc<std::sync::Mutex<std::io::Stdout>>) {
    for number in 0.. {
        let request_id = format!("{name}-{number}");
        let event = Event {
            recorded: Timestamp::from_millisecond(number).expect("a time"),
            tenant: "t".into(),
            interaction: Interaction::Read,
            status: 200,
            endpoint: "/r4".into(),
            request_id: request_id.as_str().into(),
            caller: Caller::default().into(),
            patient: "1".into(),
            entities: [].into_iter().collect(),
            query: "".into(),
        };
        log.record(&event).await.expect("the log takes it");
        let mut output = output.lock().expect("nobody panics with it");
        if writeln!(output, "{request_id}").and_then(|()| output.flush()).is_err() {
            return;
        }
    }
}
