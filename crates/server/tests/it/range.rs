//! Parts of a document: Range and If-Range, from the catalog and from files.

use std::ops::Range;

use reqwest::Method;

use crate::{
    app::{Answer, TestApp},
    command::noise,
};

/// One size that lies in the catalog, one in a file.
const SIZES: [usize; 2] = [1000, 3 << 20];

async fn filled(app: &TestApp, size: usize) -> (String, Vec<u8>) {
    let bytes = noise(size as u64, size);
    let path = format!("/r4/Binary/of-{size}");
    app.put(&path, "application/pdf", bytes.clone()).await;
    (path, bytes)
}

async fn part(app: &TestApp, path: &str, range: &str) -> Answer {
    Answer::of(app.request(Method::GET, path).header("Range", range)).await
}

#[tokio::test]
async fn one_range_gives_its_bytes() {
    let app = TestApp::start();
    for size in SIZES {
        let (path, bytes) = filled(&app, size).await;
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-99", 0..100),
            ("bytes=500-", 500..size),
            ("bytes=-7", size - 7..size),
            ("bytes=990-99999999999999999999999", 990..size),
            ("bytes=10-19,15-29", 10..30),
            ("bytes=10-19,20-29", 10..30),
        ] {
            let answer = part(&app, &path, range).await;
            let place = format!("bytes {}-{}/{size}", expected.start, expected.end - 1);
            assert_eq!((answer.status, answer.header("content-range")), (206, place.as_str()), "{range}");
            assert_eq!(answer.header("content-length"), expected.len().to_string(), "{range}");
            assert_eq!(answer.header("content-type"), "application/pdf", "{range}");
            assert!(answer.body == bytes[expected], "{range} of {size}");
        }
    }
}

/// The parts of a multipart/byteranges body.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let content_type = answer.header("content-type");
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").expect("a multipart type");
    let mark = format!("--{boundary}");
    let find = |from: usize, what: &[u8]| {
        let found = answer.body[from..].windows(what.len()).position(|window| window == what);
        from + found.expect("the mark is there")
    };
    let (mut all, mut at) = (Vec::new(), find(0, mark.as_bytes()));
    loop {
        at += mark.len();
        if answer.body[at..].starts_with(b"--\r\n") {
            assert_eq!(at + 4, answer.body.len(), "nothing follows the end");
            return all;
        }
        let head_end = find(at, b"\r\n\r\n");
        let head = String::from_utf8(answer.body[at..head_end].to_vec()).unwrap();
        let end = find(head_end + 4, format!("\r\n{mark}").as_bytes());
        all.push((head, answer.body[head_end + 4..end].to_vec()));
        at = end + 2;
    }
}

#[tokio::test]
async fn several_ranges_give_their_bytes_as_parts() {
    let app = TestApp::start();
    for size in SIZES {
        let (path, bytes) = filled(&app, size).await;
        let answer = part(&app, &path, "bytes=900-, 0-9, 100-199").await;
        assert_eq!(answer.status, 206);
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        let expected: [Range<usize>; 3] = [900..size, 0..10, 100..200];
        let parts = parts(&answer);
        assert_eq!(parts.len(), 3);
        for ((head, body), expected) in parts.into_iter().zip(expected) {
            assert!(head.contains("Content-Type: application/pdf"), "{head}");
            let place = format!("Content-Range: bytes {}-{}/{size}", expected.start, expected.end - 1);
            assert!(head.contains(&place), "{head}");
            assert!(body == bytes[expected], "{head}");
        }
    }
}

#[tokio::test]
async fn what_is_no_range_gives_the_whole() {
    let app = TestApp::start();
    let (path, bytes) = filled(&app, SIZES[0]).await;
    let many =
        format!("bytes={}", (0..17).map(|n| format!("{}-{}", n * 10, n * 10)).collect::<Vec<_>>().join(","));
    for range in ["bytes=9-3", "bytes=a-b", "lines=0-3", "bytes", "bytes=", many.as_str()] {
        let answer = part(&app, &path, range).await;
        assert_eq!((answer.status, answer.body.len()), (200, bytes.len()), "{range}");
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_416() {
    let app = TestApp::start();
    let (path, _) = filled(&app, SIZES[0]).await;
    for range in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"] {
        let answer = part(&app, &path, range).await;
        assert_eq!((answer.status, answer.header("content-range")), (416, "bytes */1000"), "{range}");
        assert_eq!(answer.issue_code(), "value");
    }
}

#[tokio::test]
async fn if_range_needs_the_strong_tag() {
    let app = TestApp::start();
    let (path, _) = filled(&app, SIZES[0]).await;
    let modified = app.get(&path, None).await.header("last-modified").to_owned();
    for (validator, status) in [
        ("\"1-n\"", 206),
        ("W/\"1\"", 200),
        ("\"2-n\"", 200),
        ("\"1-n-gzip\"", 200),
        (modified.as_str(), 206),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 200),
    ] {
        let request =
            app.request(Method::GET, &path).header("Range", "bytes=0-9").header("If-Range", validator);
        assert_eq!(Answer::of(request).await.status, status, "{validator}");
    }
}

#[tokio::test]
async fn only_the_native_form_has_ranges() {
    let app = TestApp::start();
    let (path, _) = filled(&app, SIZES[0]).await;
    assert_eq!(app.get(&path, None).await.header("accept-ranges"), "bytes");
    let request = app.request(Method::GET, &path).header("Range", "bytes=0-9");
    let resource = Answer::of(request.header("Accept", "application/fhir+json")).await;
    assert_eq!((resource.status, resource.header("accept-ranges")), (200, ""));
    let head = app.request(Method::HEAD, &path).header("Range", "bytes=0-9");
    assert_eq!(Answer::of(head).await.status, 200, "a range is of GET alone");
}
