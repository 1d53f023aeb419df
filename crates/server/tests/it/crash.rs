//! The server is killed at random instants under load, and stopped as an operator stops it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    time::{Duration, Instant},
};

use reqwest::Method;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    app::{Answer, TestApp, command},
    command::{charta, noise, show, text},
};

const ROUNDS: u64 = 30;
const WORKERS: usize = 6;
/// Documents that a worker writes again and again; others it only creates.
const IDS: u64 = 30;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn kills_under_load_lose_nothing_that_was_acknowledged() {
    let begun = Instant::now();
    let seed = u64::from(std::process::id());
    show(&format!("seed {seed}"));
    let mut random = Random(seed);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|number| Worker::new(number, &mut random)).collect();
    let mut app = TestApp::start();
    for round in 1..=ROUNDS {
        let mut load = JoinSet::new();
        for worker in workers.drain(..) {
            load.spawn(worker.until_cut_off(app.url.clone()));
        }
        tokio::time::sleep(Duration::from_millis(20 + random.below(400))).await;
        let directory = kill(app);
        workers = load.join_all().await;
        kill_while_starting(&directory, &mut random);
        app = TestApp::in_directory(directory, "");
        let mut checks = JoinSet::new();
        for worker in workers.drain(..) {
            checks.spawn(worker.compared_with(app.url.clone(), round));
        }
        workers = checks.join_all().await;
        assert_eq!(charta(&["check", "--data", text(&app.data())]).ok(), "clean\n", "after kill {round}");
    }
    let mut versions = 0;
    for worker in &workers {
        versions += worker.compare_versions(&app.url).await;
    }
    let acknowledged: u64 = workers.iter().map(|worker| worker.acknowledged).sum();
    let unknown: u64 = workers.iter().map(|worker| worker.found_though_unacknowledged).sum();
    show(&format!(
        "{ROUNDS} kills under load and {ROUNDS} while starting, {acknowledged} acknowledged writes, {versions} versions \
         read back, {unknown} writes were there that the kill had left unanswered; {:.0} s",
        begun.elapsed().as_secs_f64()
    ));
    assert!(acknowledged > ROUNDS * 10, "there was load");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_nothing_that_was_acknowledged() {
    let mut random = Random(7);
    let app = TestApp::start();
    let mut load = JoinSet::new();
    for number in 0..WORKERS {
        load.spawn(Worker::new(number, &mut random).until_cut_off(app.url.clone()));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let directory = tokio::task::spawn_blocking(|| app.stop()).await.expect("exit code 0");
    let workers = load.join_all().await;
    let app = TestApp::in_directory(directory, "");
    let mut acknowledged = 0;
    for worker in workers {
        acknowledged += worker.compared_with(app.url.clone(), 0).await.acknowledged;
    }
    assert!(acknowledged > 0, "there was load");
}

#[test]
fn sigterm_lets_an_upload_and_a_download_finish() {
    let bytes = noise(3, 8 << 20);
    let app = TestApp::start();
    let mut store =
        request(&app, &format!("PUT /r4/Binary/a HTTP/1.1\r\nContent-Length: {}\r\n", bytes.len()));
    store.write_all(&bytes).expect("sent");
    assert!(head(&mut store).starts_with("HTTP/1.1 201 "));

    // Of the upload the second half is missing, of the download all that the sockets do not hold.
    let mut upload =
        request(&app, &format!("PUT /r4/Binary/b HTTP/1.1\r\nContent-Length: {}\r\n", bytes.len()));
    upload.write_all(&bytes[..bytes.len() / 2]).expect("sent");
    let mut download = request(&app, "GET /r4/Binary/a HTTP/1.1\r\n");
    assert!(head(&mut download).starts_with("HTTP/1.1 200 "));
    std::thread::sleep(Duration::from_millis(300));
    let address = app.url.strip_prefix("http://").expect("a URL").to_owned();
    let stopped = std::thread::spawn(move || app.stop());
    std::thread::sleep(Duration::from_millis(300));

    assert!(TcpStream::connect(&address).is_err(), "no new connections are taken");
    upload.write_all(&bytes[bytes.len() / 2..]).expect("it still listens");
    assert!(head(&mut upload).starts_with("HTTP/1.1 201 "));
    let mut received = vec![0; bytes.len()];
    download.read_exact(&mut received).expect("the whole body");
    assert!(received == bytes);
    let directory = stopped.join().expect("exit code 0");
    assert_eq!(charta(&["check", "--data", text(&directory.path().join("data"))]).ok(), "clean\n");
    let app = TestApp::in_directory(directory, "");
    assert!(
        head(&mut request(&app, "GET /r4/Binary/b HTTP/1.1\r\n")).contains("content-length: 8388608\r\n")
    );
}

#[test]
fn sigterm_does_not_wait_for_silent_connections() {
    let app = TestApp::with("shutdown_seconds = 1");
    let _silent = TcpStream::connect(app.url.strip_prefix("http://").expect("a URL")).expect("it listens");
    let mut half = request(&app, "PUT /r4/Binary/b HTTP/1.1\r\nContent-Length: 1000\r\n");
    half.write_all(b"half").expect("sent");
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    let directory = app.stop();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(charta(&["check", "--data", text(&directory.path().join("data"))]).ok(), "clean\n");
}

fn request(app: &TestApp, first_lines: &str) -> TcpStream {
    let address = app.url.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    write!(stream, "{first_lines}Host: localhost\r\nContent-Type: text/x-noise\r\n\r\n").expect("sent");
    stream
}

/// Reads a head, and no byte of the body.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("ASCII")
}

/// SIGKILL, and what is left.
fn kill(mut app: TestApp) -> TempDir {
    let directory = std::mem::replace(&mut app.directory, tempfile::tempdir().expect("a directory"));
    drop(app); // kills without notice
    directory
}

/// A start that does not get far.
fn kill_while_starting(directory: &TempDir, random: &mut Random) {
    let config = directory.path().join("charta.toml");
    let mut child = command()
        .args(["serve", "--config", text(&config)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_micros(random.below(25_000)));
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The bytes of a document, not held but made again when needed.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Bytes {
    seed: u64,
    length: usize,
}

impl Bytes {
    fn random(random: &mut Random) -> Self {
        // From what the catalog holds to what gets a file.
        let length = match random.below(10) {
            0..5 => 1024 + random.below(7 << 10),
            5..8 => (8 << 10) + random.below(56 << 10),
            _ => (64 << 10) + random.below(236 << 10),
        };
        Self { seed: random.next(), length: usize::try_from(length).expect("64 bit") }
    }

    fn bytes(self) -> Vec<u8> {
        noise(self.seed, self.length)
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Never,
    There(Bytes),
    Deleted,
}

/// What a client knows of a document.
struct Known {
    acknowledged: State,
    /// A write without an answer: done whole or not at all.
    attempted: Option<State>,
    versions: BTreeMap<u64, Bytes>,
}

/// A client with documents of its own, so that it alone knows what must be there.
struct Worker {
    number: usize,
    random: Random,
    client: reqwest::Client,
    documents: BTreeMap<String, Known>,
    acknowledged: u64,
    found_though_unacknowledged: u64,
}

impl Worker {
    fn new(number: usize, random: &mut Random) -> Self {
        Self {
            number,
            random: Random(random.next()),
            client: crate::app::client(),
            documents: BTreeMap::new(),
            acknowledged: 0,
            found_though_unacknowledged: 0,
        }
    }

    /// Writes until the server is gone.
    async fn until_cut_off(mut self, url: String) -> Self {
        while self.write(&url).await.is_ok() {
            self.acknowledged += 1;
        }
        self
    }

    async fn write(&mut self, url: &str) -> reqwest::Result<()> {
        let bytes = Bytes::random(&mut self.random);
        let id = format!("w{}-{}", self.number, self.random.below(IDS));
        match self.random.below(20) {
            0..5 => {
                let answer = self.send(Method::POST, format!("{url}/r4/Binary"), Some(bytes)).await?;
                assert_eq!(answer.status(), 201);
                let location = answer.headers()["location"].to_str().expect("ASCII").to_owned();
                answer.bytes().await?;
                let id = location.split('/').rev().nth(2).expect("[base]/Binary/[id]/_history/1");
                let acknowledged = State::There(bytes);
                let versions = BTreeMap::from([(1, bytes)]);
                self.documents.insert(id.to_owned(), Known { acknowledged, attempted: None, versions });
                Ok(())
            }
            5..17 => self.attempt(Method::PUT, url, id, State::There(bytes), Some(bytes)).await,
            _ => self.attempt(Method::DELETE, url, id, State::Deleted, None).await,
        }
    }

    async fn attempt(
        &mut self,
        method: Method,
        url: &str,
        id: String,
        state: State,
        bytes: Option<Bytes>,
    ) -> reqwest::Result<()> {
        let never = Known { acknowledged: State::Never, attempted: None, versions: BTreeMap::new() };
        let before = self.documents.entry(id.clone()).or_insert(never);
        // The deletion of what never was leaves it so.
        let state = if before.acknowledged == State::Never && bytes.is_none() { State::Never } else { state };
        before.attempted = Some(state);
        let answer = self.send(method, format!("{url}/r4/Binary/{id}"), bytes).await?;
        let status = answer.status().as_u16();
        assert!(matches!(status, 200 | 201 | 204), "{id}: {status}");
        let version = version(&answer);
        answer.bytes().await?;
        let known = self.documents.get_mut(&id).expect("put there above");
        (known.acknowledged, known.attempted) = (state, None);
        if let Some(bytes) = bytes {
            known.versions.insert(version.expect("an ETag"), bytes);
        }
        Ok(())
    }

    async fn send(
        &self,
        method: Method,
        url: String,
        bytes: Option<Bytes>,
    ) -> reqwest::Result<reqwest::Response> {
        let request = self.client.request(method, url);
        match bytes {
            None => request.send().await,
            Some(bytes) => request.header("Content-Type", "text/x-noise").body(bytes.bytes()).send().await,
        }
    }

    /// Asserts that every document is as acknowledged, or as a write without an answer would have it.
    async fn compared_with(mut self, url: String, round: u64) -> Self {
        for (id, known) in &mut self.documents {
            let Known { acknowledged, attempted, versions } = known;
            let answer = Answer::of(self.client.get(format!("{url}/r4/Binary/{id}"))).await;
            let fits = |state: &State| match state {
                State::Never => answer.status == 404,
                State::Deleted => answer.status == 410,
                State::There(bytes) => answer.status == 200 && answer.body == bytes.bytes(),
            };
            if fits(acknowledged) {
                *attempted = None;
                continue;
            }
            let found = attempted.take().filter(fits).unwrap_or_else(|| {
                panic!("{id} after kill {round}: {acknowledged:?} was acknowledged, {attempted:?} attempted, {} found", answer.status)
            });
            *acknowledged = found;
            self.found_though_unacknowledged += 1;
            if let State::There(bytes) = found {
                let tag = answer.header("etag").trim_matches('"').trim_end_matches("-n");
                versions.insert(tag.parse().expect("a version"), bytes);
            }
        }
        self
    }

    /// Reads every version that was acknowledged, replaced and deleted ones too.
    async fn compare_versions(&self, url: &str) -> usize {
        let mut count = 0;
        for (id, known) in &self.documents {
            for (version, bytes) in &known.versions {
                let answer =
                    Answer::of(self.client.get(format!("{url}/r4/Binary/{id}/_history/{version}"))).await;
                assert_eq!(answer.status, 200, "{id} version {version}");
                assert!(answer.body == bytes.bytes(), "{id} version {version}");
                count += 1;
            }
        }
        count
    }
}

/// The number in `W/"3"`.
fn version(answer: &reqwest::Response) -> Option<u64> {
    let tag = answer.headers().get("etag")?.to_str().ok()?;
    tag.trim_start_matches("W/").trim_matches('"').trim_end_matches("-n").parse().ok()
}
