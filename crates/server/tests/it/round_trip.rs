//! Bytes that went in come out equal, whatever the version and form of either.

use std::sync::atomic::{AtomicU64, Ordering};

use base64_simd::STANDARD;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use reqwest::Method;
use serde_json::Value;

use crate::{
    app::{Answer, TestApp},
    command::noise,
};

/// The standard endpoints and what their Binary calls its bytes.
const VERSIONS: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

/// Sizes around every limit: of the catalog, of a read, of a window to the kernel.
const SIZES: [usize; 10] =
    [1, 16_383, 16_384, 65_535, 65_536, 65_537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Native,
    Json,
    Xml,
}

const FORMS: [Form; 3] = [Form::Native, Form::Json, Form::Xml];

/// Text as an attribute of XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\t', "&#9;")
}

fn unescaped(text: &str) -> String {
    let named = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    named.replace("&#9;", "\t").replace("&#34;", "\"").replace("&amp;", "&")
}

impl Form {
    /// The Content-Type and body of a write of these bytes.
    fn body(self, element: &str, id: &str, content_type: &str, bytes: &[u8]) -> (String, Vec<u8>) {
        let base64 = || STANDARD.encode_to_string(bytes);
        match self {
            Self::Native => (content_type.to_owned(), bytes.to_vec()),
            Self::Json => {
                let resource = serde_json::json!({
                    "resourceType": "Binary", "id": id, "contentType": content_type, element: base64(),
                });
                ("application/fhir+json".into(), resource.to_string().into_bytes())
            }
            Self::Xml => {
                let resource = format!(
                    "<Binary xmlns=\"http://hl7.org/fhir\"><id value=\"{id}\"/><contentType value=\"{}\"/>\
                     <{element} value=\"{}\"/></Binary>",
                    escaped(content_type),
                    base64()
                );
                ("application/fhir+xml".into(), resource.into_bytes())
            }
        }
    }

    /// Reads a document in this form: its type and its bytes.
    async fn read(self, app: &TestApp, path: &str, element: &str) -> (String, Vec<u8>) {
        let accept = match self {
            Self::Native => None,
            Self::Json => Some("application/fhir+json"),
            Self::Xml => Some("application/fhir+xml"),
        };
        let answer = app.get(path, accept).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path}");
        match self {
            Self::Native => (answer.header("content-type").to_owned(), answer.body),
            Self::Json => {
                let resource = answer.json();
                let text = |name: &str| resource[name].as_str().expect("an element with a value").to_owned();
                (text("contentType"), STANDARD.decode_to_vec(text(element)).expect("base64"))
            }
            Self::Xml => {
                let resource = answer.text();
                let text = |name: &str| {
                    let (_, rest) = resource.split_once(&format!("<{name} value=\"")).expect("the element");
                    unescaped(rest.split_once('"').expect("the end of the value").0)
                };
                (text("contentType"), STANDARD.decode_to_vec(text(element)).expect("base64"))
            }
        }
    }
}

async fn put(app: &TestApp, base: &str, element: &str, form: Form, id: &str, kind: &str, bytes: &[u8]) {
    let (content_type, body) = form.body(element, id, kind, bytes);
    app.put(&format!("{base}/Binary/{id}"), &content_type, body).await;
}

/// Reads a document in every version and form; fails if a byte or a letter of its type differs.
async fn check(app: &TestApp, id: &str, kind: &str, bytes: &[u8], how: &str) {
    for (base, element) in VERSIONS {
        for form in FORMS {
            let (found_kind, found) = form.read(app, &format!("{base}/Binary/{id}"), element).await;
            assert_eq!(found_kind, kind, "{how}, read at {base} as {form:?}");
            assert!(found == bytes, "{how}: {} bytes differ at {base} as {form:?}", bytes.len());
        }
    }
}

#[tokio::test]
async fn a_document_of_any_size_arrives_in_every_form() {
    let app = TestApp::start();
    for (n, size) in SIZES.into_iter().enumerate() {
        for (m, form) in FORMS.into_iter().enumerate() {
            // Every version takes its turn.
            let (base, element) = VERSIONS[(n + 2 * m) % VERSIONS.len()];
            let bytes = noise((size + m) as u64, size);
            let id = format!("size-{size}-{form:?}");
            put(&app, base, element, form, &id, "application/x-noise", &bytes).await;
            check(&app, &id, "application/x-noise", &bytes, &format!("written at {base} as {form:?}")).await;
        }
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_the_same_document() {
    let app = TestApp::start();
    for form in FORMS {
        for (base, element) in VERSIONS {
            let bytes = noise(7, 200_003);
            let id = format!("chunks-{form:?}-{}", &base[1..]);
            let (content_type, body) = form.body(element, &id, "a/b", &bytes);
            // Pieces of odd lengths: no quantum of base64 and no element ends with one.
            let pieces: Vec<_> =
                body.chunks(9973).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
            let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
            let request = app.request(Method::PUT, &format!("{base}/Binary/{id}"));
            let answer = Answer::of(request.header("Content-Type", content_type).body(stream)).await;
            assert_eq!(answer.status, 201, "{base} {form:?}: {}", answer.text());
            check(&app, &id, "a/b", &bytes, &format!("written in chunks at {base} as {form:?}")).await;
        }
    }
}

#[tokio::test]
async fn a_type_with_parameters_is_kept_to_the_letter() {
    let app = TestApp::start();
    for (n, kind) in [
        "text/html;charset=ISO-8859-1",
        "Text/HTML; Charset=\"iso-8859-1\"",
        "text/plain; name=\"a&b<c>'d.txt\"",
        "text/plain; name=\"say \\\"hi\\\" \\\\\"",
        "application/vnd.x.y+xml; a=1 ; b=2",
        "multipart/mixed; boundary=\"=_?x\"",
        "application/x-www-form-urlencoded",
    ]
    .into_iter()
    .enumerate()
    {
        for form in FORMS {
            let (base, element) = VERSIONS[n % VERSIONS.len()];
            let id = format!("type-{n}-{form:?}");
            put(&app, base, element, form, &id, kind, b"a=1&b=2").await;
            check(&app, &id, kind, b"a=1&b=2", &format!("written at {base} as {form:?}")).await;
        }
    }
}

#[derive(Debug, Clone)]
struct Case {
    kind: String,
    bytes: Vec<u8>,
    version: usize,
    form: Form,
}

fn case() -> impl Strategy<Value = Case> {
    let token = "[a-z0-9][a-z0-9.+-]{0,12}";
    // Such types would be read as resources, which bytes at random are not: native they are told apart by
    // their root, which `any_other_root_is_content` is about.
    let kind = (token, token, proptest::option::of("[ -!#-\\[\\]-~]{0,12}")).prop_map(|(kind, sub, name)| {
        let name = name.map_or(String::new(), |name| format!("; name=\"{name}\""));
        format!("{kind}/{sub}{name}")
    });
    let short = proptest::collection::vec(any::<u8>(), 1..300);
    let long = (any::<u64>(), 1_usize..200_000).prop_map(|(seed, size)| noise(seed, size));
    let form = prop_oneof![Just(Form::Native), Just(Form::Json), Just(Form::Xml)];
    (kind, prop_oneof![short, long], 0..VERSIONS.len(), form).prop_map(|(kind, bytes, version, form)| Case {
        kind,
        bytes,
        version,
        form,
    })
}

#[test]
fn random_bytes_and_types_survive_every_way_in_and_out() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = TestApp::start();
    let counter = AtomicU64::new(0);
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&case(), |case| {
        let id = format!("case-{}", counter.fetch_add(1, Ordering::Relaxed));
        let (base, element) = VERSIONS[case.version];
        runtime.block_on(async {
            put(&app, base, element, case.form, &id, &case.kind, &case.bytes).await;
            let how = format!("written at {base} as {:?}", case.form);
            check(&app, &id, &case.kind, &case.bytes, &how).await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn any_other_root_is_content() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = TestApp::start();
    let counter = AtomicU64::new(0);
    let json = proptest::collection::vec(("[a-zA-Z_]{1,8}", any::<i32>()), 0..6).prop_map(|members| {
        let members = members.into_iter().map(|(name, value)| (name, Value::from(value)));
        Value::Object(members.collect()).to_string().into_bytes()
    });
    let bytes = prop_oneof![
        json,
        proptest::collection::vec(any::<u8>(), 1..200),
        "<[A-Za-z]{1,5}>?".prop_map(String::into_bytes)
    ];
    let types = proptest::sample::select(vec![
        "application/fhir+json",
        "application/json+fhir",
        "application/fhir+xml; charset=UTF-8",
        "application/xml+fhir",
        "application/json",
        "text/xml",
    ]);
    let config = Config { cases: 32, failure_persistence: None, ..Config::default() };
    let outcome =
        TestRunner::new(config).run(&(bytes, types, 0..VERSIONS.len()), |(bytes, kind, version)| {
            let id = format!("case-{}", counter.fetch_add(1, Ordering::Relaxed));
            let (base, element) = VERSIONS[version];
            runtime.block_on(async {
                put(&app, base, element, Form::Native, &id, kind, &bytes).await;
                check(&app, &id, kind, &bytes, &format!("written at {base}")).await;
            });
            Ok(())
        });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
