//! The body of every answer on its way out, coded or not, and the record that is written when it is
//! sent or given up.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::Response;
use http_body::{Frame, SizeHint};

use super::{
    body::AnswerBody,
    client::Place,
    connection::{Chunk, Outbox},
    record::Record,
};

/// An answer to a client.
pub type Answer = Response<Body>;

/// The stream of a body that is coded or made while it is sent.
pub type Streamed = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// The body of an answer.
pub struct Body {
    kind: Kind,
    record: Option<Record>,
    held: Option<Held>,
}

/// The place of the request, until the last byte is on its way.
struct Held {
    place: Option<Place>,
    outbox: Outbox,
}

impl Drop for Held {
    fn drop(&mut self) {
        // What the kernel sends is still to be sent when the body has ended.
        if let Some(place) = self.place.take() {
            self.outbox.hold(place);
        }
    }
}

enum Kind {
    /// As it is; its length is known.
    Plain(AnswerBody),
    /// Through an encoder, or made meanwhile; its length is not known before the end.
    Streamed(Streamed),
}

impl Body {
    /// A body in a content coding, or one that is made while it is sent.
    pub fn streamed(stream: Streamed) -> Self {
        Self { kind: Kind::Streamed(stream), record: None, held: None }
    }

    /// Has `record` written when the body is sent or given up.
    pub fn recorded(&mut self, record: Record) {
        self.record = Some(record);
    }

    /// Keeps the request's place until the answer is sent or given up.
    pub fn holds(&mut self, place: Place, outbox: Outbox) {
        self.held = Some(Held { place: Some(place), outbox });
    }
}

impl From<AnswerBody> for Body {
    fn from(body: AnswerBody) -> Self {
        Self { kind: Kind::Plain(body), record: None, held: None }
    }
}

impl http_body::Body for Body {
    type Data = Chunk;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, io::Error>>> {
        let this = self.get_mut();
        let polled = match &mut this.kind {
            Kind::Plain(body) => Pin::new(body).poll_frame(cx),
            Kind::Streamed(stream) => {
                stream.as_mut().poll_next(cx).map_ok(|bytes| Frame::data(Chunk::Bytes(bytes)))
            }
        };
        if let (Poll::Ready(Some(result)), Some(record)) = (&polled, &mut this.record) {
            match result {
                Ok(frame) => record.sent(frame.data_ref().map_or(0, Buf::remaining)),
                Err(error) => record.failed(error),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Plain(body) => body.is_end_stream(),
            Kind::Streamed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Plain(body) => body.size_hint(),
            Kind::Streamed(_) => SizeHint::default(),
        }
    }
}
