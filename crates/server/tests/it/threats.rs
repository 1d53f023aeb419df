//! The attacks of a document server's threat model, by the numbers of its table: a test `row_NN_...` shows each
//! one failing, here or in `http2.rs`, `tls.rs` and `client_limits.rs` beside this folder. Rows that other tests
//! show, which are named for what they claim:
//!
//! | row | file below `crates`, test |
//! |---|---|
//! | 27 | `server/tests/it/races.rs`, `of_racing_conditional_creates_in_transactions_one_stores` |
//! | 30 | `server/src/http/smart/tests/jwks.rs`, `a_redirect_is_not_followed` |
//! | 34 | `auth/src/tests/token.rs`, `signatures_that_prove_nothing_are_refused` |
//! | 35 | `server/tests/it/authorization_server.rs`, `an_assertion_that_breaks_a_rule_gets_nothing` |
//! | 38 | `server/tests/it/authorization_server.rs`, `a_code_is_bound_to_client_place_and_verifier_and_good_once` |
//!
//! Rows that cannot occur here, and why:
//!
//! | row | why not |
//! |---|---|
//! | 21 | maps keyed by a client's text use the standard library's keyed hash |
//! | 44 | no secret is compared byte by byte: tokens and codes are found by their digest, signatures and links are verified by `ring` and `hmac`, and `http/smart/server/token.rs` looks at every byte whatever came before |
//! | 57 | nothing stored is run or opened here; a scan belongs to whoever puts documents in, and finds them by digest |

mod access;
mod content;
mod labels;
mod parsers;
mod paths;
mod records;
mod requests;
mod timing;
mod tokens;

use std::{path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::app::TestApp;

/// What the server answers to these bytes, until it closes the connection or says nothing for a second.
async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let _ = stream.write_all(bytes).await; // the server may end it before it has everything
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(Ok(length @ 1..)) = timeout(Duration::from_secs(1), stream.read(&mut piece)).await {
        answer.extend_from_slice(&piece[..length]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn every_row_is_accounted_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/threats");
    let mut source = String::new();
    for file in std::fs::read_dir(folder).unwrap() {
        source += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    for beside in [include_str!("http2.rs"), include_str!("tls.rs"), include_str!("client_limits.rs")] {
        source += beside;
    }
    let reasons = include_str!("threats.rs");
    source += reasons;
    for row in 1..=58 {
        let tested = source.contains(&format!("fn row_{row:02}_"));
        let said = reasons.matches(&format!("//! | {row} |")).count();
        assert_eq!(usize::from(tested) + said, 1, "row {row}: tested {tested}, in {said} tables");
    }
}

#[test]
fn tests_that_show_a_row_under_another_name_are_there() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of the crates");
    let named = include_str!("threats.rs").lines().filter_map(|line| line.strip_prefix("//! | "));
    let mut number = 0;
    for line in named {
        let words: Vec<&str> = line.split('`').collect();
        let [_, file, ", ", test, " |"] = words[..] else { continue };
        let source = std::fs::read_to_string(crates.join(file)).unwrap_or_default();
        assert!(source.contains(&format!("fn {test}(")), "{file} has {test}");
        number += 1;
    }
    assert_eq!(number, 5);
}

/// Readers of what comes from outside are written in safe Rust, and each has its fuzz target.
#[test]
fn row_58_every_reader_is_safe_and_fuzzed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lints = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(
        lints.contains("unsafe_code = \"forbid\"") || lints.contains("unsafe_code = \"deny\""),
        "{lints}"
    );
    let targets = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    for reader in [
        "resource_xml",
        "resource_json",
        "binary_xml",
        "binary_json",
        "base64",
        "media_type",
        "accept",
        "format",
        "scope",
        "patch",
        "search",
        "range",
        "id",
        "view",
    ] {
        assert!(targets.contains(&format!("path = \"fuzz_targets/{reader}.rs\"")), "{reader}");
        assert!(root.join(format!("fuzz/fuzz_targets/{reader}.rs")).exists(), "{reader}");
    }
}
