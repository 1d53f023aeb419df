//! Content in a bucket, seen by clients: what is asked of the bucket, what is served when it fails, how much memory it takes.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::{
    app::{Answer, TestApp, run_with},
    bucket::{self, Bucket},
    proxy::{Proxy, Weather},
};

struct Cluster {
    app: TestApp,
    proxy: Proxy,
    bucket: Bucket,
}

impl Cluster {
    fn start() -> Self {
        let bucket = Bucket::new();
        let proxy = Proxy::to(bucket.address);
        let content = "[store]\ncontent = \"s3://bucket/charta\"\n";
        let app = TestApp::with_environment(content, &bucket::environment(proxy.address));
        Self { app, proxy, bucket }
    }

    /// What is asked of the bucket while this is done, each as `GET`, but what the server asks of itself at its start.
    async fn asked(&self, work: impl Future<Output = Answer>) -> (Answer, Vec<String>) {
        self.bucket.asked();
        let answer = work.await;
        let asked = self.bucket.asked();
        let asked = asked.iter().filter(|line| !line.contains("/probe-"));
        (answer, asked.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect())
    }

    /// Puts 1 MB of this type and gives it back.
    async fn put(&self, path: &str, content_type: &str, start: &[u8]) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..1_000_000_u32).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
        bytes[..start.len()].copy_from_slice(start);
        self.app.put(path, content_type, bytes.clone()).await;
        bytes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_one_request_to_the_bucket() {
    let cluster = Cluster::start();
    let app = &cluster.app;
    let path = "/r4/Binary/scan";
    let bytes = cluster.put(path, "application/pdf", b"%PDF-1.7").await;
    let get = |accept: &'static str| app.request(Method::GET, path).header("Accept", accept);

    let (whole, asked) = cluster.asked(Answer::of(get("application/pdf"))).await;
    assert!(whole.status == 200 && whole.body == bytes && asked == ["GET"], "{} {asked:?}", whole.status);
    assert!(whole.header("content-disposition").starts_with("inline"));

    let (json, asked) = cluster.asked(Answer::of(get("application/fhir+json"))).await;
    let data = json.json()["data"].as_str().map(|data| base64_simd::STANDARD.decode_to_vec(data).unwrap());
    assert!(data.as_deref() == Some(&bytes[..]) && asked == ["GET"], "{asked:?}");

    let (part, asked) = cluster.asked(Answer::of(get("*/*").header("Range", "bytes=500000-899999"))).await;
    assert!(part.status == 206 && part.body == bytes[500_000..900_000] && asked == ["GET"], "{asked:?}");

    let (parts, asked) =
        cluster.asked(Answer::of(get("*/*").header("Range", "bytes=1-2,900000-900001"))).await;
    assert!(parts.status == 206 && asked == ["GET", "GET"], "{} {asked:?}", parts.status);

    let (beyond, asked) = cluster.asked(Answer::of(get("*/*").header("Range", "bytes=1000000-"))).await;
    assert_eq!((beyond.status, beyond.header("content-range"), asked.len()), (416, "bytes */1000000", 0));

    let (head, asked) = cluster.asked(Answer::of(app.request(Method::HEAD, path))).await;
    assert_eq!((head.status, head.header("content-length"), asked.len()), (200, "1000000", 0));

    let known = get("*/*").header("If-None-Match", whole.header("etag"));
    let (known, asked) = cluster.asked(Answer::of(known)).await;
    assert_eq!((known.status, asked.len()), (304, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_of_what_nobody_has_read_asks_for_nothing() {
    let Cluster { app, proxy, bucket } = Cluster::start();
    let path = "/r4/Binary/scan";
    let cluster = Cluster { app, proxy, bucket };
    cluster.put(path, "image/png", b"\x89PNG\r\n\x1a\n").await;
    let Cluster { app, proxy, bucket } = cluster;
    let environment = bucket::environment(proxy.address);
    let app = TestApp::again(app.stop(), "[store]\ncontent = \"s3://bucket/charta\"\n", &environment);
    let cluster = Cluster { app, proxy, bucket };
    let (head, asked) = cluster.asked(Answer::of(cluster.app.request(Method::HEAD, path))).await;
    assert_eq!((head.status, head.header("content-length"), asked.len()), (200, "1000000", 0));
    assert_eq!(head.header("content-disposition"), "", "only the bytes tell how it is to be treated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_the_bucket_is_503_while_it_is_away_and_the_rest_is_served() {
    let cluster = Cluster::start();
    let Cluster { app, proxy, .. } = &cluster;
    let large = cluster.put("/r4/Binary/large", "text/plain", b"").await;
    app.put("/r4/Binary/small", "text/plain", "small").await;
    let ready = async || app.get("/health/ready", None).await;
    assert_eq!(ready().await.status, 200);
    for weather in [Weather::Down, Weather::Silent] {
        proxy.set(weather);
        for accept in ["text/plain", "application/fhir+json", "application/fhir+xml"] {
            let begun = Instant::now();
            let refused = app.get("/r4/Binary/large", accept).await;
            assert_eq!((refused.status, refused.header("retry-after")), (503, "5"), "{weather:?} {accept}");
            assert!(begun.elapsed() < Duration::from_secs(8), "{weather:?}: {:?}", begun.elapsed());
        }
        assert_eq!(app.get("/r4/Binary/small", "text/plain").await.body, b"small");
        assert_eq!(app.get("/r4/DocumentReference?_summary=count", None).await.status, 200);
        let unready = ready().await;
        assert!(unready.status == 503 && unready.text().contains("content"), "{}", unready.text());
    }
    proxy.set(Weather::Down);
    let write = app.request(Method::PUT, "/r4/Binary/new").header("Content-Type", "text/plain");
    let refused = Answer::of(write.body(large.clone())).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    proxy.set(Weather::Fair);
    assert_eq!(ready().await.status, 200);
    assert!(app.get("/r4/Binary/large", "text/plain").await.body == large);
    assert_eq!(app.get("/r4/Binary/new", None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_go_on_is_cut_off() {
    let cluster = Cluster::start();
    let Cluster { app, proxy, .. } = &cluster;
    let bytes: Vec<u8> = (0..40_000_000_u32).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
    app.put("/r4/Binary/large", "application/zip", bytes.clone()).await;
    let mut answer = app.request(Method::GET, "/r4/Binary/large").send().await.unwrap();
    let mut found = answer.chunk().await.unwrap().unwrap().to_vec();
    // Fewer bytes than a block lie between two wrong ones: no block comes through.
    proxy.set(Weather::WrongAnswers(50_000));
    let cut_off = loop {
        match answer.chunk().await {
            Ok(Some(piece)) => found.extend_from_slice(&piece),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(cut_off && found.len() < bytes.len(), "{} bytes", found.len());
    assert!(bytes.starts_with(&found), "nothing wrong was served");
    proxy.set(Weather::Cut(3_000_000));
    let whole = app.get("/r4/Binary/large", None).await;
    assert!(whole.status == 200 && whole.body == bytes, "a cut on the way to the bucket is not seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_documents_pass_through_in_bounded_memory() {
    const SIZE: usize = 200 << 20;
    let cluster = Cluster::start();
    let app = &cluster.app;
    let bytes: Vec<u8> = (0..SIZE as u32).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
    app.put("/r4/Binary/large", "application/zip", bytes.clone()).await;
    let (after_upload, _) = app.memory_bytes();
    let mut answer = app.request(Method::GET, "/r4/Binary/large").send().await.unwrap();
    let mut at = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        assert!(bytes[at..at + piece.len()] == piece);
        at += piece.len();
    }
    assert_eq!(at, SIZE);
    let (after_read, _) = app.memory_bytes();
    assert!(after_upload < 120 << 20 && after_read < 120 << 20, "{after_upload} {after_read}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_find_the_bucket() {
    let cluster = Cluster::start();
    cluster.put("/r4/Binary/large", "application/zip", b"").await;
    let environment = bucket::environment(cluster.bucket.address);
    let config = cluster.app.directory.path().join("charta.toml").to_string_lossy().into_owned();
    let backup = cluster.app.directory.path().join("backup").to_string_lossy().into_owned();
    let check = run_with(&["check", "--config", &config], &environment);
    assert_eq!(
        String::from_utf8_lossy(&check.stdout),
        "clean\n",
        "{}",
        String::from_utf8_lossy(&check.stderr)
    );
    let made = run_with(&["backup", "--config", &config, &backup], &environment);
    assert_eq!(String::from_utf8_lossy(&made.stdout), "1 documents, 1 contents, 1000000 bytes\n");
    // The copy is a store by itself.
    let check = run_with(&["check", "--data", &backup], &[]);
    assert_eq!(String::from_utf8_lossy(&check.stdout), "clean\n");
}
