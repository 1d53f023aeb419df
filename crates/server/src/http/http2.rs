//! HTTP/2: many requests at a time on one connection, so what HTTP/1.1 bounds by connections is bounded
//! here by streams. Everything waits for the client at most as long as there:
//!
//! - a connection without an open request ends after `header_seconds`;
//! - a stream of whose answer the client takes nothing ends after `write_idle_seconds`, its neighbours
//!   go on;
//! - memory is bounded by the windows below, not by the size of documents.
//!
//! The library ends connections that flood it with settings, pings, continuations or resets of streams
//! that it has not handed over yet. What was handed over counts in [`Abandoned`].
//!
//! Clause: RFC 9113 10.5

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::{
    body::Incoming,
    rt::{Executor, Read, Write},
    server::conn::http2::Builder,
    service::service_fn,
};
use hyper_util::rt::TokioTimer;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};

use super::{
    App, answer,
    body::AnswerBody,
    connection::Chunk,
    pipeline,
    serve::{HEADERS_MAX, Link},
};

/// Requests at the same time on one connection.
const STREAMS_MAX: u32 = 100;
/// Bytes of one request's body that a client may send ahead of being read, and of all of them.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of one answer that wait for the client, beside the 64 KiB that the body reads at once.
const SEND_BYTES: usize = 16 << 10;
/// Bytes of an answer that are handed over at once.
const PIECE_BYTES: usize = 16 << 10;
/// How often a silent client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// So many more requests than it lets finish may a client give up.
const ABANDONED_MAX: u64 = 100;

/// Serves one connection to its end.
pub async fn serve(
    app: Arc<App>,
    io: impl Read + Write + Unpin + Send + 'static,
    link: Link,
    mut stopped: watch::Receiver<bool>,
) -> hyper::Result<()> {
    let limits = &app.config.limits;
    let write_idle = Duration::from_secs(limits.write_idle_seconds);
    let idle = Duration::from_secs(limits.header_seconds);
    let streams = Streams::new(write_idle);
    let _ending = Ending(streams.clone());
    let builder = builder(streams.clone(), limits.header_bytes, write_idle);
    let (link, abandoned) = (Arc::new(link), Arc::new(Abandoned::default()));
    let requests = (app.clone(), link, abandoned.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, link, abandoned) = requests.clone();
        async move { Ok::<_, io::Error>(answer(&app, request, &link, &abandoned).await) }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    tokio::select! {
        result = connection.as_mut() => return result,
        () = abandoned.too_many() => return Ok(()),
        () = streams.idle(idle) => {}
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        result = connection.as_mut() => result,
        () = abandoned.too_many() => Ok(()),
        // The rest of the last answers may still be on its way.
        () = streams.idle(write_idle) => Ok(()),
    }
}

fn builder(streams: Streams, header_bytes: usize, write_idle: Duration) -> Builder<Streams> {
    let mut http = Builder::new(streams);
    http.timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(SEND_BYTES)
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        // A client that reads slowly sees the question late.
        .keep_alive_timeout(write_idle);
    http
}

async fn answer(
    app: &App,
    request: Request<Incoming>,
    link: &Link,
    abandoned: &Arc<Abandoned>,
) -> Response<Paced> {
    let unanswered = abandoned.begin();
    let answer = match request.headers().len() {
        0..=HEADERS_MAX => pipeline::handle(app, request, link).await,
        _ => {
            let mut answer = Response::new(answer::Body::from(AnswerBody::default()));
            *answer.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            answer
        }
    };
    let pace = PACE.try_with(Arc::clone).unwrap_or_default();
    pace.waits_for_client(true);
    let mut unanswered = Some(unanswered);
    answer.map(|body| {
        if body.is_end_stream() {
            Unanswered::answered(&mut unanswered);
        }
        Paced { body, rest: Bytes::new(), pace, unanswered }
    })
}

tokio::task_local! {
    /// Of the stream whose task this is.
    static PACE: Arc<Pace>;
}

/// Whether an answer waits for the client.
#[derive(Default)]
struct Pace(Mutex<Option<Instant>>);

impl Pace {
    fn waits_for_client(&self, waits: bool) {
        *locked(&self.0) = waits.then(Instant::now);
    }

    /// Ends when the client has taken nothing for so long.
    async fn stalled(&self, at_most: Duration) {
        let since = || *locked(&self.0);
        loop {
            tokio::time::sleep_until(since().unwrap_or_else(Instant::now) + at_most).await;
            if since().is_some_and(|since| since.elapsed() >= at_most) {
                return;
            }
        }
    }
}

/// The body of an answer, whose stream is ended when it stalls. It is asked for more only when the client
/// has room; in between, the client is waited for.
struct Paced {
    body: answer::Body,
    /// What the body gave and the client was not given yet.
    rest: Bytes,
    pace: Arc<Pace>,
    /// Until the first byte is asked for: then the answer's head has found a client.
    unanswered: Option<Unanswered>,
}

impl Paced {
    /// The beginning of what the body gave. In large pieces, a client with a slow line and many streams would
    /// seem to have left each of them.
    fn piece(&mut self, chunk: Chunk) -> Chunk {
        match chunk {
            Chunk::Bytes(mut bytes) if bytes.len() > PIECE_BYTES => {
                let piece = bytes.split_to(PIECE_BYTES);
                self.rest = bytes;
                Chunk::Bytes(piece)
            }
            chunk => chunk,
        }
    }
}

impl Body for Paced {
    type Data = Chunk;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, io::Error>>> {
        Unanswered::answered(&mut self.unanswered);
        let this = &mut *self;
        let polled = match this.rest.is_empty() {
            true => Pin::new(&mut this.body).poll_frame(cx),
            false => Poll::Ready(Some(Ok(Frame::data(Chunk::Bytes(std::mem::take(&mut this.rest)))))),
        };
        this.pace.waits_for_client(polled.is_ready());
        polled.map_ok(|frame| frame.map_data(|chunk| this.piece(chunk)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The tasks of one connection's streams.
#[derive(Clone)]
struct Streams {
    tasks: Arc<Mutex<JoinSet<()>>>,
    activity: Arc<Mutex<Activity>>,
    write_idle: Duration,
}

struct Activity {
    open: usize,
    changed: Instant,
}

impl Streams {
    fn new(write_idle: Duration) -> Self {
        let activity = Arc::new(Mutex::new(Activity { open: 0, changed: Instant::now() }));
        Self { tasks: Arc::default(), activity, write_idle }
    }

    /// Ends when no stream has been open for so long.
    async fn idle(&self, at_most: Duration) {
        let since = || {
            let activity = locked(&self.activity);
            (activity.open == 0).then_some(activity.changed)
        };
        loop {
            tokio::time::sleep_until(since().unwrap_or_else(Instant::now) + at_most).await;
            if since().is_some_and(|since| since.elapsed() >= at_most) {
                return;
            }
        }
    }
}

/// Ends the streams with their connection. Dropping the set would not: each task holds a share of it.
struct Ending(Streams);

impl Drop for Ending {
    fn drop(&mut self) {
        locked(&self.0.tasks).abort_all();
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let open = Open::new(self.activity.clone());
        let (pace, write_idle) = (Arc::<Pace>::default(), self.write_idle);
        let task = PACE.scope(pace.clone(), async move {
            // Dropping the stream resets it.
            tokio::select! { () = stream => {}, () = pace.stalled(write_idle) => {} }
            drop(open);
        });
        let mut tasks = locked(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

/// Counts a stream while it is open.
struct Open(Arc<Mutex<Activity>>);

impl Open {
    fn new(activity: Arc<Mutex<Activity>>) -> Self {
        locked(&activity).open += 1;
        Self(activity)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut activity = locked(&self.0);
        activity.open -= 1;
        activity.changed = Instant::now();
    }
}

/// Requests that were given up before an answer could begin. A client that does little else makes the server
/// work for nothing: its connection is dropped.
#[derive(Default)]
struct Abandoned {
    given_up: AtomicU64,
    answered: AtomicU64,
    changed: Notify,
}

impl Abandoned {
    fn begin(self: &Arc<Self>) -> Unanswered {
        Unanswered { count: self.clone(), answered: false }
    }

    async fn too_many(&self) {
        loop {
            let changed = self.changed.notified();
            let answered = self.answered.load(Ordering::Relaxed);
            if self.given_up.load(Ordering::Relaxed) > answered.saturating_add(ABANDONED_MAX) {
                tracing::warn!("a connection was dropped that gave up too many requests");
                return;
            }
            changed.await;
        }
    }
}

/// A request that has no answer yet.
struct Unanswered {
    count: Arc<Abandoned>,
    answered: bool,
}

impl Unanswered {
    fn answered(this: &mut Option<Self>) {
        if let Some(mut unanswered) = this.take() {
            unanswered.answered = true;
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if self.answered {
            self.count.answered.fetch_add(1, Ordering::Relaxed);
        } else {
            self.count.given_up.fetch_add(1, Ordering::Relaxed);
            self.count.changed.notify_one();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
