//! Measures the store: commits a second, cached lookups, and opening.
//!
//! ```text
//! cargo run --release -p charta-store --example measure -- <directory> [documents]
//! ```
//!
//! With a number of documents it also fills a store with so many and measures opening it.
#![allow(clippy::print_stdout, reason = "results go to stdout")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use charta_model::{HistoryQuery, HistoryScope, Query};
use charta_store::{Access, Options, Store, testing};

const RUN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("a directory");
    let documents: Option<u64> = arguments.next().map(|number| number.parse().expect("a number"));
    let directory = Path::new(&directory);
    fs::create_dir_all(directory).expect("the directory can be made");
    bare(directory);
    let store = open(&directory.join("store"));
    for callers in [1, 16, 64] {
        for size in [1 << 10, 16 << 10, 128 << 10] {
            commits(&store, callers, size).await;
        }
    }
    lookups(&store).await;
    store.close().await;
    if let Some(documents) = documents {
        million(&directory.join("many"), documents).await;
    }
}

fn open(directory: &Path) -> Store {
    Store::open(&Options::new(directory), Access::Exclusive).expect("the store opens")
}

fn bare(directory: &Path) {
    let mut file = fs::File::create(directory.join("bare")).expect("a file");
    let (begun, mut count) = (Instant::now(), 0u32);
    while begun.elapsed() < RUN {
        file.write_all(&[7; 1024]).and_then(|()| file.sync_data()).expect("a sync");
        count += 1;
    }
    println!("append 1 KiB + fdatasync: {:.0}/s", f64::from(count) / begun.elapsed().as_secs_f64());
}

async fn commits(store: &Store, callers: u32, size: usize) {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut count = 0u32;
                while begun.elapsed() < RUN {
                    put(&store, &format!("{size}-{callers}-{caller}-{count}"), size).await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await.expect("no caller fails");
    }
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    println!("commits of {size} bytes, {callers} callers: {rate:.0}/s");
}

async fn put(store: &Store, name: &str, size: usize) {
    let mut bytes = vec![42; size];
    let length = name.len().min(size);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    let mut upload = store.upload();
    upload.write(Bytes::from(bytes)).await.expect("the disk takes it");
    let uploaded = upload.finish().await.expect("the disk takes it");
    let write = testing::update(name);
    store.commit(&testing::tenant("t"), write, Some(uploaded), testing::at(1)).await.expect("a commit");
}

async fn lookups(store: &Store) {
    let (tenant, id) = (testing::tenant("t"), testing::id("1024-1-0-0"));
    let stored = store.current(&tenant, &id).await.expect("the catalog answers").expect("it is there");
    let begun = Instant::now();
    for _ in 0..1_000_000 {
        std::hint::black_box(store.cached(&tenant, &id));
    }
    println!("cached(): {} ns", begun.elapsed().as_nanos() / 1_000_000);
    let begun = Instant::now();
    for number in 0..2000 {
        let id = testing::id(&format!("1024-64-{}-{}", number % 64, number / 64));
        std::hint::black_box(store.current(&tenant, &id).await.expect("the catalog answers"));
    }
    println!("current() past the cache: {} us", begun.elapsed().as_micros() / 2000);
    std::hint::black_box(stored);
}

async fn million(directory: &Path, documents: u64) {
    let store = open(directory);
    let begun = Instant::now();
    let tasks: Vec<_> = (0..64)
        .map(|caller| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..documents / 64 {
                    put(&store, &format!("many-{caller}-{number}"), 100).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no caller fails");
    }
    println!("{documents} documents of 100 bytes written in {:?}", begun.elapsed());
    store.close().await;
    drop(store);
    let begun = Instant::now();
    let store = open(directory);
    println!("opened in {:?}", begun.elapsed());
    let (tenant, id) = (testing::tenant("t"), testing::id("many-7-77"));
    store.current(&tenant, &id).await.expect("the catalog answers").expect("it is there");
    println!("opened and read in {:?}", begun.elapsed());
    let begun = Instant::now();
    let history =
        HistoryQuery { scope: HistoryScope::Tenant, since: None, at: None, before: None, limit: 50 };
    store.history(&tenant, &history).await.expect("the catalog answers");
    println!("a page of the history of all in {:?}", begun.elapsed());
    let begun = Instant::now();
    store.search(&tenant, &Query { limit: 50, ..Query::default() }).await.expect("the catalog answers");
    println!("a page of all documents in {:?}", begun.elapsed());
    store.close().await;
}
