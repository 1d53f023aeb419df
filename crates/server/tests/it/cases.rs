//! The requests and expected answers that the source documents describe, one by one. The list they come from is
//! `../shared/spec/cases.md`; a test, or the row of a table in a test, is named after its number there. Where that
//! list gives several answers, or another than `../shared/spec/decisions.md`, the decision is tested and a comment
//! says so. Open endpoints stand in for secured ones where a token is not what a case is about.
//!
//! Not tested here, or in part only:
//!
//! | cases | why |
//! |---|---|
//! | 243-246 | in part: what GP Connect demands beyond FHIR (422, its own codes), which no profile here has |
//! | 239 | in part: no limit of 5 MB and no codes of GP Connect, which no profile here has |
//! | 240 | a capability of GP Connect that can be switched off; no profile here has it |
//! | 252, 254 | in part: the source takes a document apart and refuses the second with 409; here a create is a create |

mod care_connect_stu3;
mod cross_cutting;
mod document_searches;
mod generated_ccds;
mod gp_connect;
mod hl7;
mod millennium_dstu2;
mod millennium_r4;
mod millennium_write;
mod records;
mod soarian_r4;
mod stored_bundles;
mod test_assets;
mod tokens;
mod versions;

use std::{collections::BTreeSet, ops::RangeInclusive, path::Path};

use base64_simd::STANDARD as BASE64;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::app::{Answer, TestApp};

/// The numbers of the list.
const NUMBERS: RangeInclusive<u16> = 1..=262;

const FHIR_JSON: &str = "application/fhir+json";
const FHIR_XML: &str = "application/fhir+xml";
const JSON_FHIR: &str = "application/json+fhir";
const XML_FHIR: &str = "application/xml+fhir";

/// What browsers send when somebody follows a link.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

const PDF_BYTES: &[u8] =
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
const HTML_BYTES: &[u8] = b"<html><body><p>Discharge summary: afebrile, 37.1 &deg;C</p></body></html>";
const PNG_BYTES: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPEG_BYTES: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
const ZIP_BYTES: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const CDA_BYTES: &[u8] = br#"<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/>
</ClinicalDocument>"#;

/// A document that the cases of a table read.
struct Document {
    id: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

/// A case that is one GET.
struct Case {
    name: &'static str,
    /// Below the base.
    path: &'static str,
    accept: Option<&'static str>,
    expected: Expected,
}

/// Shorthand for a table's rows.
const fn case(
    name: &'static str,
    path: &'static str,
    accept: Option<&'static str>,
    expected: Expected,
) -> Case {
    Case { name, path, accept, expected }
}

/// The answer to a GET of a document.
#[derive(Debug)]
enum Expected {
    /// 200: its bytes, and its type to the letter.
    Native,
    /// 200: the Binary in JSON, with this Content-Type.
    Json(&'static str),
    /// 200: the Binary in XML, with this Content-Type.
    Xml(&'static str),
    /// An OperationOutcome with this status and issue code.
    Refused(u16, &'static str),
}

/// A server and one of its endpoints, with documents to read there.
struct Site {
    app: TestApp,
    base: &'static str,
    documents: &'static [Document],
}

impl Site {
    async fn start(base: &'static str, documents: &'static [Document]) -> Self {
        Self::with("", base, documents).await
    }

    /// The same with more configuration, as [`TestApp::with`] takes it.
    async fn with(configuration: &str, base: &'static str, documents: &'static [Document]) -> Self {
        let site = Self { app: TestApp::with(configuration), base, documents };
        for document in documents {
            let resource = serde_json::json!({
                "resourceType": "Binary",
                "id": document.id,
                "contentType": document.content_type,
                "data": BASE64.encode_to_string(document.bytes),
            });
            site.app.put(&site.writer(document.id), FHIR_JSON, resource.to_string()).await;
        }
        site
    }

    /// Where a document of this site is written.
    fn writer(&self, id: &str) -> String {
        let profiled = ["/millennium", "/soarian", "/ccri"].iter().any(|start| self.base.starts_with(start));
        format!("{}/Binary/{id}", if profiled { "/writer" } else { "/r4" })
    }

    /// A request to a path below the base.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.request(method, &format!("{}/{path}", self.base))
    }

    /// GET of a path below the base.
    async fn get(&self, path: &str, accept: Option<&str>) -> Answer {
        self.app.get(&format!("{}/{path}", self.base), accept).await
    }

    /// The element of a Binary that holds the bytes.
    fn element(&self) -> &'static str {
        let base = self.base.to_ascii_lowercase();
        if base.contains("dstu2") || base.contains("stu3") { "content" } else { "data" }
    }

    /// How the endpoint calls its JSON.
    fn fhir_json(&self) -> &'static str {
        if self.base.contains("dstu2") { JSON_FHIR } else { FHIR_JSON }
    }

    async fn check(&self, cases: &[Case]) {
        for case in cases {
            self.check_one(case).await;
        }
    }

    async fn check_one(&self, case: &Case) {
        let Case { name, path, accept, expected } = case;
        let answer = self.get(path, *accept).await;
        match expected {
            Expected::Native => self.is_native(name, path, &answer),
            Expected::Json(content_type) => self.is_json(name, path, content_type, &answer),
            Expected::Xml(content_type) => self.is_xml(name, path, content_type, &answer),
            Expected::Refused(status, code) => self.is_refused(name, *status, code, &answer),
        }
    }

    fn document(&self, path: &str) -> &'static Document {
        let id = path.strip_prefix("Binary/").expect("documents are Binaries").split('?').next();
        let found = self.documents.iter().find(|document| Some(document.id) == id);
        found.unwrap_or_else(|| panic!("{path} is not among the documents of this test"))
    }

    fn is_native(&self, name: &str, path: &str, answer: &Answer) {
        let document = self.document(path);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.header("content-type"), document.content_type, "{name}");
        assert!(answer.body == document.bytes, "{name}: other bytes: {}", answer.text());
    }

    fn is_json(&self, name: &str, path: &str, content_type: &str, answer: &Answer) {
        let document = self.document(path);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.header("content-type"), content_type, "{name}");
        let resource = answer.json();
        assert_eq!(resource["resourceType"], "Binary", "{name}");
        assert_eq!(resource["id"], document.id, "{name}");
        assert_eq!(resource["contentType"], document.content_type, "{name}");
        assert!(self.payload(&resource) == document.bytes, "{name}: other bytes: {resource}");
    }

    /// The bytes inside a Binary in JSON; they stand under the name of this version and no other.
    fn payload(&self, resource: &Value) -> Vec<u8> {
        let other = if self.element() == "data" { "content" } else { "data" };
        assert_eq!(resource.get(other), None, "{resource}");
        let text = resource[self.element()].as_str().unwrap_or_else(|| panic!("no bytes: {resource}"));
        BASE64.decode_to_vec(text).expect("base64")
    }

    fn is_xml(&self, name: &str, path: &str, content_type: &str, answer: &Answer) {
        let document = self.document(path);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.header("content-type"), content_type, "{name}");
        let text = answer.text();
        let (_, inside) = text.split_once("<Binary xmlns=\"http://hl7.org/fhir\">").expect("a Binary in XML");
        let (_, rest) =
            value_of(inside, "id", document.id).unwrap_or_else(|| panic!("{name}: no id: {text}"));
        let (_, rest) = value_of(rest, "contentType", document.content_type)
            .unwrap_or_else(|| panic!("{name}: no contentType behind the id: {text}"));
        let bytes = BASE64.encode_to_string(document.bytes);
        let payload = value_of(rest, self.element(), &bytes);
        payload.unwrap_or_else(|| panic!("{name}: other bytes, or not behind the type: {text}"));
    }

    fn is_refused(&self, name: &str, status: u16, code: &str, answer: &Answer) {
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        assert_eq!(answer.essence(), self.fhir_json(), "{name}");
        let outcome = answer.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{name}: {outcome}");
        let issue = &outcome["issue"][0];
        assert_eq!(
            (&issue["severity"], &issue["code"]),
            (&"error".into(), &code.into()),
            "{name}: {outcome}"
        );
        assert!(issue["details"]["text"].is_string(), "{name}: {outcome}");
    }
}

/// What stands before and behind an element of this value, in XML.
fn value_of<'t>(text: &'t str, element: &str, value: &str) -> Option<(&'t str, &'t str)> {
    text.split_once(&format!("<{element} value=\"{value}\"/>"))
}

/// The text of the first issue.
fn said(answer: &Answer) -> String {
    answer.json()["issue"][0]["details"]["text"].as_str().unwrap_or_default().to_owned()
}

/// The interactions that a capability statement names for Binary.
fn binary_interactions(statement: &Value) -> Vec<&str> {
    let resources = statement["rest"][0]["resource"].as_array().expect("it names resources");
    let binary = resources.iter().find(|resource| resource["type"] == "Binary").expect("Binary is served");
    let interactions = binary["interaction"].as_array().expect("it names interactions");
    interactions.iter().filter_map(|interaction| interaction["code"].as_str()).collect()
}

#[test]
fn every_case_is_tested_or_left_out_for_a_reason() {
    let tested = tested();
    let (left_out, in_part) = table();
    let all: BTreeSet<u16> = NUMBERS.collect();
    let known: BTreeSet<u16> = tested.iter().chain(&left_out).chain(&in_part).copied().collect();
    let missing: Vec<_> = all.difference(&known).collect();
    assert!(missing.is_empty(), "neither tested nor left out: {missing:?}");
    let unknown: Vec<_> = known.difference(&all).collect();
    assert!(unknown.is_empty(), "no such cases: {unknown:?}");
    let both: Vec<_> = tested.intersection(&left_out).collect();
    assert!(both.is_empty(), "tested, but said to be left out: {both:?}");
    let untested: Vec<_> = in_part.difference(&tested).collect();
    assert!(untested.is_empty(), "said to be tested in part, but not tested: {untested:?}");
}

/// The numbers in the names of tests and rows.
fn tested() -> BTreeSet<u16> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases");
    let files =
        std::fs::read_dir(folder).expect("the tests are here").map(|entry| entry.expect("a file").path());
    let texts = files.map(|file| std::fs::read_to_string(file).expect("a source file"));
    texts.flat_map(|text| text.lines().flat_map(numbers_in_names).collect::<Vec<_>>()).collect()
}

fn numbers_in_names(line: &str) -> impl Iterator<Item = u16> {
    let is_code = !line.trim_start().starts_with("//");
    let names = line.split("case_").skip(1).filter(move |_| is_code);
    names.filter_map(|rest| rest.get(..3)?.parse().ok())
}

/// The numbers in the table at the top of this file: left out, tested in part.
fn table() -> (BTreeSet<u16>, BTreeSet<u16>) {
    let (mut left_out, mut in_part) = (BTreeSet::new(), BTreeSet::new());
    for row in include_str!("cases.rs").lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let (cases, why) = row.split_once(" | ").expect("two columns");
        let numbers = if why.starts_with("in part: ") { &mut in_part } else { &mut left_out };
        for range in cases.split(", ").filter(|_| cases != "cases") {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.parse::<u16>().expect("a number");
            numbers.extend(number(first)..=number(last));
        }
    }
    (left_out, in_part)
}
