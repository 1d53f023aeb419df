//! Measures the store: commits a second, cached lookups, and opening.
//!
//! ```text
//! cargo run --release -p charta-store --example measure -- <directory> [documents [records]]
//! ```
//!
//! With a number of documents it also fills a store with so many and measures opening it, and another with as
//! many records, which it then searches; with `records` only that. With `MEASURE_CATALOG=postgres://…` the records are
//! in a schema that is new, or emptied by whoever measures.
#![allow(clippy::print_stdout, reason = "results go to stdout")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use charta_model::{
    Comparison, ContentLink, Entry, EntryValue, Filter, HistoryQuery, HistoryScope, Order, Query,
    ReferenceMatch, ResourceId, ResourceType, SortKey, TokenMatch, Write,
};
use charta_store::{Access, CatalogPlace, Options, PostgresUrl, Store, testing};

const RUN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("a directory");
    let documents: Option<u64> = arguments.next().map(|number| number.parse().expect("a number"));
    let directory = Path::new(&directory);
    fs::create_dir_all(directory).expect("the directory can be made");
    if let (Some(documents), Some(_)) = (documents, arguments.next()) {
        records(&directory.join("few-records"), 1_000).await;
        return records(&directory.join("many-records"), documents).await;
    }
    bare(directory);
    let store = open(&directory.join("store")).await;
    for callers in [1, 16, 64] {
        for size in [1 << 10, 16 << 10, 128 << 10] {
            commits(&store, callers, size).await;
        }
    }
    lookups(&store).await;
    store.close().await;
    if let Some(documents) = documents {
        million(&directory.join("many"), documents).await;
        records(&directory.join("few-records"), 1_000).await;
        records(&directory.join("many-records"), documents).await;
    }
}

async fn open(directory: &Path) -> Store {
    let mut options = Options::new(directory);
    if let Ok(url) = std::env::var("MEASURE_CATALOG") {
        options.catalog = CatalogPlace::Postgres(PostgresUrl::new(&url).expect("a URL"));
    }
    Store::connect(&options, Access::Exclusive).await.expect("the store opens")
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
    let stored = store
        .current(&tenant, &ResourceType::BINARY, &id)
        .await
        .expect("the catalog answers")
        .expect("it is there");
    let begun = Instant::now();
    for _ in 0..1_000_000 {
        std::hint::black_box(store.cached(&tenant, &ResourceType::BINARY, &id));
    }
    println!("cached(): {} ns", begun.elapsed().as_nanos() / 1_000_000);
    let begun = Instant::now();
    for number in 0..2000 {
        let id = testing::id(&format!("1024-64-{}-{}", number % 64, number / 64));
        std::hint::black_box(
            store.current(&tenant, &ResourceType::BINARY, &id).await.expect("the catalog answers"),
        );
    }
    println!("current() past the cache: {} us", begun.elapsed().as_micros() / 2000);
    std::hint::black_box(stored);
}

async fn million(directory: &Path, documents: u64) {
    let store = open(directory).await;
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
    let store = open(directory).await;
    println!("opened in {:?}", begun.elapsed());
    let (tenant, id) = (testing::tenant("t"), testing::id("many-7-77"));
    store
        .current(&tenant, &ResourceType::BINARY, &id)
        .await
        .expect("the catalog answers")
        .expect("it is there");
    println!("opened and read in {:?}", begun.elapsed());
    let begun = Instant::now();
    let history = HistoryQuery {
        scope: HistoryScope::Types(vec![testing::scope("Binary")]),
        since: None,
        at: None,
        before: None,
        limit: 50,
    };
    store.history(&tenant, &history).await.expect("the catalog answers");
    println!("a page of the history of all in {:?}", begun.elapsed());
    let begun = Instant::now();
    store.search(&tenant, &Query { limit: 50, ..testing::binaries() }).await.expect("the catalog answers");
    println!("a page of all documents in {:?}", begun.elapsed());
    store.close().await;
}

/// DocumentReferences of patients with 20 each, and how long it takes to find some of a patient's.
async fn records(directory: &Path, documents: u64) {
    let store = open(directory).await;
    let patients = (documents / 20).max(1);
    if store.statistics().await.expect("the catalog answers").documents == 0 {
        import(&store, documents, patients).await;
    }
    for (name, filters) in [("patient", 1), ("patient, category", 2), ("patient, category, date", 3)] {
        let (mut times, mut found) = (Vec::new(), 0);
        for number in 0..SEARCHES {
            let query = Query {
                scopes: vec![testing::scope("DocumentReference")],
                filters: of_patient(number * 7919 % patients).into_iter().take(filters).collect(),
                order: vec![Order { key: SortKey::Parameter("date".into()), descending: true }],
                limit: 20,
                ..Query::default()
            };
            let begun = Instant::now();
            found += store.search(&testing::tenant("t"), &query).await.expect("the catalog answers").total;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let (median, slow) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let found = found / SEARCHES;
        println!("{documents} records, by {name}: {found} in {median:?}, 1 of 100 beyond {slow:?}");
    }
    store.close().await;
}

const SEARCHES: u64 = 2000;

async fn import(store: &Store, documents: u64, patients: u64) {
    const TOGETHER: usize = 500;
    const IMPORTERS: usize = 4;
    let begun = Instant::now();
    let importers: Vec<_> = (0..IMPORTERS)
        .map(|importer| {
            let store = store.clone();
            tokio::spawn(async move {
                let firsts = (0..documents).step_by(TOGETHER).skip(importer).step_by(IMPORTERS);
                for first in firsts {
                    let numbers = first..documents.min(first + TOGETHER as u64);
                    let writes = numbers.map(|number| (record(number, patients), None)).collect();
                    let tenant = testing::tenant("t");
                    store.transact(&tenant, writes, Vec::new(), testing::at(1)).await.expect("a commit");
                }
            })
        })
        .collect();
    for importer in importers {
        importer.await.expect("no importer fails");
    }
    let rate = documents as f64 / begun.elapsed().as_secs_f64();
    println!("{documents} records with {ENTRIES} entries, in transactions of {TOGETHER}: {rate:.0}/s");
}

const ENTRIES: usize = 15;

fn of_patient(patient: u64) -> Vec<Filter> {
    let id = testing::id(&format!("patient-{patient}"));
    vec![
        Filter::Reference("patient".into(), vec![ReferenceMatch::Local(Some(ResourceType::PATIENT), id)]),
        Filter::Token(
            "category".into(),
            vec![TokenMatch {
                system: Some("http://example.org/categories".into()),
                code: Some("Clinical-Note-1".into()),
                case_sensitive: true,
            }],
        ),
        Filter::Date("date".into(), vec![(Comparison::GreaterOrEqual, DAY_MS * 5000, DAY_MS * 5001)]),
    ]
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn record(number: u64, patients: u64) -> Write {
    // The documents of one patient do not come one after the other.
    let patient = testing::id(&format!("patient-{}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % patients));
    let random = number.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16;
    let entry = |name: &'static str, value| Entry { parameter: name.into(), part: 0, value };
    let token = |name, system: &str, code: String| {
        entry(name, EntryValue::Token { system: Some(system.into()), code: Some(code) })
    };
    let reference = |name, kind: ResourceType, id: &ResourceId| {
        entry(name, EntryValue::Reference { kind, id: id.clone() })
    };
    let day = |name, day: u64| {
        let start_ms = i64::try_from(day).expect("small") * DAY_MS;
        entry(name, EntryValue::Date { start_ms, end_ms: start_ms + 1000 })
    };
    let exact = format!("Discharge summary number {number}");
    let entries = vec![
        reference("patient", ResourceType::PATIENT, &patient),
        reference("subject", ResourceType::PATIENT, &patient),
        reference("author", testing::kind("Practitioner"), &testing::id(&format!("dr-{}", random % 500))),
        reference("encounter", testing::kind("Encounter"), &testing::id(&format!("e-{random}"))),
        token("identifier", "urn:oid:1.2.3.4", format!("{random:016x}")),
        token("status", "http://hl7.org/fhir/document-reference-status", "current".into()),
        token("type", "http://loinc.org", format!("{}-{}", 10_000 + random % 97, random % 7)),
        token("category", "http://example.org/categories", format!("Clinical-Note-{}", random % 2)),
        token("contenttype", "urn:ietf:bcp:13", "application/pdf".into()),
        token("facility", "http://example.org/facilities", format!("f{}", random % 20)),
        token("format", "http://ihe.net/formats", "urn:ihe:pcc:xphr:2007".into()),
        day("date", random % 10_000),
        day("period", random % 10_000),
        entry("location", EntryValue::Uri(format!("Binary/b-{number}"))),
        entry("description", EntryValue::Text { folded: exact.to_lowercase(), exact }),
    ];
    assert_eq!(entries.len(), ENTRIES);
    let mut write =
        testing::put_record("DocumentReference", &format!("{:016x}", random ^ 0x5555), &"x".repeat(1500));
    if let Some(state) = &mut write.state {
        state.index.entries = entries;
        let link =
            ContentLink { binary: testing::id(&format!("b-{number}")), version: None, in_error: false };
        state.index.links.push(link);
    }
    write
}
