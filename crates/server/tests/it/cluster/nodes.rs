//! Nodes of one cluster, each a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::load::Addresses;
use crate::app::{Answer, ENDPOINTS, client, program, terminate};

/// What all nodes are told.
#[derive(Clone)]
pub struct Place {
    /// A database.
    pub catalog: String,
    /// A bucket.
    pub content: String,
    /// How the bucket is reached.
    pub environment: Vec<(&'static str, String)>,
    /// The rest of the configuration: keys of the top level without `listen` and `data_dir`, then sections.
    pub configuration: String,
    /// Arguments of `charta serve`.
    pub arguments: Vec<&'static str>,
    /// What begins as a node.
    pub program: PathBuf,
}

impl Place {
    /// With the endpoints of most tests.
    pub fn new(catalog: String, environment: Vec<(&'static str, String)>) -> Self {
        let content = "s3://bucket/charta".to_owned();
        Self {
            catalog,
            content,
            environment,
            configuration: format!("log = \"warn\"\n{ENDPOINTS}"),
            arguments: Vec::new(),
            program: program().to_owned(),
        }
    }

    /// The configuration of a node.
    fn text(&self) -> String {
        let (top, sections) = self.configuration.split_once("\n[").unwrap_or((&self.configuration, ""));
        format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = \"data\"\n{top}\n[store]\ncatalog = \"{}\"\ncontent = \"{}\"\n\n[{sections}",
            self.catalog, self.content
        )
    }
}

/// Nodes over one store.
pub struct Nodes {
    place: Place,
    nodes: Vec<Node>,
    /// Where they are.
    pub addresses: Addresses,
}

struct Node {
    child: Child,
    directory: TempDir,
}

impl Nodes {
    pub fn start(count: usize, place: Place) -> Self {
        let this = Self { place, nodes: Vec::new(), addresses: Arc::new(Mutex::new(Vec::new())) };
        (0..count).fold(this, |mut this, _| {
            let directory = tempfile::tempdir().expect("a directory for the test");
            let (child, url) = spawn(&directory, &this.place);
            this.nodes.push(Node { child, directory });
            this.with_addresses(|all| all.push(url));
            this
        })
    }

    /// SIGKILL, and a new process in its place.
    pub fn kill(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.child.kill().expect("it is our child");
        node.child.wait().expect("it is our child");
        self.begin(number);
    }

    /// SIGTERM, and a new process in its place: a step of a rolling restart.
    pub fn restart(&mut self, number: usize) {
        terminate(&mut self.nodes[number].child);
        self.begin(number);
    }

    /// The same with this program from now on.
    pub fn replace(&mut self, number: usize, program: &Path) {
        program.clone_into(&mut self.place.program);
        self.restart(number);
    }

    fn begin(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let (child, url) = spawn(&node.directory, &self.place);
        node.child = child;
        self.with_addresses(|all| all[number] = url);
    }

    /// Where a node is.
    pub fn address(&self, number: usize) -> String {
        self.with_addresses(|all| all[number].clone())
    }

    /// What a node has logged.
    pub fn log(&self, number: usize) -> String {
        std::fs::read_to_string(self.nodes[number].directory.path().join("log")).unwrap_or_default()
    }

    /// What a node says of itself.
    pub async fn ready(&self, number: usize) -> Answer {
        Answer::of(client().get(format!("{}/health/ready", self.address(number)))).await
    }

    /// Waits until each says that it can serve.
    pub async fn until_ready(&self) {
        let begun = Instant::now();
        for number in 0..self.nodes.len() {
            while self.ready(number).await.status != 200 {
                assert!(begun.elapsed() < Duration::from_secs(60), "node {number} is never ready");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Stops all as an operator would, then compares everything with everything.
    pub fn stop_and_check(mut self) -> String {
        self.nodes.iter_mut().for_each(|node| terminate(&mut node.child));
        self.run(0, &["check"])
    }

    /// Runs a command with the configuration of a node, and gives all that it says.
    pub fn run(&self, number: usize, arguments: &[&str]) -> String {
        let config = self.nodes[number].directory.path().join("charta.toml");
        let output = Command::new(program())
            .args(arguments)
            .arg("--config")
            .arg(config)
            .envs(self.place.environment.clone())
            .output()
            .expect("the program starts");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    fn with_addresses<T>(&self, work: impl FnOnce(&mut Vec<String>) -> T) -> T {
        work(&mut self.addresses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            let _ = node.child.kill();
            let _ = node.child.wait();
        }
    }
}

fn spawn(directory: &TempDir, place: &Place) -> (Child, String) {
    let file = directory.path().join("charta.toml");
    std::fs::write(&file, place.text()).expect("the test's directory is writable");
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.path().join("log"))
        .expect("writable");
    let mut child = Command::new(&place.program)
        .args(["serve", "--config"])
        .arg(&file)
        .args(&place.arguments)
        .envs(place.environment.clone())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its stdout is ours")).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let Some(url) = first.strip_prefix("listening on ") else {
        let said = std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
        panic!("a node does not listen: {first} {said}");
    };
    (child, url.to_owned())
}
