//! PostgreSQL servers that a test starts, stops and kills, by the script that `./test` uses too.

use std::{
    fs::{File, read_to_string},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/tests/postgres.sh");

/// A server on a port of loopback. It ends with the value.
pub struct Postgres {
    directory: TempDir,
    /// What connects to it.
    pub url: String,
}

impl Postgres {
    /// A new one that answers.
    pub fn start() -> Self {
        Self::made(&["start"])
    }

    /// A standby, which has what this one has as soon as a commit is answered.
    pub fn standby(&self) -> Self {
        Self::made(&["standby", self.directory.path().to_str().expect("UTF-8")])
    }

    /// What connects to whichever of the two takes writes.
    pub fn url_with(&self, other: &Self) -> String {
        let (user, host) = self.url.split_once('@').expect("user@host:port/database");
        let (host, database) = host.split_once('/').expect("host:port/database");
        let other = other.url.split(['@', '/']).nth(3).expect("postgres://user@host:port/database");
        format!("{user}@{host},{other}/{database}")
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> std::net::SocketAddr {
        self.url
            .split(['@', '/'])
            .nth(3)
            .expect("postgres://user@host:port/database")
            .parse()
            .expect("an address")
    }

    /// `start`, `stop` as an operator does, `kill` as a crash does, or `promote`.
    pub fn run(&self, command: &str) {
        run(self.directory.path(), &[command]);
    }

    fn made(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let url = run(directory.path(), arguments);
        Self { directory, url }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.directory.path().join("data/postmaster.pid").exists() {
            self.run("kill");
        }
    }
}

fn run(directory: &Path, arguments: &[&str]) -> String {
    let beside = tempfile::tempdir().expect("a directory for the test");
    // Its output goes to files: the server inherits it and would keep a pipe open.
    let (out, error) = (beside.path().join("out"), beside.path().join("error"));
    let file = |path| File::create(path).expect("the test's directory is writable");
    let mut script = Command::new(SCRIPT);
    script.arg(directory).args(arguments).stdout(file(&out)).stderr(file(&error));
    let status = script.status().expect("bash runs");
    let said = |path| read_to_string(path).expect("the script's output");
    assert!(status.success(), "{arguments:?}: {}", said(&error));
    said(&out).trim().to_owned()
}
