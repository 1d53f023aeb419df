//! `charta import`, and what a server then serves.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use crate::{
    app::{self, TENANT, TestApp},
    command::{Ended, charta, show, text},
};

/// `hello`
const HELLO: &str = "aGVsbG8=";

/// A folder with files, and a data directory beside it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        std::fs::create_dir(directory.path().join("files")).expect("a folder");
        Self(directory)
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("files")
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// A file of the folder, with these bytes.
    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.write(name, bytes);
        self
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Imports the whole folder.
    fn import(&self, options: &[&str]) -> Ended {
        self.import_paths(options, &[&self.folder()])
    }

    fn import_paths(&self, options: &[&str], paths: &[&Path]) -> Ended {
        let (data, paths) = (self.data(), paths.iter().map(|path| text(path)));
        let arguments = ["import", "--data", text(&data)].into_iter();
        charta(&arguments.chain(options.iter().copied()).chain(paths).collect::<Vec<_>>())
    }

    /// A server over what was imported.
    fn serve(self) -> TestApp {
        TestApp::in_directory(self.0, "")
    }
}

/// The id under which a file was stored.
fn id(ended: &Ended, name: &str) -> String {
    let line = ended.line(&format!("/{name} -> Binary/"));
    line.rsplit('/').next().expect("an id").to_owned()
}

/// Asserts that a file was refused, and gives the reason.
fn reason(ended: &Ended, name: &str) -> String {
    assert_eq!(ended.code, 1, "{ended:?}");
    let line = ended.line(&format!("/{name}: refused: "));
    line.split_once(": refused: ").expect("the line has it").1.to_owned()
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

#[tokio::test]
async fn plain_documents_have_the_type_that_their_name_tells() {
    let files = Files::new();
    let types = [
        ("letter.pdf", "application/pdf"),
        ("note.txt", "text/plain"),
        ("SCAN.TIFF", "image/tiff"),
        ("photo.jpg", "image/jpeg"),
        ("report.html", "text/html"),
        ("page.xhtml", "application/xhtml+xml"),
        ("cda.xml", "text/xml"),
        ("settings.json", "application/json"),
        ("colonoscopy.rtf", "application/rtf"),
        ("something.unknown-to-all", "application/octet-stream"),
        ("without-extension", "application/octet-stream"),
    ];
    for (name, _) in types {
        files.write(name, format!("bytes of {name}"));
    }
    let ended = files.import(&[]);
    assert_eq!(ended.summary(), "11 stored, 0 unchanged, 0 refused");
    let app = files.serve();
    for (name, content_type) in types {
        let answer = app.get(&format!("/r4/Binary/{}", id(&ended, name)), None).await;
        assert_eq!(answer.text(), format!("bytes of {name}"));
        let found = answer.header("content-type");
        let also = if name == "colonoscopy.rtf" { "text/rtf" } else { content_type };
        assert!(found == content_type || found == also, "{name} is {found}");
    }
}

#[tokio::test]
async fn content_type_option_wins_over_the_name() {
    let files = Files::new().with("letter.html", b"caf\xe9");
    let ended = files.import(&["--content-type", "text/html;charset=ISO-8859-1"]);
    let id = id(&ended, "letter.html");
    let answer = files.serve().get(&format!("/r4/Binary/{id}"), None).await;
    assert_eq!(answer.header("content-type"), "text/html;charset=ISO-8859-1");
    assert_eq!(answer.body, b"caf\xe9");
}

#[test]
fn what_is_no_media_type_is_refused_as_an_argument() {
    let files = Files::new().with("letter.html", "x");
    let ended = files.import(&["--content-type", "nonsense"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--content-type"), "{}", ended.err);
    assert!(!files.data().exists(), "nothing was stored");
}

#[tokio::test]
async fn ids_are_taken_from_names_when_asked() {
    let files =
        Files::new().with("TR-1.html", "one").with("5BDA.DM.X.xml", "<two/>").with("no_id.txt", "three");
    let ended = files.import(&["--ids-from-names"]);
    assert_eq!(ended.summary(), "2 stored, 0 unchanged, 1 refused");
    assert!(reason(&ended, "no_id.txt").contains("no_id"));
    let app = files.serve();
    assert_eq!(app.get("/r4/Binary/TR-1", None).await.text(), "one");
    assert_eq!(app.get("/r4/Binary/5BDA.DM.X", None).await.text(), "<two/>");
}

#[tokio::test]
async fn patient_option_is_the_security_context() {
    for given in ["p1", "Patient/p1"] {
        let files = Files::new().with("letter.txt", "hello");
        let ended = files.import(&["--patient", given]);
        let id = id(&ended, "letter.txt");
        let answer = files.serve().get(&format!("/r4/Binary/{id}"), None).await;
        assert_eq!((answer.status, answer.header("x-security-context")), (200, "Patient/p1"), "{given}");
    }
}

#[tokio::test]
async fn json_resources_of_every_version_are_taken_by_its_own_element() {
    for (version, element, other) in [
        ("DSTU2", "content", "data"),
        ("STU3", "content", "data"),
        ("R4", "data", "content"),
        ("R4B", "data", "content"),
        ("R5", "data", "content"),
    ] {
        let resource = |id: &str, element: &str| {
            format!(
                r#"{{"resourceType":"Binary","id":"{id}","contentType":"text/plain","{element}":"{HELLO}"}}"#
            )
        };
        let files = Files::new()
            .with("right.json", resource("right", element))
            .with("wrong.json", resource("wrong", other));
        let ended = files.import(&["--fhir", version]);
        assert_eq!(ended.summary(), "1 stored, 0 unchanged, 1 refused", "{version}");
        assert!(!reason(&ended, "wrong.json").is_empty());
        let app = files.serve();
        let answer = app.get("/r4/Binary/right", None).await;
        assert_eq!(
            (answer.status, answer.text(), answer.header("content-type")),
            (200, "hello".into(), "text/plain")
        );
        assert_eq!(app.get("/r4/Binary/wrong", None).await.status, 404, "{version}");
    }
}

#[tokio::test]
async fn what_a_resource_says_beside_its_bytes_is_kept() {
    let files = Files::new().with(
        "binary.json",
        format!(
            r#"{{"resourceType":"Binary","id":"b","meta":{{"tag":[{{"system":"http://example.org/tags","code":"t1"}}]}},
                "contentType":"text/plain; charset=utf-8","securityContext":{{"reference":"Patient/p7"}},"data":"{HELLO}"}}"#
        ),
    );
    files.import(&["--patient", "of-plain-documents"]).ok();
    let app = files.serve();
    let native = app.get("/r4/Binary/b", None).await;
    assert_eq!(native.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(native.header("x-security-context"), "Patient/p7", "the resource's own");
    let json = app.get("/r4/Binary/b", "application/fhir+json").await.json();
    assert_eq!(json["meta"]["tag"][0]["code"], "t1");
}

#[tokio::test]
async fn xml_resources_are_taken() {
    let files = Files::new().with(
        "binary.xml",
        format!(
            r#"<?xml version="1.0"?><Binary xmlns="http://hl7.org/fhir"><id value="x"/><contentType value="text/plain"/><data value="{HELLO}"/></Binary>"#
        ),
    );
    let ended = files.import(&[]);
    assert_eq!(id(&ended, "binary.xml"), "x");
    assert_eq!(files.serve().get("/r4/Binary/x", None).await.text(), "hello");
}

fn line(id: &str) -> String {
    format!(r#"{{"resourceType":"Binary","id":"{id}","contentType":"text/plain","data":"{HELLO}"}}"#)
}

#[tokio::test]
async fn ndjson_is_taken_line_by_line_and_a_bad_line_is_named() {
    let patient = r#"{"resourceType":"Patient","id":"p"}"#;
    let broken = r#"{"resourceType":"Binary","contentType":"text/plain","data":"!!!!"}"#;
    let text = format!("{}\n{patient}\n{broken}\r\nno json\n{}", line("first"), line("last"));
    let files = Files::new().with("many.ndjson", text);
    let ended = files.import(&[]);
    assert_eq!(ended.summary(), "3 stored, 0 unchanged, 2 refused");
    assert!(!reason(&ended, "many.ndjson:3").is_empty());
    let reason = reason(&ended, "many.ndjson:4");
    assert!(!reason.contains("is a FHIR resource"), "it is none: {reason}");
    let app = files.serve();
    assert_eq!(app.get("/r4/Binary/first", None).await.text(), "hello");
    assert_eq!(app.get("/r4/Binary/last", None).await.text(), "hello");
}

#[test]
fn empty_lines_of_ndjson_are_nothing() {
    let files = Files::new().with("many.ndjson", format!("\n{}\n\r\n{}\n\n", line("a"), line("b")));
    assert_eq!(files.import(&[]).ok().lines().last(), Some("2 stored, 0 unchanged, 0 refused"));
}

#[tokio::test]
async fn compressed_resources_are_taken() {
    let xml = format!(
        r#"<Binary xmlns="http://hl7.org/fhir"><id value="x"/><contentType value="text/plain"/><data value="{HELLO}"/></Binary>"#
    );
    // Two members, as concatenated downloads have.
    let lines = [gzip(format!("{}\n", line("n1"))), gzip(format!("{}\n", line("n2")))].concat();
    let files = Files::new()
        .with("binary.json.gz", gzip(line("j")))
        .with("binary.xml.gz", gzip(xml))
        .with("many.ndjson.gz", lines);
    assert_eq!(files.import(&[]).ok().lines().last(), Some("4 stored, 0 unchanged, 0 refused"));
    let app = files.serve();
    for id in ["j", "x", "n1", "n2"] {
        assert_eq!(app.get(&format!("/r4/Binary/{id}"), None).await.text(), "hello", "{id}");
    }
}

#[test]
fn a_damaged_archive_is_refused_by_name() {
    let many: String = (0..2000).map(|n| line(&format!("n{n}")) + "\n").collect();
    let mut cut_off = gzip(many);
    cut_off.truncate(cut_off.len() / 2);
    let files = Files::new()
        .with("cut-off.ndjson.gz", cut_off)
        .with("no-archive.ndjson.gz", "not gzip at all")
        .with("no-archive.json.gz", "not gzip at all");
    let ended = files.import(&[]);
    assert_eq!(ended.code, 1);
    for name in ["cut-off.ndjson.gz", "no-archive.ndjson.gz", "no-archive.json.gz"] {
        let refused = ended.out.lines().any(|line| line.contains(name) && line.contains(": refused: "));
        assert!(refused, "{name}: {}", ended.out);
    }
}

#[tokio::test]
async fn resources_of_every_type_are_taken() {
    let files = Files::new()
        .with("patient.json", r#"{"resourceType":"Patient","id":"p","gender":"female"}"#)
        .with(
            "group.xml",
            r#"<Organization xmlns="http://hl7.org/fhir"><id value="o"/><name value="O"/></Organization>"#,
        )
        .with("bundle.json", r#"{"type":"collection","entry":[],"resourceType":"Bundle"}"#)
        .with("wrong.json", r#"{"resourceType":"Patient","id":"q","gender":"f"}"#);
    let ended = files.import(&[]);
    assert_eq!(ended.summary(), "2 stored, 0 unchanged, 1 refused");
    assert!(reason(&ended, "wrong.json").contains("Patient.gender"));
    let app = files.serve();
    assert_eq!(app.get("/r4/Patient/p", None).await.json()["gender"], "female");
    assert_eq!(app.get("/r4/Organization/o", None).await.json()["name"], "O");
}

/// Entries name each other by `urn:uuid:`, and what other files bring by a condition.
#[tokio::test]
async fn bundles_wait_for_what_they_refer_to() {
    let visit = r#"{"resourceType":"Bundle","type":"transaction","entry":[
        {"fullUrl":"urn:uuid:00000000-0000-4000-8000-00000000000a","resource":{"resourceType":"Patient","id":"a"},
         "request":{"method":"POST","url":"Patient"}},
        {"fullUrl":"urn:uuid:00000000-0000-4000-8000-00000000000b","resource":{"resourceType":"Encounter","status":"finished",
         "class":{"code":"AMB"},"subject":{"reference":"urn:uuid:00000000-0000-4000-8000-00000000000a"},
         "participant":[{"individual":{"reference":"Practitioner?identifier=http://n|1"}}]},
         "request":{"method":"POST","url":"Encounter"}}]}"#;
    let staff = r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Practitioner","id":"doctor",
        "identifier":[{"system":"http://n","value":"1"}]},"request":{"method":"PUT","url":"Practitioner/doctor"}}]}"#;
    let files = Files::new().with("a-visit.json", visit).with("z-staff.json", staff);
    assert_eq!(files.import(&[]).ok().lines().last(), Some("3 stored, 0 unchanged, 0 refused"));
    assert_eq!(files.import(&[]).ok().lines().last(), Some("0 stored, 3 unchanged, 0 refused"));
    let app = files.serve();
    let encounter = app.get("/r4/Encounter/00000000-0000-4000-8000-00000000000b", None).await.json();
    assert_eq!(encounter["subject"]["reference"], "Patient/a");
    assert_eq!(encounter["participant"][0]["individual"]["reference"], "Practitioner/doctor");
}

#[tokio::test]
async fn documents_of_a_patient_get_a_document_reference() {
    let files = Files::new().with("letter.txt", "Dear colleague");
    let options = ["--patient", "p7", "--type", "34117-2", "--title", "Letter"];
    assert_eq!(files.import(&options).ok().lines().last(), Some("2 stored, 0 unchanged, 0 refused"));
    assert_eq!(files.import(&options).ok().lines().last(), Some("0 stored, 2 unchanged, 0 refused"));
    let app = files.serve();
    let found = app.get("/r4/DocumentReference?patient=p7&type=http://loinc.org|34117-2", None).await.json();
    let attachment = &found["entry"][0]["resource"]["content"][0]["attachment"];
    assert_eq!((found["total"].as_u64(), &attachment["title"]), (Some(1), &"Letter".into()));
    let url = attachment["url"].as_str().expect("a link").strip_prefix(&app.url).expect("to this server");
    assert_eq!(app.get(url, None).await.text(), "Dear colleague");
}

#[test]
fn broken_resources_are_refused_and_leave_nothing() {
    let resource = |rest: &str| format!(r#"{{"resourceType":"Binary","id":"b",{rest}}}"#);
    let files = Files::new()
        .with("alphabet.json", resource(r#""contentType":"text/plain","data":"aGVs!G8=""#))
        .with("padding.json", resource(r#""contentType":"text/plain","data":"aGVsbG8""#))
        .with("no-type.json", resource(&format!(r#""data":"{HELLO}""#)))
        .with("no-data.json", resource(r#""contentType":"text/plain""#))
        .with("cut-off.json", format!(r#"{{"resourceType":"Binary","contentType":"text/plain","data":"{HELLO}"#))
        .with(
            "subsetted.json",
            resource(
                r#""meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},
                   "contentType":"text/plain","data":"aGVsbG8=""#,
            ),
        );
    let ended = files.import(&[]);
    assert_eq!(ended.summary(), "0 stored, 0 unchanged, 6 refused", "{ended:?}");
    assert!(reason(&ended, "subsetted.json").contains("SUBSETTED"));
    let ended = charta(&["check", "--data", text(&files.data())]);
    assert_eq!(ended.ok(), "clean\n");
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    let files =
        Files::new().with("a.txt", "one").with("b.pdf", vec![b'x'; 200_000]).with("c.json", line("c"));
    assert_eq!(files.import(&[]).ok().lines().last(), Some("3 stored, 0 unchanged, 0 refused"));
    let ended = files.import(&[]);
    assert_eq!(ended.summary(), "0 stored, 3 unchanged, 0 refused");
    let id = id(&ended, "b.pdf");
    let answer = files.serve().get(&format!("/r4/Binary/{id}"), "application/fhir+json").await;
    assert_eq!(answer.json()["meta"]["versionId"], "1");
}

#[tokio::test]
async fn a_changed_file_under_the_same_id_is_a_new_version() {
    let files = Files::new().with("TR-1.txt", "one");
    files.import(&["--ids-from-names"]).ok();
    files.write("TR-1.txt", "two");
    assert_eq!(
        files.import(&["--ids-from-names"]).ok().lines().last(),
        Some("1 stored, 0 unchanged, 0 refused")
    );
    let app = files.serve();
    assert_eq!(app.get("/r4/Binary/TR-1", None).await.text(), "two");
    assert_eq!(app.get("/r4/Binary/TR-1/_history/1", None).await.text(), "one");
}

#[tokio::test]
async fn folders_are_taken_with_everything_below() {
    let files =
        Files::new().with("a.txt", "one").with("deep/er/b.txt", "two").with("deep/.hidden.txt", "three");
    let ended = files.import(&[]);
    assert_eq!(ended.summary(), "3 stored, 0 unchanged, 0 refused");
    let id = id(&ended, "deep/er/b.txt");
    assert_eq!(files.serve().get(&format!("/r4/Binary/{id}"), None).await.text(), "two");
}

#[test]
fn an_empty_file_is_refused_and_the_rest_goes_in() {
    let files = Files::new().with("empty.txt", "").with("full.txt", "x");
    let ended = files.import(&[]);
    assert_eq!(ended.summary(), "1 stored, 0 unchanged, 1 refused");
    assert!(reason(&ended, "empty.txt").contains("empty"));
}

#[test]
fn a_missing_path_is_refused_and_the_rest_goes_in() {
    let files = Files::new().with("full.txt", "x");
    let missing = files.folder().join("missing.txt");
    let ended = files.import_paths(&[], &[&missing, &files.folder().join("full.txt")]);
    assert_eq!(ended.summary(), "1 stored, 0 unchanged, 1 refused");
    assert!(!reason(&ended, "missing.txt").is_empty());
}

#[test]
fn a_document_above_the_limit_is_refused() {
    let files = Files::new().with("large.txt", "x".repeat(1001)).with("fits.txt", "x".repeat(1000));
    let config = files.0.path().join("small.toml");
    std::fs::write(&config, "data_dir = \"data\"\n[limits]\ndocument_bytes = 1000\n").expect("a file");
    let ended = charta(&["import", "--config", text(&config), text(&files.folder())]);
    assert_eq!(ended.summary(), "1 stored, 0 unchanged, 1 refused");
    assert!(reason(&ended, "large.txt").contains("limits.document_bytes"));
}

#[tokio::test]
async fn documents_go_to_the_tenant_that_is_named_alone() {
    let files = Files::new().with("TR-1.txt", "theirs");
    let file = files.folder().join("TR-1.txt");
    let directory = TestApp::in_directory(files.0, "").stop();
    let (config, file) = (directory.path().join("charta.toml"), text(&file));
    let import = |tenant: &str| {
        charta(&["import", "--config", text(&config), "--tenant", tenant, "--ids-from-names", file])
    };
    assert!(import("nobody").refused().contains("nobody"));
    import(TENANT).ok();
    let app = TestApp::in_directory(directory, "");
    assert_eq!(app.get("/writer/Binary/TR-1", None).await.text(), "theirs");
    assert_eq!(app.get("/r4/Binary/TR-1", None).await.status, 404);
}

#[tokio::test]
async fn an_import_beside_a_running_server_is_refused_in_one_line() {
    let app = TestApp::start();
    let file = app.directory.path().join("a.txt");
    std::fs::write(&file, "x").expect("a file");
    let line = charta(&["import", "--data", text(&app.data()), text(&file)]).refused();
    assert!(line.contains(text(&app.data())) && line.contains("in use"), "{line}");
    app.put("/r4/Binary/1", "text/plain", "the server goes on").await;
}

const FILES: u64 = 11;
const RESOURCES_OF_FILE: u64 = 40_000;
const GROWTH_KIB_MAX: u64 = 8 << 10;

/// The peak is read whenever a file is done. The first half fills the caches; the limit for the other is 40 bytes of
/// each resource, which is less than any id with its place in a table.
#[test]
#[ignore = "takes minutes"]
fn importing_twice_as_much_takes_no_more_memory() {
    let files = Files::new();
    for number in 0..FILES {
        write_observations(&files.folder().join(format!("part-{number:02}.ndjson")), number);
    }
    let (data, folder) = (files.data(), files.folder());
    let mut import = Command::new(app::program())
        .args(["import", "--data", text(&data), text(&folder)])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", import.id());
    let lines = BufReader::new(import.stdout.take().expect("its stdout is ours")).lines();
    let mut peaks_kib = Vec::new();
    for line in lines.map(|line| line.expect("the program speaks UTF-8")) {
        match peaks_kib.len() as u64 {
            // During the last file it may already have ended.
            done if done + 1 < FILES => {
                assert!(
                    line.ends_with(&format!("part-{done:02}.ndjson -> {RESOURCES_OF_FILE} lines")),
                    "{line}"
                );
                peaks_kib.push(peak_kib(&status));
            }
            _ => show(&line),
        }
    }
    assert!(import.wait().expect("it ends").success());
    show(&format!("peak memory after each {RESOURCES_OF_FILE} resources, KiB: {peaks_kib:?}"));
    let (half, all) = (peaks_kib[peaks_kib.len() / 2 - 1], peaks_kib[peaks_kib.len() - 1]);
    assert!(all - half <= GROWTH_KIB_MAX, "{peaks_kib:?}");
}

fn peak_kib(status: &str) -> u64 {
    let status = fs::read_to_string(status).expect("the import goes on");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel tells the peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Every resource differs from all others, in what it is found by as well.
fn write_observations(path: &Path, file: u64) {
    let mut lines = BufWriter::new(File::create(path).expect("a file"));
    for number in file * RESOURCES_OF_FILE..(file + 1) * RESOURCES_OF_FILE {
        let resource = serde_json::json!({
            "resourceType": "Observation", "id": format!("o-{number}"), "status": "final",
            "identifier": [{"system": "http://example.org/results", "value": format!("{number:09}")}],
            "code": {"coding": [{"system": "http://loinc.org", "code": format!("{}-1", number % 9000)}]},
            "subject": {"reference": format!("Patient/p-{}", number / 50)},
            "effectiveDateTime": format!("20{:02}-01-01T10:{:02}:00Z", number % 25, number % 60),
            "valueQuantity": {"value": number, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
        });
        writeln!(lines, "{resource}").expect("the disk takes it");
    }
    lines.flush().expect("the disk takes it");
}
