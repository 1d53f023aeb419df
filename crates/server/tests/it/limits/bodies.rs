//! Size limits, and base64 that is not quite base64.

use reqwest::Method;

use super::*;
use crate::app::Answer;

async fn put(app: &TestApp, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.request(Method::PUT, "/r4/Binary/1").header("Content-Type", content_type);
    Answer::of(request.body(body)).await
}

#[tokio::test]
async fn a_length_beyond_the_limit_is_refused_before_the_body_is_read() {
    let app = TestApp::with(LIMITS);
    // A FHIR body may be larger than its document by base64 and the elements around it.
    for (content_type, length) in
        [("text/plain", 100_001), ("image/png", 5 << 30), (FHIR_JSON, 5 << 30), (FHIR_XML, 5_u64 << 30)]
    {
        let wire = Wire::put(&app, content_type, &format!("Content-Length: {length}\r\n"));
        wire.assert_last(413, &format!("{content_type} {length}"));
    }
    assert_nothing_stored(app).await;
}

/// Large enough that the buffers between both sides cannot hold it.
const IN_ONE_GO: usize = 40 << 20;

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_gets_to_read_the_refusal() {
    let app = TestApp::start();
    for (content_type, body, status) in [
        (FHIR_JSON, format!("{{\"resourceType\":\"Binary\",\"data\":\"!{}", "x".repeat(IN_ONE_GO)), 400),
        ("Text", "x".repeat(IN_ONE_GO), 415),
    ] {
        let mut wire = Wire::put(&app, content_type, &format!("Content-Length: {}\r\n", body.len()));
        wire.send(body);
        wire.assert_last(status, content_type);
    }
    assert_nothing_stored(app).await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_in_mid_stream() {
    let app = TestApp::with(LIMITS);
    let too_long = base64(LIMIT_BYTES + 1);
    let starts = resources(&too_long).map(|(content_type, body)| {
        let end = body.find(&too_long).expect("it is in there") + too_long.len();
        // Behind the last character nothing comes: what is there must be enough to refuse.
        (content_type, body.as_bytes()[..end].to_vec())
    });
    for (content_type, body) in starts.into_iter().chain([("text/plain", vec![b'x'; LIMIT_BYTES + 1])]) {
        let mut wire = Wire::chunked(&app, content_type);
        body.chunks(30_000).for_each(|chunk| wire.send_chunk(chunk));
        wire.assert_last(413, content_type);
    }
    assert_nothing_stored(app).await;
}

#[tokio::test]
async fn the_last_byte_that_fits_is_taken() {
    let app = TestApp::with(LIMITS);
    let document = noise(3, LIMIT_BYTES + 1);
    for (length, taken) in [(LIMIT_BYTES, true), (LIMIT_BYTES + 1, false)] {
        let bodies = resources(&base64(length)).map(|(content_type, body)| (content_type, body.into_bytes()));
        for (content_type, body) in bodies.into_iter().chain([("text/plain", document[..length].to_vec())]) {
            let answer = put(&app, content_type, body).await;
            let expected: &[u16] = if taken { &[200, 201] } else { &[413] };
            assert!(expected.contains(&answer.status), "{content_type} {length}: {}", answer.text());
            if !taken {
                assert_eq!(answer.issue_code(), "too-long", "{content_type}");
            }
            let stored = app.get("/r4/Binary/1", None).await;
            assert_eq!(stored.status, 200);
            assert!(stored.body == document[..LIMIT_BYTES], "{content_type} {length}");
        }
    }
    assert_clean(app);
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_learns_why() {
    let app = TestApp::with(LIMITS);
    let mut wire = Wire::put(&app, "text/plain", "Content-Length: 400000\r\n");
    let _ = wire.0.write_all(&vec![b'x'; 400_000]);
    wire.assert_last(413, "sent whole");
    assert_nothing_stored(app).await;
}

#[tokio::test]
async fn white_space_inside_base64_is_skipped() {
    let app = TestApp::with(LIMITS);
    let document = noise(3, 50_000);
    let plain = base64(50_000);
    let lines: Vec<&str> =
        plain.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).expect("ASCII")).collect();
    // JSON has no bare line breaks inside strings; XML has, and turns them into spaces.
    let forms = [
        (FHIR_JSON, json(&lines.join("\\r\\n"), false)),
        (FHIR_JSON, json(&lines.join(" \\t"), true)),
        (FHIR_JSON, json(&format!(" {plain} "), false)),
        (FHIR_XML, xml(&lines.join("\r\n"))),
        (FHIR_XML, xml(&lines.join("&#13;&#10;\t"))),
    ];
    for (at, (content_type, body)) in forms.into_iter().enumerate() {
        app.put("/r4/Binary/1", content_type, body).await;
        let stored = app.get("/r4/Binary/1", None).await;
        assert!(stored.status == 200 && stored.body == document, "form {at}");
        let deleted = Answer::of(app.request(Method::DELETE, "/r4/Binary/1")).await;
        assert_eq!(deleted.status, 204);
    }
    assert_clean(app);
}

#[tokio::test]
async fn wrong_base64_is_refused_and_nothing_stored() {
    let app = TestApp::with(LIMITS);
    let long = base64(60_000);
    for (what, wrong) in [
        ("no padding", "SGVsbG8".to_owned()),
        ("one character", "SGVsb".to_owned()),
        ("padding where none belongs", "SGVsbG8h=".to_owned()),
        ("padding in the middle", "SGVsbG8=SGVs".to_owned()),
        ("too much padding", "SGVsb===".to_owned()),
        ("bits behind the end", "SGVsbG9=".to_owned()),
        ("URL alphabet", "-_-_".to_owned()),
        ("a foreign character", "SGV$bG8=".to_owned()),
        ("not ASCII", "SGVsbG8é".to_owned()),
        ("at the end of a long one", format!("{long}*")),
        ("cut at the end of a long one", long[..long.len() - 1].to_owned()),
    ] {
        for (content_type, body) in resources(&wrong) {
            let answer = put(&app, content_type, body.clone()).await;
            assert_eq!(answer.status, 400, "{what}: {body:.200}: {}", answer.text());
        }
    }
    assert_nothing_stored(app).await;
}
