//! Documents of 4 GiB go through the server in constant memory, in every form.
//!
//! Bodies are a period of noise, repeated; neither side ever holds one. The period has a length that
//! no buffer has, so bytes that are lost, doubled or swapped do not fit the rest.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use base64_simd::STANDARD as BASE64;
use charta_model::Hasher;

use crate::{
    app::TestApp,
    command::{noise, show},
};

const DOCUMENT_BYTES: u64 = 4 << 30;
const LIMIT: &str = "[limits]\ndocument_bytes = 5368709120\n";
const GROWTH_BYTES_MAX: u64 = 64 << 20;
/// Divisible by three, so that its base64 repeats too.
const PERIOD_BYTES: usize = 2_999_997;

#[test]
#[ignore = "takes minutes and gigabytes of disk"]
fn four_gib_in_chunks_natively_and_out_natively() {
    let large = Large::start();
    let document = document();
    large.put("text/x-noise", &document, Framing::Chunked);
    let head = large.get("*/*", None, &document).head;
    let mut hasher = Hasher::default();
    document.iter().for_each(|part| (0..part.times).for_each(|_| hasher.update(&part.bytes)));
    let digest = BASE64.encode_to_string(hasher.finish().as_bytes());
    assert!(head.contains(&format!("repr-digest: sha-256=:{digest}:")), "{head}");
    large.assert_memory("native, chunked");
}

#[test]
#[ignore = "takes minutes and gigabytes of disk"]
fn four_gib_with_content_length_natively_and_out_natively() {
    let large = Large::start();
    let document = document();
    large.put("text/x-noise", &document, Framing::Length);
    let head = large.get("*/*", None, &document).head;
    assert!(head.contains("content-type: text/x-noise\r\n"), "{head}");
    large.assert_memory("native, Content-Length");
}

#[test]
#[ignore = "takes minutes and gigabytes of disk"]
fn four_gib_as_fhir_json_with_data_before_content_type_and_out_as_fhir_json() {
    let large = Large::start();
    let base64 = base64();
    let body = around(
        r#"{"resourceType":"Binary","id":"large","data":""#,
        &base64,
        r#"","contentType":"text/x-noise"}"#,
    );
    large.put("application/fhir+json", &body, Framing::Length);
    let answer = large.get("application/fhir+json", Some(r#""data":""#), &base64);
    let rest: serde_json::Value = serde_json::from_str(&answer.rest).expect("JSON around the base64");
    assert_eq!((&rest["resourceType"], &rest["id"]), (&"Binary".into(), &"large".into()));
    assert_eq!((&rest["contentType"], &rest["data"]), (&"text/x-noise".into(), &"".into()));
    large.assert_memory("FHIR JSON, data before contentType");
}

#[test]
#[ignore = "takes minutes and gigabytes of disk"]
fn four_gib_as_fhir_json_with_resource_type_last_and_out_natively() {
    let large = Large::start();
    let body = around(
        r#"{"data":""#,
        &base64(),
        r#"","contentType":"text/x-noise","id":"large","resourceType":"Binary"}"#,
    );
    large.put("application/fhir+json", &body, Framing::Chunked);
    let head = large.get("*/*", None, &document()).head;
    assert!(head.contains("content-type: text/x-noise\r\n"), "{head}");
    large.assert_memory("FHIR JSON, resourceType last");
}

#[test]
#[ignore = "takes minutes and gigabytes of disk"]
fn four_gib_as_fhir_xml_and_out_as_fhir_xml() {
    let large = Large::start();
    let base64 = base64();
    let body = around(
        r#"<Binary xmlns="http://hl7.org/fhir"><id value="large"/><contentType value="text/x-noise"/><data value=""#,
        &base64,
        r#""/></Binary>"#,
    );
    large.put("application/fhir+xml", &body, Framing::Length);
    let answer = large.get("application/fhir+xml", Some(r#"<data value=""#), &base64);
    assert!(answer.rest.contains(r#"<contentType value="text/x-noise"/>"#), "{}", answer.rest);
    assert!(answer.rest.ends_with(r#"<data value=""/></Binary>"#), "{}", answer.rest);
    large.assert_memory("FHIR XML");
}

/// Bytes, so many times.
struct Part {
    bytes: Vec<u8>,
    times: u64,
}

fn period_and_rest() -> (Vec<u8>, u64, Vec<u8>) {
    let period = noise(4, PERIOD_BYTES);
    let rest = period[..usize::try_from(DOCUMENT_BYTES).expect("64 bit") % PERIOD_BYTES].to_vec();
    (period, DOCUMENT_BYTES / PERIOD_BYTES as u64, rest)
}

fn document() -> Vec<Part> {
    let (bytes, times, rest) = period_and_rest();
    vec![Part { bytes, times }, Part { bytes: rest, times: 1 }]
}

fn base64() -> Vec<Part> {
    let (period, times, rest) = period_and_rest();
    let encoded = |bytes: &[u8]| BASE64.encode_to_string(bytes).into_bytes();
    vec![Part { bytes: encoded(&period), times }, Part { bytes: encoded(&rest), times: 1 }]
}

fn around(before: &str, parts: &[Part], after: &str) -> Vec<Part> {
    let text = |text: &str| Part { bytes: text.into(), times: 1 };
    let parts = parts.iter().map(|part| Part { bytes: part.bytes.clone(), times: part.times });
    std::iter::once(text(before)).chain(parts).chain(std::iter::once(text(after))).collect()
}

fn length(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.bytes.len() as u64 * part.times).sum()
}

enum Framing {
    Length,
    Chunked,
}

/// An answer whose body was as expected.
struct Answer {
    head: String,
    /// The body without the expected part.
    rest: String,
}

/// A server, its memory before, and a plain client: faster than the server, so that it is the
/// server's speed that is seen.
struct Large {
    app: TestApp,
    idle_bytes: u64,
}

impl Large {
    fn start() -> Self {
        let app = TestApp::with(LIMIT);
        let large = Self { app, idle_bytes: 0 };
        let mut stream = large.connect();
        write!(stream, "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .expect("sent");
        std::io::copy(&mut stream, &mut std::io::sink()).expect("an answer");
        let idle_bytes = large.app.memory_bytes().0;
        Self { idle_bytes, ..large }
    }

    fn connect(&self) -> TcpStream {
        let address = self.app.url.strip_prefix("http://").expect("a URL");
        let stream = TcpStream::connect(address).expect("it listens");
        // Syncing gigabytes to a slow disk takes its time.
        stream.set_read_timeout(Some(Duration::from_secs(300))).expect("a socket");
        stream
    }

    /// Stores it; asserts that it was.
    fn put(&self, content_type: &str, body: &[Part], framing: Framing) {
        let begun = Instant::now();
        let mut stream = self.connect();
        let framed = match framing {
            Framing::Length => format!("Content-Length: {}", length(body)),
            Framing::Chunked => "Transfer-Encoding: chunked".to_owned(),
        };
        let head = format!(
            "PUT /r4/Binary/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\n{framed}\r\n\r\n"
        );
        // A server that refuses stops reading; what it says is then told below.
        let sent = stream.write_all(head.as_bytes()).and_then(|()| match framing {
            Framing::Length => send(&mut stream, body),
            Framing::Chunked => send_chunks(&mut stream, body),
        });
        let mut answer = Vec::new();
        let received = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{sent:?} {received:?} {answer}");
        rate("in", length(body), begun);
    }

    /// Reads it; asserts that the body is `expected`, or has it behind `marker`.
    fn get(&self, accept: &str, marker: Option<&str>, expected: &[Part]) -> Answer {
        let begun = Instant::now();
        let mut stream = self.connect();
        write!(
            stream,
            "GET /r4/Binary/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: {accept}\r\n\r\n"
        )
        .expect("sent");
        let mut buffer = vec![0; 1 << 20];
        let mut first = Vec::new();
        let head_end = read_to(&mut stream, &mut first, 0, b"\r\n\r\n");
        let head = String::from_utf8(first[..head_end].to_vec()).expect("a head of ASCII");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let body_at = match marker {
            None => head_end,
            Some(marker) => read_to(&mut stream, &mut first, head_end, marker.as_bytes()),
        };
        let mut rest = first[head_end..body_at].to_vec();
        let mut cursor = Cursor { parts: expected, time: 0, at: 0, position: 0 };
        let mut received = (first.len() - head_end) as u64;
        rest.extend_from_slice(cursor.pass(&first[body_at..]));
        loop {
            let read = stream.read(&mut buffer).expect("the body goes on");
            if read == 0 {
                break;
            }
            received += read as u64;
            rest.extend_from_slice(cursor.pass(&buffer[..read]));
        }
        assert_eq!(cursor.position, length(expected), "the body is whole");
        assert!(head.contains(&format!("content-length: {received}\r\n")), "{received} bytes came: {head}");
        rate("out", received, begun);
        let rest = String::from_utf8(rest).expect("text around the base64");
        assert!(marker.is_some() || rest.is_empty(), "nothing behind the document");
        Answer { head, rest }
    }

    fn assert_memory(&self, what: &str) {
        let (peak_bytes, now_bytes) = self.app.memory_bytes();
        let growth = peak_bytes - self.idle_bytes;
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        show(&format!(
            "{what}: memory idle {:.1} MiB, peak {:.1} MiB (+{:.1}), afterwards {:.1} MiB",
            mib(self.idle_bytes),
            mib(peak_bytes),
            mib(growth),
            mib(now_bytes)
        ));
        assert!(growth < GROWTH_BYTES_MAX, "memory grew by {growth} bytes");
    }
}

fn send(stream: &mut TcpStream, body: &[Part]) -> std::io::Result<()> {
    body.iter().try_for_each(|part| (0..part.times).try_for_each(|_| stream.write_all(&part.bytes)))
}

fn send_chunks(stream: &mut TcpStream, body: &[Part]) -> std::io::Result<()> {
    for part in body {
        let mut chunk = format!("{:x}\r\n", part.bytes.len()).into_bytes();
        chunk.extend_from_slice(&part.bytes);
        chunk.extend_from_slice(b"\r\n");
        (0..part.times).try_for_each(|_| stream.write_all(&chunk))?;
    }
    stream.write_all(b"0\r\n\r\n")
}

/// Reads until `marker` is there at or behind `from`; gives where it ends.
fn read_to(stream: &mut TcpStream, bytes: &mut Vec<u8>, from: usize, marker: &[u8]) -> usize {
    let mut buffer = vec![0; 16 << 10];
    loop {
        if let Some(at) = bytes[from..].windows(marker.len()).position(|window| window == marker) {
            return from + at + marker.len();
        }
        assert!(bytes.len() < 256 << 10, "{:?} comes early", String::from_utf8_lossy(marker));
        let read = stream.read(&mut buffer).expect("an answer");
        assert!(read > 0, "the answer ends early: {}", String::from_utf8_lossy(bytes));
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// Where in the expected bytes a reader is.
struct Cursor<'p> {
    parts: &'p [Part],
    time: u64,
    at: usize,
    position: u64,
}

impl Cursor<'_> {
    /// Compares the next bytes; gives those behind the end of what is expected.
    fn pass<'r>(&mut self, mut received: &'r [u8]) -> &'r [u8] {
        while let [part, rest @ ..] = self.parts
            && !received.is_empty()
        {
            let length = received.len().min(part.bytes.len() - self.at);
            let same = received[..length] == part.bytes[self.at..self.at + length];
            assert!(same, "other bytes within {length} of {}", self.position);
            received = &received[length..];
            self.at += length;
            self.position += length as u64;
            if self.at == part.bytes.len() {
                self.at = 0;
                self.time += 1;
            }
            if self.time == part.times {
                self.time = 0;
                self.parts = rest;
            }
        }
        received
    }
}

fn rate(way: &str, bytes: u64, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    show(&format!("{bytes} bytes {way} in {seconds:.1} s: {:.0} MB/s", bytes as f64 / seconds / 1e6));
}
