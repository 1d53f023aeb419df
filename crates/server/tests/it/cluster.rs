//! Several nodes over PostgreSQL and S3, real ones both, and what becomes of requests when a part of it fails.
//!
//! Clients write and read documents of their own through all nodes in turn, and try again what was refused or cut off.
//! Whatever happens, an acknowledged write is there for the next read at any node, and no byte is wrong. The figures
//! that these tests print are those of docs/reliability.md.

mod audit;
mod balancer;
mod ceph;
mod load;
mod nodes;
mod postgres;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use self::{
    balancer::Balancer,
    load::{Load, Seen},
    nodes::{Nodes, Place},
    postgres::Postgres,
};
use crate::{
    app::{program, run},
    bucket::{self, Bucket},
    command::show,
    proxy::{Proxy, Weather},
};

const CLIENTS: usize = 6;
const DOCUMENTS: u64 = 25;
const BYTES_MAX: usize = 400_000;

const SLOW: Weather = Weather::Late(Duration::from_millis(300));
const WRONG: Weather = Weather::WrongAnswers(200_000);

/// All parts of a cluster.
struct Cluster {
    nodes: Nodes,
    postgres: Postgres,
    to_postgres: Proxy,
    to_bucket: Proxy,
    _bucket: Bucket,
}

impl Cluster {
    async fn start() -> Self {
        Self::of(program()).await
    }

    /// With nodes of this program.
    async fn of(program: &Path) -> Self {
        let (postgres, bucket) = (Postgres::start(), Bucket::new());
        let to_postgres = Proxy::to(postgres.address());
        let to_bucket = Proxy::to(bucket.address);
        let catalog = postgres.url.replace(&postgres.address().to_string(), &to_postgres.address.to_string());
        let place = Place {
            program: program.to_owned(),
            ..Place::new(catalog, bucket::environment(to_bucket.address))
        };
        let nodes = Nodes::start(3, place);
        Self { nodes, postgres, to_postgres, to_bucket, _bucket: bucket }
    }

    fn load(&self) -> Load {
        Load::start(&self.nodes.addresses, CLIENTS, DOCUMENTS, BYTES_MAX)
    }

    /// After the load: nothing lost, nothing wrong, and the store is whole.
    async fn end(self, what: &str, load: Load, healed: Instant) -> Seen {
        self.end_after(what, load, healed, false).await
    }

    /// The same where bytes came wrong on their way, so that what is stored may have seemed damaged.
    async fn end_after(self, what: &str, load: Load, healed: Instant, may_seem_damaged: bool) -> Seen {
        end(self.nodes, what, load, healed, may_seem_damaged).await
    }
}

/// What [`Cluster::end_after`] says, of any nodes.
async fn end(nodes: Nodes, what: &str, load: Load, healed: Instant, may_seem_damaged: bool) -> Seen {
    nodes.until_ready().await;
    let ready_after = healed.elapsed();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = load.end().await;
    show(&format!(
        "{what}: {} requests, {} done, {} refused (slowest {:.1} s), {} broken, {} seemed damaged, lost {}, wrong {}; all ready {:.1} s after it was over, the \
         last failure {:.1} s after",
        seen.requests,
        seen.done,
        seen.refused,
        seen.slowest_refusal.as_secs_f64(),
        seen.broken,
        seen.damaged,
        seen.lost.len(),
        seen.wrong.len(),
        ready_after.as_secs_f64(),
        seen.recovery(healed),
    ));
    seen.assert_right();
    assert!(seen.damaged == 0 || may_seem_damaged, "{} answers of 500", seen.damaged);
    let said = tokio::task::spawn_blocking(move || nodes.stop_and_check()).await.expect("the check runs");
    // What a node was killed over is the next sweep's.
    let others = said.lines().filter(|line| !line.ends_with("belongs to no document"));
    let others: Vec<&str> =
        others.filter(|line| !line.ends_with("findings") && !line.ends_with("finding")).collect();
    assert_eq!(others.join("\n").replace("clean", ""), "", "{what}");
    seen
}

fn seconds(seconds: f64) -> tokio::time::Sleep {
    tokio::time::sleep(Duration::from_secs_f64(seconds))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn three_nodes_are_one_store() {
    let cluster = Cluster::start().await;
    let load = cluster.load();
    seconds(5.0).await;
    let seen = cluster.end("no fault", load, Instant::now()).await;
    assert_eq!((seen.refused, seen.broken), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn a_rolling_restart_loses_no_request_that_is_tried_again() {
    let mut cluster = Cluster::start().await;
    let load = cluster.load();
    for round in 0..6 {
        seconds(0.5).await;
        tokio::task::block_in_place(|| cluster.nodes.restart(round % 3));
    }
    cluster.end("6 rolling restarts", load, Instant::now()).await;
}

/// From the program that `CHARTA_OLD_PROGRAM` names, such as that of the release before; without it, from this one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn a_rolling_upgrade_loses_no_request_that_is_tried_again() {
    let old = std::env::var_os("CHARTA_OLD_PROGRAM").map_or_else(|| program().to_owned(), PathBuf::from);
    let mut cluster = Cluster::of(&old).await;
    let load = cluster.load();
    // Old ones begin also over what a new one has widened, and one goes back before it goes on.
    for (node, program) in
        [(0, program()), (1, &*old), (1, program()), (0, &*old), (0, program()), (2, &*old), (2, program())]
    {
        seconds(0.7).await;
        tokio::task::block_in_place(|| cluster.nodes.replace(node, program));
    }
    cluster.end("a rolling upgrade", load, Instant::now()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn a_hundred_kills_of_nodes_lose_nothing() {
    let mut cluster = Cluster::start().await;
    let load = cluster.load();
    for kill in 0..100_u64 {
        // At any instant of whatever is under way.
        seconds((kill * 7_919 % 200) as f64 / 1000.0).await;
        tokio::task::block_in_place(|| cluster.nodes.kill(kill as usize % 3));
    }
    cluster.end("100 kills of nodes", load, Instant::now()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn a_catalog_that_stops_and_starts_loses_nothing() {
    let cluster = Cluster::start().await;
    let load = cluster.load();
    for command in ["stop", "kill", "stop", "kill"] {
        seconds(1.0).await;
        tokio::task::block_in_place(|| cluster.postgres.run(command));
        seconds(1.0).await;
        let ready = cluster.nodes.ready(0).await;
        assert_eq!(ready.status, 503);
        assert!(ready.text().contains("catalog"), "it names what is missing: {}", ready.text());
        tokio::task::block_in_place(|| cluster.postgres.run("start"));
    }
    let seen = cluster.end("4 stops of PostgreSQL, 2 of them crashes", load, Instant::now()).await;
    assert!(seen.refused > 0, "it was noticed");
    assert!(seen.slowest_refusal < Duration::from_secs(8), "quickly: {:?}", seen.slowest_refusal);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn a_network_that_is_cut_between_node_and_catalog_loses_nothing() {
    let cluster = Cluster::start().await;
    let load = cluster.load();
    for weather in [Weather::Down, Weather::Silent, SLOW, Weather::Down, Weather::Silent] {
        seconds(1.0).await;
        cluster.to_postgres.set(weather);
        seconds(3.0).await;
        cluster.to_postgres.set(Weather::Fair);
    }
    let seen =
        cluster.end("the network to PostgreSQL cut 2 times, silent 2, slow 1", load, Instant::now()).await;
    assert!(seen.refused > 0, "it was noticed");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn a_standby_takes_over_and_nothing_is_lost() {
    let (first, bucket) = (Postgres::start(), Bucket::new());
    let second = tokio::task::block_in_place(|| first.standby());
    let place = Place::new(first.url_with(&second), bucket::environment(bucket.address));
    let nodes = Nodes::start(3, place);
    let load = Load::start(&nodes.addresses, CLIENTS, DOCUMENTS, BYTES_MAX);
    seconds(2.0).await;
    tokio::task::block_in_place(|| first.run("kill"));
    let failed = Instant::now();
    tokio::task::block_in_place(|| second.run("promote"));
    nodes.until_ready().await;
    let (promoted, ready) = (failed.elapsed(), Instant::now());
    seconds(3.0).await;
    let seen = load.end().await;
    show(&format!(
        "failover to a standby: {} requests, {} refused, {} broken, lost {}, wrong {}; all ready {:.1} s after the crash, the last failure {:.1} s after that",
        seen.requests,
        seen.refused,
        seen.broken,
        seen.lost.len(),
        seen.wrong.len(),
        promoted.as_secs_f64(),
        seen.recovery(ready),
    ));
    seen.assert_right();
    assert_eq!(seen.damaged, 0);
    let said = tokio::task::spawn_blocking(move || nodes.stop_and_check()).await.expect("the check runs");
    assert_eq!(said, "clean\n");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn content_that_is_cut_off_slow_or_wrong_loses_nothing_and_shows_nothing_wrong() {
    let cluster = Cluster::start().await;
    let load = cluster.load();
    for weather in [Weather::Down, WRONG, Weather::Silent, SLOW, WRONG] {
        seconds(1.0).await;
        cluster.to_bucket.set(weather);
        seconds(4.0).await;
        if weather == Weather::Down {
            let ready = cluster.nodes.ready(0).await;
            assert_eq!(ready.status, 503);
            assert!(ready.text().contains("content"), "it names what is missing: {}", ready.text());
        }
        cluster.to_bucket.set(Weather::Fair);
    }
    let seen =
        cluster.end_after("S3 cut off, silent, slow, and wrong 2 times", load, Instant::now(), true).await;
    assert!(seen.refused + seen.broken > 0, "it was noticed");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs and nginx"]
async fn the_examples_of_the_source_documents_hold_behind_a_balancer() {
    let (postgres, bucket) = (Postgres::start(), Bucket::new());
    let place = Place::new(postgres.url.clone(), bucket::environment(bucket.address));
    the_examples_hold(place).await;
}

/// Runs docs/examples.sh against nginx and three nodes over these backends.
async fn the_examples_hold(place: Place) {
    let balancer = Balancer::new();
    let demo = String::from_utf8(run(&["config", "--demo"]).stdout).expect("UTF-8");
    let others =
        |line: &&str| !["listen =", "data_dir =", "public_url ="].iter().any(|key| line.starts_with(key));
    let (before, store) = demo.split_once("[store]").expect("the configuration has such a section");
    let after = store.split_once("\n[").map_or("", |(_, after)| after);
    let text = format!("public_url = \"{}\"\n{before}[{after}", balancer.url());
    let configuration = text
        .lines()
        .filter(|line| others(line) || line.contains(&balancer.url()))
        .collect::<Vec<_>>()
        .join("\n");
    let nodes = Nodes::start(3, Place { configuration, arguments: vec!["--demo"], ..place });
    let url = balancer.url();
    let balancer = balancer.before(&nodes.addresses);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let output = tokio::task::spawn_blocking(move || {
        Command::new("docs/examples.sh")
            .arg(crate::app::program())
            .env("CHARTA_URL", url)
            .current_dir(root)
            .output()
    });
    let output = output.await.expect("it runs").expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    show(&format!("three nodes behind nginx: {}", said.lines().last().unwrap_or_default()));
    drop((balancer, nodes));
}
