//! Row 43: documents that are labelled, and who may see them or take the label off.

use serde_json::{Value, json};

use super::access::{Caller, naming};
use crate::{access::Site, app::Answer};

const PROOFS: &str = r#"
[confidentiality]
restricted = { scopes = ["sensitive"], purposes = ["ETREAT"] }
very_restricted = { scopes = ["very-sensitive"], purposes = ["PUBHLTH"] }
relabel = { scopes = ["relabel"], purposes = [] }
"#;

const VERSIONS: [&str; 5] = ["dstu2", "stu3", "r4", "r4b", "r5"];
const NEW: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const OLD: &str = "http://hl7.org/fhir/v3/Confidentiality";

/// Where a label stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// `meta.security`
    Meta,
    /// `DocumentReference.securityLabel`
    Document,
    /// `meta.security` of the Binary
    Binary,
}

fn labelled(mut body: Value, place: Place, system: &str, code: &str) -> Value {
    let coding = json!({"system": system, "code": code});
    match place {
        Place::Document => body["securityLabel"] = json!([{"coding": [coding]}]),
        Place::Meta | Place::Binary => body["meta"] = json!({"security": [coding]}),
    }
    body
}

/// A Binary as this version writes it, and the type of that.
fn binary(version: &str, id: &str, label: Option<(&str, &str)>) -> (&'static str, String) {
    let json = if version == "dstu2" { "application/json+fhir" } else { "application/fhir+json" };
    let payload = if matches!(version, "dstu2" | "stu3") { "content" } else { "data" };
    let mut binary = json!({"resourceType": "Binary", "id": id, "contentType": "text/plain"});
    binary[payload] = json!("c2VjcmV0");
    if let Some((code, system)) = label {
        binary = labelled(binary, Place::Binary, system, code);
    }
    (json, binary.to_string())
}

/// A document `id` of patient a and its Binary, one of which is labelled; written through this version.
async fn write(site: &Site, version: &str, id: &str, place: Place, system: &str, code: &str) -> Value {
    let (json, binary) = binary(version, id, (place == Place::Binary).then_some((code, system)));
    let mut document = naming(version, &format!("Binary/{id}"));
    document["id"] = json!(id);
    if place != Place::Binary {
        document = labelled(document, place, system, code);
    }
    site.app.put(&format!("/{version}/Binary/{id}"), json, binary).await;
    site.app.put(&format!("/{version}/DocumentReference/{id}"), json, document.to_string()).await;
    document
}

#[tokio::test]
async fn row_43_labelled_documents_are_for_those_who_show_a_reason() {
    let site = Site::start(PROOFS).await;
    let callers: [(&[&str], u8); 8] = [
        (&["--scope", "system/*.cruds"], 0),
        (&["--scope", "patient/*.cruds", "--patient", "a"], 0),
        (&["--scope", "system/*.rs Sensitive"], 0),
        (&["--scope", "system/*.rs", "--purpose", "TREAT"], 0),
        (&["--scope", "system/*.rs sensitive"], 1),
        (&["--scope", "patient/*.rs", "--patient", "a", "--purpose", "ETREAT"], 1),
        (&["--scope", "system/*.rs very-sensitive"], 2),
        (&["--scope", "system/*.rs", "--purpose", "PUBHLTH"], 2),
    ];
    for version in VERSIONS {
        let mut documents = Vec::new();
        for (place, name) in [(Place::Meta, "meta"), (Place::Document, "doc"), (Place::Binary, "bin")] {
            for (code, needs) in [("R", 1), ("V", 2), ("N", 0)] {
                for (system, age) in [(NEW, "new"), (OLD, "old")] {
                    let id = format!("{name}-{code}-{age}-{version}");
                    write(&site, version, &id, place, system, code).await;
                    documents.push((id, place, needs));
                }
            }
        }
        let shown_in = if version == "r4" { "dstu2" } else { "r4" };
        for (arguments, sees) in &callers {
            for at in [version, shown_in] {
                let caller = Caller::new(&site, at, arguments);
                for (id, place, needs) in &documents {
                    let what = format!("{id} at {at} with {arguments:?}");
                    let binary = if sees >= needs { 200 } else { 404 };
                    let document = if *place == Place::Binary { 200 } else { binary };
                    for path in ["Binary/ID", "Binary/ID?_format=json", "Binary/ID/_history/1"] {
                        let path = path.replace("ID", id);
                        assert_eq!(caller.get(&path).await.status, binary, "{what} {path}");
                    }
                    assert_eq!(
                        caller.get(&format!("DocumentReference/{id}")).await.status,
                        document,
                        "{what}"
                    );
                    let found = caller.get(&format!("DocumentReference?_id={id}")).await;
                    assert_eq!(found.json()["total"], u8::from(document == 200), "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn row_43_nobody_takes_a_label_off_without_the_right_to() {
    let site = Site::start(PROOFS).await;
    for version in VERSIONS {
        let sensitive = Caller::new(&site, version, &["--scope", "system/*.cruds sensitive"]);
        let plain = Caller::new(&site, version, &["--scope", "system/*.cruds"]);
        let relabels = Caller::new(&site, version, &["--scope", "system/*.cruds sensitive relabel"]);
        let system = if matches!(version, "dstu2" | "stu3") { OLD } else { NEW };
        for (place, name) in [(Place::Meta, "meta"), (Place::Document, "doc")] {
            let id = format!("lower-{name}-{version}");
            let path = format!("DocumentReference/{id}");
            let document = write(&site, version, &id, place, system, "R").await;
            let mut bare = document.clone();
            bare.as_object_mut()
                .expect("an object")
                .retain(|name, _| name != "securityLabel" && name != "meta");
            bare["description"] = json!("changed");
            let tries = [bare.clone(), labelled(bare.clone(), place, system, "N")];
            for lowered in &tries {
                assert_eq!(plain.send("PUT", &path, lowered).await.status, 404, "{version} {path}");
                let answer = sensitive.send("PUT", &path, lowered).await;
                // Labels of meta are merged, so they stay; those of the document would be gone.
                assert!(matches!(answer.status, 200 | 403), "{version} {path}: {}", answer.text());
                assert_eq!(
                    place == Place::Document,
                    answer.status == 403,
                    "{version} {path}: {}",
                    answer.text()
                );
                let entry = json!({"resource": lowered, "request": {"method": "PUT", "url": path}});
                let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
                let answer = sensitive.send("POST", "", &bundle).await;
                assert!(matches!(answer.status, 200 | 403), "{version} {path}: {}", answer.text());
                for hidden in [&path, &format!("Binary/{id}")] {
                    assert_eq!(plain.get(hidden).await.status, 404, "{version} {hidden} stays what it was");
                }
            }
            if version != "dstu2" {
                let at = if place == Place::Meta { "/meta/security" } else { "/securityLabel" };
                for patch in [
                    json!([{"op": "remove", "path": at}]),
                    json!([{"op": "replace", "path": format!("{at}/0"), "value": {"text": "x"}}]),
                ] {
                    let request = sensitive.request("PATCH", &path);
                    let request = request.header("Content-Type", "application/json-patch+json");
                    let answer = Answer::of(request.body(patch.to_string())).await;
                    assert!(
                        (400..500).contains(&answer.status) || place == Place::Meta,
                        "{version} {patch}: {}",
                        answer.text()
                    );
                    assert_eq!(plain.get(&path).await.status, 404, "{version} {path} after {patch}");
                }
            }
            let answer = relabels.send("PUT", &path, &bare).await;
            assert_eq!(answer.status, 200, "{version} {path}: {}", answer.text());
            let visible = if place == Place::Document { 200 } else { 404 };
            assert_eq!(plain.get(&path).await.status, visible, "{version} {path}: who may, may");
        }
        // A native write has no labels to bring: those that are there stay.
        let id = format!("lower-bin-{version}");
        let (_, binary) = binary(version, &id, Some(("R", system)));
        site.app.put(&format!("/{version}/Binary/{id}"), sensitive.json(), binary).await;
        let path = format!("Binary/{id}");
        for (caller, expected) in [(&plain, 404), (&sensitive, 200)] {
            let request = caller.request("PUT", &path).header("Content-Type", "text/plain");
            let answer = Answer::of(request.body("changed")).await;
            assert_eq!(answer.status, expected, "{version} {path}: {}", answer.text());
            assert_eq!(plain.get(&path).await.status, 404, "{version} {path}");
        }
    }
}
