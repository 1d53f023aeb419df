//! A running server and its callers.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder, Response, header::HeaderMap};
use tempfile::TempDir;

use crate::{
    backends,
    turns::{self, Turns},
};

/// A tenant of the Millennium and Soarian endpoints, beside `default`.
pub const TENANT: &str = "ec2458f2-1e24-41c8-b71b-0e701af7583d";

/// The endpoints that most tests need: the standard ones, and one of each profile.
pub const ENDPOINTS: &str = r#"
[[tenant]]
id = "default"
[[tenant]]
id = "ec2458f2-1e24-41c8-b71b-0e701af7583d"

[[endpoint]]
path = "/dstu2"
fhir = "DSTU2"
auth = "open"
writable = true
[[endpoint]]
path = "/stu3"
fhir = "STU3"
auth = "open"
writable = true
[[endpoint]]
path = "/r4"
fhir = "R4"
auth = "open"
writable = true
[[endpoint]]
path = "/r4b"
fhir = "R4B"
auth = "open"
writable = true
[[endpoint]]
path = "/r5"
fhir = "R5"
auth = "open"
writable = true
[[endpoint]]
path = "/strict"
fhir = "R4"
auth = "open"
negotiation = "strict"
[[endpoint]]
path = "/read-only"
fhir = "R4"
auth = "open"
[[endpoint]]
path = "/secure"
fhir = "R4"
auth = "smart"
writable = true
# The write side of the tenant that the profiles below read.
[[endpoint]]
path = "/writer"
fhir = "R4"
auth = "open"
writable = true
tenant = "ec2458f2-1e24-41c8-b71b-0e701af7583d"
[[endpoint]]
path = "/millennium/r4/{tenant}"
fhir = "R4"
profile = "millennium"
auth = "open"
[[endpoint]]
path = "/millennium/dstu2/{tenant}"
fhir = "DSTU2"
profile = "millennium"
auth = "open"
[[endpoint]]
path = "/soarian/r4/{tenant}"
fhir = "R4"
profile = "soarian"
auth = "open"
[[endpoint]]
path = "/ccri/STU3"
fhir = "STU3"
profile = "care-connect"
auth = "open"
tenant = "ec2458f2-1e24-41c8-b71b-0e701af7583d"
"#;

/// A server in its own process, or several before one store. Ends with the value.
pub struct TestApp {
    child: Child,
    /// The other nodes, and what sends each request to the next one.
    others: Vec<Child>,
    _turns: Option<turns::Running>,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// Where its data and configuration are.
    pub directory: TempDir,
    client: reqwest::Client,
}

impl TestApp {
    /// A server with [`ENDPOINTS`].
    pub fn start() -> Self {
        Self::with("")
    }

    /// The same with more configuration: keys of the top level and sections, put before the endpoints.
    pub fn with(configuration: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        Self::in_directory(directory, configuration)
    }

    /// The same over a directory that may hold data already.
    pub fn in_directory(directory: TempDir, configuration: &str) -> Self {
        let configuration = backends::over(configuration, directory.path());
        Self::again(directory, &configuration, &backends::environment())
    }

    /// With these variables in its environment.
    pub fn with_environment(configuration: &str, environment: &[(&'static str, String)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        Self::again(directory, configuration, environment)
    }

    /// With these, over a directory that may hold data already.
    pub fn again(directory: TempDir, configuration: &str, environment: &[(&'static str, String)]) -> Self {
        let nodes = backends::nodes(configuration);
        if nodes > 1 {
            return Self::nodes(nodes, directory, configuration, environment);
        }
        let file = configure(&directory, "", configuration);
        let (child, url) = spawn_with(&["serve", "--config", &file.to_string_lossy()], environment);
        Self { child, others: Vec::new(), _turns: None, url, directory, client: client() }
    }

    /// So many, each with a data directory of its own.
    fn nodes(
        count: usize,
        directory: TempDir,
        configuration: &str,
        environment: &[(&'static str, String)],
    ) -> Self {
        let turns = Turns::new();
        let url = format!("http://{}", turns.address);
        let configuration = match configuration.contains("public_url") {
            true => configuration.to_owned(),
            false => format!("public_url = \"{url}\"\n{configuration}"),
        };
        let key = directory.path().join("data").join(DEVELOPMENT_KEY);
        let mut nodes: Vec<(Child, String)> = Vec::new();
        for number in 0..count {
            let name = if number == 0 { String::new() } else { format!("-{number}") };
            let file = configure(&directory, &name, &configuration);
            // All sign with the key that the first has made.
            let own = directory.path().join(format!("data{name}")).join(DEVELOPMENT_KEY);
            if key.exists() && !own.exists() {
                std::fs::create_dir_all(own.parent().expect("it has one")).expect("a directory");
                std::fs::copy(&key, &own).expect("the test's directory is writable");
            }
            nodes.push(spawn_with(&["serve", "--config", &file.to_string_lossy()], environment));
        }
        let address = |url: &String| url.trim_start_matches("http://").parse().expect("an address");
        let running = turns.before(nodes.iter().map(|(_, url)| address(url)).collect());
        let mut children = nodes.into_iter().map(|(child, _)| child);
        let child = children.next().expect("there is one at least");
        Self { child, others: children.collect(), _turns: Some(running), url, directory, client: client() }
    }

    /// Stops it as an operator would and gives the directory back.
    pub fn stop(mut self) -> TempDir {
        self.children().for_each(terminate);
        std::mem::replace(&mut self.directory, tempfile::tempdir().expect("a directory"))
    }

    /// Asks it to end, and does not wait.
    pub fn ask_to_end(&self) {
        for child in std::iter::once(&self.child).chain(&self.others) {
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        }
    }

    /// Waits for the end that it was asked for; asserts exit code 0.
    pub fn assert_ended(&mut self) {
        self.children().for_each(wait);
    }

    fn children(&mut self) -> impl Iterator<Item = &mut Child> {
        std::iter::once(&mut self.child).chain(&mut self.others)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `data_dir`.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The file of its configuration.
    pub fn configuration(&self) -> PathBuf {
        self.directory.path().join("charta.toml")
    }

    /// A request to a path such as `/r4/Binary/1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// GET with an `Accept`, or without one.
    pub async fn get(&self, path: &str, accept: impl Into<Option<&str>>) -> Answer {
        let mut request = self.request(Method::GET, path);
        if let Some(accept) = accept.into() {
            request = request.header("Accept", accept);
        }
        Answer::of(request).await
    }

    /// PUT of bytes; asserts that they were stored.
    pub async fn put(&self, path: &str, content_type: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        let request = self.request(Method::PUT, path).header("Content-Type", content_type).body(bytes.into());
        let answer = Answer::of(request).await;
        assert!(matches!(answer.status, 200 | 201), "PUT {path}: {} {}", answer.status, answer.text());
        answer
    }

    /// The peak and the present memory of the process, in bytes: `VmHWM`, `VmRSS`.
    pub fn memory_bytes(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let value = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel says so");
            let digits: String = line.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<u64>().expect("a number") * 1024
        };
        (value("VmHWM"), value("VmRSS"))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        for child in self.children() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

const DEVELOPMENT_KEY: &str = "development-key.pem";

/// The configuration of a server that is to begin in a directory, for a command before that.
pub fn configured(directory: &TempDir) -> PathBuf {
    configure(directory, "", &backends::over("", directory.path()))
}

/// Writes the configuration of a node: `charta.toml` and `data` with this in their names.
fn configure(directory: &TempDir, name: &str, configuration: &str) -> PathBuf {
    let file = directory.path().join(format!("charta{name}.toml"));
    let text = format!("listen = \"127.0.0.1:0\"\ndata_dir = \"data{name}\"\n{configuration}\n{ENDPOINTS}");
    std::fs::write(&file, text).expect("the test's directory is writable");
    file
}

/// Starts the program; gives it and its URL once it listens.
pub fn spawn(arguments: &[&str]) -> (Child, String) {
    spawn_with(arguments, &backends::environment())
}

fn spawn_with(arguments: &[&str], environment: &[(&'static str, String)]) -> (Child, String) {
    let mut child = Command::new(program())
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its stdout is ours")).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let Some(url) = first.strip_prefix("listening on ") else {
        let mut talk = String::new();
        let _ =
            std::io::Read::read_to_string(&mut child.stderr.take().expect("its stderr is ours"), &mut talk);
        panic!("it does not listen: {first} {talk}");
    };
    // Its log must go somewhere, or it would stop at a full pipe.
    let mut log = child.stderr.take().expect("its stderr is ours");
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    (child, url.to_owned())
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> std::process::Output {
    command().args(arguments).output().expect("the program starts")
}

/// The program, to be given arguments.
pub fn command() -> Command {
    let mut command = Command::new(program());
    command.envs(backends::environment());
    command
}

/// The same with these variables in its environment.
pub fn run_with(arguments: &[&str], environment: &[(&'static str, String)]) -> std::process::Output {
    let environment = environment.iter().map(|(name, value)| (name, value));
    Command::new(program()).envs(environment).args(arguments).output().expect("the program starts")
}

/// Where the program is.
pub fn program() -> &'static Path {
    static PROGRAM: std::sync::LazyLock<PathBuf> = std::sync::LazyLock::new(|| {
        std::env::var_os("CHARTA_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_charta").into()).into()
    });
    &PROGRAM
}

/// SIGTERM, then waits for the end; asserts exit code 0.
pub fn terminate(child: &mut Child) {
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
    wait(child);
}

fn wait(child: &mut Child) {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            assert!(status.success(), "SIGTERM ends it with 0: {status}");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "SIGTERM ends it");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A client that follows no redirect of its own accord, so that a test sees each answer.
pub fn client() -> reqwest::Client {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default(); // once is enough
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    // A connection for each request takes each to another node.
    let client = if backends::takes_turns() { client.pool_max_idle_per_host(0) } else { client };
    // Without roots: reading those of the system would take longer than most tests.
    client.tls_certs_only([]).build().expect("a client needs nothing")
}

/// An answer, read to its end.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Sends the request.
    pub async fn of(request: RequestBuilder) -> Self {
        Self::read(request.send().await.expect("the server answers")).await
    }

    async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("the body arrives whole").to_vec();
        Self { status, headers, body }
    }

    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
    }

    /// `Content-Type` without parameters.
    pub fn essence(&self) -> &str {
        self.header("content-type").split(';').next().unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The issue code of an OperationOutcome in JSON.
    pub fn issue_code(&self) -> String {
        let outcome = self.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
        outcome["issue"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}
