//! Writes documents of all sizes from several threads until it is killed, and prints a line for each
//! write that was acknowledged: `<id> <version> <digest or ->`. For `tests/it/crash.rs`.
//!
//! ```text
//! crash_writer <directory> <run>
//! ```

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

use charta_model::{Digest, ResourceType, WriteOutcome};
use charta_store::{Access, Options, Store, testing};

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
        let (name, write) = match step % 7 {
            3 => (name.clone(), testing::delete(&name)),
            // Documents that are purged now and then; the reader of these lines does not count on them.
            5 => {
                let name = format!("p{writer}-{}", number % 3);
                (name.clone(), testing::update(&name))
            }
            _ => (name.clone(), testing::update(&name)),
        };
        let bytes = bytes(step * WRITERS + writer);
        let content = if write.state.is_some() {
            let mut upload = store.upload();
            for piece in bytes.chunks(100_000) {
                upload.write(bytes::Bytes::copy_from_slice(piece)).await.expect("the disk takes it");
            }
            Some(upload.finish().await.expect("the disk takes it"))
        } else {
            None
        };
        let now = testing::at(i64::try_from(step).expect("small"));
        let line = match store.commit(&tenant, write, content, now).await.expect("the catalog takes it") {
            WriteOutcome::Created(document) | WriteOutcome::Updated(document) => {
                format!("{name} {} {}\n", document.version, Digest::of(&bytes).hex())
            }
            WriteOutcome::Deleted(document) => format!("{name} {} -\n", document.version),
            _ => continue,
        };
        let mut output = output.lock().expect("no writer panics");
        if output.write_all(line.as_bytes()).and_then(|()| output.flush()).is_err() {
            return;
        }
    }
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
