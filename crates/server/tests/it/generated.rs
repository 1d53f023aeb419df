//! Resources that are made by chance come back as they went in: written as JSON and as XML, read as both, in every
//! version. What failed is named by its version and its number, which make it again.

mod generate;

use charta_fhir::{Format, Node, Piece, Version, json, represent, resource};
use reqwest::Method;

use crate::app::{Answer, TestApp};

/// Of each version.
const RESOURCES: u64 = 80;

const JSON: &str = "application/fhir+json";
const XML: &str = "application/fhir+xml";

#[tokio::test]
async fn any_resource_of_dstu2_comes_back_in_both_formats() {
    check("/dstu2", Version::Dstu2).await;
}

#[tokio::test]
async fn any_resource_of_stu3_comes_back_in_both_formats() {
    check("/stu3", Version::Stu3).await;
}

#[tokio::test]
async fn any_resource_of_r4_comes_back_in_both_formats() {
    check("/r4", Version::R4).await;
}

#[tokio::test]
async fn any_resource_of_r4b_comes_back_in_both_formats() {
    check("/r4b", Version::R4b).await;
}

#[tokio::test]
async fn any_resource_of_r5_comes_back_in_both_formats() {
    check("/r5", Version::R5).await;
}

#[test]
fn what_is_made_has_everything_that_can_be_lost() {
    let texts: Vec<String> = Version::ALL
        .into_iter()
        .flat_map(|version| (0..RESOURCES).map(move |seed| json::text(&generate::resource(version, seed))))
        .collect();
    let has = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
    for part in [
        "\"contained\":[",
        "\"reference\":\"#c1\"",
        "\"extension\":[",
        "\"modifierExtension\":[",
        "\"_",
        "null,",
        "1.50",
        "3.14159265358979323846264338327950288419716939937510",
        "<table class",
        "two\\nlines",
        "\"valueQuantity\"",
        "\"tag\":[",
    ] {
        assert!(has(part) > 0, "{part}");
    }
    let kinds: std::collections::BTreeSet<_> = texts.iter().map(|text| text.split(',').next()).collect();
    assert!(kinds.len() > 100, "{} types", kinds.len());
}

async fn check(base: &str, version: Version) {
    let app = TestApp::start();
    for seed in 0..RESOURCES {
        let made = generate::resource(version, seed);
        let kind = made.text_at("resourceType").expect("a type").to_owned();
        for (format, content_type) in [(Format::Json, JSON), (Format::Xml, XML)] {
            let id = format!("{}-{seed}", if format == Format::Json { "j" } else { "x" });
            let path = format!("{base}/{kind}/{id}");
            let mut given = made.clone();
            given.set("id", Node::text(id));
            let what = format!("{version} {seed} written as {content_type}: {}", json::text(&given));
            let request = app.request(Method::PUT, &path).header("Content-Type", content_type);
            let stored = Answer::of(request.body(text(&given, version, format))).await;
            assert_eq!(stored.status, 201, "{what}\n{}", stored.text());
            for read_as in [JSON, XML] {
                let answer = app.get(&path, read_as).await;
                assert_eq!(answer.status, 200, "{what}");
                let read = match read_as {
                    JSON => json::read(&answer.text()).expect("JSON"),
                    _ => resource::read(&answer.body, Format::Xml, version).expect("XML"),
                };
                let (read, given) = (comparable(&read), comparable(&given));
                assert_eq!(json::text(&read), json::text(&given), "{what}\nread as {read_as}");
            }
        }
    }
}

fn text(resource: &Node, version: Version, format: Format) -> Vec<u8> {
    let pieces = represent::write(resource.clone(), version, format, false).into_iter();
    let texts = pieces.map(|piece| match piece {
        Piece::Text(bytes) => bytes,
        Piece::Base64(_) => panic!("all content is in the tree"),
    });
    texts.collect::<Vec<_>>().concat()
}

/// Without what the server says, and members in one order; arrays and digits as they are.
fn comparable(resource: &Node) -> Node {
    let mut resource = resource.clone();
    if let Some(meta) = resource.member_mut("meta") {
        meta.take("versionId");
        meta.take("lastUpdated");
        if *meta == Node::Object(Vec::new()) {
            resource.take("meta");
        }
    }
    sorted(&resource)
}

fn sorted(node: &Node) -> Node {
    match node {
        Node::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Node::Object(members)
        }
        Node::Array(items) => Node::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
