//! Answers in a content coding: the plain body goes through an encoder while it is sent.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use async_compression::{
    Level,
    tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder},
};
use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use super::{
    answer::{Answer, Body, Streamed},
    body::AnswerBody,
    call::Call,
    coding::Coding,
    respond,
};

/// Answers 200 with `body` in this coding.
pub fn answer(call: &Call<'_>, mut headers: HeaderMap, body: AnswerBody, coding: Coding) -> Answer {
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    // Ranges count bytes of the coded form, which is made anew each time.
    headers.remove(header::ACCEPT_RANGES);
    if call.method == Method::HEAD {
        return respond::empty(StatusCode::OK, headers);
    }
    respond::answer(StatusCode::OK, headers, Body::streamed(encoded(PlainBytes(body), coding)))
}

/// What `body` gives, in this coding.
pub fn encoded(body: impl Stream<Item = io::Result<Bytes>> + Send + 'static, coding: Coding) -> Streamed {
    fn stream(reader: impl AsyncRead + Send + 'static) -> Streamed {
        Box::pin(ReaderStream::with_capacity(reader, 32 * 1024))
    }
    let plain = StreamReader::new(body);
    match coding {
        Coding::Gzip => stream(GzipEncoder::with_quality(plain, Level::Fastest)),
        Coding::Zstd => stream(ZstdEncoder::with_quality(plain, Level::Fastest)),
        Coding::Brotli => stream(BrotliEncoder::with_quality(plain, Level::Precise(3))),
    }
}

/// A body that was given no outbox, so that all its chunks are bytes.
struct PlainBytes(AnswerBody);

impl Stream for PlainBytes {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Pin::new(&mut self.0).poll_frame(cx).map_ok(|frame| match frame.into_data() {
            Ok(mut chunk) => chunk.copy_to_bytes(chunk.remaining()),
            Err(_) => Bytes::new(),
        })
    }
}
