//! What one client may have at a time, and who a client is when a proxy calls for it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use reqwest::Method;

use crate::{
    app::{Answer, TestApp},
    command::noise,
};

const TWO_AT_ONCE: &str = "[limits]\nclient_requests_per_second = 1\nclient_requests_burst = 2\n";

/// A read that names these addresses in a header.
async fn read(app: &TestApp, header: &str, value: &str) -> Answer {
    Answer::of(app.request(Method::GET, "/r4/Binary/1").header(header, value)).await
}

/// How many of twelve reads in a row are let through.
async fn admitted(app: &TestApp, header: &str, value: impl Fn(usize) -> String) -> usize {
    let mut admitted = 0;
    for number in 0..12 {
        admitted += usize::from(read(app, header, &value(number)).await.status == 404);
    }
    admitted
}

fn open(app: &TestApp) -> TcpStream {
    let stream = TcpStream::connect(app.url.trim_start_matches("http://")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
    stream
}

#[tokio::test]
async fn without_a_limit_nobody_is_refused() {
    let app = TestApp::start();
    let mut held: Vec<_> = (0..200).map(|_| open(&app)).collect();
    for number in 0..500 {
        assert_eq!(app.get("/r4/Binary/1", None).await.status, 404, "{number}");
    }
    held[199]
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("open");
    let mut answer = String::new();
    held[199].read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn row_54_who_calls_too_often_is_told_when_to_call_again() {
    let app = TestApp::with(TWO_AT_ONCE);
    let begun = Instant::now();
    let mut refused = None;
    for _ in 0..12 {
        let answer = app.get("/stu3/Binary/1", "application/fhir+xml").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 404);
    }
    let refused = refused.unwrap_or_else(|| panic!("twelve were let through in {:?}", begun.elapsed()));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.essence(), "application/fhir+xml");
    assert!(refused.text().contains("<code value=\"throttled\"/>"), "{}", refused.text());
    assert_eq!(refused.header("cache-control"), "private, no-store");
    for _ in 0..5 {
        assert_eq!(app.get("/health/live", None).await.status, 200, "health is asked at any time");
    }
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if app.get("/r4/Binary/1", None).await.status == 404 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "its turn comes again");
    }
}

#[tokio::test]
async fn row_54_requests_under_way_are_counted_to_their_last_byte() {
    let app = TestApp::with("[limits]\nclient_requests_parallel = 1\n");
    app.put("/r4/Binary/large", "application/octet-stream", noise(9, 40 << 20)).await;
    // By way of the kernel, and by way of this program.
    for accept in ["*/*", "application/fhir+json"] {
        let mut reader = open(&app);
        reader
            .write_all(
                format!("GET /r4/Binary/large HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n")
                    .as_bytes(),
            )
            .expect("it takes it");
        reader.read_exact(&mut [0; 12]).expect("the answer begins");
        let refused = app.get("/r4/Binary/1", None).await;
        assert_eq!(refused.status, 429, "{accept}");
        assert_eq!((refused.header("retry-after"), refused.issue_code()), ("1", "throttled".to_owned()));
        drop(reader);
        let begun = Instant::now();
        while app.get("/r4/Binary/1", None).await.status == 429 {
            assert!(begun.elapsed() < Duration::from_secs(10), "{accept}: the place comes back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for _ in 0..20 {
        assert_eq!(app.get("/r4/Binary/1", None).await.status, 404, "one after the other is fine");
    }
}

#[tokio::test]
async fn row_47_connections_of_one_client_are_counted() {
    let app = TestApp::with("[limits]\nclient_connections = 3\n");
    let live = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let ask = |stream: &mut TcpStream| {
        let mut answer = String::new();
        let _ = stream.write_all(live.as_bytes());
        let _ = stream.read_to_string(&mut answer); // closed at once is an end too
        answer
    };
    let mut held: Vec<_> = (0..3).map(|_| open(&app)).collect();
    let begun = Instant::now();
    assert_eq!(ask(&mut open(&app)), "", "the fourth is closed");
    assert!(begun.elapsed() < Duration::from_secs(5), "at once");
    assert!(ask(&mut held[0]).starts_with("HTTP/1.1 200 "), "the others go on");
    let begun = Instant::now();
    while ask(&mut open(&app)).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the place comes back");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(held);
    let begun = Instant::now();
    let answer = loop {
        // The places of those who have just left may come back a moment later.
        match app.request(Method::GET, "/metrics").send().await {
            Ok(answer) => break answer,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(5), "the places come back: {error}"),
        }
    };
    let metrics = answer.text().await.expect("text");
    assert!(!metrics.contains("charta_connections_refused_total 0"), "{metrics}");
}

#[tokio::test]
async fn row_50_what_a_client_says_of_its_address_does_not_count() {
    let app = TestApp::with(TWO_AT_ONCE);
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
        let value = |number: usize| match header {
            "Forwarded" => format!("for=192.0.2.{number}"),
            _ => format!("192.0.2.{number}"),
        };
        assert!(admitted(&app, header, value).await < 12, "{header}: all are one client");
    }
}

#[tokio::test]
async fn row_50_a_trusted_proxy_calls_for_many_clients() {
    let app = TestApp::with(&format!("trusted_proxies = [\"127.0.0.0/8\"]\n{TWO_AT_ONCE}"));
    let header = "X-Forwarded-For";
    assert_eq!(admitted(&app, header, |number| format!("192.0.2.{number}")).await, 12, "one each");
    assert!(admitted(&app, header, |_| "198.51.100.1".to_owned()).await < 12, "one for all");
    let forged = |number| format!("192.0.2.1{number}, 198.51.100.2");
    assert!(admitted(&app, header, forged).await < 12, "what stands before may be made up");
    let other = |number| format!("for=192.0.2.2{number}");
    assert!(admitted(&app, "Forwarded", other).await < 12, "the proxy writes the other header");
}

#[tokio::test]
async fn row_54_who_holds_a_token_is_one_client_wherever_they_call_from() {
    let trusting = "[[issuer]]\ndevelopment = true\n";
    let app = TestApp::with(&format!("trusted_proxies = [\"127.0.0.0/8\"]\n{TWO_AT_ONCE}{trusting}"));
    let signed = |subject: &str| {
        let more = ["--client", "app", "--user", subject];
        crate::audit::scopes::token(&app, "user/*.rs", &more)
    };
    let own = signed("Practitioner/1");
    let read = async |token: &str, address: String| {
        let request = app.request(Method::GET, "/secure/Binary/1").bearer_auth(token);
        Answer::of(request.header("X-Forwarded-For", address)).await
    };
    let mut refused = 0;
    for number in 0..12 {
        let answer = read(&own, format!("192.0.2.{number}")).await;
        if answer.status == 429 {
            assert_eq!((answer.header("retry-after"), answer.issue_code()), ("1", "throttled".to_owned()));
            refused += 1;
        } else {
            assert_eq!(answer.status, 404, "{}", answer.text());
        }
    }
    assert!(refused > 0, "each address is another's, and the token is one");
    let again = signed("Practitioner/1");
    let mut statuses = Vec::new();
    for number in 20..25 {
        statuses.push(read(&again, format!("192.0.2.{number}")).await.status);
    }
    assert!(
        statuses.contains(&429),
        "another token of the same user and program is no other client: {statuses:?}"
    );
    assert_eq!(
        read(&signed("Practitioner/2"), "192.0.2.99".into()).await.status,
        404,
        "others are not concerned"
    );
}

#[tokio::test]
async fn row_54_the_development_authorization_server_has_the_limits_of_endpoints() {
    let server = "[[issuer]]\ndevelopment = true\n[authorization_server]\n[[authorization_server.client]]\nid = \"app\"\n\
                  redirect_uris = [\"http://localhost/\"]\nscope = \"patient/*.rs\"\n";
    let app = TestApp::with(&format!("{TWO_AT_ONCE}{server}"));
    let mut refused = None;
    for _ in 0..12 {
        let answer = app.get("/auth/jwks.json", None).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200);
    }
    let refused = refused.expect("twelve at once are too many");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["error"], "temporarily_unavailable");
    assert_eq!(refused.header("cache-control"), "no-store");
}

#[tokio::test]
async fn row_50_a_proxy_may_write_forwarded_instead() {
    let proxy = "trusted_proxies = [\"127.0.0.1\"]\nproxy_header = \"Forwarded\"\n";
    let app = TestApp::with(&format!("{proxy}{TWO_AT_ONCE}"));
    let value = |number| format!("for=192.0.2.{number};proto=https");
    assert_eq!(admitted(&app, "Forwarded", value).await, 12, "one each");
    let forged = |number| format!("192.0.2.{number}");
    assert!(admitted(&app, "X-Forwarded-For", forged).await < 12, "passed on as the client sent it");
}

#[tokio::test]
async fn row_50_not_even_a_trusted_proxy_names_this_server() {
    let app = TestApp::with("trusted_proxies = [\"127.0.0.1\"]\nhosts = [\"evil.example\"]\n");
    let request = app.request(Method::POST, "/r4/Binary").header("Content-Type", "text/plain");
    let request = request.header("X-Forwarded-Host", "evil.example").header("X-Forwarded-Proto", "https");
    let request = request.header("X-Forwarded-For", "192.0.2.1").header("Host", "evil.example");
    let created = Answer::of(request.body("x")).await;
    assert!(created.header("location").starts_with(&format!("{}/r4/Binary/", app.url)));
}

#[tokio::test]
async fn connections_of_a_trusted_proxy_are_not_counted() {
    let app = TestApp::with("trusted_proxies = [\"127.0.0.1\"]\n[limits]\nclient_connections = 1\n");
    let _held: Vec<_> = (0..5).map(|_| open(&app)).collect();
    assert_eq!(app.get("/health/live", None).await.status, 200);
}
