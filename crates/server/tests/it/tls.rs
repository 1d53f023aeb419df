//! TLS: what is spoken, that documents come through as they are, and that certificates change while the
//! server runs.

use std::time::{Duration, Instant};

use base64_simd::STANDARD as BASE64;
use http::Method;
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::{
    command::noise,
    secure::{BOTH, Http, Secure, certify},
};

/// Larger than every buffer on the way.
const LARGE: usize = 40 << 20;

#[tokio::test]
async fn a_document_comes_back_byte_for_byte_over_both_versions_of_http() {
    let server = Secure::start("");
    let bytes = noise(7, 5 << 20);
    for http in BOTH {
        let mut caller = server.caller(http).await;
        let path = format!("/r4/Binary/{http:?}");
        let stored = caller.put(&path, bytes.clone()).await;
        assert!(stored.header("location").starts_with("https://"), "{http:?}: {}", stored.header("location"));

        let whole = caller.ask(Method::GET, &path, &[]).await;
        assert!(whole.body == bytes, "{http:?}: {} bytes", whole.body.len());
        assert_eq!(whole.header("content-length"), bytes.len().to_string(), "{http:?}");

        let part = caller.ask(Method::GET, &path, &[("range", "bytes=1000000-4999999")]).await;
        assert_eq!(part.status, 206, "{http:?}");
        assert!(part.body == bytes[1_000_000..5_000_000], "{http:?}: {} bytes", part.body.len());

        let resource = caller.ask(Method::GET, &path, &[("accept", "application/fhir+json")]).await.json();
        assert!(resource["data"] == BASE64.encode_to_string(&bytes), "{http:?}: the resource form");

        let head = caller.ask(Method::HEAD, &path, &[]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{http:?}");
        assert_eq!(head.header("content-length"), bytes.len().to_string(), "{http:?}");
        let fresh = caller.ask(Method::GET, &path, &[("if-none-match", whole.header("etag"))]).await;
        assert_eq!((fresh.status, fresh.body.len()), (304, 0), "{http:?}");
        assert_eq!(caller.ask(Method::GET, "/r4/Binary/nothing", &[]).await.issue_code(), "not-found");
    }
}

/// What the program says while it starts with a certificate that ends in so many days.
fn said_at_the_start(days: u64) -> String {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let now = std::time::UNIX_EPOCH + std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    wanted.not_after = (now + Duration::from_secs(days * 86_400 + 3600)).into();
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = wanted.self_signed(&key).expect("a certificate");
    std::fs::write(directory.path().join("key.pem"), key.serialize_pem()).expect("a file");
    std::fs::write(directory.path().join("cert.pem"), certificate.pem()).expect("a file");
    let file = directory.path().join("charta.toml");
    let text = format!("listen = \"127.0.0.1:0\"\ndata_dir = \"data\"\n{}", crate::secure::TLS);
    std::fs::write(&file, text).expect("a file");
    let mut child = std::process::Command::new(crate::app::program())
        .args(["serve", "--config", &file.to_string_lossy()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut first = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("its stdout is ours"));
    std::io::BufRead::read_line(&mut out, &mut first).expect("it says where it listens");
    assert!(first.starts_with("listening on https://"), "{first}");
    crate::app::terminate(&mut child);
    std::io::read_to_string(child.stderr.take().expect("its stderr is ours")).expect("text")
}

#[test]
fn a_certificate_that_ends_soon_is_in_the_log() {
    let soon = said_at_the_start(9);
    assert!(soon.contains("the certificate ends soon") && soon.contains("\"days\":9"), "{soon}");
    let later = said_at_the_start(40);
    assert!(!later.contains("the certificate ends"), "{later}");
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = Secure::start("");
    let too_wrong = [b"{\"resourceType\":\"Binary\",\"data\":\"!".to_vec(), vec![b'x'; LARGE]].concat();
    for http in BOTH {
        let headers = [("content-type", "application/fhir+json")];
        let mut caller = server.caller(http).await;
        let refused = caller.send(Method::PUT, "/r4/Binary/1", &headers, too_wrong.clone());
        assert_eq!(refused.await.expect("an answer").status(), 400, "{http:?}");
    }
}

#[tokio::test]
async fn row_55_browsers_are_told_to_stay_with_tls() {
    let server = Secure::start("");
    for http in BOTH {
        for path in ["/r4/metadata", "/r4/Binary/nothing", "/health/live", "/nothing"] {
            let answer = server.caller(http).await.ask(Method::GET, path, &[]).await;
            assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{http:?} {path}");
        }
    }
    let plain = crate::app::TestApp::start();
    assert_eq!(plain.get("/r4/metadata", None).await.header("strict-transport-security"), "");
}

#[tokio::test]
async fn row_55_versions_1_2_and_1_3_are_spoken() {
    let server = Secure::start("");
    for version in [&TLS12, &TLS13] {
        let stream = server.tls_as(b"", &[version], &server.certificate).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
    }
}

#[tokio::test]
async fn row_55_nothing_older_than_1_2_is_spoken() {
    const HANDSHAKE: u8 = 22;
    const FATAL_PROTOCOL_VERSION: [u8; 2] = [2, 70];
    let server = Secure::start("");
    for (minor, spoken) in [(3, true), (2, false), (1, false), (0, false)] {
        let mut stream = server.tcp().await;
        stream.write_all(&client_hello(minor)).await.expect("it takes it");
        let mut head = [0; 7];
        stream.read_exact(&mut head).await.expect("a record");
        match spoken {
            true => assert_eq!(head[0], HANDSHAKE, "3.{minor}: {head:?}"),
            false => assert_eq!(head[5..], FATAL_PROTOCOL_VERSION, "3.{minor}: {head:?}"),
        }
    }
}

/// The first words of a client that knows nothing newer than version 3.`minor`.
fn client_hello(minor: u8) -> Vec<u8> {
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],        // groups: secp256r1
        &[0, 13, 0, 8, 0, 6, 4, 3, 5, 3, 8, 4], // signatures: ECDSA with P-256, P-384, RSA-PSS
        &[0, 11, 0, 2, 1, 0],                   // points: uncompressed
        &[0, 23, 0, 0],                         // extended master secret
    ]
    .concat();
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    hello.push(0); // no session
    hello.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x0a]); // ECDHE-ECDSA with AES-GCM; with AES-CBC, as old as 1.0
    hello.extend([1, 0]); // no compression
    hello.extend(u16::try_from(extensions.len()).expect("few").to_be_bytes());
    hello.extend(extensions);
    let length = u16::try_from(hello.len()).expect("short");
    let mut record = vec![22, 3, 1];
    record.extend((length + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend(length.to_be_bytes());
    record.extend(hello);
    record
}

#[tokio::test]
async fn a_new_certificate_counts_for_new_connections_and_open_downloads_go_on() {
    let server = Secure::start("");
    let bytes = noise(9, LARGE);
    let mut caller = server.caller(Http::One).await;
    caller.put("/r4/Binary/large", bytes.clone()).await;
    let mut current = server.certificate.clone();
    for (http, by_signal) in [(Http::One, false), (Http::Two, true)] {
        let mut caller = server.caller_trusting(http, &current).await;
        let answer = caller.send(Method::GET, "/r4/Binary/large", &[], "").await.expect("an answer");
        let mut body = answer.into_body();
        let first = body.frame().await.expect("a frame").expect("bytes").into_data().expect("bytes");
        let new = certify(server.app.directory.path());
        if by_signal {
            let pid = server.app.pid().to_string();
            std::process::Command::new("kill").args(["-HUP", &pid]).status().expect("kill runs");
        }
        let begun = Instant::now();
        while !server.shows(&new).await {
            assert!(begun.elapsed() < Duration::from_secs(15), "the new certificate is shown");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(!server.shows(&current).await, "and the old one no more");
        let rest = body.collect().await.expect("to the end").to_bytes();
        assert!([first, rest].concat() == bytes, "{http:?}: the download went on");
        current = new;
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_holds_a_place_no_longer_than_a_head() {
    let server = Secure::start("[limits]\nheader_seconds = 1\nconnections = 2\n");
    let mut silent = [server.tcp().await, server.tcp().await];
    silent[1].write_all(&client_hello(3)[..20]).await.expect("it takes it");
    let begun = Instant::now();
    let answer = server.caller(Http::Two).await.ask(Method::GET, "/health/live", &[]).await;
    assert_eq!(answer.status, 200, "its turn has come");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    for stream in &mut silent {
        let end = timeout(Duration::from_secs(8), stream.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "it is closed");
    }
}

#[tokio::test]
async fn who_speaks_plain_http_to_a_tls_port_learns_nothing() {
    let server = Secure::start("");
    let mut stream = server.tcp().await;
    stream.write_all(b"GET /r4/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it takes it");
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.expect("it is closed");
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a_reader_over_tls_that_takes_nothing_is_cut_off() {
    let server = Secure::start("[limits]\nwrite_idle_seconds = 1\n");
    server.caller(Http::One).await.put("/r4/Binary/large", noise(9, LARGE)).await;
    let mut stream = server.tls(b"http/1.1").await;
    stream.write_all(b"GET /r4/Binary/large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it takes it");
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (mut taken, mut piece) = (0, vec![0; 1 << 20]);
    let end = timeout(Duration::from_secs(20), async {
        while let Ok(length @ 1..) = stream.read(&mut piece).await {
            taken += length;
        }
    });
    assert!(end.await.is_ok(), "it is closed");
    assert!(taken < LARGE, "{taken} bytes were sent");
}

#[tokio::test]
async fn a_large_document_goes_through_tls_in_constant_memory() {
    const GROWTH_BYTES_MAX: u64 = 48 << 20;
    let server = Secure::start("");
    let bytes: bytes::Bytes = noise(5, (1 << 20) - 7).repeat(200).into();
    for http in BOTH {
        let mut caller = server.caller(http).await;
        caller.ask(Method::GET, "/r4/metadata", &[]).await;
        let (before, _) = server.app.memory_bytes();
        caller.put("/r4/Binary/large", bytes.clone()).await;
        for accept in ["*/*", "application/fhir+json"] {
            let answer = caller.ask(Method::GET, "/r4/Binary/large", &[("accept", accept)]).await;
            assert_eq!(answer.status, 200);
            match accept {
                "*/*" => assert!(answer.body == bytes, "{http:?}: {} bytes", answer.body.len()),
                _ => {
                    assert!(answer.body.len() > bytes.len() / 3 * 4, "{http:?}: {} bytes", answer.body.len())
                }
            }
        }
        let (after, _) = server.app.memory_bytes();
        assert!(after - before < GROWTH_BYTES_MAX, "{http:?}: it grew by {} MiB", (after - before) >> 20);
    }
}

#[test]
fn files_that_make_no_identity_stop_the_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let folder = directory.path();
    let file = folder.join("charta.toml");
    std::fs::write(&file, format!("listen = \"127.0.0.1:0\"\n{}", crate::secure::TLS)).expect("a file");
    let start = || {
        let output = crate::app::run(&["serve", "--config", &file.to_string_lossy()]);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let missing = start();
    assert!(
        missing.contains("tls.certificate: ") && missing.contains("cert.pem cannot be read"),
        "{missing}"
    );
    certify(folder);
    let key = std::fs::read(folder.join("key.pem")).expect("a file");
    certify(folder);
    std::fs::write(folder.join("key.pem"), key).expect("a file");
    assert!(start().contains("certificate and key: "), "the key is another certificate's: {}", start());
    std::fs::write(folder.join("cert.pem"), "none").expect("a file");
    assert!(start().contains("cert.pem: "), "{}", start());
}
