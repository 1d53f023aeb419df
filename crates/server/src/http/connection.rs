//! A client's unencrypted connection, as hyper sees it: reads and writes, plus two things that hyper
//! has no words for. Content that lies in a file is handed to the kernel (`sendfile`), so its bytes never
//! pass through this process; and a client that takes no byte for too long is cut off.
//!
//! How file content gets past hyper: the body gives hyper a [`Chunk::File`], whose memory is a stretch
//! of one fixed window that is never read. When hyper asks this connection to write that stretch, the
//! connection knows the address and sends the next bytes of the file that the body put into the
//! [`Outbox`] in its place. hyper counts lengths as if the bytes had been there, so framing stays its
//! business. Invariants: a body puts one [`FileSpan`] into the outbox for each `Chunk::File`, in order
//! and of the same length; HTTP/1 answers one request after the other, so the order holds.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rustix::net::{SendAncillaryBuffer, SendFlags};
use tokio::{io::Interest, net::TcpStream};

use super::{client::Place, linger::Linger, patience::Patience, request_body::Unread};

/// The most that one system call sends of a file, in bytes: bounds the turn of one connection.
const WINDOW_BYTES: usize = 1 << 20;

/// Stands for file content towards hyper. Its pages are never touched, so they take no memory.
static WINDOW: LazyLock<Box<[u8]>> = LazyLock::new(|| vec![0; WINDOW_BYTES].into_boxed_slice());

/// A piece of an answer's body.
pub enum Chunk {
    /// These bytes.
    Bytes(Bytes),
    /// The next so many bytes of the outbox's files.
    File {
        /// How many are not sent yet.
        remaining: usize,
    },
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File { remaining } => *remaining,
        }
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::File { remaining } => &WINDOW[..(*remaining).min(WINDOW_BYTES)],
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Bytes(bytes) => bytes.advance(count),
            Self::File { remaining } => *remaining -= count,
        }
    }
}

/// A stretch of a file that is to be sent.
struct FileSpan {
    /// The file; content files never change.
    file: Arc<File>,
    /// Where the stretch begins, in bytes.
    offset: u64,
    /// Its length in bytes.
    length: u64,
    /// The place of the request that this answers, given back when the stretch is sent.
    place: Option<Place>,
}

/// The file content that is on its way out on one connection.
#[derive(Clone, Default)]
pub struct Outbox(Option<Arc<Mutex<VecDeque<FileSpan>>>>);

impl Outbox {
    /// Of a connection that hands files to the kernel.
    pub fn to_kernel() -> Self {
        Self(Some(Arc::default()))
    }

    /// Of a connection whose bytes this process has to touch: TLS, HTTP/2. Bodies read their files.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Whether files can be put in.
    pub const fn takes_files(&self) -> bool {
        self.0.is_some()
    }

    /// Adds a stretch; the body's next `Chunk::File` stands for it. Only if it takes files.
    pub fn push(&self, file: Arc<File>, offset: u64, length: u64) {
        if let Some(mut spans) = self.locked() {
            spans.push_back(FileSpan { file, offset, length, place: None });
        }
    }

    /// Keeps a request's place until the files that were put in are sent.
    pub fn hold(&self, place: Place) {
        if let Some(mut spans) = self.locked()
            && let Some(last) = spans.back_mut()
        {
            last.place = Some(place);
        }
    }

    fn locked(&self) -> Option<MutexGuard<'_, VecDeque<FileSpan>>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One client's connection.
pub struct Connection {
    io: TokioIo<TcpStream>,
    outbox: Outbox,
    patience: Patience,
    linger: Linger,
}

impl Connection {
    /// Over an accepted stream. `write_idle`: how long the client may take no byte of an answer; `unread`: where
    /// its requests note that they were not read to their end.
    pub fn new(stream: TcpStream, outbox: Outbox, write_idle: Duration, unread: Unread) -> Self {
        let (patience, linger) = (Patience::new(write_idle), Linger::new(unread));
        Self { io: TokioIo::new(stream), outbox, patience, linger }
    }

    /// Sends the next bytes of the outbox's first file, at most `length`.
    fn poll_send_file(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.inner().poll_write_ready(cx))?;
            let mut spans = self.outbox.locked();
            let span = spans.as_mut().and_then(|spans| spans.front_mut());
            let span = span.ok_or_else(|| io::Error::other("no file for this stretch"))?;
            let count = usize::try_from(span.length).unwrap_or(usize::MAX).min(length);
            let stream = self.io.inner();
            let mut offset = span.offset;
            let sent = stream.try_io(Interest::WRITABLE, || {
                Ok(rustix::fs::sendfile(stream, &span.file, Some(&mut offset), count)?)
            });
            match sent {
                // The file is shorter than its record says: end the connection rather than lie.
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(sent) => {
                    span.offset = offset;
                    span.length -= sent as u64;
                    if span.length == 0 {
                        spans.as_mut().and_then(|spans| spans.pop_front());
                    }
                    return Poll::Ready(Ok(sent));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Sends `plain` and tells the kernel that more follows at once, so that a header and the file
    /// behind it share packets.
    fn poll_send_head(&mut self, cx: &mut Context<'_>, plain: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.inner().poll_write_ready(cx))?;
            let stream = self.io.inner();
            let sent = stream.try_io(Interest::WRITABLE, || {
                let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
                Ok(rustix::net::sendmsg(stream, plain, &mut SendAncillaryBuffer::default(), flags)?)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
        }
    }
}

/// Whether this slice stands for file content.
fn is_window(slice: &[u8]) -> bool {
    WINDOW.as_ptr_range().contains(&slice.as_ptr())
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, slice: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(slice)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = match slices.iter().position(|slice| is_window(slice)) {
            None => Pin::new(&mut this.io).poll_write_vectored(cx, slices),
            Some(0) => this.poll_send_file(cx, slices[0].len()),
            Some(files_from) => this.poll_send_head(cx, &slices[..files_from]),
        };
        this.patience.watched(cx, polled)
    }

    /// hyper then hands over slices as they are instead of copying them together.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.linger.poll_close(cx, this.io.inner_mut())
    }
}
