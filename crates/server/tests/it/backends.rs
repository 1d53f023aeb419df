//! What the servers under test keep documents in: with `+s3` in `CHARTA_TEST_STORE` content is in a bucket, that of
//! `TEST_S3_URL` or one of a store inside the test's process; with `postgres+` records are in a schema of the database
//! of `TEST_POSTGRES_URL`. With `+nodes` after both, three nodes serve that store, and each request goes to another one
//! than the request before. Without it, all is in the data directory, of one server.

use std::{path::Path, sync::LazyLock};

use crate::bucket::{self, Bucket};

/// One for all tests; each server has a prefix of its own.
static OBJECTS: LazyLock<Option<Objects>> = LazyLock::new(|| match asked_for().as_str() {
    "" | "sqlite+files" | "postgres+files" => None,
    "sqlite+s3" | "postgres+s3" | "postgres+s3+nodes" => {
        Some(std::env::var("TEST_S3_URL").map_or_else(|_| Objects::here(), Objects::There))
    }
    other => panic!(
        "CHARTA_TEST_STORE: {other:?} is none of {{sqlite,postgres}}+{{files,s3}} and postgres+s3+nodes"
    ),
});

/// Where content is.
enum Objects {
    Here(Bucket),
    /// In the bucket of this URL; servers inherit the variables that tell how it is reached.
    There(String),
}

impl Objects {
    fn here() -> Self {
        // Nothing ends the value, so the directory is where builds clean up.
        Self::Here(Bucket::at(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")))
    }

    fn url(&self) -> &str {
        match self {
            Self::Here(_) => "s3://bucket",
            Self::There(url) => url,
        }
    }
}

fn asked_for() -> String {
    std::env::var("CHARTA_TEST_STORE").unwrap_or_default()
}

/// How many nodes serve the store of this configuration.
pub fn nodes(configuration: &str) -> usize {
    if asked_for().ends_with("+nodes") && configuration.contains("catalog = \"postgres") { 3 } else { 1 }
}

/// Whether requests go to nodes in turn.
pub fn takes_turns() -> bool {
    asked_for().ends_with("+nodes")
}

/// A server's configuration over the backends that are asked for. Another server over the same directory finds what
/// the first has kept.
pub fn over(configuration: &str, directory: &Path) -> String {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut keys = String::new();
    if let Some(objects) = &*OBJECTS
        && !configuration.contains("\ncontent = ")
    {
        keys.push_str(&format!("content = \"{}/{name}\"\n", objects.url()));
    }
    if asked_for().starts_with("postgres") && !configuration.contains("\ncatalog = ") {
        keys.push_str(&format!("catalog = \"{}\"\n", schema(&format!("test_{}", name.to_lowercase()))));
    }
    match configuration.split_once("[store]") {
        _ if keys.is_empty() => configuration.to_owned(),
        Some((before, after)) => format!("{before}[store]\n{keys}{after}"),
        None => format!("{configuration}\n[store]\n{keys}"),
    }
}

/// The URL of a schema of this name, made if there is none.
pub fn schema(name: &str) -> String {
    let place = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a database for tests");
    let (url, sql) = (place.clone(), format!("CREATE SCHEMA IF NOT EXISTS {name}"));
    let making = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(&sql).await
        })
    });
    making.join().expect("the thread ends").expect("the database answers");
    let and = if place.contains('?') { '&' } else { '?' };
    format!("{place}{and}options=-c%20search_path%3D{name}")
}

/// The id of an event of the only server so far, by its place in that server's log.
pub fn event_id(place: u64) -> String {
    if asked_for().starts_with("postgres") { format!("1{place:013}") } else { place.to_string() }
}

/// What the program needs to know of them beside its configuration.
pub fn environment() -> Vec<(&'static str, String)> {
    match &*OBJECTS {
        Some(Objects::Here(bucket)) => bucket::environment(bucket.address),
        Some(Objects::There(_)) | None => Vec::new(),
    }
}
