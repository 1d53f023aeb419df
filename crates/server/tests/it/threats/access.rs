//! Rows 33 and 39 to 45: what a caller with a token tries, to come to the documents of another patient. Patient a
//! calls; what is b's is `other`. Request by request it is in `access/table.txt`; here is what takes several steps.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{access::Site, app::Answer};

const VERSIONS: [&str; 5] = ["dstu2", "stu3", "r4", "r4b", "r5"];

/// A caller of one endpoint.
pub(super) struct Caller<'s> {
    pub(super) site: &'s Site,
    pub(super) base: String,
    pub(super) token: String,
}

impl<'s> Caller<'s> {
    pub(super) fn new(site: &'s Site, version: &str, arguments: &[&str]) -> Self {
        Self { site, base: format!("/s/{version}"), token: site.token(arguments) }
    }

    /// Patient a with every right.
    pub(super) fn a(site: &'s Site, version: &str) -> Self {
        Self::new(site, version, &["--scope", "patient/*.cruds", "--patient", "a"])
    }

    pub(super) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.site.app.request(method, &format!("{}/{path}", self.base));
        request.bearer_auth(&self.token).header("X-Request-Id", "same")
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request("GET", path)).await
    }

    pub(super) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header("Content-Type", self.json());
        Answer::of(request.body(body.to_string())).await
    }

    pub(super) fn json(&self) -> &'static str {
        if self.base.ends_with("dstu2") { "application/json+fhir" } else { "application/fhir+json" }
    }
}

pub(super) fn observation(id: Option<&str>, patient: &str) -> Value {
    let mut body = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": format!("Patient/{patient}")}});
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    body
}

/// A document of patient a with this content.
pub(super) fn naming(version: &str, url: &str) -> Value {
    let mut body = json!({"resourceType": "DocumentReference", "status": "current", "type": {"text": "x"},
        "subject": {"reference": "Patient/a"},
        "content": [{"attachment": {"contentType": "text/plain", "url": url}}]});
    if matches!(version, "dstu2" | "stu3") {
        body["indexed"] = json!("2026-01-01T00:00:00Z");
    }
    body
}

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

fn entry(method: &str, url: &str, resource: Option<Value>) -> Value {
    let mut entry = json!({"request": {"method": method, "url": url}});
    if let Some(resource) = resource {
        entry["resource"] = resource;
    }
    entry
}

#[tokio::test]
async fn row_33_no_request_of_a_shows_anything_of_b() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let caller = Caller::a(&site, version);
        let mut successes = 0;
        for path in [
            "Binary/other",
            "Binary/other?_format=json",
            "Binary/other/_history/1",
            "Binary/other/_history",
            "Binary/moved/_history/1",
            "Binary/_history",
            "DocumentReference/other",
            "DocumentReference/moved/_history/1",
            "DocumentReference/moved/_history",
            "DocumentReference/_history",
            "_history",
            "DocumentReference?patient=b",
            "DocumentReference?patient=a,b",
            "DocumentReference?_id=other,by-a-about-b,moved",
            "DocumentReference?author=Patient/a",
            "DocumentReference?patient=a&_include=*",
            "DocumentReference?_include=DocumentReference:author&_include:iterate=DocumentReference:patient",
            "Patient?_revinclude=DocumentReference:patient",
            "Patient?_revinclude=DocumentReference:author",
            "Patient?_id=a,b",
            "Patient/b/DocumentReference",
            "Patient/a/DocumentReference",
            "Patient/b/Observation",
            "Observation",
            "?_type=DocumentReference,Patient,Observation&_id=b,other",
        ] {
            let answer = caller.get(path).await;
            successes += u32::from(answer.status == 200);
            let text = answer.text();
            for of_b in ["text of other", "text of moved", "Patient/b\"", "\"id\":\"b\"", "1970-01-01"] {
                assert!(!text.contains(of_b), "{version} {path} shows {of_b}: {text}");
            }
        }
        assert!(successes >= 10, "{version}: most searches are answered, {successes}");
        let entries = ["Binary/other", "DocumentReference/other", "DocumentReference?patient=b", "Patient/b"];
        let entries: Vec<Value> = entries.iter().map(|url| entry("GET", url, None)).collect();
        let answer = caller.send("POST", "", &bundle("batch", &entries)).await;
        assert_eq!(answer.status, 200, "{version}: {}", answer.text());
        assert!(!answer.text().contains("Patient/b\""), "{version}: {}", answer.text());
    }
    let staff = Caller::new(&site, "r4", &["--scope", "user/*.rs"]);
    assert!(staff.get("DocumentReference?patient=b").await.text().contains("Patient/b\""), "it is there");
    assert_eq!(staff.get("Binary/other").await.text(), "text of other");
}

#[tokio::test]
async fn row_39_pointing_at_something_opens_nothing() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let caller = Caller::a(&site, version);
        let native = |method: &str, path: &str, context: &str| {
            let request = caller.request(method, path).header("Content-Type", "text/plain");
            Answer::of(request.header("X-Security-Context", context).body("mine"))
        };
        for context in ["Patient/b", "DocumentReference/other", "DocumentReference/unknown", "Binary/other"] {
            assert_eq!(native("POST", "Binary", context).await.status, 422, "{version} {context}");
        }
        assert_eq!(native("PUT", "Binary/other", "Patient/a").await.status, 404, "{version}");
        let mine = native("POST", "Binary", "Patient/a").await;
        assert_eq!(mine.status, 201, "{version}: {}", mine.text());
        let location = mine.header("location");
        let id = location.split("/Binary/").nth(1).and_then(|rest| rest.split('/').next()).expect("an id");
        let path = format!("Binary/{id}");
        assert_eq!(native("PUT", &path, "Patient/b").await.status, 422, "{version}: nor re-pointed");
        assert_eq!(caller.get(&path).await.text(), "mine", "{version}");
        if version != "dstu2" {
            let resource = json!({"resourceType": "Binary", "contentType": "text/plain",
                "securityContext": {"reference": "Patient/b"}, "data": "bWluZQ==", "content": "bWluZQ=="});
            let mut resource = resource;
            let old = version == "stu3";
            resource.as_object_mut().expect("an object").remove(if old { "data" } else { "content" });
            assert_eq!(
                caller.send("POST", "Binary", &resource).await.status,
                422,
                "{version}: as a resource"
            );
        }
        let absolute = format!("{}/s/{version}/Binary/other", site.app.url);
        for url in ["Binary/other", "Binary/free", "Binary/unknown", "Binary/other/_history/1", &absolute] {
            let answer = caller.send("POST", "DocumentReference", &naming(version, url)).await;
            assert_eq!(answer.status, 422, "{version} {url}: {}", answer.text());
            let document = entry("POST", "DocumentReference", Some(naming(version, url)));
            let answer = caller.send("POST", "", &bundle("transaction", &[document])).await;
            assert_eq!(answer.status, 422, "{version} {url} in a transaction: {}", answer.text());
        }
        for hidden in ["Binary/other", "Binary/free"] {
            assert_eq!(caller.get(hidden).await.status, 404, "{version} {hidden}");
        }
    }
}

#[tokio::test]
async fn row_32_a_reference_to_another_server_is_no_reference_to_this_one() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let caller = Caller::a(&site, version);
        let elsewhere = format!("https://elsewhere.example/s/{version}/Binary/other");
        let answer = caller.send("POST", "DocumentReference", &naming(version, &elsewhere)).await;
        assert_eq!(answer.status, 201, "{version}: it may be named: {}", answer.text());
        assert_eq!(caller.get("Binary/other").await.status, 404, "{version}: and opens nothing here");
        let mut about = observation(None, "a");
        about["subject"]["reference"] = json!("https://elsewhere.example/r4/Patient/a");
        let answer = caller.send("POST", "Observation", &about).await;
        assert_eq!(answer.status, 403, "{version}: about the a of another server: {}", answer.text());
    }
}

#[tokio::test]
async fn row_40_a_document_does_not_change_its_patient_for_either_of_them() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let caller = Caller::a(&site, version);
        let (own, other) = (format!("own-{version}"), format!("other-{version}"));
        for (id, patient, expected) in [(&own, "b", 403), (&other, "a", 404), (&other, "b", 404)] {
            let (path, body) = (format!("Observation/{id}"), observation(Some(id), patient));
            let answer = caller.send("PUT", &path, &body).await;
            assert_eq!(answer.status, expected, "{version} {path}: {}", answer.text());
            let put = entry("PUT", &path, Some(body.clone()));
            let answer = caller.send("POST", "", &bundle("transaction", &[put])).await;
            assert_eq!(answer.status, expected, "{version} {path} in a transaction: {}", answer.text());
            let criteria = format!("Observation?_id={id}");
            let answer = caller.send("PUT", &criteria, &body).await;
            // What is b's is not found, so in DSTU2, where a body's id counts for nothing, there may be a new one.
            let is_new = answer.status == 201 && !answer.header("location").contains(id.as_str());
            assert!(is_new || matches!(answer.status, 403 | 404), "{version} {criteria}: {}", answer.text());
        }
        if version != "dstu2" {
            let patch = json!([{"op": "replace", "path": "/subject/reference", "value": "Patient/b"}]);
            for (id, expected) in [(&own, 403), (&other, 404)] {
                let request = caller.request("PATCH", &format!("Observation/{id}"));
                let request = request.header("Content-Type", "application/json-patch+json");
                let answer = Answer::of(request.body(patch.to_string())).await;
                assert_eq!(answer.status, expected, "{version} {id}: {}", answer.text());
            }
        }
        let kept = caller.get(&format!("Observation/{own}")).await;
        assert_eq!(kept.header("etag"), "W/\"1\"", "{version}: nothing was written");
        let staff = Caller::new(&site, version, &["--scope", "user/*.rs"]);
        let kept = staff.get(&format!("Observation/{other}")).await;
        assert_eq!(kept.header("etag"), "W/\"1\"", "{version}: nothing was written");
        let moved = caller.get("DocumentReference/moved/_history/1").await;
        assert_eq!(moved.status, 404, "{version}: what went to b is b's, as it was too");
    }
}

#[tokio::test]
async fn row_41_who_wrote_about_somebody_has_no_claim_to_it() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let mut body = observation(Some("performed"), "b");
        body["performer"] = json!([{"reference": "Patient/a"}]);
        let json = if version == "dstu2" { "application/json+fhir" } else { "application/fhir+json" };
        site.app.put(&format!("/{version}/Observation/performed"), json, body.to_string()).await;
        let caller = Caller::a(&site, version);
        for path in ["Observation/performed", "DocumentReference/by-a-about-b"] {
            assert_eq!(caller.get(path).await.status, 404, "{version} {path}");
        }
        for path in [
            "Observation?performer=Patient/a",
            "DocumentReference?author=Patient/a",
            "Patient/a/Observation?_id=performed",
        ] {
            let answer = caller.get(path).await;
            assert_eq!((answer.status, &answer.json()["total"]), (200, &json!(0)), "{version} {path}");
        }
        let staff = Caller::new(&site, version, &["--scope", "user/*.rs"]);
        assert_eq!(staff.get("Observation?performer=Patient/a").await.json()["total"], 1, "{version}");
    }
}

/// Asks the same of what is b's and of what never was; the answers are alike but for the name that was asked for.
async fn alike(
    caller: &Caller<'_>,
    method: &str,
    path: &str,
    header: Option<(&str, &str)>,
    body: Option<Value>,
) {
    let ask = async |name: &str| {
        let fill = |text: &str| text.replace("NAME", name);
        let mut request = caller.request(method, &fill(path));
        if let Some((header, value)) = header {
            request = request.header(header, fill(value));
        }
        if let Some(body) = &body {
            request = request.header("Content-Type", caller.json()).body(fill(&body.to_string()));
        }
        let mut answer = Answer::of(request).await;
        for own in ["date", "last-modified", "content-length", "location", "content-location"] {
            answer.headers.remove(own);
        }
        answer
    };
    let (other, unknown) = (ask("other").await, ask("unknown").await);
    let what = format!("{} {method} {path} {header:?}", caller.base);
    assert_eq!(other.status, unknown.status, "{what}: {} {}", other.text(), unknown.text());
    assert_eq!(other.headers, unknown.headers, "{what}");
    if !matches!(other.status, 200 | 201) {
        assert_eq!(other.text().replace("other", "unknown"), unknown.text(), "{what}");
    } else if other.essence().contains("fhir") && other.json()["resourceType"] == "Bundle" {
        assert_eq!(other.json()["total"], unknown.json()["total"], "{what}");
        let count = |answer: &Answer| answer.json()["entry"].as_array().map_or(0, Vec::len);
        assert_eq!(count(&other), count(&unknown), "{what}");
    }
}

#[tokio::test]
async fn row_42_no_answer_tells_what_is_there_for_others() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let caller = Caller::a(&site, version);
        let of = format!("Observation/NAME-{version}");
        for path in [
            "DocumentReference?_id=NAME",
            "DocumentReference?_id=NAME&_summary=count",
            "DocumentReference?_id=NAME,own&_sort=date",
            "DocumentReference?_id:not=NAME",
            "Patient?_has:DocumentReference:patient:_id=NAME",
            "DocumentReference?relatesto=DocumentReference/NAME",
            "DocumentReference/NAME/_history",
            "DocumentReference/NAME/_history/1",
            "Binary/NAME/_history/7",
        ] {
            alike(&caller, "GET", path, None, None).await;
        }
        for (header, value) in [
            ("If-None-Match", "W/\"1\""),
            ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),
            ("Range", "bytes=0-1"),
            ("Accept", "image/png"),
        ] {
            alike(&caller, "GET", "Binary/NAME", Some((header, value)), None).await;
            alike(&caller, "HEAD", &of, Some((header, value)), None).await;
        }
        let again = observation(Some(&format!("NAME-{version}")), "a");
        for (header, value) in [("If-Match", "W/\"1\""), ("If-Match", "W/\"9\""), ("If-None-Match", "*")] {
            alike(&caller, "PUT", &of, Some((header, value)), Some(again.clone())).await;
            alike(&caller, "DELETE", &of, Some((header, value)), None).await;
        }
        let exist = format!("_id=NAME-{version}");
        alike(&caller, "POST", "Observation", Some(("If-None-Exist", &exist)), Some(observation(None, "a")))
            .await;
        alike(&caller, "DELETE", &format!("Observation?{exist}"), None, None).await;
        alike(&caller, "PUT", &format!("Observation?{exist}"), None, Some(observation(None, "a"))).await;
        alike(&caller, "POST", "DocumentReference", None, Some(naming(version, "Binary/NAME"))).await;
        let mut linked = observation(None, "a");
        linked["encounter"] = json!({"reference": "Encounter/NAME"});
        alike(&caller, "POST", "Observation", None, Some(linked)).await;
        let mut found = observation(None, "a");
        found["encounter"] = json!({"reference": format!("Encounter?_id=NAME")});
        let post = entry("POST", "Observation", Some(found));
        alike(&caller, "POST", "", None, Some(bundle("transaction", &[post]))).await;
    }
    // A chain and `_has` ask nothing of types that no scope names, and sorting nothing of hidden values.
    let docs = ["--scope", "patient/DocumentReference.rs", "--patient", "a"];
    let docs = Caller::new(&site, "r4", &docs);
    for born in ["1980-01-01", "1970-01-01", "1900-01-01"] {
        let found = docs.get(&format!("DocumentReference?patient.birthdate={born}")).await;
        assert_eq!(found.json()["total"], 0, "{born}");
    }
}

#[tokio::test]
async fn row_45_entries_of_a_bundle_have_the_rights_of_their_sender() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let scopes = ["patient/*.cruds", "patient/*.rs", "patient/DocumentReference.rs", "openid"];
        for scope in scopes {
            let caller = Caller::new(&site, version, &["--scope", scope, "--patient", "a"]);
            let (other, own) = (format!("Observation/other-{version}"), format!("Observation/own-{version}"));
            for (method, url, resource) in [
                ("GET", "Binary/other".to_owned(), None),
                ("GET", "DocumentReference/own".to_owned(), None),
                ("GET", "DocumentReference/other".to_owned(), None),
                ("GET", "DocumentReference?patient=b".to_owned(), None),
                ("POST", "Observation".to_owned(), Some(observation(None, "b"))),
                ("PUT", other.clone(), Some(observation(Some(&format!("other-{version}")), "a"))),
                ("PUT", own, Some(observation(Some(&format!("own-{version}")), "b"))),
                ("DELETE", other, None),
                ("DELETE", "Binary/other".to_owned(), None),
            ] {
                let what = format!("{version} {method} {url} with {scope}");
                let alone = match &resource {
                    Some(resource) => caller.send(method, &url, resource).await.status,
                    None => Answer::of(caller.request(method, &url)).await.status,
                };
                let sent = [entry(method, &url, resource)];
                let batch = caller.send("POST", "", &bundle("batch", &sent)).await;
                assert_eq!(batch.status, 200, "{what}: {}", batch.text());
                let response = &batch.json()["entry"][0]["response"]["status"];
                let inside = response.as_str().and_then(|text| text[..3].parse().ok());
                assert_eq!(inside, Some(alone), "{what}: {}", batch.text());
                let all = caller.send("POST", "", &bundle("transaction", &sent)).await;
                assert_eq!(all.status, alone, "{what} in a transaction: {}", all.text());
            }
        }
    }
}

/// The link to the next page.
fn next(answer: &Answer) -> String {
    let bundle = answer.json();
    let links = bundle["link"].as_array().expect("links");
    let next = links.iter().find(|link| link["relation"] == "next").expect("there are more pages");
    next["url"].as_str().expect("a URL").to_owned()
}

/// Clause 9 of the list of tests: a link is of use to whom it was given, as long as they may see what it shows.
#[tokio::test]
async fn row_33_a_link_to_the_next_page_is_of_use_to_nobody_else() {
    let site = Site::start("").await;
    for version in VERSIONS {
        let scope = "patient/DocumentReference.rs";
        let caller = Caller::new(&site, version, &["--scope", scope, "--patient", "a"]);
        for path in ["DocumentReference?_count=1", "DocumentReference/_history?_count=1"] {
            let first = caller.get(path).await;
            let url = next(&first);
            let path = url.split_once(&format!("/s/{version}/")).expect("a link of this base").1.to_owned();
            let follow = async |version: &str, arguments: &[&str]| {
                let answer = Caller::new(&site, version, arguments).get(&path).await;
                let ids = match answer.status {
                    200 => answer.json()["entry"].as_array().cloned().unwrap_or_default(),
                    _ => Vec::new(),
                };
                let ids = ids.iter().map(|entry| entry["resource"]["id"].to_string());
                (answer.status, ids.collect::<BTreeSet<_>>())
            };
            let what = format!("{version} {path}");
            let (status, shown) = follow(version, &["--scope", scope, "--patient", "a"]).await;
            assert_eq!((status, shown.len()), (200, 1), "{what}: the caller's, also with a newer token");
            for arguments in [
                &["--scope", scope, "--patient", "b"][..],
                &["--scope", "system/*.rs"],
                &["--scope", scope, "--patient", "a", "--client", "another"],
                &["--scope", scope, "--patient", "a", "--user", "Practitioner/p"],
            ] {
                let (status, shown) = follow(version, arguments).await;
                assert!((400..500).contains(&status), "{what} with {arguments:?}: {status}");
                assert!(shown.is_empty(), "{what} with {arguments:?}");
            }
            for lost in ["patient/Observation.rs", "openid", "patient/DocumentReference.r"] {
                let (status, _) = follow(version, &["--scope", lost, "--patient", "a"]).await;
                assert_eq!(status, 403, "{what}: after the scope was lost, {lost}");
            }
            let narrower = "patient/DocumentReference.rs?_id=none";
            let (status, shown) = follow(version, &["--scope", narrower, "--patient", "a"]).await;
            assert!(shown.is_empty(), "{what}: {status}, what is left of the scope counts");
            let elsewhere = if version == "r4" { "r4b" } else { "r4" };
            let (status, _) = follow(elsewhere, &["--scope", scope, "--patient", "a"]).await;
            assert!((400..500).contains(&status), "{what} at {elsewhere}: {status}");
        }
    }
}
