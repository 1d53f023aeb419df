//! Documents and reports that were written in one version are read and found in each of the others.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

const JSON: &str = "application/fhir+json";
const VERSIONS: [&str; 5] = ["dstu2", "stu3", "r4", "r4b", "r5"];

async fn put(app: &TestApp, version: &str, resource: &Value) {
    let path = format!(
        "/{version}/{}/{}",
        resource["resourceType"].as_str().unwrap(),
        resource["id"].as_str().unwrap()
    );
    app.put(&path, JSON, resource.to_string()).await;
}

async fn get(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path, JSON).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn concept(code: &str) -> Value {
    json!({"coding":[{"system":"http://codes","code":code}]})
}

fn reference(to: &str) -> Value {
    json!({"reference":to})
}

/// Sets members in `of`.
fn with(mut of: Value, members: Value) -> Value {
    for (name, value) in members.as_object().expect("an object") {
        of[name] = value.clone();
    }
    of
}

/// The same document as each version has it.
fn document(version: &str) -> Value {
    let attachment = json!({"contentType":"text/x-note","language":"en","url":"http://else/note",
        "creation":"2019-12-31T10:00:00Z"});
    let common = json!({"resourceType":"DocumentReference","id":format!("in-{version}"),"status":"superseded",
        "type":concept("type"),"subject":reference("Patient/p"),"author":[reference("Practitioner/a")],
        "custodian":reference("Organization/c"),"description":"A note","securityLabel":[concept("R")]});
    let related = json!({"code":"appends","target":reference("DocumentReference/other")});
    let context = json!({"event":[concept("event")],"facilityType":concept("facility"),
        "practiceSetting":concept("setting"),"period":{"start":"2019-12-01","end":"2019-12-31"}});
    let master = json!({"system":"http://ids","value":"master"});
    let own = json!([{"system":"http://ids","value":"own"}]);
    let before_r5 = json!({"masterIdentifier":master,"identifier":own,"authenticator":reference("Practitioner/s"),
        "relatesTo":[related]});
    match version {
        "dstu2" => with(
            with(common, before_r5),
            json!({"class":concept("class"),"created":"2019-11-11",
            "indexed":"2020-01-02T03:04:05Z",
            "docStatus":{"coding":[{"system":"http://hl7.org/fhir/composition-status","code":"final"}]},
            "content":[{"attachment":attachment,"format":[{"system":"http://codes","code":"format"}]}],
            "context":with(context, json!({"encounter":reference("Encounter/e"),
                "related":[{"identifier":{"system":"http://ids","value":"r"},"ref":reference("Observation/o")}]}))}),
        ),
        "stu3" => with(
            with(common, before_r5),
            json!({"class":concept("class"),"created":"2019-11-11",
            "indexed":"2020-01-02T03:04:05Z","docStatus":"final",
            "content":[{"attachment":attachment,"format":{"system":"http://codes","code":"format"}}],
            "context":with(context, json!({"encounter":reference("Encounter/e"),
                "related":[{"identifier":{"system":"http://ids","value":"r"},"ref":reference("Observation/o")}]}))}),
        ),
        "r4" | "r4b" => with(
            with(common, before_r5),
            json!({"category":[concept("class")],
            "date":"2020-01-02T03:04:05Z","docStatus":"final",
            "content":[{"attachment":attachment,"format":{"system":"http://codes","code":"format"}}],
            "context":with(context, json!({"encounter":[reference("Encounter/e")],"related":[
                {"reference":"Observation/o","identifier":{"system":"http://ids","value":"r"}}]}))}),
        ),
        _ => with(
            with(common, context),
            json!({"identifier":[{"system":"http://ids","value":"own"},master],
            "category":[concept("class")],"date":"2020-01-02T03:04:05Z","docStatus":"final",
            "attester":[{"mode":{"coding":[{"system":"http://hl7.org/fhir/composition-attestation-mode","code":"professional"}]},
                "party":reference("Practitioner/s")}],
            "relatesTo":[{"code":{"coding":[{"system":"http://hl7.org/fhir/document-relationship-type","code":"appends"}]},
                "target":reference("DocumentReference/other")}],
            "content":[{"attachment":attachment,"profile":[{"valueCoding":{"system":"http://codes","code":"format"}}]}],
            "event":[{"concept":concept("event")}],"context":[reference("Encounter/e")]}),
        ),
    }
}

/// The same report as each version has it.
fn report(version: &str) -> Value {
    let common = json!({"resourceType":"DiagnosticReport","id":format!("in-{version}"),"status":"corrected",
        "code":concept("code"),"subject":reference("Patient/p"),"effectiveDateTime":"2019-12-31",
        "issued":"2020-01-02T03:04:05Z","identifier":[{"system":"http://ids","value":"own"}],
        "specimen":[reference("Specimen/s")],"result":[reference("Observation/o")],"conclusion":"fine",
        "presentedForm":[{"contentType":"application/pdf","url":"http://else/report"}]});
    match version {
        "dstu2" => with(
            common,
            json!({"category":concept("category"),"encounter":reference("Encounter/e"),
            "performer":reference("Practitioner/a"),"codedDiagnosis":[concept("diagnosis")],
            "image":[{"link":reference("Media/m")}]}),
        ),
        "stu3" => with(
            common,
            json!({"category":concept("category"),"context":reference("Encounter/e"),
            "performer":[{"actor":reference("Practitioner/a")}],"codedDiagnosis":[concept("diagnosis")],
            "image":[{"link":reference("Media/m")}]}),
        ),
        "r4" | "r4b" => with(
            common,
            json!({"category":[concept("category")],"encounter":reference("Encounter/e"),
            "performer":[reference("Practitioner/a")],"conclusionCode":[concept("diagnosis")],
            "media":[{"link":reference("Media/m")}]}),
        ),
        _ => with(
            common,
            json!({"category":[concept("category")],"encounter":reference("Encounter/e"),
            "performer":[reference("Practitioner/a")],"conclusionCode":[concept("diagnosis")]}),
        ),
    }
}

/// All of them, and one that no search means.
async fn written(make: fn(&str) -> Value, decoy: Value) -> TestApp {
    let app = TestApp::start();
    for version in VERSIONS {
        put(&app, version, &make(version)).await;
    }
    put(&app, "r4", &decoy).await;
    app
}

/// What is shown in each version of what was written in each version is what that version would have written. Some
/// members have no place in every version: what is shown may then have more or less.
async fn check_reads(app: &TestApp, make: fn(&str) -> Value, beside: &[&str]) {
    for writer in VERSIONS {
        for reader in VERSIONS {
            let mut expected = make(reader);
            let kind = expected["resourceType"].as_str().unwrap().to_owned();
            expected["id"] = json!(format!("in-{writer}"));
            let mut shown = get(app, &format!("/{reader}/{kind}/in-{writer}")).await;
            let meta = shown.as_object_mut().unwrap().remove("meta").unwrap();
            assert_eq!(meta["versionId"], "1");
            if writer == "r5" && reader != "r5" {
                // Which identifier is the master nobody can tell.
                if let Some(master) = expected.as_object_mut().unwrap().remove("masterIdentifier") {
                    expected["identifier"].as_array_mut().unwrap().push(master);
                }
            }
            if writer != reader {
                for resource in [&mut shown, &mut expected] {
                    beside.iter().for_each(|path| remove(resource, path));
                }
            }
            assert_eq!(shown, expected, "written in {writer}, read in {reader}");
        }
    }
}

fn remove(resource: &mut Value, path: &str) {
    let (parent, name) = path.rsplit_once('/').expect("a pointer");
    if let Some(Value::Object(members)) = resource.pointer_mut(parent) {
        members.remove(name);
    }
}

/// Each query finds so many in the versions that know its parameter. In the others it is left out: all are found, and
/// the self link says so.
async fn check_searches(app: &TestApp, kind: &str, cases: &[(&str, &[&str], u64)]) {
    for (query, known, count) in cases {
        for version in VERSIONS {
            let path = format!("/{version}/{kind}?{query}");
            let bundle = get(app, &path).await;
            let is_known = known.contains(&version);
            let own = bundle["link"][0]["url"].as_str().unwrap();
            let name = query.split(['=', ':']).next().unwrap();
            assert_eq!(own.contains(&format!("{name}=")), is_known, "{path}: {own}");
            assert_eq!(bundle["total"], if is_known { *count } else { 6 }, "{path}");
            let strict = app.request(Method::GET, &path).header("Prefer", "handling=strict");
            assert_eq!(Answer::of(strict).await.status, if is_known { 200 } else { 400 }, "{path}, strictly");
        }
    }
}

const ALL: &[&str] = &VERSIONS;
const OLD: &[&str] = &["dstu2", "stu3"];
const NEW: &[&str] = &["r4", "r4b", "r5"];
const R4: &[&str] = &["r4", "r4b"];
const BEFORE_R5: &[&str] = &["dstu2", "stu3", "r4", "r4b"];
const R5: &[&str] = &["r5"];

#[tokio::test]
async fn a_document_of_any_version_is_read_in_any_other() {
    let decoy = json!({"resourceType":"DocumentReference","id":"decoy","status":"current",
        "content":[{"attachment":{"url":"http://else/decoy"}}]});
    let app = written(document, decoy).await;
    // Only some versions have these: `created`, `related`; and what carries them elsewhere is an extension.
    check_reads(&app, document, &["/created", "/context/related", "/extension"]).await;
    for (writer, reader) in [("dstu2", "r4"), ("stu3", "r5")] {
        let shown = get(&app, &format!("/{reader}/DocumentReference/in-{writer}")).await;
        assert!(shown.get("created").is_none(), "{reader} has no such element");
        assert!(shown["extension"].to_string().contains("2019-11-11"), "{shown}");
    }
    let decoy = get(&app, "/dstu2/DocumentReference/decoy").await;
    assert_eq!(decoy["indexed"], decoy["meta"]["lastUpdated"], "the one time that stands in");
    assert!(
        decoy["type"]["coding"].is_null() && decoy["type"]["text"].is_null(),
        "a type is not made up: {decoy}"
    );
    for absent in ["author", "created", "class", "context", "docStatus", "subject"] {
        assert!(decoy.get(absent).is_none(), "{absent}");
    }
    assert!(get(&app, "/r5/DocumentReference/decoy").await.get("date").is_none(), "nor is a date");
}

#[tokio::test]
async fn a_document_of_any_version_is_found_in_any_other() {
    let decoy = json!({"resourceType":"DocumentReference","id":"decoy","status":"current","date":"2001-01-01T00:00:00Z",
        "content":[{"attachment":{"url":"http://else/decoy"}}]});
    let app = written(document, decoy).await;
    check_searches(
        &app,
        "DocumentReference",
        &[
            ("patient=p", ALL, 5),
            ("subject=Patient/p", ALL, 5),
            ("type=http://codes|type", ALL, 5),
            ("class=class", OLD, 5),
            ("category=class", NEW, 5),
            ("author=Practitioner/a", ALL, 5),
            ("authenticator=Practitioner/s", BEFORE_R5, 5),
            ("attester=Practitioner/s", R5, 5),
            ("custodian=Organization/c", ALL, 5),
            ("indexed=2020-01-02", OLD, 5),
            ("date=2020-01-02", NEW, 5),
            ("created=2019-11-11", OLD, 2),
            ("creation=2019-12-31", NEW, 5),
            ("description=a+note", ALL, 5),
            ("status=superseded", ALL, 5),
            ("doc-status=final", R5, 5),
            ("identifier=http://ids|own", ALL, 5),
            ("identifier=http://ids|master", ALL, 5),
            ("encounter=Encounter/e", BEFORE_R5, 5),
            ("context=Encounter/e", R5, 5),
            ("event=event", BEFORE_R5, 5),
            ("event-code=event", R5, 5),
            ("facility=facility", ALL, 5),
            ("setting=setting", ALL, 5),
            ("period=2019-12-15", ALL, 0),
            ("period=ap2019-12-15", ALL, 5),
            ("format=format", BEFORE_R5, 5),
            ("format-code=format", R5, 5),
            ("related-ref=Observation/o", OLD, 4),
            ("related-id=http://ids|r", OLD, 4),
            ("related=Observation/o", R4, 4),
            ("relatesto=DocumentReference/other", ALL, 5),
            ("relation=appends", ALL, 5),
            ("relationship=DocumentReference/other$appends", ALL, 5),
            ("securitylabel=R", OLD, 5),
            ("security-label=R", NEW, 5),
            ("language=en", ALL, 5),
            ("location=http://else/note", ALL, 5),
            ("contenttype=text/x-note", NEW, 5),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_report_of_any_version_is_read_and_found_in_any_other() {
    let decoy =
        json!({"resourceType":"DiagnosticReport","id":"decoy","status":"preliminary","code":{"text":"x"}});
    let app = written(report, decoy).await;
    check_reads(&app, report, &["/image", "/media", "/extension"]).await;
    let decoy = get(&app, "/dstu2/DiagnosticReport/decoy").await;
    assert_eq!(decoy["status"], "partial", "preliminary is partial in DSTU2");
    for absent in ["issued", "effectiveDateTime"] {
        assert!(decoy.get(absent).is_none(), "no time is made up");
        assert!(decoy[format!("_{absent}")].to_string().contains("data-absent-reason"), "{decoy}");
    }
    check_searches(
        &app,
        "DiagnosticReport",
        &[
            ("patient=p", ALL, 5),
            ("status=corrected", ALL, 5),
            ("category=category", ALL, 5),
            ("code=http://codes|code", ALL, 5),
            ("date=2019-12-31", ALL, 5),
            ("issued=2020-01-02", ALL, 5),
            ("identifier=http://ids|own", ALL, 5),
            ("encounter=Encounter/e", ALL, 5),
            ("context=Encounter/e", &["stu3"], 5),
            ("performer=Practitioner/a", ALL, 5),
            ("specimen=Specimen/s", ALL, 5),
            ("result=Observation/o", ALL, 5),
            ("diagnosis=diagnosis", OLD, 5),
            ("conclusion=diagnosis", NEW, 5),
            ("image=Media/m", OLD, 4),
        ],
    )
    .await;
    // R5 has no Media: its parameter leads to documents.
    for (version, count) in [("r4", 4), ("r4b", 4), ("r5", 0)] {
        assert_eq!(
            get(&app, &format!("/{version}/DiagnosticReport?media=Media/m")).await["total"],
            count,
            "{version}"
        );
    }
    // By the code that each version has for it.
    for (version, code) in
        [("dstu2", "partial"), ("stu3", "preliminary"), ("r4", "preliminary"), ("r5", "preliminary")]
    {
        assert_eq!(
            get(&app, &format!("/{version}/DiagnosticReport?status={code}")).await["total"],
            1,
            "{version}"
        );
    }
}

#[tokio::test]
async fn every_status_is_shown_as_each_version_has_it() {
    let app = TestApp::start();
    // R5, then DSTU2, STU3, R4.
    let reports = [
        ("registered", Some("registered"), "registered", "registered"),
        ("partial", Some("partial"), "partial", "partial"),
        ("preliminary", Some("partial"), "preliminary", "preliminary"),
        ("modified", Some("corrected"), "amended", "amended"),
        ("final", Some("final"), "final", "final"),
        ("amended", Some("corrected"), "amended", "amended"),
        ("corrected", Some("corrected"), "corrected", "corrected"),
        ("appended", Some("appended"), "appended", "appended"),
        ("cancelled", Some("cancelled"), "cancelled", "cancelled"),
        ("entered-in-error", Some("entered-in-error"), "entered-in-error", "entered-in-error"),
        ("unknown", None, "unknown", "unknown"),
    ];
    for (code, dstu2, stu3, r4) in reports {
        put(
            &app,
            "r5",
            &json!({"resourceType":"DiagnosticReport","id":code,"status":code,"code":{"text":"x"}}),
        )
        .await;
        for (version, expected) in
            [("dstu2", dstu2), ("stu3", Some(stu3)), ("r4", Some(r4)), ("r4b", Some(r4)), ("r5", Some(code))]
        {
            let shown = get(&app, &format!("/{version}/DiagnosticReport/{code}")).await;
            assert_eq!(shown["status"].as_str(), expected, "{code} in {version}");
            // Written back there it is the same again in R5.
            if version != "r5" {
                put(&app, version, &shown).await;
                let again = get(&app, &format!("/r5/DiagnosticReport/{code}")).await;
                assert_eq!(again["status"], code, "back from {version}");
            }
        }
    }
    let documents = [
        ("registered", None),
        ("partial", Some("preliminary")),
        ("preliminary", Some("preliminary")),
        ("final", Some("final")),
        ("amended", Some("amended")),
        ("corrected", Some("amended")),
        ("appended", Some("amended")),
        ("cancelled", None),
        ("entered-in-error", Some("entered-in-error")),
        ("deprecated", None),
        ("unknown", None),
    ];
    for (code, before) in documents {
        put(
            &app,
            "r5",
            &json!({"resourceType":"DocumentReference","id":code,"status":"current","docStatus":code,
            "content":[{"attachment":{"url":"http://else/x"}}]}),
        )
        .await;
        for version in VERSIONS {
            let shown = get(&app, &format!("/{version}/DocumentReference/{code}")).await;
            let status = match version {
                "dstu2" => shown["docStatus"]["coding"][0]["code"].as_str(),
                _ => shown["docStatus"].as_str(),
            };
            assert_eq!(status, if version == "r5" { Some(code) } else { before }, "{code} in {version}");
            if version != "r5" {
                put(&app, version, &shown).await;
                let again = get(&app, &format!("/r5/DocumentReference/{code}")).await;
                assert_eq!(again["docStatus"], code, "back from {version}");
            }
        }
    }
}

#[tokio::test]
async fn one_report_is_the_same_bytes_through_both_resources() {
    let app = TestApp::start();
    for version in VERSIONS {
        let bytes = format!("%PDF-1.4 of {version}");
        app.put(&format!("/{version}/Binary/scan"), "application/pdf", bytes.clone()).await;
        let url = format!("{}/{version}/Binary/scan", app.url);
        let form = json!({"contentType":"application/pdf","url":url});
        let report = with(report(version), json!({"id":"scan","presentedForm":[form]}));
        let mut document = with(document(version), json!({"id":"scan"}));
        document["content"][0]["attachment"] = json!({"contentType":"application/pdf","url":url});
        put(&app, version, &report).await;
        put(&app, version, &document).await;
        for reader in VERSIONS {
            let report = get(&app, &format!("/{reader}/DiagnosticReport/scan")).await;
            let document = get(&app, &format!("/{reader}/DocumentReference/scan")).await;
            let (one, other) =
                (&report["presentedForm"][0]["url"], &document["content"][0]["attachment"]["url"]);
            assert_eq!(one, other, "written in {version}, read in {reader}");
            assert_eq!(*one, format!("{}/{reader}/Binary/scan", app.url));
            let read = app.get(one.as_str().unwrap().strip_prefix(&app.url).unwrap(), None).await;
            assert_eq!((read.text(), read.header("content-type")), (bytes.clone(), "application/pdf"));
            let found = get(&app, &format!("/{reader}/DocumentReference?location={url}")).await;
            assert_eq!(found["total"], 1, "{reader}: by the URL that was given");
        }
        for (kind, other) in
            [("DiagnosticReport", "DocumentReference"), ("DocumentReference", "DiagnosticReport")]
        {
            // Either alone still holds the bytes.
            let deleted = app.request(Method::DELETE, &format!("/r4/{kind}/scan"));
            assert_eq!(Answer::of(deleted).await.status, 204);
            let refused = app.request(Method::DELETE, "/r4/Binary/scan");
            let refused = Answer::of(refused).await;
            match kind {
                "DiagnosticReport" => assert_eq!(refused.status, 409, "{other} names it"),
                _ => assert_eq!(refused.status, 204, "nothing names it any more: {}", refused.text()),
            }
        }
    }
}
