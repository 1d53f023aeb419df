//! The program starts, or says in one line why not.

use std::{
    net::TcpListener,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use charta_model::{
    Intent, MediaType, NewContent, NewState, ResourceId, ResourceType, TenantId, Timestamp, Write,
};
use charta_store::{Access, Options, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    app::{Answer, ENDPOINTS, TestApp, client, spawn, terminate},
    command::{Ended, charta, noise, show, text},
};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/demo");
const MILLENNIUM: &str = "ec2458f2-1e24-41c8-b71b-0e701af7583d";
const SOARIAN: &str = "3f2aca24-87f3-4eac-a6d7-1f75247e6b43";

#[tokio::test]
async fn serve_on_port_0_says_which_port_it_got_and_answers_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let (mut child, url) = spawn(&["serve", "--data", text(&data), "--listen", "127.0.0.1:0"]);
    let port = url.strip_prefix("http://127.0.0.1:").expect("the address");
    assert_ne!(port.parse::<u16>().expect("a port"), 0);
    let answer = Answer::of(client().get(format!("{url}/r4/metadata"))).await;
    assert_eq!((answer.status, answer.json()["resourceType"].as_str()), (200, Some("CapabilityStatement")));
    terminate(&mut child);
    assert!(data.join("catalog.sqlite").exists(), "data is where it was told to be");
}

#[tokio::test]
async fn demo_serves_every_document_at_every_endpoint() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("demo");
    let manifest = std::fs::read(Path::new(DEMO).join("manifest.json")).expect("the manifest");
    let manifest: Vec<Value> = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest.len(), 20);
    let open = [
        "/dstu2".to_owned(),
        "/stu3".to_owned(),
        "/r4".to_owned(),
        "/r4b".to_owned(),
        "/r5".to_owned(),
        format!("/millennium/open/r4/{MILLENNIUM}"),
        format!("/millennium/open/dstu2/{MILLENNIUM}"),
        format!("/soarian/open/r4/{SOARIAN}"),
        "/ccri/STU3".to_owned(),
    ];
    let secured = [
        (format!("/millennium/ehr/r4/{MILLENNIUM}"), "login"),
        (format!("/millennium/ehr/dstu2/{MILLENNIUM}"), "login"),
        (format!("/soarian/myrecord/r4/{SOARIAN}"), "unknown"),
        ("/ccri/secure/STU3".to_owned(), "login"),
    ];
    // The second start finds what the first one stored.
    for start in 1..=2 {
        let (mut child, url) = spawn(&["serve", "--demo", "--data", text(&data), "--listen", "127.0.0.1:0"]);
        let client = client();
        for entry in &manifest {
            let id = entry["id"].as_str().expect("an id");
            let file = Path::new(DEMO).join(entry["file"].as_str().expect("a name"));
            let bytes = std::fs::read(file).expect("the file");
            for base in &open {
                let answer = Answer::of(client.get(format!("{url}{base}/Binary/{id}"))).await;
                assert_eq!(answer.status, 200, "start {start}: {base} {id}");
                assert_eq!(answer.header("content-type"), entry["contentType"], "{base} {id}");
                assert!(answer.body == bytes, "{base} {id}");
                assert_eq!(answer.header("etag"), "\"1-n\"", "a start stores nothing anew");
            }
            for (base, code) in &secured {
                let answer = Answer::of(client.get(format!("{url}{base}/Binary/{id}"))).await;
                assert_eq!((answer.status, answer.issue_code().as_str()), (401, *code), "{base} {id}");
            }
        }
        let page = Answer::of(client.get(format!("{url}/"))).await;
        assert_eq!((page.status, page.essence()), (200, "text/html"));
        for link in
            page.text().split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default())
        {
            let answer = Answer::of(client.get(format!("{url}{link}"))).await;
            assert_eq!(answer.status, 200, "the link {link} of the start page");
        }
        terminate(&mut child);
    }
}

#[tokio::test]
async fn without_demo_there_is_no_start_page() {
    let app = TestApp::start();
    assert_eq!(app.get("/", None).await.status, 404);
}

#[tokio::test]
async fn health_and_metrics_answer() {
    let app = TestApp::start();
    assert_eq!(app.get("/health/live", None).await.status, 200);
    assert_eq!(app.get("/health/ready", None).await.status, 200);
    app.put("/r4/Binary/secret-id", "text/plain", "x").await;
    app.get("/r4/Binary/secret-id?name=secret-value", None).await;
    let metrics = app.get("/metrics", None).await;
    assert_eq!((metrics.status, metrics.essence()), (200, "application/openmetrics-text"));
    let metrics = metrics.text();
    let counted = r#"charta_requests_total{method="GET",route="/Binary/{id}",status="200"} 1"#;
    assert!(metrics.lines().any(|line| line == counted), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "whole");
    assert!(!metrics.contains("secret"), "neither ids nor values");
}

#[tokio::test]
async fn ops_listen_takes_health_and_metrics_away_from_clients() {
    let ops = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("an address")
    };
    let app = TestApp::with(&format!("ops_listen = \"{ops}\""));
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert_eq!(app.get(path, None).await.status, 404, "{path}");
        assert_eq!(Answer::of(client().get(format!("http://{ops}{path}"))).await.status, 200, "{path}");
    }
    assert_eq!(Answer::of(client().get(format!("http://{ops}/r4/metadata"))).await.status, 404);
}

/// Serves with this configuration, which must fail.
fn serve(configuration: &str) -> (TempDir, Ended) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("charta.toml");
    std::fs::write(&file, configuration).expect("a file");
    let ended = charta(&["serve", "--config", text(&file)]);
    (directory, ended)
}

#[test]
fn a_wrong_configuration_stops_the_start_with_file_line_and_key() {
    let cases = [
        ("listen = \"127.0.0.1:0\"\nlisten_adress = 1\n", "charta.toml:2", "listen_adress"),
        ("[limits]\n\ndocument_byte = 1\n", "charta.toml:3", "document_byte"),
        ("[[endpoint]]\npath = \"/a\"\nfhir = \"R4\"\nauth = \"opne\"\n", "charta.toml:4", "auth"),
        ("[[endpoint]]\npath = \"/a\"\nfhir = \"R9\"\nauth = \"open\"\n", "charta.toml:3", "fhir"),
        (
            "[[endpoint]]\npath = \"/a\"\nfhir = \"R4\"\nauth = \"open\"\ntenant = \"x\"\n",
            "charta.toml:5",
            "tenant",
        ),
        ("listen = \"nowhere\"\n", "charta.toml:1", "listen"),
        ("listen =\n", "charta.toml:1", ""),
    ];
    for (configuration, place, key) in cases {
        let (directory, ended) = serve(configuration);
        let line = ended.refused();
        assert!(line.contains(place) && line.contains(key), "{configuration}: {line}");
        assert!(!directory.path().join("charta-data").exists(), "nothing is made before");
    }
}

#[test]
fn a_missing_configuration_file_stops_the_start() {
    let line = charta(&["serve", "--config", "/nowhere/charta.toml"]).refused();
    assert!(line.contains("/nowhere/charta.toml"), "{line}");
}

#[test]
fn an_open_endpoint_on_the_network_is_refused_unless_it_is_meant() {
    let rest = format!("listen = \"0.0.0.0:0\"\ndata_dir = \"data\"\n{ENDPOINTS}");
    let (directory, ended) = serve(&rest);
    let line = ended.refused();
    assert!(line.contains("allow_open_network") && line.contains("listen"), "{line}");
    assert!(!directory.path().join("data").exists(), "nothing is made before");
    let line =
        charta(&["serve", "--listen", "0.0.0.0:0", "--data", text(&directory.path().join("data"))]).refused();
    assert!(line.contains("allow_open_network"), "{line}");

    let file = directory.path().join("charta.toml");
    std::fs::write(&file, format!("allow_open_network = true\n{rest}")).expect("a file");
    let (mut child, _) = spawn(&["serve", "--config", text(&file)]);
    terminate(&mut child);
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let app = TestApp::start();
    let line = charta(&["serve", "--data", text(&app.data()), "--listen", "127.0.0.1:0"]).refused();
    assert!(line.contains(text(&app.data())) && line.contains("in use"), "{line}");
    app.put("/r4/Binary/1", "text/plain", "x").await;
}

#[test]
fn a_port_that_is_taken_stops_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let directory = tempfile::tempdir().expect("a directory");
    let line =
        charta(&["serve", "--data", text(&directory.path().join("data")), "--listen", &address]).refused();
    assert!(line.contains(&address), "{line}");
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("thesis.tex"), "precious").expect("a file");
    let line = charta(&["serve", "--data", text(directory.path()), "--listen", "127.0.0.1:0"]).refused();
    assert!(line.contains("not a document store"), "{line}");
    let names: Vec<_> =
        std::fs::read_dir(directory.path()).expect("it is there").map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["thesis.tex"]);
}

#[test]
fn help_of_every_command_has_an_example() {
    let help = charta(&["--help"]).ok();
    for command in ["serve", "import", "check", "backup", "restore", "purge", "token", "config"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{help}");
        let help = charta(&[command, "--help"]).ok();
        assert!(help.contains(&format!("Example: charta {command}")), "{help}");
    }
}

const MILLION: u64 = 1_000_000;
const START_MAX: Duration = Duration::from_millis(200);
const IDLE_BYTES_MAX: u64 = 40 << 20;

#[test]
#[ignore = "takes minutes and gigabytes of disk"]
fn a_million_documents_start_in_200_ms_and_idle_in_40_mib() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let begun = Instant::now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(fill(&data, MILLION));
    show(&format!("{MILLION} documents stored in {:.0} s", begun.elapsed().as_secs_f64()));

    let mut starts = Vec::new();
    for n in 0..5 {
        let (mut child, _, elapsed) = runtime.block_on(start(directory.path(), n * 199_999));
        terminate(&mut child);
        starts.push(elapsed);
    }
    starts.sort();
    assert!(starts[2] < START_MAX, "the median of {starts:?}");

    // A kill leaves a log behind, which the next start must not read through for long.
    let (mut child, url, _) = runtime.block_on(start(directory.path(), 1));
    runtime.block_on(write(&url));
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
    show("after a kill among writes:");
    let (mut child, _, elapsed) = runtime.block_on(start(directory.path(), 2));
    terminate(&mut child);
    assert!(elapsed < START_MAX, "{elapsed:?}");
}

/// Starts a server and reads one document; gives the time until it came. Asserts the memory a second
/// later.
async fn start(directory: &Path, n: u64) -> (Child, String, Duration) {
    let data = directory.join("data");
    let begun = Instant::now();
    let (child, url) = spawn(&["serve", "--data", text(&data), "--listen", "127.0.0.1:0"]);
    let answer = Answer::of(client().get(format!("{url}/r4/Binary/doc-{n}"))).await;
    let elapsed = begun.elapsed();
    assert_eq!((answer.status, answer.body), (200, document(n)), "doc-{n}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("the kernel says so");
    let kib: String = line.chars().filter(char::is_ascii_digit).collect();
    let idle_bytes = kib.parse::<u64>().expect("a number") * 1024;
    show(&format!(
        "start to first answer {:.0} ms, idle memory {:.1} MiB",
        elapsed.as_secs_f64() * 1e3,
        idle_bytes as f64 / f64::from(1 << 20)
    ));
    assert!(idle_bytes < IDLE_BYTES_MAX, "{idle_bytes} bytes");
    (child, url, elapsed)
}

/// Some thousand documents over HTTP.
async fn write(url: &str) {
    let writers = (0..16).map(|writer| {
        let (client, url) = (client(), url.to_owned());
        tokio::spawn(async move {
            for n in 0..200 {
                let request = client.put(format!("{url}/r4/Binary/more-{writer}-{n}"));
                let request =
                    request.header("Content-Type", "text/x-noise").body(noise(writer * 200 + n, 20_000));
                assert_eq!(Answer::of(request).await.status, 201);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("stored");
    }
}

/// 100 bytes, others for each number.
fn document(n: u64) -> Vec<u8> {
    format!("{n:0100}").into_bytes()
}

/// Stores `count` documents through the store itself, many at once, so that they share syncs.
async fn fill(data: &Path, count: u64) {
    const TASKS: u64 = 1000;
    let store = Store::open(&Options::new(data), Access::Exclusive).expect("a new store");
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let tasks = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let tenant = TenantId::new("default").expect("an id");
            for n in (task..count).step_by(usize::try_from(TASKS).expect("small")) {
                let mut upload = store.upload();
                upload.write(document(n).into()).await.expect("memory takes it");
                let content = upload.finish().await.expect("memory takes it");
                let id = ResourceId::new(&format!("doc-{n}")).expect("an id");
                let content_type = MediaType::new("text/plain").expect("a type");
                let facts = NewContent { content_type, security_context: None };
                let state = NewState { content: Some(facts), ..NewState::default() };
                let (kind, intent) = (ResourceType::BINARY, Intent::Update { id });
                let write = Write { kind, intent, if_match: None, if_none_match: None, state: Some(state) };
                store.commit(&tenant, write, Some(content), now).await.expect("stored");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("stored");
    }
    store.close().await;
}

#[test]
fn the_health_check_of_the_image_tells_ready_from_not() {
    let app = TestApp::start();
    let port = app.url.rsplit(':').next().expect("a port").to_owned();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/health.sh");
    let healthy = || {
        let mut check = std::process::Command::new(script);
        check.env("PORT", &port).stderr(std::process::Stdio::null()).status().expect("bash runs").success()
    };
    assert!(healthy());
    drop(app.stop());
    assert!(!healthy());
}
