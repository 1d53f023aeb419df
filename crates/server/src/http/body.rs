//! The body of an answer: text and stored content in any order, of known length, made while it is
//! sent. No more than one piece of content is in memory at a time, whatever the document's size.

use std::{
    collections::VecDeque,
    io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use charta_fhir::{Piece, base64};
use charta_store::{Content, Reader};
use http_body::{Body, Frame, SizeHint};

use super::connection::{Chunk, Outbox};

/// Bytes of content that are read at once for base64: a multiple of 3, so that pieces join.
const BASE64_READ_BYTES: u64 = 48 * 1024;
/// Bytes of content that are read at once where the kernel cannot send the file itself.
const COPY_READ_BYTES: u64 = 64 * 1024;
/// Shorter stretches are copied: one more system call costs more than the copy.
const SEND_FILE_BYTES_MIN: u64 = 4 * 1024;

/// A stretch of an answer.
pub enum Segment {
    /// These bytes.
    Text(Bytes),
    /// Bytes of a document as they are.
    Raw(Content, Range<u64>),
    /// A whole document in base64.
    Base64(Content, Range<u64>),
}

impl Segment {
    /// Its length in the answer, in bytes.
    fn length(&self) -> u64 {
        match self {
            Self::Text(bytes) => bytes.len() as u64,
            Self::Raw(_, range) => range.end - range.start,
            Self::Base64(_, range) => base64::encoded_len(range.end - range.start),
        }
    }

    /// What is still to be read of a content.
    fn range_mut(&mut self) -> Option<&mut Range<u64>> {
        match self {
            Self::Text(_) => None,
            Self::Raw(_, range) | Self::Base64(_, range) => Some(range),
        }
    }
}

/// Gives back the reader that was used, if one was.
type Reading = Pin<Box<dyn Future<Output = (Option<Reader>, Result<Bytes, charta_store::Error>)> + Send>>;

/// The body of an answer.
#[derive(Default)]
pub struct AnswerBody {
    segments: VecDeque<Segment>,
    remaining: u64,
    outbox: Option<Outbox>,
    reading: Option<Reading>,
    /// Reads the first segment's content, if that is far away, in one go.
    reader: Option<Reader>,
}

impl AnswerBody {
    /// Text alone.
    pub fn text(bytes: impl Into<Bytes>) -> Self {
        Self::of([Segment::Text(bytes.into())])
    }

    /// These stretches in order.
    pub fn of(segments: impl IntoIterator<Item = Segment>) -> Self {
        let segments: VecDeque<_> = segments.into_iter().filter(|segment| segment.length() > 0).collect();
        let remaining = segments.iter().map(Segment::length).sum();
        Self { segments, remaining, ..Self::default() }
    }

    /// A resource as the writers of `fhir` gave it, with the contents that its places stand for.
    ///
    /// A place without a content is left empty; the callers make both lists together.
    pub fn resource(pieces: Vec<Piece>, contents: &[Content]) -> Self {
        Self::of(pieces.into_iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(Segment::Text(text)),
            Piece::Base64(slot) => {
                let content = contents.get(slot)?;
                Some(Segment::Base64(content.clone(), 0..content.size_bytes()))
            }
        }))
    }

    /// Lets the kernel send file content on this connection, if it can.
    #[must_use]
    pub fn through(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox.takes_files().then_some(outbox);
        self
    }

    /// Bytes that are still to come.
    pub const fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The next chunk, if it can be had without reading a file.
    fn next_at_once(&mut self) -> Option<Chunk> {
        let outbox = self.outbox.as_ref();
        match self.segments.front_mut()? {
            Segment::Text(bytes) => Some(Chunk::Bytes(std::mem::take(bytes))),
            Segment::Raw(content, range) => {
                if let Some(bytes) = content.memory() {
                    return Some(Chunk::Bytes(slice(bytes, range)));
                }
                let (file, outbox) = (content.file()?, outbox?);
                let length = range.end - range.start;
                if length < SEND_FILE_BYTES_MIN {
                    return None;
                }
                outbox.push(file.clone(), range.start, length);
                range.start = range.end;
                Some(Chunk::File { remaining: usize::try_from(length).ok()? })
            }
            Segment::Base64(..) => None,
        }
    }

    /// The next bytes of the first segment's content, read in a stretch of bounded length.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, charta_store::Error>> {
        let reading = match &mut self.reading {
            Some(reading) => reading,
            None => match self.next_reading() {
                Ok(reading) => self.reading.insert(reading),
                Err(done) => return Poll::Ready(done),
            },
        };
        let (reader, bytes) = ready!(reading.as_mut().poll(cx));
        (self.reading, self.reader) = (None, reader);
        if self.reader.is_some()
            && let (Ok(bytes), Some(range)) = (&bytes, self.segments.front_mut().and_then(Segment::range_mut))
        {
            range.start += bytes.len() as u64;
        }
        Poll::Ready(bytes)
    }

    /// Begins to read, unless it is done at once.
    fn next_reading(&mut self) -> Result<Reading, Result<Bytes, charta_store::Error>> {
        let (content, range, at_most) = match self.segments.front_mut() {
            Some(Segment::Raw(content, range)) => (content, range, COPY_READ_BYTES),
            Some(Segment::Base64(content, range)) => (content, range, BASE64_READ_BYTES),
            Some(Segment::Text(_)) | None => return Err(Ok(Bytes::new())),
        };
        if content.is_remote() {
            let mut reader = match self.reader.take() {
                Some(reader) => reader,
                None => content.reader(range.clone()).map_err(Err)?,
            };
            return Ok(Box::pin(async move {
                let bytes = reader.next().await;
                (Some(reader), bytes)
            }));
        }
        let stretch = range.start..range.end.min(range.start + at_most);
        range.start = stretch.end;
        if let Some(bytes) = content.read_now(stretch.clone()) {
            return Err(bytes);
        }
        let content = content.clone();
        Ok(Box::pin(async move { (None, content.read(stretch).await) }))
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Chunk>>> {
        if self.segments.is_empty() {
            return Poll::Ready(None);
        }
        let chunk = match self.next_at_once() {
            Some(chunk) => chunk,
            None => {
                let bytes = ready!(self.poll_read(cx)).map_err(io::Error::other)?;
                Chunk::Bytes(match self.segments.front() {
                    Some(Segment::Base64(..)) => base64_of(&bytes),
                    _ => bytes,
                })
            }
        };
        if self.segments.front().is_some_and(|segment| segment.length() == 0) {
            self.segments.pop_front();
            self.reader = None;
        }
        self.remaining = self.remaining.saturating_sub(bytes::Buf::remaining(&chunk) as u64);
        Poll::Ready(Some(Ok(chunk)))
    }
}

fn slice(bytes: &Bytes, range: &mut Range<u64>) -> Bytes {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let taken = bytes.slice(place(range.start)..place(range.end));
    range.start = range.end;
    taken
}

fn base64_of(bytes: &Bytes) -> Bytes {
    let text: String = base64_simd::STANDARD.encode_type(bytes);
    text.into()
}

impl Body for AnswerBody {
    type Data = Chunk;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, io::Error>>> {
        self.get_mut().poll_chunk(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.segments.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
