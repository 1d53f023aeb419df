//! What the servers under test keep documents in: `CHARTA_TEST_STORE=sqlite+s3` puts content into a bucket, of a store
//! inside the test's process. Without it, all is in the data directory.

use std::{path::Path, sync::LazyLock};

use crate::bucket::{self, Bucket};

/// One for all tests; each server has a prefix of its own.
static BUCKET: LazyLock<Option<Bucket>> =
    LazyLock::new(|| match std::env::var("CHARTA_TEST_STORE").as_deref() {
        Err(_) | Ok("" | "sqlite+files") => None,
        // Nothing ends the value, so the directory is where builds clean up.
        Ok("sqlite+s3") => {
            Some(Bucket::at(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")))
        }
        Ok(other) => panic!("CHARTA_TEST_STORE: {other:?} is neither sqlite+files nor sqlite+s3"),
    });

/// A server's configuration over the backends that are asked for. Another server over the same directory finds what
/// the first has kept.
pub fn over(configuration: &str, directory: &Path) -> String {
    if BUCKET.is_none() || configuration.contains("\ncontent = ") {
        return configuration.to_owned();
    }
    let prefix: String = directory
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let content = format!("content = \"s3://bucket/{prefix}\"");
    match configuration.split_once("[store]") {
        Some((before, after)) => format!("{before}[store]\n{content}{after}"),
        None => format!("{configuration}\n[store]\n{content}\n"),
    }
}

/// What the program needs to know of them beside its configuration.
pub fn environment() -> Vec<(&'static str, String)> {
    BUCKET.as_ref().map_or_else(Vec::new, |bucket| bucket::environment(bucket.address))
}
