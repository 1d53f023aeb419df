//! What a client may take: size, time, connections. Whatever is refused or given up leaves nothing.

mod bodies;
mod clients;

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use base64_simd::STANDARD as BASE64;

use crate::{
    app::TestApp,
    command::{charta, noise, text},
};

const LIMIT_BYTES: usize = 100_000;
const LIMITS: &str = "[limits]\ndocument_bytes = 100000\nbody_idle_seconds = 1\n";
const FHIR_JSON: &str = "application/fhir+json";
const FHIR_XML: &str = "application/fhir+xml";

/// A connection whose bytes the test writes itself.
struct Wire(TcpStream);

impl Wire {
    fn open(app: &TestApp) -> Self {
        let address = app.url.strip_prefix("http://").expect("a URL of HTTP");
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        Self(stream)
    }

    /// The head of a PUT of Binary/1 with these further lines.
    fn put(app: &TestApp, content_type: &str, lines: &str) -> Self {
        let mut wire = Self::open(app);
        wire.send(format!(
            "PUT /r4/Binary/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n{lines}\r\n"
        ));
        wire
    }

    fn chunked(app: &TestApp, content_type: &str) -> Self {
        Self::put(app, content_type, "Transfer-Encoding: chunked\r\n")
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("the server takes it");
    }

    fn send_chunk(&mut self, bytes: &[u8]) {
        self.send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat());
    }

    /// Whatever comes until the server closes; empty if it closes without a word.
    fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes); // a reset is an end too
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The answer must have this status, and be the connection's last.
    fn assert_last(mut self, status: u16, what: &str) {
        let begun = Instant::now();
        let answer = self.rest();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer:?}");
        assert!(answer.contains("OperationOutcome"), "{what}: {answer}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: closed at once");
    }
}

/// Stops the server; its store must be clean and hold no content.
async fn assert_nothing_stored(app: TestApp) {
    assert_eq!(app.get("/r4/Binary/1", None).await.status, 404);
    let begun = Instant::now();
    while !content_files(&app).is_empty() && begun.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(content_files(&app), Vec::<String>::new(), "while it runs");
    assert_clean(app);
}

fn assert_clean(app: TestApp) {
    let directory = app.stop();
    let data = directory.path().join("data");
    assert_eq!(charta(&["check", "--data", text(&data)]).ok(), "clean\n");
}

fn content_files(app: &TestApp) -> Vec<String> {
    let files = walkdir::WalkDir::new(app.data().join("content")).into_iter().filter_map(Result::ok);
    files.filter(|at| at.file_type().is_file()).map(|at| at.path().display().to_string()).collect()
}

/// A Binary in JSON; `data` stands first if `data_first`.
fn json(base64: &str, data_first: bool) -> String {
    match data_first {
        true => {
            format!(r#"{{"data":"{base64}","id":"1","contentType":"text/plain","resourceType":"Binary"}}"#)
        }
        false => {
            format!(r#"{{"resourceType":"Binary","id":"1","contentType":"text/plain","data":"{base64}"}}"#)
        }
    }
}

fn xml(base64: &str) -> String {
    format!(
        "<Binary xmlns=\"http://hl7.org/fhir\"><id value=\"1\"/><contentType value=\"text/plain\"/>\
         <data value=\"{base64}\"/></Binary>"
    )
}

/// The three forms of a FHIR body with this base64.
fn resources(base64: &str) -> [(&'static str, String); 3] {
    [(FHIR_JSON, json(base64, false)), (FHIR_JSON, json(base64, true)), (FHIR_XML, xml(base64))]
}

fn base64(length: usize) -> String {
    BASE64.encode_to_string(noise(3, length))
}
