//! Makes the CCD of the patient of a FHIR Bundle:
//!
//! `cargo run -p charta-ccd --example make_ccd -- VERSION BUNDLE [--start T] [--end T] [--encounter KEY] > out.xml`
//!
//! VERSION is DSTU2, STU3, R4, R4B or R5. Further Bundles, as of practitioners, may follow the first.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for the terminal")]

use std::{collections::HashMap, process::ExitCode};

use charta_ccd::{Custodian, Document, Request};
use charta_fhir::{Format, Node, Version, facts::FactsBuilder, resource};
use charta_model::facts::Moment;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut options: HashMap<String, String> = HashMap::new();
    let mut plain = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--") {
            Some(name) => {
                options.insert(name.to_owned(), arguments.next().unwrap_or_default());
            }
            None => plain.push(argument),
        }
    }
    match run(&plain, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(plain: &[String], options: &HashMap<String, String>) -> Result<(), String> {
    let [version, bundles @ ..] = plain else {
        return Err("usage: make_ccd VERSION BUNDLE... [--start T] [--end T] [--encounter KEY]".to_owned());
    };
    let version: Version = version.parse().map_err(|()| format!("no FHIR version: {version}"))?;
    let read = std::time::Instant::now();
    let mut resources = Vec::new();
    for bundle in bundles {
        let bytes = std::fs::read(bundle).map_err(|error| format!("{bundle}: {error}"))?;
        let node = resource::read_unchecked(&bytes, Format::Json, version)
            .map_err(|error| format!("{bundle}: {error:?}"))?;
        resources.push(node);
    }
    let parsed = read.elapsed();
    let facts_from = std::time::Instant::now();
    let mut builder = FactsBuilder::new();
    for pass in [true, false] {
        for (url, resource) in resources.iter().flat_map(entries) {
            if (resource.text_at("resourceType") == Some("Patient")) == pass {
                match url {
                    Some(url) => builder.add_named(url, resource),
                    None => builder.add(resource),
                }
            }
        }
    }
    let facts = builder.finish();
    let read = facts_from.elapsed();
    let moment = |name: &str| -> Result<Option<Moment>, String> {
        options
            .get(name)
            .map(|text| Moment::new(text).map_err(|error| format!("{text}: {error}")))
            .transpose()
    };
    let time = moment("time")?
        .map_or_else(|| Moment::new("2026-11-21T12:00:00Z").map_err(|error| error.to_string()), Ok)?;
    let request = Request {
        document_id: "5d3c1f2e-6b7a-4c8d-9e0f-1a2b3c4d5e6f".to_owned(),
        time,
        namespace: "http://localhost:8080/r4".to_owned(),
        start: moment("start")?,
        end: moment("end")?,
        encounter: options.get("encounter").cloned(),
        custodian: Custodian { name: "Charta".to_owned(), ..Custodian::default() },
        software: ("Charta".to_owned(), "Charta CCD generator".to_owned()),
    };
    let started = std::time::Instant::now();
    let pieces: Vec<String> = Document::new(facts, request).collect();
    let written = started.elapsed();
    for piece in &pieces {
        print!("{piece}");
    }
    if options.contains_key("times") {
        let bytes: usize = pieces.iter().map(String::len).sum();
        eprintln!("parsed {parsed:?}, facts {read:?}, {bytes} bytes written {written:?}");
    }
    Ok(())
}

/// The entries of a Bundle, or the resource itself.
fn entries(node: &Node) -> Vec<(Option<&str>, &Node)> {
    if node.text_at("resourceType") != Some("Bundle") {
        return vec![(None, node)];
    }
    let entries = node.items_at("entry").iter();
    entries.filter_map(|entry| Some((entry.text_at("fullUrl"), entry.member("resource")?))).collect()
}
