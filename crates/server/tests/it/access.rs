//! Who gets what. `access/table.txt` says it, request by request and caller by caller; here every request of it is
//! sent by every caller, in every version. `access/profiles.txt` says it of the endpoints of the profiles.

mod profiles;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, run};

const TABLE: &str = include_str!("access/table.txt");

const VERSIONS: [&str; 5] = ["DSTU2", "STU3", "R4", "R4B", "R5"];

/// Secured endpoints beside the open ones that fill the store.
const SECURED: &str = r#"
[[issuer]]
development = true
[[endpoint]]
path = "/s/dstu2"
fhir = "DSTU2"
auth = "smart"
writable = true
[[endpoint]]
path = "/s/stu3"
fhir = "STU3"
auth = "smart"
writable = true
[[endpoint]]
path = "/s/r4"
fhir = "R4"
auth = "smart"
writable = true
[[endpoint]]
path = "/s/r4b"
fhir = "R4B"
auth = "smart"
writable = true
[[endpoint]]
path = "/s/r5"
fhir = "R5"
auth = "smart"
writable = true
"#;

/// A running server whose store has the table's documents.
pub struct Site {
    pub app: TestApp,
}

impl Site {
    /// With the documents, and with an endpoint of every version for what each version has of its own.
    pub async fn start(more: &str) -> Self {
        let site = Self { app: TestApp::with(&format!("{SECURED}{more}")) };
        site.fill().await;
        site
    }

    /// A token of the development key.
    pub fn token(&self, arguments: &[&str]) -> String {
        let configuration = self.app.directory.path().join("charta.toml");
        let mut all = vec!["token", "--config", configuration.to_str().expect("UTF-8")];
        all.extend(arguments);
        let output = run(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    async fn put(&self, version: &str, path: &str, body: &Value) {
        let path = format!("/{}/{path}", version.to_lowercase());
        self.app.put(&path, "application/fhir+json", body.to_string()).await;
    }

    async fn fill(&self) {
        for (id, born) in [("a", "1980-01-01"), ("b", "1970-01-01")] {
            let patient = json!({"resourceType": "Patient", "id": id, "birthDate": born});
            self.put("R4", &format!("Patient/{id}"), &patient).await;
        }
        for id in ["own", "other", "report", "free", "secret", "in-error", "moved"] {
            self.app.put(&format!("/r4/Binary/{id}"), "text/plain", format!("text of {id}")).await;
        }
        for (id, patient, more) in [
            ("own", "a", json!({})),
            ("other", "b", json!({})),
            ("by-a-about-b", "b", json!({"author": [{"reference": "Patient/a"}]})),
            (
                "secret",
                "a",
                json!({"securityLabel": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}]}),
            ),
            ("in-error", "a", json!({"status": "entered-in-error"})),
            ("moved", "a", json!({})),
            ("moved", "b", json!({})),
        ] {
            let body = document(id, patient, id, &more);
            self.put("R4", &format!("DocumentReference/{id}"), &body).await;
        }
        let report = json!({"resourceType": "DiagnosticReport", "id": "own", "status": "final",
            "code": {"text": "x"}, "subject": {"reference": "Patient/a"}, "issued": "2026-01-01T00:00:00Z",
            "presentedForm": [{"contentType": "text/plain", "url": "Binary/report"}]});
        self.put("R4", "DiagnosticReport/own", &report).await;
        for version in VERSIONS {
            let of = |name: &str| format!("{name}-{}", version.to_lowercase());
            for (name, patient) in [("own", "a"), ("other", "b")] {
                let body = observation(Some(&of(name)), Some(patient));
                self.put(version, &format!("Observation/{}", of(name)), &body).await;
            }
            let organization = json!({"resourceType": "Organization", "id": of("o"), "name": "Org"});
            self.put(version, &format!("Organization/{}", of("o")), &organization).await;
            let list =
                json!({"resourceType": "List", "id": of("nobodys"), "status": "current", "mode": "working"});
            self.put(version, &format!("List/{}", of("nobodys")), &list).await;
        }
    }
}

fn document(id: &str, patient: &str, binary: &str, more: &Value) -> Value {
    let mut body = json!({"resourceType": "DocumentReference", "id": id, "status": "current",
        "subject": {"reference": format!("Patient/{patient}")},
        "content": [{"attachment": {"contentType": "text/plain", "url": format!("Binary/{binary}")}}]});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

fn observation(id: Option<&str>, patient: Option<&str>) -> Value {
    let mut body = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}});
    if let Some(patient) = patient {
        body["subject"] = json!({"reference": format!("Patient/{patient}")});
    }
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    body
}

/// The bodies that the table names: type and text.
fn body(name: &str, v: &str) -> (&'static str, String) {
    let named = |binary: &str| {
        let mut body = json!({"resourceType": "DocumentReference", "status": "current",
            "type": {"text": "x"}, "indexed": "2026-01-01T00:00:00Z",
            "subject": {"reference": "Patient/a"},
            "content": [{"attachment": {"contentType": "text/plain", "url": format!("Binary/{binary}")}}]});
        if !matches!(v, "dstu2" | "stu3") {
            body.as_object_mut().expect("an object").remove("indexed");
        }
        body
    };
    let entry = |method: &str, url: String| json!({"request": {"method": method, "url": url}});
    let body = match name {
        "text" => return ("text/plain", "new text".to_owned()),
        "patient-b" => return ("application/x-www-form-urlencoded", "patient=b".to_owned()),
        "about-a" => observation(None, Some("a")),
        "about-b" => observation(None, Some("b")),
        "about-nobody" => observation(None, None),
        "own-again" => observation(Some(&format!("own-{v}")), Some("a")),
        "own-becomes-b" => observation(Some(&format!("own-{v}")), Some("b")),
        "other-becomes-a" => observation(Some(&format!("other-{v}")), Some("a")),
        "unknown-about-a" => observation(Some(&format!("unknown-{v}")), Some("a")),
        "naming-own" => named("own"),
        "naming-other" => named("other"),
        "naming-unknown" => named("unknown"),
        "batch-of-reads" => json!({"resourceType": "Bundle", "type": "batch", "entry": [
            entry("GET", "DocumentReference/own".into()), entry("GET", "Binary/other".into())]}),
        "transaction-on-other" => {
            let mut put = entry("PUT", format!("Observation/other-{v}"));
            put["resource"] = observation(Some(&format!("other-{v}")), Some("a"));
            json!({"resourceType": "Bundle", "type": "transaction", "entry": [put]})
        }
        other => panic!("no body is called {other}"),
    };
    let fhir = if v == "dstu2" { "application/json+fhir" } else { "application/fhir+json" };
    (fhir, body.to_string())
}

/// One line of the table.
struct Row {
    text: &'static str,
    not_in: Option<&'static str>,
    method: &'static str,
    path: &'static str,
    body: Option<&'static str>,
    header: Option<(&'static str, &'static str)>,
    expected: Vec<&'static str>,
}

fn columns(table: &'static str) -> Vec<&'static str> {
    let heading = table.lines().find(|line| line.starts_with("request")).expect("a heading");
    heading.split_whitespace().skip(1).collect()
}

fn rows(table: &'static str, number: usize) -> Vec<Row> {
    let is_row = |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("request");
    let row = |text: &'static str| {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let expected = words.split_off(words.len() - number);
        let mut words = words.into_iter().peekable();
        let not_in = words.next_if(|word| word.starts_with('!')).map(|word| &word[1..]);
        let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
        let mut row = Row { text, not_in, method, path, body: None, header: None, expected };
        for word in words {
            match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                Some(name) => row.body = Some(name),
                None => row.header = word.split_once(':'),
            }
        }
        row
    };
    table.lines().filter(is_row).map(row).collect()
}

/// What came, in the table's words.
fn seen(answer: &Answer, expected: &str) -> String {
    if !expected.contains([':', '+', '[']) {
        return answer.status.to_string();
    }
    let status = answer.status;
    if status != 200 {
        return status.to_string();
    }
    let bundle = answer.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    if expected.contains('[') {
        let of = |entry: &Value| entry["response"]["status"].as_str().unwrap_or_default()[..3].to_owned();
        return format!("200[{}]", entries.iter().map(of).collect::<Vec<_>>().join(","));
    }
    let included = entries.iter().filter(|entry| entry["search"]["mode"] == "include").count();
    if expected.contains('+') {
        return format!("200+{included}");
    }
    let matches = entries.len() - included;
    // A total is of what the caller may see, or is not there.
    match bundle["total"].as_u64() {
        Some(total) if bundle["type"] == "searchset" => format!("200:{total}"),
        _ => format!("200:{matches}"),
    }
}

async fn check(version: &str) {
    let site = Site::start("").await;
    let mint = |arguments: &[&str]| Some(site.token(arguments));
    let callers: BTreeMap<&str, Option<String>> = [
        ("none", None),
        ("junk", Some("junk".to_owned())),
        ("empty", mint(&["--scope", "openid launch/patient", "--patient", "a"])),
        ("all", mint(&["--scope", "system/*.cruds"])),
        ("staff", mint(&["--scope", "user/*.rs", "--user", "Practitioner/p"])),
        ("a", mint(&["--scope", "patient/*.cruds", "--patient", "a"])),
        ("docs", mint(&["--scope", "patient/Binary.rs patient/DocumentReference.rs", "--patient", "a"])),
        ("bin", mint(&["--scope", "patient/Binary.rs", "--patient", "a"])),
    ]
    .into();
    let rows = rows(TABLE, columns(TABLE).len())
        .into_iter()
        .filter(|row| row.not_in != Some(version))
        .collect::<Vec<_>>();
    let base = format!("/s/{}", version.to_lowercase());
    compare(&site, version, &base, (&columns(TABLE), &rows), &callers).await;
}

/// Sends every request by every caller; each comes to what the table says.
async fn compare(
    site: &Site,
    version: &str,
    base: &str,
    (columns, rows): (&[&str], &[Row]),
    callers: &BTreeMap<&str, Option<String>>,
) {
    let v = version.to_lowercase();
    let mut wrong = Vec::new();
    for row in rows {
        for (column, expected) in columns.iter().zip(&row.expected).filter(|(_, expected)| **expected != "-")
        {
            let path = format!("{base}/{}", row.path.trim_start_matches('/').replace("{v}", &v));
            let method = Method::from_bytes(row.method.as_bytes()).expect("a method");
            let mut request = site.app.request(method, &path);
            if let Some(token) = &callers[column] {
                request = request.bearer_auth(token);
            }
            if let Some(name) = row.body {
                let (kind, text) = body(name, &v);
                request = request.header("Content-Type", kind).body(text);
            }
            if let Some((name, value)) = row.header {
                request = request.header(name, value.replace("{v}", &v));
            }
            let answer = Answer::of(request).await;
            let seen = seen(&answer, expected);
            if seen != *expected {
                let request = row.text.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
                wrong.push(format!("{request} by {column}: {seen}, not {expected}: {}", answer.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{base}, {} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says_in_dstu2() {
    check("DSTU2").await;
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says_in_stu3() {
    check("STU3").await;
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says_in_r4() {
    check("R4").await;
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says_in_r4b() {
    check("R4B").await;
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says_in_r5() {
    check("R5").await;
}

/// To the byte, but for what every answer has of its own.
#[tokio::test]
async fn what_is_anothers_and_what_never_was_are_the_same_answer() {
    let site = Site::start("").await;
    let token = site.token(&["--scope", "patient/*.cruds", "--patient", "a"]);
    for (method, other, unknown) in [
        ("GET", "Binary/other", "Binary/unknown"),
        ("HEAD", "Binary/other", "Binary/unknown"),
        ("GET", "Binary/other/_history/1", "Binary/unknown/_history/1"),
        ("GET", "Binary/other/_history", "Binary/unknown/_history"),
        ("GET", "Binary/other/_history/7", "Binary/unknown/_history/7"),
        ("GET", "DocumentReference/other", "DocumentReference/unknown"),
        ("DELETE", "DocumentReference/other", "DocumentReference/unknown"),
        ("DELETE", "Binary/other", "Binary/unknown"),
        ("GET", "Patient/b/DocumentReference", "Patient/unknown/DocumentReference"),
    ] {
        let ask = async |path: &str| {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let request = site.app.request(method, &format!("/s/r4/{path}")).bearer_auth(&token);
            let mut answer = Answer::of(request.header("X-Request-Id", "same")).await;
            answer.headers.remove("date");
            answer
        };
        let (other, unknown) = (ask(other).await, ask(unknown).await);
        assert_eq!((other.status, unknown.status), (404, 404), "{method}");
        assert_eq!(other.headers, unknown.headers, "{method}");
        assert_eq!(other.text(), unknown.text(), "{method}");
    }
}
