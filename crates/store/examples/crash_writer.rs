//! Writes documents of all sizes, records and transactions from several threads until it is killed, and
//! prints a line for each write that was acknowledged: `<id> <version> <digest, source or ->`. What begins with
//! `r`, `x` or `y` is a Patient, all else a Binary; x and y change together. For `tests/it/crash.rs`.
//!
//! ```text
//! crash_writer <directory> <run>
//! ```

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

use charta_model::{ResourceType, Write, WriteOutcome};
use charta_store::{
    Access, Options, Store,
    testing::{self, entry},
};

const WRITERS: u64 = 6;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(run)) = (arguments.next(), arguments.next()) else { return };
    let run: u64 = run.parse().expect("a number");
    let options = Options { inline_bytes_max: 2000, ..Options::new(Path::new(&directory)) };
    let store = Store::open(&options, Access::Exclusive).expect("the store opens after every crash");
    let output = Arc::new(std::sync::Mutex::new(std::io::stdout()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(store.clone(), run, writer, Arc::clone(&output))))
        .collect();
    let sweeper = async {
        loop {
            tokio::time::sleep(Duration::from_millis(3)).await;
            let _ = store.sweep().await;
        }
    };
    tokio::select! {
        () = sweeper => {}
        _ = futures(writers) => {}
    }
}

async fn futures(writers: Vec<tokio::task::JoinHandle<()>>) {
    for writer in writers {
        writer.await.expect("a writer does not fail");
    }
}

async fn write(store: Store, run: u64, writer: u64, output: Arc<std::sync::Mutex<std::io::Stdout>>) {
    let tenant = testing::tenant("t");
    for number in 0.. {
        // A few documents for each writer, so that updates, deletions and purges meet their past.
        let name = format!("w{writer}-{}", (run * 7 + number) % 5);
        let step = run * 1_000_000 + number;
        if step % 23 == 11 {
            let purged = format!("p{writer}-{}", number % 3);
            let _ = store.purge(&tenant, &ResourceType::BINARY, &testing::id(&purged)).await;
            continue;
        }
        let bytes = bytes(step * WRITERS + writer);
        let mut names = vec![name.clone()];
        let mut writes = match step % 9 {
            3 => vec![testing::delete(&name)],
            // Documents that are purged now and then; the reader of these lines does not count on them.
            5 => {
                names = vec![format!("p{writer}-{}", number % 3)];
                vec![testing::update(&names[0])]
            }
            6 => {
                names = vec![format!("r{writer}")];
                vec![record(&names[0], step)]
            }
            7 => {
                names = vec![format!("r{writer}")];
                vec![testing::delete_record("Patient", &names[0])]
            }
            8 => {
                names.extend([format!("x{writer}"), format!("y{writer}")]);
                vec![testing::update(&name), record(&names[1], step), record(&names[2], step)]
            }
            _ => vec![testing::update(&name)],
        };
        let content = if writes[0].state.as_ref().is_some_and(|state| state.content.is_some()) {
            let mut upload = store.upload();
            for piece in bytes.chunks(100_000) {
                upload.write(bytes::Bytes::copy_from_slice(piece)).await.expect("the disk takes it");
            }
            Some(upload.finish().await.expect("the disk takes it"))
        } else {
            None
        };
        let now = testing::at(i64::try_from(step).expect("small"));
        let first = (writes.remove(0), content);
        let writes = [first].into_iter().chain(writes.into_iter().map(|write| (write, None))).collect();
        let outcomes = store.transact(&tenant, writes, Vec::new(), now).await.expect("the catalog takes it");
        let lines: String =
            names.iter().zip(&outcomes).filter_map(|(name, outcome)| line(name, outcome)).collect();
        let mut output = output.lock().expect("no writer panics");
        if output.write_all(lines.as_bytes()).and_then(|()| output.flush()).is_err() {
            return;
        }
    }
}

fn record(name: &str, step: u64) -> Write {
    let source = step.to_string();
    let write = entry::linking(testing::put_record("Patient", name, &source), [entry::link("b", Some(step))]);
    entry::with(write, [entry::token("identifier", "s", &source), entry::text("name", name)])
}

fn line(name: &str, outcome: &WriteOutcome) -> Option<String> {
    let (WriteOutcome::Created(document) | WriteOutcome::Updated(document) | WriteOutcome::Deleted(document)) =
        outcome
    else {
        return None;
    };
    let said = match (document.content(), document.source()) {
        (Some(facts), _) => facts.digest.hex(),
        (None, Some(source)) => source.body.clone(),
        (None, None) => "-".to_owned(),
    };
    Some(format!("{name} {} {said}\n", document.version))
}

/// From a few bytes to some hundred thousand, and every third time bytes that were there before.
fn bytes(step: u64) -> Vec<u8> {
    let seed = if step.is_multiple_of(3) { step % 9 } else { step };
    let length = match seed % 8 {
        0..4 => 10 + seed % 1000,
        4..7 => 2_100 + seed % 20_000,
        _ => 280_000 + seed % 1000,
    };
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(usize::try_from(length).expect("small"))
    .collect()
}
