//! How long a document takes, and how much memory, out of a record that is read resource by resource:
//!
//! `cargo run --release -p charta-ccd --example measure_ccd -- VERSION RECORD.ndjson [--runs N] [--out FILE]`
//!
//! A run is all that an operation does between the store and the network: each resource is parsed, its facts are
//! taken, the document goes out piece by piece. One line of JSON on stdout: milliseconds of each run, until the
//! facts are there, until the first piece and until the last; bytes; and by how many KiB memory grew in the first run,
//! until the facts were there and at most (on Linux). `bench/run ccd` makes the tables.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for the terminal")]

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use charta_ccd::{Custodian, Document, Request};
use charta_fhir::{Format, Version, facts::FactsBuilder, resource};
use charta_model::facts::{Facts, Moment};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [version, record, options @ ..] = arguments else {
        return Err("usage: measure_ccd VERSION RECORD.ndjson [--runs N] [--out FILE]".to_owned());
    };
    let version: Version = version.parse().map_err(|()| format!("no FHIR version: {version}"))?;
    let option = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at + 1)
    };
    let runs = option("--runs").map_or(Ok(1), |runs| runs.parse::<usize>());
    let runs = runs.map_err(|error| format!("--runs: {error}"))?;
    let said = |error: io::Error| format!("{record}: {error}");
    let out = option("--out");

    // The program itself is in memory once a short record has gone through it.
    measure(version, record, 1, &mut Counted { inner: None, bytes: 0 }).map_err(said)?;
    let before = forget_peak();
    let mut sink = Counted { inner: out.map(File::create).transpose().map_err(said)?, bytes: 0 };
    let first = measure(version, record, usize::MAX, &mut sink).map_err(said)?;
    let since = |now: Option<u64>| {
        let kib = now.zip(before).map(|(now, before)| now.saturating_sub(before));
        kib.map_or("null".to_owned(), |kib| kib.to_string())
    };
    let grown = since(status("VmHWM"));
    let facts_grown = since(first.held);

    let mut times = vec![first];
    for _ in 1..runs {
        times.push(
            measure(version, record, usize::MAX, &mut Counted { inner: None, bytes: 0 }).map_err(said)?,
        );
    }
    let list = |of: fn(&Times) -> Duration| {
        let list: Vec<String> =
            times.iter().map(|one| format!("{:.3}", of(one).as_secs_f64() * 1e3)).collect();
        list.join(",")
    };
    println!(
        r#"{{"record_bytes":{},"document_bytes":{},"facts_ms":[{}],"first_ms":[{}],"last_ms":[{}],"facts_kib":{facts_grown},"grown_kib":{grown}}}"#,
        fs::metadata(record).map_err(said)?.len(),
        sink.bytes,
        list(|one| one.facts),
        list(|one| one.first),
        list(|one| one.last),
    );
    Ok(())
}

/// Since the start, until the facts were there, and until the first and the last piece were out.
struct Times {
    facts: Duration,
    first: Duration,
    last: Duration,
    /// What the process held when the facts were there, in KiB.
    held: Option<u64>,
}

/// The document about the first `most` resources.
fn measure(version: Version, record: &str, most: usize, sink: &mut impl Write) -> io::Result<Times> {
    let start = Instant::now();
    let facts = facts_of(version, record, most)?;
    let facts_at = start.elapsed();
    let held = status("VmRSS");
    let mut first = None;
    for piece in Document::new(facts, request()?) {
        sink.write_all(piece.as_bytes())?;
        first.get_or_insert_with(|| start.elapsed());
    }
    sink.flush()?;
    Ok(Times { facts: facts_at, first: first.unwrap_or_default(), last: start.elapsed(), held })
}

/// The patient stands first.
fn facts_of(version: Version, record: &str, most: usize) -> io::Result<Facts> {
    let mut builder = FactsBuilder::new();
    let mut lines = BufReader::new(File::open(record)?);
    let mut line = Vec::new();
    for _ in 0..most {
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let read = resource::read_unchecked(&line, Format::Json, version);
        builder.add(&read.map_err(|error| io::Error::other(format!("{error:?}")))?);
        line.clear();
    }
    Ok(builder.finish())
}

fn request() -> io::Result<Request> {
    Ok(Request {
        document_id: "5d3c1f2e-6b7a-4c8d-9e0f-1a2b3c4d5e6f".to_owned(),
        time: Moment::new("2026-11-21T12:00:00Z").map_err(io::Error::other)?,
        namespace: "http://localhost:8080/r4".to_owned(),
        start: None,
        end: None,
        encounter: None,
        custodian: Custodian { name: "Charta".to_owned(), ..Custodian::default() },
        software: ("Charta".to_owned(), "Charta CCD generator".to_owned()),
    })
}

/// Where the document goes, if anywhere, and how long it is.
struct Counted {
    inner: Option<File>,
    bytes: usize,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len();
        self.inner.as_mut().map_or(Ok(bytes.len()), |file| file.write_all(bytes).map(|()| bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Resets the peak of this process and gives what it holds now, in KiB.
fn forget_peak() -> Option<u64> {
    fs::write("/proc/self/clear_refs", "5").ok()?;
    status("VmRSS")
}

fn status(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
}
