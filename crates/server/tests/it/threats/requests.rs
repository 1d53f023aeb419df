//! Rows 46 to 56: requests that are made to exhaust, confuse or mislead the server or its logs.

use std::{
    io::Read as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Method;

use super::raw;
use crate::app::{Answer, TestApp, program, terminate};

const GET: &str = "GET /r4/Binary/1 HTTP/1.1\r\nHost: localhost\r\n";

#[tokio::test]
async fn row_46_headers_have_a_budget() {
    let app = TestApp::start();
    let long = format!("{GET}X-Long: {}\r\n\r\n", "x".repeat(64 << 10));
    assert!(raw(&app, long.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let many = format!("{GET}{}\r\n", "X-Many: 1\r\n".repeat(200));
    assert!(raw(&app, many.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let provenance = format!("{GET}X-Provenance: {}\r\n\r\n", "{".repeat(80_000));
    assert!(raw(&app, provenance.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let target = format!("GET /r4/Binary/1?x={} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100_000));
    assert!(raw(&app, target.as_bytes()).await.starts_with("HTTP/1.1 4"));
}

#[tokio::test]
async fn row_47_a_slow_head_is_cut_off_while_others_are_served() {
    let app = TestApp::with("[limits]\nheader_seconds = 1\n");
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = tokio::net::TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /r4/Binary/1 HTTP/1.1\r\nX-A: ")
            .await
            .unwrap();
        slow.push(stream);
    }
    assert_eq!(app.get("/r4/Binary/1", None).await.status, 404, "others are served");
    let begun = Instant::now();
    for mut stream in slow {
        let mut answer = Vec::new();
        let end = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
        tokio::time::timeout(Duration::from_secs(5), end).await.expect("it is cut off").ok();
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    // Slow bodies and slow readers: tests/it/limits.rs.
}

#[tokio::test]
async fn row_48_a_request_has_one_reading() {
    let app = TestApp::start();
    let smuggled = "GET /r4/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (what, head) in [
        ("both lengths", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
        ("both, other order", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
        ("two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n"),
        ("signed length", "Content-Length: +4\r\n"),
        ("not chunked last", "Transfer-Encoding: chunked, identity\r\n"),
        ("folded", "Transfer-Encoding:\r\n chunked\r\n"),
        ("space before colon", "Transfer-Encoding : chunked\r\n"),
        ("bare line feed in name", "X\nTransfer-Encoding: chunked\r\n"),
    ] {
        let request = format!(
            "POST /r4/Binary HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\n{head}\r\n0\r\n\r\n{smuggled}"
        );
        let answer = raw(&app, request.as_bytes()).await;
        assert!(
            !answer.contains("CapabilityStatement"),
            "{what}: the second request is not answered: {answer}"
        );
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{what}: {answer}");
    }
    for chunk in [
        "zz\r\nabc\r\n0\r\n\r\n",
        "3;\nabc\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\na",
        "-3\r\nabc\r\n0\r\n\r\n",
    ] {
        let request = format!(
            "POST /r4/Binary HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
        );
        let answer = raw(&app, request.as_bytes()).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{chunk:?}: {answer}");
    }
    assert_eq!(app.get("/r4/Binary/_history", None).await.json()["total"], 0, "nothing was stored");
}

#[tokio::test]
async fn row_50_links_name_this_server_whatever_the_request_says() {
    let app = TestApp::with("hosts = [\"evil.example\"]\n");
    let request = app.request(Method::POST, "/r4/Binary").header("Content-Type", "text/plain");
    let request = request.header("Host", "evil.example").header("X-Forwarded-Host", "evil.example");
    let request = request.header("X-Forwarded-Proto", "https").header("Forwarded", "host=evil.example");
    let created = Answer::of(request.body("x")).await;
    assert!(created.header("location").starts_with(&format!("{}/r4/Binary/", app.url)));
    let history = app.request(Method::GET, "/r4/Binary/_history?_count=1").header("Host", "evil.example");
    assert!(!Answer::of(history).await.text().contains("evil.example"));
}

#[tokio::test]
async fn row_51_nobody_but_the_caller_keeps_an_answer() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "text/plain", "x").await;
    for path in [
        "/r4/Binary/1",
        "/r4/Binary/1?_format=json",
        "/r4/Binary/no",
        "/r4/Binary/_history",
        "/secure/Binary/1",
    ] {
        let answer = app.get(path, None).await;
        assert_eq!(answer.header("cache-control"), "private, no-store", "{path}");
        for name in ["Accept", "Authorization", "Accept-Encoding", "Origin"] {
            assert!(answer.header("vary").contains(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn row_52_ranges_do_not_multiply_a_document() {
    let app = TestApp::start();
    app.put("/r4/Binary/1", "application/pdf", vec![b'x'; 100_000]).await;
    let many = (0..500).map(|n| format!("{n}-")).collect::<Vec<_>>().join(",");
    for ranges in [many.as_str(), "0-,0-,0-,0-,0-,0-,0-,0-", "0-99999,1-99999,2-99999,3-99999"] {
        let request = app.request(Method::GET, "/r4/Binary/1").header("Range", format!("bytes={ranges}"));
        let answer = Answer::of(request).await;
        assert!(answer.body.len() <= 101_000, "{ranges}: {} bytes", answer.body.len());
    }
}

#[tokio::test]
async fn row_53_the_log_tells_nothing_of_patients_and_cannot_be_forged() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Command::new(program())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            &directory.path().join("data").to_string_lossy(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.stdout.take().unwrap()), &mut line)
        .unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let client = crate::app::client();
    for (method, path, body) in [
        (Method::PUT, "/r4/Binary/patient-mrn4711", "SECRETBODY"),
        (Method::GET, "/r4/Binary/patient-mrn4711?name=Musterfrau", ""),
        (Method::GET, "/stu3/Binary?_id=patient-mrn4711&name=Musterfrau", ""),
        (Method::GET, "/r4/Patient/patient-mrn4711", ""),
        (Method::GET, "/r4/Binary/patient-mrn4711%0a%1b[31mforged", ""),
        (Method::GET, "/patient-mrn4711", ""),
    ] {
        let request = client.request(method, format!("{url}{path}")).header("Content-Type", "text/x-secret");
        let request = request
            .header("Authorization", "Bearer SECRETTOKEN")
            .header("X-Security-Context", "Patient/mrn4711");
        request.header("X-Request-Id", "id-of-mine").body(body).send().await.unwrap();
    }
    let forged =
        client.get(format!("{url}/r4/Binary/1")).header("X-Request-Id", "a b\tc").send().await.unwrap();
    assert_ne!(forged.headers()["x-request-id"], "a b\tc", "an id that is no id is replaced");
    terminate(&mut server);
    let mut log = String::new();
    server.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.lines().count() >= 7, "{log}");
    for line in log.lines() {
        let _: serde_json::Value = serde_json::from_str(line).expect("each line is one JSON object");
    }
    assert!(log.contains("id-of-mine") && log.contains("/Binary/{id}"), "{log}");
    for secret in ["mrn4711", "Musterfrau", "SECRET", "secret", "forged", "\u{1b}"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[tokio::test]
async fn row_56_a_refusal_is_fhir_and_never_a_page() {
    let app = TestApp::start();
    for path in [
        "/r4/Binary/%3Cscript%3E",
        "/r4/%3Cscript%3E/1",
        "/r4/Binary/1?_format=%3Cscript%3E",
        "/r4/Binary?%3Cscript%3E=1",
    ] {
        let answer = app.get(path, "text/html").await;
        assert!(answer.status >= 400, "{path}");
        assert_eq!(answer.essence(), "application/fhir+json", "{path}");
        assert!(!answer.text().contains("<script>"), "{path}: {}", answer.text());
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}
