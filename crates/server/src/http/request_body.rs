//! The body of a request, which knows whether it was read to its end.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// Whether the last request of a connection was answered before its body was read.
#[derive(Clone, Default)]
pub struct Unread(Arc<AtomicBool>);

impl Unread {
    /// Whether it was.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes it for good; gives another place for the requests to note it.
    pub fn kept(&self) -> Self {
        self.set(true);
        Self::default()
    }

    fn set(&self, unread: bool) {
        self.0.store(unread, Ordering::Relaxed);
    }
}

/// The body of a request.
pub struct RequestBody {
    body: Incoming,
    unread: Unread,
}

impl RequestBody {
    /// A new request's body; notes in `unread` if it is dropped before its end.
    pub fn new(body: Incoming, unread: Unread) -> Self {
        unread.set(false);
        Self { body, unread }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.unread.set(true);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
