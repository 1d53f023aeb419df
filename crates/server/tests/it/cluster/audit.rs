//! The audit log of several nodes over HTTP: what was done at one is found at the others.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    nodes::{Nodes, Place},
    postgres::Postgres,
};
use crate::{
    app::{Answer, ENDPOINTS, client},
    bucket::{self, Bucket},
};

/// The events that a search at a node finds; `None` if it is refused.
async fn found(nodes: &Nodes, node: usize, search: &str) -> Option<Vec<Value>> {
    let url = format!("{}/r4/AuditEvent?{search}", nodes.address(node));
    let answer = Answer::of(client().get(url).header("Accept", "application/fhir+json")).await;
    assert!([200, 503].contains(&answer.status), "{}", answer.text());
    let entries = || answer.json()["entry"].as_array().cloned().unwrap_or_default();
    (answer.status == 200).then(|| entries().into_iter().map(|entry| entry["resource"].clone()).collect())
}

async fn read(nodes: &Nodes, node: usize, id: &str) -> u16 {
    Answer::of(client().get(format!("{}/r4/Patient/{id}", nodes.address(node)))).await.status
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL's programs"]
async fn a_read_at_one_node_is_found_at_the_others_and_by_the_command() {
    let (postgres, bucket) = (Postgres::start(), Bucket::new());
    let place = Place {
        configuration: format!("log = \"warn\"\n{ENDPOINTS}\n[audit]\nopen_endpoints = true\n"),
        ..Place::new(postgres.url.clone(), bucket::environment(bucket.address))
    };
    let mut nodes = Nodes::start(3, place);
    assert_eq!(read(&nodes, 0, "p1").await, 404);
    assert_eq!(
        found(&nodes, 0, "patient=p1").await.expect("it is up").len(),
        1,
        "at once where it was asked"
    );
    let begun = Instant::now();
    for node in [1, 2] {
        while found(&nodes, node, "patient=p1&action=R").await.expect("it is up").len() != 1 {
            assert!(begun.elapsed() < Duration::from_secs(30), "node {node} never finds it");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let event = found(&nodes, 1, "patient=p1&action=R").await.expect("it is up").remove(0);
    let id = event["id"].as_str().expect("it has an id");
    let read_back = client().get(format!("{}/r4/AuditEvent/{id}", nodes.address(2)));
    let read_back = Answer::of(read_back.header("Accept", "application/fhir+json")).await;
    assert_eq!(read_back.json()["recorded"], event["recorded"]);

    // What a node answers while the catalog is away is a refusal; it is found later, also after the node was stopped.
    tokio::task::block_in_place(|| postgres.run("stop"));
    assert_eq!(read(&nodes, 1, "p2").await, 503);
    assert_eq!(found(&nodes, 2, "patient=p2").await, None);
    tokio::task::block_in_place(|| postgres.run("start"));
    nodes.until_ready().await;
    tokio::task::block_in_place(|| nodes.restart(1));
    let refused = found(&nodes, 2, "patient=p2&outcome=8&action=R").await.expect("it is up again");
    assert_eq!(refused.len(), 1, "a node that stops has copied what it recorded: {refused:?}");

    let said = tokio::task::block_in_place(|| nodes.run(2, &["audit", "--patient", "p2"]));
    assert_eq!(
        said.lines().filter(|line| line.contains("read ") && line.contains(" 503 ")).count(),
        1,
        "{said}"
    );
}
