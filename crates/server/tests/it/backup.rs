//! `charta backup`, `restore`, `check`, `purge` and `config`: what an operator does beside serving.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;

use crate::{
    app::{Answer, TestApp},
    command::{charta, noise, text},
};

/// Above what the catalog takes, so that there is a file.
const LARGE_BYTES: usize = 300_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_writes_holds_what_was_acknowledged_before_it_began() {
    let app = Arc::new(TestApp::start());
    for n in 0..40 {
        app.put(&format!("/r4/Binary/before-{n}"), "text/x-noise", document(n)).await;
    }
    app.put("/r4/Binary/deleted", "text/plain", "gone").await;
    Answer::of(app.request(Method::DELETE, "/r4/Binary/deleted")).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..4_u64).map(|writer| tokio::spawn(write(app.clone(), writer, stop.clone()))).collect();
    let copy = app.directory.path().join("copy");
    let data = app.data();
    let backup = tokio::task::spawn_blocking({
        let copy = copy.clone();
        move || charta(&["backup", "--data", text(&data), text(&copy)])
    });
    let ended = backup.await.expect("the backup ends");
    stop.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.expect("writers go on beside a backup");
    }
    assert!(written > 0, "something was written meanwhile");
    assert!(ended.summary().contains(" documents, "), "{ended:?}");
    ended.ok();

    let restored = tempfile::tempdir().expect("a directory");
    let data = restored.path().join("data");
    charta(&["restore", "--data", text(&data), text(&copy)]).ok();
    assert_eq!(charta(&["check", "--data", text(&data)]).ok(), "clean\n");
    let restored = TestApp::in_directory(restored, "");
    for n in 0..40 {
        let answer = restored.get(&format!("/r4/Binary/before-{n}"), None).await;
        assert_eq!(answer.status, 200, "before-{n}");
        assert!(answer.body == document(n), "before-{n}");
    }
    assert_eq!(restored.get("/r4/Binary/deleted", None).await.status, 410);
    restored.put("/r4/Binary/after", "text/plain", "the copy takes writes").await;
}

/// Writes until told to stop; gives how often.
async fn write(app: Arc<TestApp>, writer: u64, stop: Arc<AtomicBool>) -> u64 {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        app.put(
            &format!("/r4/Binary/during-{writer}-{}", n % 20),
            "text/x-noise",
            document(1000 + writer * 1000 + n),
        )
        .await;
        n += 1;
    }
    n
}

/// Small and large ones in turn.
fn document(n: u64) -> Vec<u8> {
    noise(n + 1, if n.is_multiple_of(2) { 1000 } else { LARGE_BYTES })
}

#[tokio::test]
async fn a_destination_that_exists_is_refused_and_stays() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "text/plain", "x").await;
    let copy = app.directory.path().join("copy");
    std::fs::create_dir(&copy).expect("a directory");
    std::fs::write(copy.join("precious"), "mine").expect("a file");
    let line = charta(&["backup", "--data", text(&app.data()), text(&copy)]).refused();
    assert!(line.contains("exists"), "{line}");
    let names: Vec<_> =
        std::fs::read_dir(&copy).expect("it is there").map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["precious"]);
    assert!(!app.directory.path().join("copy.partial").exists());
}

#[tokio::test]
async fn a_restore_over_something_is_refused_and_changes_nothing() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "text/plain", "first").await;
    let copy = app.directory.path().join("copy");
    charta(&["backup", "--data", text(&app.data()), text(&copy)]).ok();
    app.put("/r4/Binary/1", "text/plain", "second").await;
    let directory = app.stop();
    let (data, copy) = (directory.path().join("data"), directory.path().join("copy"));
    let line = charta(&["restore", "--data", text(&data), text(&copy)]).refused();
    assert!(line.contains("not empty"), "{line}");
    let app = TestApp::in_directory(directory, "");
    assert_eq!(app.get("/r4/Binary/1", None).await.text(), "second");
}

#[test]
fn a_source_that_is_no_backup_is_refused_and_leaves_no_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    for source in ["missing", "."] {
        let source = directory.path().join(source);
        let line = charta(&["restore", "--data", text(&data), text(&source)]).refused();
        assert!(line.contains("not a document store"), "{line}");
        assert!(!data.exists());
    }
}

/// A stopped store with a small document, two large ones, and the file of one of those.
async fn stored() -> (tempfile::TempDir, PathBuf) {
    let app = TestApp::start();
    app.put("/r4/Binary/small", "text/plain", "small").await;
    app.put("/r4/Binary/large", "text/x-noise", noise(7, LARGE_BYTES)).await;
    app.put("/r4/Binary/other", "text/x-noise", noise(8, LARGE_BYTES)).await;
    let content = app.data().join("content");
    // Files get their last place soon after the answer.
    let begun = Instant::now();
    while !files(&content.join("incoming")).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "files get their last place");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let files = files(&content);
    assert_eq!(files.len(), 2, "one file for each large document: {files:?}");
    let file = files.into_iter().find(|file| std::fs::read(file).expect("a file") == noise(7, LARGE_BYTES));
    (app.stop(), file.expect("documents are stored as they are"))
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files
}

fn name(path: &Path) -> &str {
    text(Path::new(path.file_name().expect("a file has a name")))
}

#[tokio::test]
async fn a_damaged_file_is_found_by_check_and_reported_by_backup() {
    let (directory, file) = stored().await;
    let data = directory.path().join("data");
    let mut bytes = std::fs::read(&file).expect("the file is there");
    bytes[LARGE_BYTES / 2] ^= 1;
    std::fs::write(&file, bytes).expect("written");

    let ended = charta(&["check", "--data", text(&data)]);
    assert_eq!((ended.code, ended.summary()), (1, "1 finding"), "{ended:?}");
    assert!(ended.line(name(&file)).contains("damaged"));

    let copy = directory.path().join("copy");
    let ended = charta(&["backup", "--data", text(&data), text(&copy)]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.line(name(&file)).contains("damaged"));

    // All else is in the copy.
    let restored = tempfile::tempdir().expect("a directory");
    charta(&["restore", "--data", text(&restored.path().join("data")), text(&copy)]);
    let app = TestApp::in_directory(restored, "");
    assert_eq!(app.get("/r4/Binary/small", None).await.text(), "small");
    assert!(app.get("/r4/Binary/other", None).await.body == noise(8, LARGE_BYTES));
}

#[tokio::test]
async fn a_missing_file_is_found_by_check_and_not_served_as_whole() {
    let (directory, file) = stored().await;
    std::fs::remove_file(&file).expect("removed");
    let ended = charta(&["check", "--data", text(&directory.path().join("data"))]);
    assert_eq!(ended.code, 1);
    assert!(ended.line(name(&file)).contains("missing"));
    let app = TestApp::in_directory(directory, "");
    let status = app.get("/r4/Binary/large", None).await.status;
    assert!(status >= 500, "{status}");
    assert_eq!(app.get("/r4/Binary/small", None).await.text(), "small", "all else is served");
    // The same bytes once more mend it.
    app.put("/r4/Binary/again", "text/x-noise", noise(7, LARGE_BYTES)).await;
    assert!(app.get("/r4/Binary/large", None).await.body == noise(7, LARGE_BYTES));
}

#[tokio::test]
async fn an_orphaned_file_is_found_by_check_and_removed_by_repair() {
    let (directory, file) = stored().await;
    let data = directory.path().join("data");
    // A name of the same form, of bytes that no document has.
    let name = name(&file).to_owned();
    let last = if name.ends_with('0') { '1' } else { '0' };
    let orphan = file.with_file_name(format!("{}{last}", &name[..name.len() - 1]));
    std::fs::write(&orphan, "left behind").expect("written");

    let ended = charta(&["check", "--data", text(&data)]);
    assert_eq!((ended.code, ended.summary()), (1, "1 finding"), "{ended:?}");
    assert!(ended.line("belongs to no document").contains(self::name(&orphan)));
    assert!(orphan.exists(), "without --repair nothing is changed");

    let ended = charta(&["check", "--repair", "--data", text(&data)]);
    assert!(ended.line("belongs to no document").ends_with("(repaired)"), "{ended:?}");
    assert!(!orphan.exists());
    assert_eq!(charta(&["check", "--data", text(&data)]).ok(), "clean\n");
    let app = TestApp::in_directory(directory, "");
    assert!(app.get("/r4/Binary/large", None).await.body == noise(7, LARGE_BYTES));
}

#[tokio::test]
async fn check_beside_a_server_is_clean_and_repair_beside_it_is_refused() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "text/plain", noise(1, LARGE_BYTES)).await;
    assert_eq!(charta(&["check", "--data", text(&app.data())]).ok(), "clean\n");
    let line = charta(&["check", "--repair", "--data", text(&app.data())]).refused();
    assert!(line.contains("in use"), "{line}");
}

#[tokio::test]
async fn purge_removes_every_version_and_frees_the_bytes() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "text/x-noise", noise(1, LARGE_BYTES)).await;
    app.put("/r4/Binary/1", "text/x-noise", noise(2, LARGE_BYTES)).await;
    app.put("/r4/Binary/shares", "text/x-noise", noise(2, LARGE_BYTES)).await;
    let line = charta(&["purge", "--data", text(&app.data()), "1"]).refused();
    assert!(line.contains("in use"), "{line}");
    let content = app.data().join("content");
    assert_eq!(files(&content).len(), 2);
    let directory = app.stop();

    let data = directory.path().join("data");
    let out = charta(&["purge", "--data", text(&data), "1"]).ok();
    assert_eq!(out, format!("Binary/1: removed\n{LARGE_BYTES} bytes freed\n"));
    assert_eq!(files(&content).len(), 1, "bytes that another document has are kept");
    let ended = charta(&["purge", "--data", text(&data), "1"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, "Binary/1: not there\n0 bytes freed\n"));

    assert_eq!(charta(&["check", "--data", text(&data)]).ok(), "clean\n");
    let app = TestApp::in_directory(directory, "");
    for path in ["/r4/Binary/1", "/r4/Binary/1/_history/1", "/r4/Binary/1/_history"] {
        assert_eq!(app.get(path, None).await.status, 404, "{path}: as if it had never been");
    }
    assert!(app.get("/r4/Binary/shares", None).await.body == noise(2, LARGE_BYTES));
}

#[test]
fn a_missing_data_directory_is_one_line_and_is_not_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, copy) = (directory.path().join("missing"), directory.path().join("copy"));
    for arguments in [
        &["check", "--data", text(&data)][..],
        &["check", "--repair", "--data", text(&data)],
        &["backup", "--data", text(&data), text(&copy)],
        &["purge", "--data", text(&data), "1"],
    ] {
        let line = charta(arguments).refused();
        assert!(line.contains(text(&data)), "{arguments:?}: {line}");
        assert!(!data.exists() && !copy.exists(), "{arguments:?}");
    }
}

#[test]
fn config_prints_what_it_reads_back_as_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("charta.toml");
    let given = "listen = \"127.0.0.1:8123\"\nshutdown_seconds = 3\n[limits]\ndocument_bytes = 4711\n\
                 [[tenant]]\nid = \"a\"\n[[endpoint]]\npath = \"/x/{tenant}\"\nfhir = \"STU3\"\nauth = \"smart\"\n";
    std::fs::write(&file, given).expect("a file");
    let printed = charta(&["config", "--config", text(&file)]).ok();
    let table: toml::Table = printed.parse().expect("TOML");
    assert_eq!(table["listen"].as_str(), Some("127.0.0.1:8123"));
    assert_eq!(table["limits"]["document_bytes"].as_integer(), Some(4711));
    assert_eq!(table["limits"]["resource_bytes"].as_integer(), Some(67_108_864), "defaults are shown");
    assert_eq!(table["endpoint"][0]["auth"].as_str(), Some("smart"));
    let again = directory.path().join("again.toml");
    std::fs::write(&again, &printed).expect("a file");
    assert_eq!(charta(&["config", "--config", text(&again)]).ok(), printed);
}

#[test]
fn config_reference_is_what_holds_without_a_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let reference = charta(&["config", "--reference"]).ok();
    assert!(reference.lines().filter(|line| line.starts_with('#')).count() > 10, "it is commented");
    let file = directory.path().join("charta.toml");
    std::fs::write(&file, reference).expect("a file");
    let values = |arguments: &[&str]| {
        let mut table: toml::Table = charta(arguments).ok().parse().expect("TOML");
        table.remove("data_dir"); // relative to where the file is
        table
    };
    assert_eq!(values(&["config", "--config", text(&file)]), values(&["config"]));
}
