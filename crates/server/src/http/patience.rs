//! How long a client may leave an answer lying: whoever takes no byte of it for too long is cut off,
//! so that answers which nobody fetches do not pile up.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

use super::{linger::Linger, request_body::Unread};

/// Watches the writes of one connection.
pub struct Patience {
    at_most: Duration,
    /// Since when a write has been waiting for the client, and the timer that looks after it.
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// `at_most`: how long the client may take no byte.
    pub const fn new(at_most: Duration) -> Self {
        Self { at_most, waiting_since: None, timer: None }
    }

    /// Notes what a write gave: one that waits too long for the client ends in `TimedOut`.
    pub fn watched<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting_since = None;
            return polled;
        }
        let deadline = *self.waiting_since.get_or_insert_with(Instant::now) + self.at_most;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        // The timer may still be set for an earlier wait; it is only moved when it rings.
        while timer.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// A client's connection beneath TLS.
pub struct PatientStream {
    stream: TcpStream,
    patience: Patience,
    linger: Linger,
}

impl PatientStream {
    /// Over an accepted stream. `write_idle`: how long the client may take no byte; `unread`: where its
    /// requests note that they were not read to their end.
    pub const fn new(stream: TcpStream, write_idle: Duration, unread: Unread) -> Self {
        Self { stream, patience: Patience::new(write_idle), linger: Linger::new(unread) }
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.patience.watched(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.patience.watched(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.linger.poll_close(cx, &mut this.stream)
    }
}
