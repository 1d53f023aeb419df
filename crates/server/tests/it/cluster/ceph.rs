//! Three nodes over PostgreSQL and Ceph: the cluster of a monitor, three OSDs and a gateway that `ceph.sh` of the
//! store's tests has started, as its variables say. These tests stop parts of it, so they run one after the other.

use std::{
    env,
    process::Command,
    time::{Duration, Instant},
};

use reqwest::Method;
use tokio::task::block_in_place;

use super::{
    CLIENTS, end,
    load::Load,
    nodes::{Nodes, Place},
    postgres::Postgres,
    seconds,
};
use crate::{
    app::{Answer, client},
    command::{noise, show},
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/tests/ceph.sh");

/// Ceph is slower than a store in the test's process: fewer documents, the same sizes.
const DOCUMENTS: u64 = 8;
const BYTES_MAX: usize = 400_000;
/// So long writing may stand still when an OSD has died: the others notice, and agree on how to go on.
const WITHOUT_AN_OSD_MAX: Duration = Duration::from_secs(60);
/// Nobody is kept waiting longer for a refusal; the machine may be busy.
const REFUSAL_MAX: Duration = Duration::from_secs(20);

/// Starts, stops or kills a daemon.
fn ceph(command: &str, daemon: &str) {
    let directory = env::var("TEST_CEPH").expect("TEST_CEPH is the directory that ceph.sh was given");
    let status = Command::new(SCRIPT).args([&directory, command, daemon]).status().expect("bash runs");
    assert!(status.success(), "{command} {daemon}");
}

/// Records in this database, content below a prefix of its own. The nodes inherit how the gateway is reached.
fn place(postgres: &Postgres) -> Place {
    let bucket = env::var("TEST_S3_URL").expect("TEST_S3_URL names a bucket for tests: s3://bucket/prefix");
    let content = format!("{bucket}/{}", uuid::Uuid::new_v4().simple());
    Place { content, ..Place::new(postgres.url.clone(), Vec::new()) }
}

async fn ask(nodes: &Nodes, method: Method, name: &str, body: Option<Vec<u8>>) -> Answer {
    let request = client().request(method, format!("{}/r4/Binary/{name}", nodes.address(0)));
    let request = request.header("Content-Type", "text/x-noise");
    Answer::of(request.timeout(REFUSAL_MAX).body(body.unwrap_or_default())).await
}

/// Puts until it is done, and says how long that took.
async fn until_written(nodes: &Nodes, name: &str, bytes: &[u8]) -> Duration {
    let begun = Instant::now();
    loop {
        let answer = ask(nodes, Method::PUT, name, Some(bytes.to_vec())).await;
        match answer.status {
            200 | 201 => return begun.elapsed(),
            503 => assert!(!answer.header("retry-after").is_empty(), "503 says when to try again"),
            other => panic!("{other}: {}", answer.text()),
        }
        assert!(begun.elapsed() < WITHOUT_AN_OSD_MAX, "writing goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs and TEST_CEPH"]
async fn an_osd_that_dies_loses_nothing_and_writing_goes_on() {
    let postgres = Postgres::start();
    let nodes = Nodes::start(3, place(&postgres));
    let load = Load::start(&nodes.addresses, CLIENTS, DOCUMENTS, BYTES_MAX);
    seconds(3.0).await;
    block_in_place(|| ceph("kill", "osd.1"));
    let mut slowest = Duration::ZERO;
    for number in 0..10 {
        // Keys are random, so most writes meet objects that the dead one had.
        let written = until_written(&nodes, &format!("without-{number}"), &noise(number, 100_000)).await;
        slowest = slowest.max(written);
    }
    show(&format!("writing after an OSD was killed: the slowest of 10 took {:.1} s", slowest.as_secs_f64()));
    block_in_place(|| ceph("start", "osd.1"));
    let seen = end(nodes, "one of three OSDs killed and started again", load, Instant::now(), false).await;
    assert!(seen.done > 50, "{} writes and reads", seen.done);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs and TEST_CEPH"]
async fn a_gateway_that_is_away_is_503_and_nobody_has_to_do_anything_when_it_is_back() {
    let postgres = Postgres::start();
    let nodes = Nodes::start(3, place(&postgres));
    let load = Load::start(&nodes.addresses, CLIENTS, DOCUMENTS, BYTES_MAX);
    let (large, small) = (noise(1, 300_000), noise(2, 300));
    for (name, bytes) in [("large", &large), ("small", &small)] {
        until_written(&nodes, name, bytes).await;
    }
    block_in_place(|| ceph("stop", "gateway"));
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(large.clone()))] {
        let refused = ask(&nodes, method.clone(), "large", body).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, "5"), "{method}");
    }
    assert!(ask(&nodes, Method::GET, "small", None).await.body == small);
    let ready = nodes.ready(0).await;
    assert!(ready.status == 503 && ready.text().contains("content"), "{}", ready.text());
    block_in_place(|| ceph("start", "gateway"));
    let back = Instant::now();
    nodes.until_ready().await;
    assert!(ask(&nodes, Method::GET, "large", None).await.body == large);
    show(&format!("read again {:.1} s after the gateway was started", back.elapsed().as_secs_f64()));
    let seen = end(nodes, "the gateway stopped and started again", load, back, false).await;
    assert!(seen.refused > 0, "it was noticed");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs and TEST_CEPH"]
async fn the_log_says_that_conditional_puts_are_refused() {
    let postgres = Postgres::start();
    let place = place(&postgres);
    let configuration = place.configuration.replace("log = \"warn\"", "log = \"info\"");
    let nodes = Nodes::start(1, Place { configuration, ..place });
    let begun = Instant::now();
    while !nodes.log(0).contains("conditional_puts") {
        assert!(begun.elapsed() < REFUSAL_MAX, "{}", nodes.log(0));
        seconds(0.02).await;
    }
    assert!(nodes.log(0).contains("refused, as they should be"), "{}", nodes.log(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs, TEST_CEPH and nginx"]
async fn the_examples_hold_behind_a_balancer() {
    let postgres = Postgres::start();
    super::the_examples_hold(place(&postgres)).await;
}
