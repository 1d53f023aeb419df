//! HTTP/2: many requests on one connection, none of which holds up the others or takes more than its
//! share of time and memory.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::{Reason, RecvStream, client::SendRequest};
use http::{Method, Request};
use http_body_util::BodyExt;
use tokio::{task::JoinHandle, time::timeout};

use crate::{
    command::noise,
    secure::{Http, Secure},
};

const LARGE: usize = 40 << 20;
const STREAMS_MAX: usize = 100;

/// A client that sees frames.
struct Frames {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Frames {
    /// With room for so many bytes on each stream and on the connection.
    async fn open(server: &Secure, stream_bytes: u32, connection_bytes: u32) -> Self {
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(stream_bytes).initial_connection_window_size(connection_bytes);
        let handshake = builder.handshake(server.tls(b"h2").await);
        let (sender, connection) = handshake.await.expect("HTTP/2");
        Self { sender, connection: tokio::spawn(connection) }
    }

    async fn get(&mut self, path: &str) -> http::Response<RecvStream> {
        let (answer, _) = self.ready().await.send_request(get(path), true).expect("it is sent");
        answer.await.expect("an answer")
    }

    async fn ready(&mut self) -> SendRequest<Bytes> {
        self.sender.clone().ready().await.expect("it takes more")
    }
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("https://localhost{path}")).body(()).expect("a request")
}

fn post(path: &str) -> Request<()> {
    let request = Request::post(format!("https://localhost{path}")).header("content-type", "text/plain");
    request.body(()).expect("a request")
}

/// Everything that is left of a body.
async fn rest(mut body: RecvStream) -> Result<usize, h2::Error> {
    let mut length = 0;
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        length += piece.len();
    }
    Ok(length)
}

#[tokio::test]
async fn requests_share_a_connection() {
    let server = Secure::start("");
    let caller = server.caller(Http::Two).await;
    let crate::secure::Caller::Two(sender) = caller else { panic!("HTTP/2") };
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let mut caller = crate::secure::Caller::Two(sender.clone());
            tokio::spawn(async move {
                let (path, bytes) = (format!("/r4/Binary/{number}"), noise(number, 200_000));
                caller.put(&path, bytes.clone()).await;
                assert!(caller.ask(Method::GET, &path, &[]).await.body == bytes, "{path}");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("each has its own document");
    }
}

#[tokio::test]
async fn a_stalled_stream_is_reset_and_its_neighbours_go_on() {
    let server = Secure::start("[limits]\nwrite_idle_seconds = 1\n");
    server.caller(Http::Two).await.put("/r4/Binary/large", noise(9, LARGE)).await;
    let mut frames = Frames::open(&server, 64 << 10, 16 << 20).await;
    let stalled = frames.get("/r4/Binary/large").await.into_body();
    let unread = frames.get("/r4/Binary/large?_format=json").await.into_body();
    let neighbour = frames.get("/r4/Binary/large").await.into_body();
    assert_eq!(rest(neighbour).await.expect("it goes on"), LARGE);
    // Nothing is taken of the others; what has come is given back only when their end is known.
    for mut body in [stalled, unread] {
        let end = timeout(Duration::from_secs(15), async {
            while let Some(piece) = body.data().await {
                piece?;
            }
            Ok::<_, h2::Error>(())
        });
        let error = end.await.expect("it ends").expect_err("and not as if it were whole");
        assert_eq!(error.reason(), Some(Reason::CANCEL));
    }
    let answer = frames.get("/r4/Binary/large").await;
    assert_eq!(rest(answer.into_body()).await.expect("the connection goes on"), LARGE);
}

#[tokio::test]
async fn a_slow_but_steady_reader_gets_everything() {
    let server = Secure::start("[limits]\nwrite_idle_seconds = 2\n");
    let length = 4 << 20;
    server.caller(Http::Two).await.put("/r4/Binary/some", noise(9, length)).await;
    let mut frames = Frames::open(&server, 64 << 10, 1 << 20).await;
    let mut body = frames.get("/r4/Binary/some").await.into_body();
    let (begun, mut taken) = (Instant::now(), 0);
    while let Some(piece) = body.data().await {
        let piece = piece.expect("it sends on");
        taken += piece.len();
        if begun.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        body.flow_control().release_capacity(piece.len()).expect("it is ours");
    }
    assert_eq!(taken, length);
    assert!(begun.elapsed() > Duration::from_secs(5), "longer than the limit in all");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused_in_time() {
    let server = Secure::start("[limits]\nbody_idle_seconds = 1\n");
    let mut frames = Frames::open(&server, 64 << 10, 1 << 20).await;
    let (answer, _body) = frames.ready().await.send_request(post("/r4/Binary"), false).expect("it is sent");
    let answer = timeout(Duration::from_secs(10), answer).await.expect("in time").expect("an answer");
    assert_eq!(answer.status(), 408);
    assert_eq!(frames.get("/health/live").await.status(), 200, "the connection goes on");
}

#[tokio::test]
async fn a_connection_without_requests_ends() {
    let server = Secure::start("[limits]\nheader_seconds = 1\n");
    let mut frames = Frames::open(&server, 64 << 10, 1 << 20).await;
    assert_eq!(frames.get("/health/live").await.status(), 200);
    let end = timeout(Duration::from_secs(10), frames.connection).await.expect("it ends").expect("no panic");
    assert!(end.is_ok(), "with a farewell: {end:?}");
}

#[tokio::test]
async fn a_client_that_says_nothing_in_http2_is_cut_off() {
    let server = Secure::start("[limits]\nheader_seconds = 1\nwrite_idle_seconds = 1\n");
    let mut stream = server.tls(b"h2").await;
    let end = timeout(Duration::from_secs(10), async {
        let mut taken = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut taken).await;
    });
    assert!(end.await.is_ok(), "it is closed");
}

#[tokio::test]
async fn headers_have_a_budget() {
    let server = Secure::start("");
    let mut frames = Frames::open(&server, 64 << 10, 1 << 20).await;
    let mut many = get("/r4/metadata");
    for number in 0..150 {
        let name: http::HeaderName = format!("x-{number}").parse().expect("a name");
        many.headers_mut().insert(name, "1".parse().expect("a value"));
    }
    let (answer, _) = frames.ready().await.send_request(many, true).expect("it is sent");
    assert_eq!(answer.await.expect("an answer").status(), 431);

    let mut long = get("/r4/metadata");
    long.headers_mut().insert("x-long", "x".repeat(100_000).parse().expect("a value"));
    let (answer, _) = frames.ready().await.send_request(long, true).expect("it is sent");
    match answer.await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        Err(error) => assert!(error.is_reset() || error.is_go_away() || error.is_io(), "{error}"),
    }
}

#[tokio::test]
async fn row_49_resets_in_a_flood_end_the_connection_and_not_the_server() {
    const RESETS_MAX: usize = 20_000;
    let server = Secure::start("");
    for (what, request, at_once) in
        [("at once", get("/r4/metadata"), true), ("later", post("/r4/Binary"), false)]
    {
        let mut frames = Frames::open(&server, 64 << 10, 1 << 20).await;
        assert_eq!(frames.get("/health/live").await.status(), 200);
        let mut resets = 0;
        let begun = Instant::now();
        while let Ok(mut sender) = frames.sender.clone().ready().await {
            let Ok((answer, mut stream)) = sender.send_request(clone(&request), at_once) else { break };
            if !at_once {
                // Long enough that the server has begun to work on it.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            stream.send_reset(Reason::CANCEL);
            drop(answer);
            resets += 1;
            tokio::task::yield_now().await;
            assert!(resets < RESETS_MAX, "{what}: it takes {resets} resets in {:?}", begun.elapsed());
        }
        let mut other = server.caller(Http::Two).await;
        assert_eq!(
            other.ask(Method::GET, "/health/live", &[]).await.status,
            200,
            "{what}: others are served"
        );
    }
    let page = server.caller(Http::One).await.ask(Method::GET, "/r4/Binary/_history", &[]).await;
    assert_eq!(page.json()["total"], 0, "nothing was stored");
}

fn clone(request: &Request<()>) -> Request<()> {
    let mut copy = Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

#[tokio::test]
async fn row_49_a_connection_has_a_hundred_streams_at_most() {
    let server = Secure::start("");
    let mut frames = Frames::open(&server, 64 << 10, 1 << 20).await;
    assert_eq!(frames.get("/health/live").await.status(), 200);
    assert_eq!(frames.sender.current_max_send_streams(), STREAMS_MAX);
}

#[tokio::test]
async fn a_thousand_unread_answers_take_bounded_memory() {
    const GROWTH_BYTES_MAX: u64 = 256 << 20;
    let server = Secure::start("");
    server.caller(Http::Two).await.put("/r4/Binary/large", noise(9, LARGE)).await;
    let (before, _) = server.app.memory_bytes();
    let (mut connections, mut bodies) = (Vec::new(), Vec::new());
    for connection in 0..10 {
        // The client says that it has room for everything, and reads nothing.
        let mut frames = Frames::open(&server, 1 << 30, 1 << 30).await;
        for stream in 0..STREAMS_MAX {
            let path = ["/r4/Binary/large", "/r4/Binary/large?_format=json"][(connection + stream) % 2];
            let (answer, _) = frames.ready().await.send_request(get(path), true).expect("it is sent");
            bodies.push(answer);
        }
        connections.push(frames);
        for frames in &connections {
            assert!(!frames.connection.is_finished());
        }
    }
    let begun = Instant::now();
    let mut last = 0;
    // Until it takes no more, and long enough that it has begun them all.
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (peak, _) = server.app.memory_bytes();
        if (peak == last && begun.elapsed() > Duration::from_secs(5))
            || begun.elapsed() > Duration::from_secs(40)
        {
            break;
        }
        last = peak;
    }
    let (peak, _) = server.app.memory_bytes();
    assert!(peak - before < GROWTH_BYTES_MAX, "it grew by {} MiB", (peak - before) >> 20);
    drop((bodies, connections));
    let mut caller = server.caller(Http::Two).await;
    assert_eq!(caller.ask(Method::GET, "/health/live", &[]).await.status, 200);
}

#[tokio::test]
async fn what_is_under_way_finishes_when_the_server_stops() {
    let mut server = Secure::start("");
    let bytes = noise(9, LARGE);
    let mut caller = server.caller(Http::Two).await;
    caller.put("/r4/Binary/large", bytes.clone()).await;
    let mut body =
        caller.send(Method::GET, "/r4/Binary/large", &[], "").await.expect("an answer").into_body();
    let first = body.frame().await.expect("a frame").expect("bytes").into_data().expect("bytes");
    server.app.ask_to_end();
    let begun = Instant::now();
    while caller.send(Method::GET, "/health/live", &[], "").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "it takes no new requests");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rest = body.collect().await.expect("to the end").to_bytes();
    assert!([first, rest].concat() == bytes);
    server.app.assert_ended();
}
