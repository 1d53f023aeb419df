//! Closing in stages: a client that is still sending when it is refused must get to read the refusal. If this side
//! closed at once, the kernel would answer the rest of the body with a reset, and a reset takes the answer with it.
//! So the answer and its end are sent, then what still comes is read and thrown away, for a bounded time.
//!
//! Clause: RFC 9112 9.6

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::{patience::Patience, request_body::Unread};

/// How long a client may go on sending to nobody.
const TOTAL_MAX: Duration = Duration::from_secs(30);
/// How long it may pause meanwhile.
const IDLE_MAX: Duration = Duration::from_secs(5);
/// Bytes that are thrown away at once.
const DISCARD_BYTES: usize = 16 << 10;

/// The end of one connection.
pub struct Linger {
    unread: Unread,
    patience: Patience,
    until: Option<Instant>,
}

impl Linger {
    /// Of a connection whose requests note in `unread`.
    pub const fn new(unread: Unread) -> Self {
        Self { unread, patience: Patience::new(IDLE_MAX), until: None }
    }

    /// Sends the end of the stream, then waits for the client's if it may still be sending.
    pub fn poll_close(&mut self, cx: &mut Context<'_>, stream: &mut TcpStream) -> Poll<io::Result<()>> {
        let until = match self.until {
            Some(until) => until,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
                *self.until.insert(Instant::now() + TOTAL_MAX)
            }
        };
        let mut space = [MaybeUninit::uninit(); DISCARD_BYTES];
        while self.unread.get() && Instant::now() < until {
            let mut discarded = ReadBuf::uninit(&mut space);
            let polled = Pin::new(&mut *stream).poll_read(cx, &mut discarded);
            match ready!(self.patience.watched(cx, polled)) {
                Ok(()) if !discarded.filled().is_empty() => {}
                // It has closed, or broken off, or fallen silent.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
