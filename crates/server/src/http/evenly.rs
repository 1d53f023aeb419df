//! Refusals at even times: how long an answer took must not say why it was refused.

use std::{
    io,
    time::{Duration, Instant},
};

use charta_auth::Grant;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::net::unix::pipe::Receiver;

/// Steps in which callers with a token learn that there is nothing for them.
const STEP: Duration = Duration::from_millis(10);

/// Waits for the next step after `begun`: to look for what is not there and to look at what is another's takes
/// different times.
pub async fn evenly(grant: &Grant, begun: Instant) {
    if grant.is_everything() {
        return;
    }
    let steps = begun.elapsed().as_micros() / STEP.as_micros() + 1;
    let next = begun + STEP * u32::try_from(steps).unwrap_or(1);
    if until(next).await.is_err() {
        tokio::time::sleep_until(next.into()).await; // no file descriptor is left
    }
}

/// Waits to some microseconds. The runtime's own timers end whole milliseconds after its thread began to wait, and so
/// would pass on how long the search took.
async fn until(next: Instant) -> io::Result<()> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let left = next.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1)); // 0 would be never
    let none = Timespec { tv_sec: 0, tv_nsec: 0 };
    let left =
        Timespec { tv_sec: left.as_secs().try_into().unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
    let once = Itimerspec { it_interval: none, it_value: left };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
    // Of the runtime's safe ways to wait for a file descriptor, this is the one that does not look what it is.
    Receiver::from_owned_fd_unchecked(timer)?.readable().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_is_the_same_whenever_the_wait_begins() {
        for late in [0, 300, 700, 20_000] {
            let next = Instant::now() + Duration::from_millis(10);
            std::thread::sleep(Duration::from_micros(late));
            until(next).await.expect("a timer");
            assert!(Instant::now() >= next, "after {late} microseconds");
        }
    }
}
