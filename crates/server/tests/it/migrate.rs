//! `charta migrate`: a store goes to another place while clients read and write.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    app::{Answer, ENDPOINTS, TestApp, program},
    backends,
    bucket::{self, Bucket},
    command::{charta, charta_with, noise, show, text},
};

const DOCUMENTS: u64 = 5_000;

/// A directory for a store, and the configuration that names it.
fn target() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("new.toml");
    std::fs::write(&file, format!("data_dir = \"data\"\n{ENDPOINTS}")).expect("it is writable");
    (directory, file)
}

/// Small ones mostly.
fn document(seed: u64) -> Vec<u8> {
    noise(seed + 1, [40, 300, 900, 7_000, 9_000, 20, 1_500, 60, 30_000, 500][seed as usize % 10])
}

async fn put(app: &TestApp, name: &str, bytes: Vec<u8>) -> Answer {
    let request = app.request(Method::PUT, &format!("/r4/Binary/{name}"));
    Answer::of(request.header("Content-Type", "text/x-noise").body(bytes)).await
}

async fn fill(app: &Arc<TestApp>, documents: u64) {
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let app = Arc::clone(app);
        writers.spawn(async move {
            for n in (writer..documents).step_by(8) {
                assert_eq!(put(&app, &format!("n{n}"), document(n)).await.status, 201);
            }
        });
    }
    writers.join_all().await;
}

/// Writes until it is refused because of the switch; gives what was acknowledged last of each document.
async fn write(app: Arc<TestApp>, writer: u64) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut acknowledged = BTreeMap::new();
    for n in 0.. {
        let name = format!("w{writer}-{}", n % 40);
        let bytes = document(1_000_000 * (writer + 1) + n);
        let is_deletion = n % 9 == 8;
        let answer = if is_deletion {
            Answer::of(app.request(Method::DELETE, &format!("/r4/Binary/{name}"))).await
        } else {
            put(&app, &name, bytes.clone()).await
        };
        match answer.status {
            200 | 201 | 204 => drop(acknowledged.insert(name, (!is_deletion).then_some(bytes))),
            503 => {
                assert_eq!((answer.header("retry-after"), &*answer.issue_code()), ("5", "transient"));
                assert!(answer.text().contains("is being moved"), "{}", answer.text());
                break;
            }
            other => panic!("{other} {}", answer.text()),
        }
    }
    acknowledged
}

/// Reads until told to stop; every answer is right. Gives how many.
async fn read(app: Arc<TestApp>, stop: Arc<AtomicBool>, reader: u64) -> u64 {
    let mut reads = 0;
    while !stop.load(Ordering::Relaxed) {
        let n = (reads * 37 + reader) % DOCUMENTS;
        let answer = app.get(&format!("/r4/Binary/n{n}"), None).await;
        assert_eq!(answer.status, 200, "n{n}: {}", answer.text());
        assert!(answer.body == document(n), "n{n}");
        let found = app.get("/r4/Binary/_history?_count=3", None).await;
        assert_eq!(found.status, 200, "{}", found.text());
        reads += 1;
    }
    reads
}

fn migrate(app: &TestApp, to: &Path) -> crate::command::Ended {
    charta(&["migrate", "--data", text(&app.data()), "--to", text(to)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_moves_while_clients_read_and_write() {
    let app = Arc::new(TestApp::start());
    fill(&app, DOCUMENTS).await;
    let page = app.get("/r4/Binary/_history?_count=20", None).await.json();
    let links = page["link"].as_array().expect("a page has links");
    let next = links.iter().find(|link| link["relation"] == "next").expect("there are more pages");
    let next =
        next["url"].as_str().expect("a URL").strip_prefix(&app.url).expect("of this server").to_owned();

    let (directory, to) = target();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2).map(|n| tokio::spawn(read(app.clone(), stop.clone(), n))).collect();
    let writers: Vec<_> = (0..3).map(|n| tokio::spawn(write(app.clone(), n))).collect();
    let moving = tokio::task::spawn_blocking({
        let app = Arc::clone(&app);
        move || migrate(&app, &to)
    });
    let ended = moving.await.expect("the command ends");
    show(&format!("{} {}", ended.out, ended.err));
    let summary = ended.line(" documents, ").to_owned();
    ended.ok();
    let mut acknowledged = BTreeMap::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("a writer is refused for no other reason"));
    }
    stop.store(true, Ordering::Relaxed);
    let mut reads = 0;
    for reader in readers {
        reads += reader.await.expect("reads go on");
    }
    show(&format!("{} documents written and {reads} reads meanwhile; {summary}", acknowledged.len()));
    assert!(!acknowledged.is_empty() && reads > 0);

    assert_eq!(put(&app, "late", document(1)).await.status, 503, "the switch stays");
    let there = app.get(&next, None).await;
    let count = app.get("/r4/Binary/_history?_count=1", None).await.json()["total"].clone();
    let data = directory.path().join("data");
    assert_eq!(charta(&["check", "--data", text(&data)]).ok(), "clean\n");
    let moved = TestApp::in_directory(directory, "");
    for (name, bytes) in acknowledged {
        let answer = moved.get(&format!("/r4/Binary/{name}"), None).await;
        match bytes {
            Some(bytes) => assert!(answer.status == 200 && answer.body == bytes, "{name} {}", answer.status),
            None => assert_eq!(answer.status, 410, "{name}"),
        }
    }
    for n in (0..DOCUMENTS).step_by(7) {
        assert!(moved.get(&format!("/r4/Binary/n{n}"), None).await.body == document(n), "n{n}");
    }
    assert_eq!(moved.get("/r4/Binary/_history?_count=1", None).await.json()["total"], count);
    let here = moved.get(&next, None).await;
    assert_eq!((there.status, here.status), (200, 200), "a page link goes on working: {}", here.text());
    let entries = |page: &Answer| {
        page.json()["entry"].as_array().map(|entries| {
            entries.iter().map(|entry| entry["response"]["lastModified"].clone()).collect::<Vec<_>>()
        })
    };
    assert!(entries(&here).is_some() && entries(&here) == entries(&there));
    assert_eq!(put(&moved, "late", document(1)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_migration_that_is_killed_goes_on() {
    let app = Arc::new(TestApp::start());
    fill(&app, 300).await;
    let (directory, to) = target();
    let data = directory.path().join("data");
    for round in 0..12_u64 {
        let mut command = Command::new(program())
            .args(["migrate", "--data", text(&app.data()), "--to", text(&to)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        tokio::time::sleep(Duration::from_millis(40 * round)).await; // some instant
        command.kill().expect("it is our child");
        let ended = command.wait().expect("it is our child");
        if ended.success() {
            break;
        }
        if data.join("catalog.sqlite").exists() {
            let ended = charta(&["purge", "--data", text(&data), "n1"]);
            if ended.code == 1 {
                continue; // it was killed before it had begun: an empty store
            }
            let refused = ended.refused();
            assert!(refused.contains("takes no writes"), "{refused}");
            let refused = charta(&["serve", "--config", text(&to), "--listen", "127.0.0.1:0"]).refused();
            assert!(refused.contains("unfinished migration"), "{refused}");
        }
    }
    migrate(&app, &to).ok();
    assert_eq!(charta(&["check", "--data", text(&data)]).ok(), "clean\n");
    let moved = TestApp::in_directory(directory, "");
    for n in 0..300 {
        assert!(moved.get(&format!("/r4/Binary/n{n}"), None).await.body == document(n), "n{n}");
    }
}

/// What a store of a test is kept in.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Directory,
    Cluster,
}

impl Kind {
    /// A configuration over a directory.
    fn over(self, directory: &TempDir) -> String {
        let name = directory.path().file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match self {
            Self::Directory => String::new(),
            Self::Cluster => {
                let catalog = backends::schema(&format!("moved_{}", name.to_lowercase()));
                format!("[store]\ncatalog = \"{catalog}\"\ncontent = \"s3://bucket/{name}\"\n")
            }
        }
    }
}

/// The command, killed so long after it has said that the source takes no writes.
fn killed_in_the_switch(from: &Path, to: &Path, environment: &[(&'static str, String)], after: Duration) {
    let mut command = Command::new(program())
        .args(["migrate", "--config", text(from), "--to", text(to)])
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(command.stderr.take().expect("its stderr is ours")).lines();
    let stopped = lines.any(|line| line.is_ok_and(|line| line.contains("the source takes no writes now")));
    assert!(stopped, "it comes to the switch");
    std::thread::sleep(after); // some instant of the switch
    let _ = command.kill(); // unless it has ended
    command.wait().expect("it is our child");
}

/// At several instants of it. Writers are at work each time, so that there is something left to copy.
async fn a_kill_in_the_switch_loses_nothing(from: Kind, to: Kind) {
    let bucket = Bucket::new();
    let environment = bucket::environment(bucket.address);
    let run = |arguments: &[&str]| charta_with(arguments, &environment);
    let (home, away) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (here, there) = (from.over(&home), to.over(&away));
    let target = away.path().join("new.toml");
    std::fs::write(&target, format!("data_dir = \"data\"\n{there}{ENDPOINTS}")).expect("it is writable");
    let mut app = Arc::new(TestApp::again(home, &here, &environment));
    fill(&app, 100).await;
    let (mut acknowledged, mut kills_in_the_switch) = (BTreeMap::new(), 0);
    for attempt in 0..7_u64 {
        let source = app.directory.path().join("charta.toml");
        let writers: Vec<_> = (0..3).map(|n| tokio::spawn(write(app.clone(), n))).collect();
        let killed = {
            let (source, target, environment) = (source.clone(), target.clone(), environment.clone());
            let after = Duration::from_millis(attempt / 2 * 3);
            move || killed_in_the_switch(&source, &target, &environment, after)
        };
        tokio::task::spawn_blocking(killed).await.expect("the command runs");
        for writer in writers {
            acknowledged.extend(writer.await.expect("a writer is refused for no other reason"));
        }
        let purged = run(&["purge", "--config", text(&target), "nobody"]);
        if purged.code == 1 {
            break; // it was done already
        }
        assert!(purged.refused().contains("takes no writes"));
        kills_in_the_switch += 1;
        // The source opens again, has everything, and goes on with either.
        let directory = Arc::into_inner(app).expect("the writers have ended").stop();
        app = Arc::new(TestApp::again(directory, &here, &environment));
        assert_eq!(put(&app, "late", document(1)).await.status, 503, "the switch outlives both programs");
        assert_holds(&app, &acknowledged).await;
        if attempt == 6 {
            break; // the same command goes on
        }
        run(&["migrate", "--give-up", "--config", text(&source)]).ok();
        assert!(matches!(put(&app, "late", document(2)).await.status, 200 | 201), "or it is given up");
    }
    assert!(kills_in_the_switch > 1, "{kills_in_the_switch} kills came in the switch");
    show(&format!("{from:?} to {to:?}: {kills_in_the_switch} kills in the switch"));
    let source = app.directory.path().join("charta.toml");
    run(&["migrate", "--config", text(&source), "--to", text(&target)]).ok();
    let _home = Arc::into_inner(app).expect("the writers have ended").stop();
    assert_eq!(run(&["check", "--config", text(&target)]).ok(), "clean\n");
    assert_eq!(run(&["check", "--config", text(&source)]).ok(), "clean\n");
    let moved = TestApp::again(away, &there, &environment);
    assert_holds(&moved, &acknowledged).await;
    assert!(matches!(put(&moved, "late", document(1)).await.status, 200 | 201));
}

async fn assert_holds(app: &TestApp, acknowledged: &BTreeMap<String, Option<Vec<u8>>>) {
    for (name, bytes) in acknowledged {
        let answer = app.get(&format!("/r4/Binary/{name}"), None).await;
        match bytes {
            Some(bytes) => assert!(answer.status == 200 && answer.body == *bytes, "{name} {}", answer.status),
            // What was never there is deleted as well.
            None => assert!(matches!(answer.status, 404 | 410), "{name} {}", answer.status),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_in_the_switch_between_directories_loses_nothing() {
    a_kill_in_the_switch_loses_nothing(Kind::Directory, Kind::Directory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs TEST_POSTGRES_URL"]
async fn a_kill_in_the_switch_to_and_from_postgresql_loses_nothing() {
    a_kill_in_the_switch_loses_nothing(Kind::Directory, Kind::Cluster).await;
    a_kill_in_the_switch_loses_nothing(Kind::Cluster, Kind::Directory).await;
}

#[tokio::test]
async fn a_migration_that_is_given_up_lets_the_source_take_writes() {
    let app = TestApp::start();
    assert_eq!(put(&app, "a", document(1)).await.status, 201);
    let (directory, to) = target();
    let ended = migrate(&app, &to);
    assert!(ended.summary().contains("stop its server"), "{ended:?}");
    ended.ok();
    assert_eq!(put(&app, "a", document(2)).await.status, 503);
    assert_eq!(app.get("/r4/Binary/a", None).await.body, document(1));
    migrate(&app, &to).ok(); // says again what it was
    let data = app.data();
    let out = charta(&["migrate", "--give-up", "--data", text(&data)]).ok();
    assert!(out.contains("writes are taken again"), "{out}");
    assert_eq!(put(&app, "a", document(2)).await.status, 200);
    let line = migrate(&app, &to).refused();
    assert!(line.contains("a finished migration"), "{line}");
    drop(directory);
}

#[tokio::test]
async fn a_target_that_cannot_be_one_is_refused_in_one_line() {
    let (app, other) = (TestApp::start(), TestApp::start());
    assert_eq!(put(&app, "a", document(1)).await.status, 201);
    assert_eq!(put(&other, "b", document(1)).await.status, 201);
    let file = |app: &TestApp| app.directory.path().join("charta.toml");
    assert!(migrate(&app, &file(&other)).refused().contains("in use by another process"));
    assert!(migrate(&app, &file(&app)).refused().contains("both configurations have this data directory"));
    let other = other.stop();
    let line = migrate(&app, &other.path().join("charta.toml")).refused();
    assert!(line.contains("neither empty nor an unfinished migration"), "{line}");
    assert_eq!(put(&app, "a", document(2)).await.status, 200, "the source goes on");
    let other = TestApp::in_directory(other, "");
    assert_eq!(put(&other, "b", document(2)).await.status, 200, "and so does the other");
}
