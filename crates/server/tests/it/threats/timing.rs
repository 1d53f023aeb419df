//! Rows 26 and 28: what the time of an answer tells.
//!
//! Times are compared by rank, not by size: how often is an answer of the one kind slower than one of the other?
//! Half of the time, if they cannot be told apart, whatever else the machine does meanwhile; both kinds are asked
//! in turns. Of three hundred each, chance alone strays from a half by more than a tenth once in ten thousand runs.

use std::{
    ops::RangeInclusive,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::Method;

use super::access::Caller;
use crate::{
    access::Site,
    app::{Answer, TestApp},
};

/// How often an answer of the second kind took longer than one of the first: 0 to 1.
fn slower(first: &[Duration], second: &[Duration]) -> f64 {
    let mut wins = 0.0;
    for a in first {
        for b in second {
            wins += match b.cmp(a) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "hundreds")]
    let pairs = (first.len() * second.len()) as f64;
    wins / pairs
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

/// Whether neither by rank, of which this is the share that may be slower, nor by their middle the two can be told
/// apart; else how.
fn alike([first, second]: &[Vec<Duration>; 2], shares: &RangeInclusive<f64>) -> Result<(), String> {
    let (share, middles) = (slower(first, second), (median(first), median(second)));
    let (low, high) = (middles.0.min(middles.1), middles.0.max(middles.1));
    if shares.contains(&share) && high - low < Duration::from_millis(5) {
        return Ok(());
    }
    Err(format!("the second is slower {share:.3} of the time, {middles:?}"))
}

/// Asks for two paths in turns, so many times each.
async fn in_turns(number: usize, mut ask: impl AsyncFnMut(bool, usize)) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..number {
        for turn in 0..2 {
            let which = (turn + round) % 2; // whichever came first, it comes first half of the time
            let begun = Instant::now();
            ask(which == 1, round).await;
            times[which].push(begun.elapsed());
        }
    }
    times
}

#[test]
fn times_that_differ_are_told_apart() {
    let times = |base: u64| (0..300).map(|n| Duration::from_micros(base + n * 7 % 300)).collect::<Vec<_>>();
    assert!((slower(&times(1000), &times(1000)) - 0.5).abs() < 0.01);
    assert!(slower(&times(1000), &times(1050)) > 0.6, "a sixth of the spread is enough");
    assert!(slower(&times(1050), &times(1000)) < 0.4);
}

#[tokio::test]
async fn row_28_an_unknown_id_and_anothers_take_the_same_time() {
    // Beside other tests: a thread that had to look for something waits longer for a core, a tenth of a millisecond.
    compare_unknown_with_others(0.4..=0.6).await;
}

#[tokio::test]
#[ignore = "measures, so it runs alone"]
async fn row_28_alone_an_unknown_id_and_anothers_cannot_be_told_apart() {
    compare_unknown_with_others(0.4..=0.6).await;
}

async fn compare_unknown_with_others(shares: RangeInclusive<f64>) {
    let site = Site::start("").await;
    let caller = Caller::a(&site, "r4");
    for (what, others, never) in [
        ("a Binary", "Binary/other", "Binary/unknown"),
        ("a document", "DocumentReference/other", "DocumentReference/unknown"),
        ("a version", "Binary/other/_history/1", "Binary/unknown/_history/1"),
    ] {
        // What else this machine does may stretch one kind for a while; what can be told apart, can be each time.
        let mut found = Vec::new();
        for attempt in 0..3 {
            let times = in_turns(300, async |unknown, round| {
                // Each unknown id is asked for once; a second time it might be remembered.
                let fresh = format!("un{attempt}{round:04}");
                let path = if unknown { never.replace("unknown", &fresh) } else { others.into() };
                let answer = caller.get(&path).await;
                assert_eq!(answer.status, 404, "{path}");
            });
            match alike(&times.await, &shares) {
                Ok(()) => break,
                Err(difference) => found.push(difference),
            }
        }
        assert!(found.len() < 3, "{what}: {found:?}");
    }
}

/// Bytes that were stored before, by somebody else, are taken like any others.
#[tokio::test]
async fn row_26_an_upload_does_not_tell_whether_the_bytes_were_known() {
    let site = Site::start("").await;
    let caller = Caller::a(&site, "r4");
    let bytes = |mark: &str, round: usize| {
        let mut bytes = format!("{mark} {round} ").into_bytes();
        bytes.resize(20_000, b'.');
        bytes
    };
    for round in 0..100 {
        site.app.put(&format!("/r4/Binary/known-{round}"), "text/plain", bytes("known", round)).await;
    }
    let mut answers = [Vec::new(), Vec::new()];
    let [first, second] = in_turns(100, async |is_known, round| {
        let body = bytes(if is_known { "known" } else { "fresh" }, round);
        let request = caller.request("POST", "Binary").header("Content-Type", "text/plain");
        let mut answer = Answer::of(request.header("X-Security-Context", "Patient/a").body(body)).await;
        for own in ["date", "last-modified", "location", "content-location"] {
            answer.headers.remove(own);
        }
        answers[usize::from(is_known)].push(answer);
    })
    .await;
    for (fresh, known) in answers[0].iter().zip(&answers[1]) {
        assert_eq!((fresh.status, known.status), (201, 201), "{}", known.text());
        assert_eq!(fresh.headers, known.headers);
    }
    let share = slower(&first, &second);
    // Among the owner's own documents equal bytes are kept once; whoever knows them learns no more than that.
    assert!((0.25..=0.75).contains(&share), "the known are slower {share:.3} of the time");
}

/// Files of content, once those that came in are at their places: that follows the answer.
async fn settled_files(app: &TestApp) -> usize {
    let content = app.data().join("content");
    let files = |folder: &Path| {
        let entries = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
        entries.filter(|at| at.file_type().is_file()).count()
    };
    let begun = Instant::now();
    while files(&content.join("incoming")) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "content stays where it came in");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    files(&content)
}

/// Between tenants nothing is shared, so there is nothing to tell.
#[tokio::test]
async fn row_26_tenants_share_no_content() {
    let app = TestApp::start();
    let body = vec![b'x'; 20_000];
    let before = settled_files(&app).await;
    let mut files = Vec::new();
    for path in ["/r4/Binary/1", "/r4/Binary/2", "/writer/Binary/1"] {
        let request = app.request(Method::PUT, path).header("Content-Type", "text/plain");
        assert_eq!(Answer::of(request.body(body.clone())).await.status, 201);
        files.push(settled_files(&app).await - before);
    }
    assert_eq!(files[2], files[1] + 1, "of its own: {files:?}");
}
