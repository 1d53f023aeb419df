//! read, in every version.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use reqwest::Method;
use sha2::{Digest, Sha256};

use crate::{
    app::{Answer, TestApp},
    command::noise,
};

/// Each endpoint with the name of the element that holds the bytes.
const VERSIONS: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

const JSON: &str = "application/fhir+json";
const XML: &str = "application/fhir+xml";

/// Sizes around the places where a store or a connection could cut.
const SIZES: [usize; 12] =
    [1, 8191, 8192, 8193, 16_383, 16_384, 65_536, 65_537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20];

#[tokio::test]
async fn bytes_come_back_as_they_went_in() {
    let app = TestApp::start();
    let html = b"<html>caf\xe9</html>".to_vec();
    app.put("/r4/Binary/TR-1", "text/html;charset=ISO-8859-1", html.clone()).await;
    for (base, _) in VERSIONS {
        let answer = app.get(&format!("{base}/Binary/TR-1"), None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/html;charset=ISO-8859-1");
        assert_eq!(answer.body, html, "{base}");
    }
}

/// Documents of [`SIZES`], each under `n` and its size.
async fn with_documents() -> (TestApp, Vec<(usize, Vec<u8>)>) {
    let app = TestApp::start();
    let documents: Vec<_> = SIZES.iter().map(|&size| (size, noise(size as u64, size))).collect();
    for (size, bytes) in &documents {
        app.put(&format!("/r4/Binary/n{size}"), "application/octet-stream", bytes.clone()).await;
    }
    (app, documents)
}

#[tokio::test]
async fn a_file_leaves_as_it_is_stored() {
    let (app, documents) = with_documents().await;
    for (base, element) in VERSIONS {
        for (size, bytes) in &documents {
            let path = format!("{base}/Binary/n{size}");
            let native = app.get(&path, None).await;
            assert_eq!(native.header("content-length"), size.to_string(), "{path}");
            assert!(native.body == *bytes, "{path} in native form");
            let json = app.get(&path, JSON).await.json();
            let data = json[element].as_str().unwrap_or_default();
            assert!(decoded(data) == *bytes, "{path} in JSON");
            let xml = app.get(&path, XML).await.text();
            let start = xml.find(&format!("<{element} value=\"")).expect("the element is there");
            let data = xml[start..].split('"').nth(1).unwrap_or_default();
            assert!(decoded(data) == *bytes, "{path} in XML");
        }
    }
}

fn decoded(base64: &str) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(base64).expect("base64 with padding, without white space")
}

#[tokio::test]
async fn requests_in_one_go_are_answered_in_order() {
    let (app, documents) = with_documents().await;
    let mut connection = TcpStream::connect(app.url.trim_start_matches("http://")).expect("it listens");
    let mut requests = connection.try_clone().expect("a second handle");
    let asked: String = documents
        .iter()
        .map(|(size, _)| format!("GET /r4/Binary/n{size} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .collect();
    requests.write_all(asked.as_bytes()).expect("the requests leave");
    for (size, bytes) in &documents {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).expect("a head arrives");
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains(&format!("content-length: {size}\r\n")), "{head}");
        let mut body = vec![0; *size];
        connection.read_exact(&mut body).expect("the body arrives");
        assert!(body == *bytes, "document of {size} bytes");
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let (app, _) = with_documents().await;
    for (base, _) in VERSIONS {
        for (size, accept) in [(8192, "*/*"), (8192, JSON), (3 << 20, "*/*"), (3 << 20, XML)] {
            let path = format!("{base}/Binary/n{size}");
            let mut get = app.get(&path, accept).await;
            let mut head = Answer::of(app.request(Method::HEAD, &path).header("Accept", accept)).await;
            assert_eq!(get.header("content-length"), get.body.len().to_string(), "{path} {accept}");
            assert!(head.body.is_empty());
            for each in [&mut get, &mut head] {
                for own in ["date", "x-request-id"] {
                    each.headers.remove(own);
                }
            }
            assert_eq!((head.status, head.headers), (get.status, get.headers), "{path} {accept}");
        }
    }
}

#[tokio::test]
async fn what_never_was_is_not_found() {
    let app = TestApp::start();
    for (base, _) in VERSIONS {
        for (accept, essence) in [(None, "application/fhir+json"), (Some(XML), XML)] {
            let answer = app.get(&format!("{base}/Binary/nothing"), accept).await;
            let expected = match base {
                "/dstu2" if accept.is_none() => "application/json+fhir",
                _ => essence,
            };
            assert_eq!((answer.status, answer.essence()), (404, expected), "{base}");
            assert!(answer.text().contains("not-found"), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_deleted_document_is_gone() {
    let app = TestApp::start();
    app.put("/r4/Binary/doc", "application/pdf", "one").await;
    let deleted = Answer::of(app.request(Method::DELETE, "/r4/Binary/doc")).await;
    assert_eq!(deleted.status, 204);
    for (base, _) in VERSIONS {
        for accept in ["*/*", "application/pdf", JSON] {
            let answer = app.get(&format!("{base}/Binary/doc"), accept).await;
            assert_eq!(answer.status, 410, "{base} {accept}");
            assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{base} {accept}");
            let head = app.request(Method::HEAD, &format!("{base}/Binary/doc")).header("Accept", accept);
            assert_eq!(Answer::of(head).await.status, 410, "{base} {accept}");
        }
        let before = app.get(&format!("{base}/Binary/doc/_history/1"), None).await;
        assert_eq!((before.status, before.text().as_str()), (200, "one"), "{base}");
        assert_eq!(app.get(&format!("{base}/Binary/doc/_history/2"), None).await.status, 410, "{base}");
    }
    app.put("/r4/Binary/doc", "application/pdf", "two").await;
    let again = app.get("/r4/Binary/doc", None).await;
    assert_eq!((again.status, again.text().as_str(), again.header("etag")), (200, "two", "\"3-n\""));
}

#[tokio::test]
async fn the_digest_is_of_the_whole_document() {
    let (app, documents) = with_documents().await;
    for (size, bytes) in documents.iter().filter(|(size, _)| matches!(size, 8193 | 3_145_728)) {
        let digest: String = base64_simd::STANDARD.encode_type(Sha256::digest(bytes).as_slice());
        let expected = format!("sha-256=:{digest}:");
        for (base, _) in VERSIONS {
            let path = format!("{base}/Binary/n{size}");
            let part = app.request(Method::GET, &path).header("Range", "bytes=5-9");
            let coded = app.request(Method::GET, &path).header("Accept-Encoding", "gzip");
            for request in [app.request(Method::GET, &path), app.request(Method::HEAD, &path), part, coded] {
                let answer = Answer::of(request).await;
                assert_eq!(answer.header("repr-digest"), expected, "{path}: {}", answer.status);
            }
            assert_eq!(app.get(&path, JSON).await.header("repr-digest"), "", "{path}: other bytes");
        }
    }
}
