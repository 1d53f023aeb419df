//! Kills a writing process again and again, and counts what it had promised.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
    process::{ChildStdout, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use charta_model::{Digest, Document, Filter, HistoryQuery, HistoryScope, Query, ResourceType, TokenMatch};
use charta_store::{Access, Options, Store, testing};

use crate::support::{assert_clean, read_all};

/// The newest acknowledged version of each document, and its digest, or its source, or `-` for a deletion.
type Promised = BTreeMap<String, (u64, String)>;

/// Contracts 1, 2, 5, 6 and 7. `CHARTA_KILLS` sets how often.
#[test]
fn what_was_acknowledged_survives_every_kill() {
    let kills: u64 = std::env::var("CHARTA_KILLS").map_or(200, |kills| kills.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut promised, mut random, mut lines) = (Promised::new(), 0x2545_f491_4f6c_dd1d_u64, 0);
    for run in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let output = run_and_kill(&directory, run, random);
        lines += learn(&mut promised, &output);
        runtime.block_on(verify(&directory, &promised, run % 10 == 0 || run + 1 == kills));
    }
    assert!(lines > 10 * kills, "the writer got to write: {lines} lines in {kills} runs");
}

fn writer() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    target.join("examples/crash_writer")
}

/// Kills the writer by chance: one time in five at any instant since its start, else when it has acknowledged up to 60
/// writes and a little later, however fast the machine is.
fn run_and_kill(directory: &Path, run: u64, random: u64) -> String {
    let mut child = Command::new(writer())
        .args([directory.as_os_str(), run.to_string().as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo builds examples with tests");
    let output = child.stdout.take().unwrap();
    let (enough, is_enough) = mpsc::channel();
    let reader = std::thread::spawn(move || read_lines(output, random % 60, &enough));
    if run.is_multiple_of(5) {
        std::thread::sleep(Duration::from_micros(5_000 + random % 60_000));
    } else {
        let _ = is_enough.recv_timeout(Duration::from_secs(60));
        std::thread::sleep(Duration::from_micros(random % 2_000));
    }
    child.kill().unwrap(); // SIGKILL
    let status = child.wait().unwrap();
    assert!(!status.success() && status.code().is_none(), "it ran until it was killed: {status}");
    reader.join().unwrap()
}

/// Everything that comes; tells when it is so many lines.
fn read_lines(mut output: ChildStdout, wanted: u64, enough: &mpsc::Sender<()>) -> String {
    let (mut text, mut piece, mut lines) = (Vec::new(), [0; 4096], 0);
    loop {
        let length = output.read(&mut piece).unwrap();
        if length == 0 {
            return String::from_utf8(text).unwrap();
        }
        text.extend_from_slice(&piece[..length]);
        lines += piece[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        if lines >= wanted {
            let _ = enough.send(()); // it may not be waited for
        }
    }
}

/// Takes in the whole lines and returns their number.
fn learn(promised: &mut Promised, output: &str) -> u64 {
    let mut lines = 0;
    for line in output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let [name, version, said] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        lines += 1;
        if !name.starts_with('p') {
            let version = version.parse().unwrap();
            let newest = promised.entry(name.to_owned()).or_default();
            assert!(version > newest.0, "{name}: version {version} was acknowledged after {}", newest.0);
            *newest = (version, said.to_owned());
        }
    }
    lines
}

async fn verify(directory: &Path, promised: &Promised, thoroughly: bool) {
    let begun = Instant::now();
    let options = Options { inline_bytes_max: 2000, ..Options::new(directory) };
    let store = Store::open(&options, Access::Exclusive).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "opening took {:?}", begun.elapsed());
    let tenant = testing::tenant("t");
    for (name, (version, promised)) in promised {
        let (kind, id) = (kind_of(name), testing::id(name));
        let stored = store.version(&tenant, &kind, &id, *version).await.unwrap();
        let stored = stored.unwrap_or_else(|| panic!("{name}: version {version} was lost"));
        assert_eq!(said(&stored.document), *promised, "{name} {version}");
        let current = store.current(&tenant, &kind, &id).await.unwrap().unwrap();
        assert!(current.document.version >= *version);
        if let Some(facts) = current.document.content() {
            let bytes = read_all(&store.content(&current).await.unwrap()).await.unwrap();
            assert_eq!(Digest::of(&bytes), facts.digest, "{name}");
        }
        let history = HistoryQuery {
            scope: HistoryScope::Document(kind, id),
            since: None,
            at: None,
            before: None,
            limit: 1,
        };
        assert_eq!(store.history(&tenant, &history).await.unwrap().total, current.document.version);
        if let Some(other) = name.strip_prefix('x') {
            together(&store, &current.document, &format!("y{other}")).await;
        }
    }
    if thoroughly {
        assert_clean(&store).await;
    }
    store.close().await;
}

fn kind_of(name: &str) -> ResourceType {
    if name.starts_with(['r', 'x', 'y']) { ResourceType::PATIENT } else { ResourceType::BINARY }
}

/// As the writer prints it.
fn said(document: &Document) -> String {
    match (document.content(), document.source()) {
        (Some(facts), _) => facts.digest.hex(),
        (None, Some(source)) => source.body.clone(),
        (None, None) => "-".into(),
    }
}

/// Contract 5: one transaction wrote both, with their entries.
async fn together(store: &Store, one: &Document, other: &str) {
    let tenant = testing::tenant("t");
    let other = store.current(&tenant, &ResourceType::PATIENT, &testing::id(other)).await.unwrap().unwrap();
    assert_eq!((one.version, said(one)), (other.document.version, said(&other.document)), "{}", one.id);
    let step = TokenMatch { system: Some("s".into()), code: Some(said(one)), case_sensitive: true };
    let query = Query {
        scopes: vec![testing::scope("Patient")],
        filters: vec![Filter::Token("identifier".into(), vec![step])],
        limit: 100,
        ..testing::binaries()
    };
    let found = store.search(&tenant, &query).await.unwrap();
    let names: Vec<_> = found.matches.iter().map(|stored| &stored.document.id).collect();
    assert!(names.contains(&&one.id) && names.contains(&&other.document.id), "{names:?}");
}
