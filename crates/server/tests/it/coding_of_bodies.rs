//! Content codings: of uploads, under the same limit; of answers, when asked for.

use async_compression::tokio::{
    bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder},
    write::{BrotliEncoder, GzipEncoder, ZstdEncoder},
};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    app::{Answer, TestApp},
    command::noise,
};

const CODINGS: [&str; 3] = ["gzip", "zstd", "br"];

async fn encoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    macro_rules! through {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all(bytes).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }
    match coding {
        "gzip" => through!(GzipEncoder),
        "zstd" => through!(ZstdEncoder),
        _ => through!(BrotliEncoder),
    }
}

async fn decoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let read = match coding {
        "gzip" => GzipDecoder::new(bytes).read_to_end(&mut plain).await,
        "zstd" => ZstdDecoder::new(bytes).read_to_end(&mut plain).await,
        "br" => BrotliDecoder::new(bytes).read_to_end(&mut plain).await,
        other => panic!("{other} was not asked for"),
    };
    read.unwrap();
    plain
}

async fn post(app: &TestApp, coding: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let request = app.request(Method::POST, "/r4/Binary").header("Content-Type", content_type);
    Answer::of(request.header("Content-Encoding", coding).body(body)).await
}

async fn read(app: &TestApp, path: &str, accept: &str, coding: &str) -> Answer {
    let request = app.request(Method::GET, path).header("Accept", accept);
    Answer::of(request.header("Accept-Encoding", coding)).await
}

#[tokio::test]
async fn an_upload_is_decoded_and_stored_as_it_was() {
    let app = TestApp::start();
    let text = "line of a report\n".repeat(5000);
    let base64 = base64_simd::STANDARD.encode_to_string(&text);
    let json =
        format!("{{\"resourceType\":\"Binary\",\"contentType\":\"text/plain\",\"data\":\"{base64}\"}}");
    for coding in CODINGS {
        for (content_type, body) in [("text/plain", &text), ("application/fhir+json", &json)] {
            let created = post(&app, coding, content_type, encoded(coding, body.as_bytes()).await).await;
            assert_eq!(created.status, 201, "{coding}: {}", created.text());
            let path = created.header("location").strip_prefix(&app.url).unwrap().to_owned();
            let stored = app.get(&path, None).await;
            assert_eq!(stored.header("content-type"), "text/plain");
            assert!(stored.text() == text, "{coding} {content_type}");
        }
    }
}

#[tokio::test]
async fn a_bomb_ends_at_the_limit_and_takes_no_memory() {
    let app = TestApp::with("[limits]\ndocument_bytes = 1000000\n");
    let (_, before) = app.memory_bytes();
    for coding in CODINGS {
        let bomb = encoded(coding, &vec![0; 200 << 20]).await;
        assert!(bomb.len() < 1 << 20, "{coding}: {} bytes", bomb.len());
        let request = app.request(Method::POST, "/r4/Binary").header("Content-Type", "application/x-zeros");
        match request.header("Content-Encoding", coding).body(bomb).send().await {
            Ok(answer) => assert_eq!(answer.status(), 413, "{coding}"),
            // The refusal comes while the rest is being sent.
            Err(error) => assert!(error.is_request(), "{coding}: {error}"),
        }
    }
    let (peak, _) = app.memory_bytes();
    assert!(peak - before < 64 << 20, "{} MiB more", (peak - before) >> 20);
}

#[tokio::test]
async fn what_cannot_be_decoded_is_400_and_what_is_not_known_415() {
    let app = TestApp::start();
    for coding in CODINGS {
        let whole = encoded(coding, &noise(7, 50_000)).await;
        let cut = whole[..whole.len() / 2].to_vec();
        for body in [cut, b"neither gzip nor zstd nor br".to_vec()] {
            let refused = post(&app, coding, "text/plain", body).await;
            assert_eq!((refused.status, refused.issue_code().as_str()), (400, "structure"), "{coding}");
        }
    }
    for coding in ["deflate", "gzip, gzip", "compress", "nonsense"] {
        let refused = post(&app, coding, "text/plain", vec![1, 2, 3]).await;
        assert_eq!((refused.status, refused.header("accept-encoding")), (415, "gzip, zstd, br"), "{coding}");
    }
    assert_eq!(app.get("/r4/Binary/_history", None).await.json()["total"], 0);
}

#[tokio::test]
async fn text_is_compressed_for_who_asks() {
    let app = TestApp::start();
    let text = "line of a report\n".repeat(5000);
    for (id, content_type) in [
        ("txt", "text/plain"),
        ("html", "text/html"),
        ("cda", "application/hl7-v3+xml"),
        ("json", "application/json"),
    ] {
        let path = format!("/r4/Binary/{id}");
        app.put(&path, content_type, text.as_str()).await;
        for coding in CODINGS {
            let answer = read(&app, &path, "*/*", coding).await;
            assert_eq!(answer.header("content-encoding"), coding, "{path}");
            assert_eq!(answer.header("content-type"), content_type);
            assert!(answer.body.len() < text.len() / 10);
            assert!(decoded(coding, &answer.body).await == text.as_bytes(), "{path} {coding}");
            assert_eq!(answer.header("etag"), format!("\"1-n-{coding}\""), "another form has another tag");
            assert!(answer.header("vary").contains("Accept-Encoding"));
            let request = app.request(Method::GET, &path).header("Accept-Encoding", coding);
            let again = Answer::of(request.header("If-None-Match", answer.header("etag"))).await;
            assert_eq!(again.status, 304, "{path} {coding}");
            let resource = read(&app, &path, "application/fhir+json", coding).await;
            let resource: serde_json::Value =
                serde_json::from_slice(&decoded(coding, &resource.body).await).unwrap();
            assert_eq!(resource["id"], id);
        }
        for none in ["identity", "*", "gzip;q=0", ""] {
            assert_eq!(read(&app, &path, "*/*", none).await.header("content-encoding"), "", "{none}");
        }
    }
}

#[tokio::test]
async fn what_gains_nothing_or_has_ranges_is_sent_as_it_is() {
    let app = TestApp::start();
    app.put("/r4/Binary/pdf", "application/pdf", vec![b'x'; 50_000]).await;
    app.put("/r4/Binary/txt", "text/plain", vec![b'x'; 50_000]).await;
    app.put("/r4/Binary/short", "text/plain", "short").await;
    for path in ["/r4/Binary/pdf", "/r4/Binary/short"] {
        let answer = read(&app, path, "*/*", "gzip").await;
        assert_eq!(
            (answer.header("content-encoding"), answer.header("accept-ranges")),
            ("", "bytes"),
            "{path}"
        );
    }
    let request = app.request(Method::GET, "/r4/Binary/txt").header("Accept-Encoding", "gzip");
    let part = Answer::of(request.header("Range", "bytes=0-9")).await;
    assert_eq!((part.status, part.header("content-encoding"), part.body.len()), (206, "", 10));
    let head = app.request(Method::HEAD, "/r4/Binary/txt").header("Accept-Encoding", "gzip");
    let head = Answer::of(head).await;
    assert_eq!((head.header("content-encoding"), head.header("etag")), ("gzip", "\"1-n-gzip\""));
}
