//! The attacks of a document server's threat model, by the numbers of its table: a test `row_NN_...` shows each
//! one failing. Rows that cannot occur here, and why:
//!
//! | row | why not |
//! |---|---|
//! | 21 | maps keyed by a client's text use the standard library's keyed hash |
//!
//! Rows of connections are shown in `http2.rs`, `tls.rs` and `client_limits.rs` beside this folder.

mod content;
mod parsers;
mod paths;
mod records;
mod requests;

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
fn every_row_that_concerns_documents_is_accounted_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/threats");
    let mut source = String::new();
    for file in std::fs::read_dir(folder).unwrap() {
        source += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    for beside in [include_str!("http2.rs"), include_str!("tls.rs"), include_str!("client_limits.rs")] {
        source += beside;
    }
    let reasons = include_str!("threats.rs");
    for row in (1..=24).chain(46..=56) {
        let tested = source.contains(&format!("fn row_{row:02}_"));
        let reasoned = reasons.contains(&format!("//! | {row} |"));
        assert!(tested != reasoned, "row {row}: tested {tested}, reasoned away {reasoned}");
    }
}
