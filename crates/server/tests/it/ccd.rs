//! CCDs that are made when somebody asks for them: beyond the cases of the sources, which are in
//! `cases/generated_ccds.rs`. What stands in a CCD is tested in the crate that writes it.

mod kept;
mod withheld;

use base64_simd::STANDARD as BASE64;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Answer, TENANT, TestApp},
    record_of::{Record, put},
};

const MAKE: &str = "Binary/$autogen-ccd-if";
const FHIR_JSON: &str = "application/fhir+json";
/// The standard endpoints, and the names of the element with the bytes.
const STANDARD: [(&str, &str); 5] =
    [("/dstu2", "content"), ("/stu3", "content"), ("/r4", "data"), ("/r4b", "data"), ("/r5", "data")];

async fn filled() -> TestApp {
    let app = TestApp::start();
    let record = Record::new("1");
    record.patient(&app, "/r4").await;
    record.result(&app, "/r4", "Sodium", "2015-03-04").await;
    app
}

async fn post(app: &TestApp, path: &str, parameters: Value) -> Answer {
    let body = json!({"resourceType": "Parameters", "parameter": parameters}).to_string();
    Answer::of(app.request(Method::POST, path).header("Content-Type", FHIR_JSON).body(body)).await
}

#[tokio::test]
async fn every_version_makes_it_by_get_and_by_post() {
    let app = filled().await;
    for (base, element) in STANDARD {
        let path = format!("{base}/{MAKE}");
        let native = app.get(&format!("{path}?patient=1"), None).await;
        assert_eq!((native.status, native.header("content-type")), (200, "application/xml"), "{base}");
        assert!(native.text().contains("Sodium"), "{base}: {}", native.text());
        let resource = app.get(&format!("{path}?patient=1&_format=json"), None).await.json();
        let bytes = BASE64.decode_to_vec(resource[element].as_str().expect("bytes")).expect("base64");
        assert_eq!(bytes.len(), native.body.len(), "{base}");

        let by_reference = json!([{"name": "patient", "valueReference": {"reference": "Patient/1"}}]);
        let by_string = json!([{"name": "patient", "valueString": "1"},
            {"name": "start", "valueDateTime": "2016-01-01T00:00:00Z"}]);
        let posted = post(&app, &path, by_reference).await;
        assert_eq!(posted.status, 200, "{base}: {}", posted.text());
        assert!(posted.text().contains("Sodium"), "{base}");
        let limited = post(&app, &path, by_string).await;
        assert_eq!(limited.status, 200, "{base}: {}", limited.text());
        assert!(!limited.text().contains("Sodium"), "{base}");
        let form = app
            .request(Method::POST, &path)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body("patient=1");
        assert!(Answer::of(form).await.text().contains("Sodium"), "{base}");
        assert_eq!(post(&app, &path, json!([{"name": "patient"}])).await.status, 400, "{base}");
        let no_patient = json!([{"name": "start", "valueDateTime": "2016-01-01T00:00:00Z"}]);
        assert_eq!(post(&app, &path, no_patient).await.issue_code(), "required", "{base}");
    }
    let not_parameters = json!({"resourceType": "Patient"}).to_string();
    let request = app.request(Method::POST, &format!("/r4/{MAKE}")).header("Content-Type", FHIR_JSON);
    assert_eq!(Answer::of(request.body(not_parameters)).await.status, 400);
}

#[tokio::test]
async fn each_tenant_says_who_keeps_its_documents() {
    let app = TestApp::with(
        "[[tenant]]\nid = \"north\"\n[tenant.organization]\nname = \"North & Clinic\"\ntelecom = \"tel:+1-555-0100\"\n\
         identifier = { system = \"urn:oid:1.2.3\", value = \"n7\" }\n\
         address = { line = [\"1 Main Street\"], city = \"Springfield\" }\n\
         [[endpoint]]\npath = \"/north\"\nfhir = \"R4\"\ntenant = \"north\"\nauth = \"open\"\nwritable = true",
    );
    for (base, name) in [("/north", "North &amp; Clinic"), ("/r4", "Charta")] {
        Record::new("1").patient(&app, base).await;
        let text = app.get(&format!("{base}/{MAKE}?patient=1"), None).await.text();
        let start = text.find("<custodian>").expect("a custodian");
        let custodian = &text[start..text.find("</custodian>").expect("its end")];
        assert!(custodian.contains(&format!("<name>{name}</name>")), "{custodian}");
        let is_north = base == "/north";
        for known in ["root=\"1.2.3\" extension=\"n7\"", "tel:+1-555-0100", "<city>Springfield</city>"] {
            assert_eq!(custodian.contains(known), is_north, "{base}: {known} in {custodian}");
        }
    }
}

#[tokio::test]
async fn methods_and_places_are_those_of_the_operation() {
    let app = filled().await;
    let path = format!("/r4/{MAKE}?patient=1");
    for (method, expected) in
        [(Method::HEAD, 200), (Method::PUT, 405), (Method::DELETE, 405), (Method::OPTIONS, 204)]
    {
        let answer = Answer::of(app.request(method.clone(), &path)).await;
        assert_eq!(answer.status, expected, "{method}");
        assert!(answer.body.is_empty() || expected == 405, "{method}");
        if expected != 200 {
            assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS", "{method}");
        }
    }
    for path in ["/r4/$autogen-ccd-if", "/r4/Patient/$autogen-ccd-if", "/r4/Binary/1/$autogen-ccd-if"] {
        let answer = app.get(&format!("{path}?patient=1"), None).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (404, "not-supported"), "{path}");
    }
    for path in [&format!("/soarian/r4/{TENANT}/{MAKE}"), &format!("/ccri/STU3/{MAKE}")] {
        let answer = app.get(&format!("{path}?patient=1"), None).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (404, "not-supported"), "{path}");
    }
    // A range is of bytes that are there next time; these are not.
    let ranged = app.request(Method::GET, &path).header("Range", "bytes=0-9");
    let ranged = Answer::of(ranged).await;
    assert_eq!(ranged.status, 200);
    assert!(ranged.text().ends_with("</ClinicalDocument>\n"));
    // A type that fits nothing.
    assert_eq!(app.get(&path, "application/xml;q=0").await.status, 406);
    assert_eq!(app.get(&format!("/strict/{MAKE}?patient=1"), "image/png").await.status, 406);
}

#[tokio::test]
async fn an_encounter_is_a_parameter_from_r4_on() {
    let app = filled().await;
    for (base, _) in STANDARD {
        let expected = if matches!(base, "/dstu2" | "/stu3") { 200 } else { 404 };
        let answer = app.get(&format!("{base}/{MAKE}?patient=1&encounter=unknown"), None).await;
        assert_eq!(answer.status, expected, "{base}");
        let id = if base == "/dstu2" { "/type" } else { "/resource" };
        let definition =
            app.get(&format!("{base}/OperationDefinition/binary-autogen-ccd-if"), None).await.json();
        assert_eq!(definition.pointer(id), Some(&json!(["Binary"])), "{base}");
        let names: Vec<_> =
            definition["parameter"].as_array().expect("parameters").iter().map(|of| &of["name"]).collect();
        assert_eq!(names.contains(&&json!("encounter")), expected == 404, "{base}");
    }
}

/// The document without what differs from one time to the next: its id, and the time at which it was made.
fn without_id_and_time(text: &str) -> String {
    let value = |before: &str| {
        let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before}"));
        rest.split('"').next().unwrap_or_default()
    };
    let (id, time) = (value("<id root=\""), value("<effectiveTime value=\""));
    assert!(time.len() >= 19, "a time to the second with a zone: {time}");
    text.replace(id, "ID").replace(time, "TIME")
}

#[tokio::test]
async fn the_same_request_gives_the_same_bytes_but_for_id_and_time() {
    let app = filled().await;
    let record = Record::new("1");
    for number in 0..40 {
        let (day, name) = (1 + number % 28, format!("Result {}", number % 7));
        let mut observation = record.observation(&format!("{name} {number}"), &format!("2015-03-{day:02}"));
        observation["performer"] = json!([{"reference": format!("Practitioner/p{}", number % 5)}]);
        put(&app, "/r4", &observation).await;
    }
    for number in 0..5 {
        let practitioner = json!({"resourceType": "Practitioner", "id": format!("p{number}"),
            "name": [{"family": format!("House{number}")}]});
        put(&app, "/r4", &practitioner).await;
    }
    let path = format!("/r4/{MAKE}?patient=1");
    let first = app.get(&path, None).await.text();
    assert!(first.contains("House4") && first.contains("Result 6"), "{first}");
    let second = app.get(&path, None).await.text();
    assert_ne!(first, second);
    assert_eq!(without_id_and_time(&first), without_id_and_time(&second));
    // Nor does the endpoint matter.
    let other = app.get(&format!("/dstu2/{MAKE}?patient=1"), None).await.text();
    assert_eq!(without_id_and_time(&first), without_id_and_time(&other));
}

#[tokio::test]
async fn what_was_written_in_any_version_stands_in_one_document() {
    let app = filled().await;
    let codes = |text: &str| json!({"text": text});
    let patient = json!({"reference": "Patient/1"});
    for (base, resource) in [
        (
            "/dstu2",
            json!({"resourceType": "MedicationOrder", "id": "m", "status": "active", "patient": patient,
                "medicationCodeableConcept": codes("Lisinopril of DSTU2"), "dateWritten": "2015-01-01"}),
        ),
        (
            "/stu3",
            json!({"resourceType": "Immunization", "id": "i", "status": "completed", "notGiven": false,
                "primarySource": true, "patient": patient, "vaccineCode": codes("Influenza of STU3"),
                "date": "2015-01-01"}),
        ),
        (
            "/r5",
            json!({"resourceType": "AllergyIntolerance", "id": "a", "patient": patient,
                "code": codes("Peanut of R5"), "clinicalStatus": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                "code": "active"}]}}),
        ),
    ] {
        put(&app, base, &resource).await;
    }
    let text = app.get(&format!("/r4b/{MAKE}?patient=1"), None).await.text();
    for fact in ["Lisinopril of DSTU2", "Influenza of STU3", "Peanut of R5", "Sodium"] {
        assert!(text.contains(fact), "{fact}: {text}");
    }
}

#[tokio::test]
async fn a_note_stands_in_it_with_its_words() {
    let app = filled().await;
    let note = |id: &str, content_type: &str, bytes: &str, kind: Value| {
        json!({"resourceType": "DocumentReference", "id": id, "status": "current", "type": kind,
            "subject": {"reference": "Patient/1"}, "date": "2015-03-04T10:00:00Z",
            "content": [{"attachment": {"contentType": content_type, "data": BASE64.encode_to_string(bytes)}}]})
    };
    put(&app, "/r4", &note("n", "text/plain", "Afebrile since Monday.", json!({"text": "Progress note"})))
        .await;
    // An earlier summary of the record is no note in the next.
    let summary = json!({"coding": [{"system": "http://loinc.org", "code": "34133-9"}], "text": "A summary"});
    put(&app, "/r4", &note("s", "text/plain", "Everything up to now.", summary)).await;
    let huge = "x".repeat(1024 * 1024 + 1);
    put(&app, "/r4", &note("h", "text/plain", &huge, json!({"text": "Huge note"}))).await;
    let text = app.get(&format!("/r4/{MAKE}?patient=1"), None).await.text();
    assert!(text.contains("Afebrile since Monday."), "{text}");
    assert!(!text.contains("A summary") && !text.contains("Everything up to now."));
    assert!(
        text.contains("Huge note") && !text.contains("xxxxxxxx"),
        "it is named, and too large to stand here"
    );
}

#[tokio::test]
async fn docref_follows_us_core() {
    let app = filled().await;
    let document = |id: &str, code: &str, period: &str| {
        json!({"resourceType": "DocumentReference", "id": id, "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": "Patient/1"}, "date": format!("{period}T10:00:00Z"),
            "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}],
            "context": {"period": {"start": period, "end": period}}})
    };
    for (id, code, period) in [
        ("ccd-2014", "34133-9", "2014-05-01"),
        ("ccd-2016", "34133-9", "2016-05-01"),
        ("letter-2014", "34117-2", "2014-05-01"),
        ("letter-2016", "34117-2", "2016-05-01"),
    ] {
        put(&app, "/r4", &document(id, code, period)).await;
    }
    let found = async |base: &str, parameters: &str| {
        let answer = app.get(&format!("{base}/DocumentReference/$docref?{parameters}"), None).await;
        assert_eq!(answer.status, 200, "{parameters}: {}", answer.text());
        let bundle = answer.json();
        assert_eq!(bundle["type"], "searchset", "{bundle}");
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        assert_eq!(bundle["total"], entries.len(), "{bundle}");
        let name = |entry: &Value| match entry["resource"]["content"][0]["attachment"]["url"].as_str() {
            Some(url) if url.contains("autogen") => "made".to_owned(),
            _ => entry["resource"]["id"].as_str().unwrap_or_default().to_owned(),
        };
        entries.iter().map(name).collect::<Vec<_>>()
    };
    for (base, _) in STANDARD {
        for (parameters, expected) in [
            ("patient=1", &["made"][..]),
            ("patient=Patient/1", &["made"]),
            ("patient=1&type=http://loinc.org|34133-9", &["made"]),
            ("patient=1&type=34117-2", &["letter-2016"]),
            ("patient=1&type=34117-2,34133-9", &["made", "letter-2016"]),
            ("patient=1&type=34117-2&type=34133-9", &["made", "letter-2016"]),
            ("patient=1&start=2015-01-01T00:00:00Z", &["made", "ccd-2016"]),
            ("patient=1&end=2015-01-01T00:00:00Z", &["made", "ccd-2014"]),
            ("patient=1&end=2015-01-01T00:00:00Z&on-demand=true", &["made"]),
            ("patient=1&end=2015-01-01T00:00:00Z&type=34117-2", &["letter-2014"]),
            ("patient=1&type=34117-2&on-demand=true", &[]),
            ("patient=unknown", &[]),
        ] {
            assert_eq!(found(base, parameters).await, expected, "{base} {parameters}");
        }
    }
    for (parameters, code) in [
        ("", "required"),
        ("patient=1&patient=2", "invalid"),
        ("patient=1&start=2014-01-01", "value"),
        ("patient=1&on-demand=perhaps", "value"),
    ] {
        let answer = app.get(&format!("/r4/DocumentReference/$docref?{parameters}"), None).await;
        assert_eq!((answer.status, answer.issue_code().as_str()), (400, code), "{parameters}");
    }
    let parameters = json!([{"name": "patient", "valueId": "1"},
        {"name": "type", "valueCoding": {"system": "http://loinc.org", "code": "34117-2"}}]);
    let posted = post(&app, "/r4/DocumentReference/$docref", parameters).await.json();
    assert_eq!(posted["entry"][0]["resource"]["id"], "letter-2016", "{posted}");
}

#[tokio::test]
async fn the_link_of_docref_leads_to_the_document_of_that_time() {
    let app = filled().await;
    for (parameters, is_there) in [
        ("start=2015-01-01T00:00:00Z&end=2016-01-01T00:00:00%2B01:00", true),
        ("start=2016-01-01T00:00:00%2B01:00", false),
    ] {
        let bundle =
            app.get(&format!("/r4/DocumentReference/$docref?patient=1&{parameters}"), None).await.json();
        let found = &bundle["entry"][0]["resource"];
        let url = found["content"][0]["attachment"]["url"].as_str().expect("a link");
        let made = app.get(url.strip_prefix(&app.url).expect("of this server"), None).await;
        assert_eq!(made.status, 200, "{url}: {}", made.text());
        assert_eq!(made.text().contains("Sodium"), is_there, "{url}");
        assert!(found["context"]["period"].is_object(), "{found}");
    }
}

#[tokio::test]
async fn soarian_finds_stored_documents_alone() {
    let app = TestApp::start();
    Record::new("1").patient(&app, "/writer").await;
    let path = format!("/soarian/r4/{TENANT}/DocumentReference/$docref?patient=1");
    assert_eq!(app.get(&path, None).await.json()["total"], 0);
    let document = json!({"resourceType": "DocumentReference", "id": "soen", "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]},
        "subject": {"reference": "Patient/1"}, "date": "2015-03-04T10:00:00Z",
        "content": [{"attachment": {"contentType": "application/hl7-v3+xml", "data": "eA=="}}]});
    put(&app, "/writer", &document).await;
    let bundle = app.get(&path, None).await.json();
    assert_eq!((&bundle["total"], &bundle["entry"][0]["resource"]["id"]), (&json!(1), &json!("soen")));
}

#[tokio::test]
async fn a_millennium_search_for_summaries_finds_the_one_that_is_made() {
    let app = TestApp::start();
    Record::new("1").patient(&app, "/writer").await;
    for id in ["a", "b"] {
        let document = json!({"resourceType": "DocumentReference", "id": id, "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]},
            "subject": {"reference": "Patient/1"}, "date": "2015-03-04T10:00:00Z",
            "content": [{"attachment": {"contentType": "application/xml", "data": "eA=="}}]});
        put(&app, "/writer", &document).await;
    }
    let base = format!("/millennium/r4/{TENANT}");
    let found = async |path: &str| {
        let bundle = app.get(path, None).await.json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let urls =
            entries.iter().map(|entry| entry["resource"]["content"][0]["attachment"]["url"].to_string());
        let made: Vec<bool> = urls.map(|url| url.contains("autogen-ccd-if?patient=1")).collect();
        let link = bundle["link"].as_array().and_then(|links| {
            let next = links.iter().find(|link| link["relation"] == "next")?;
            Some(next["url"].as_str()?[app.url.len()..].to_owned())
        });
        (made, bundle["total"].clone(), link)
    };
    let search = format!("{base}/DocumentReference?patient=1&type=http://loinc.org|34133-9");
    assert_eq!(found(&search).await, (vec![true, false, false], json!(3), None));
    // It counts as one of the matches: pages lose and repeat nothing.
    let (first, total, next) = found(&format!("{search}&_count=2")).await;
    assert_eq!((first, total), (vec![true, false], json!(3)));
    let (second, total, next) = found(&next.expect("a second page")).await;
    assert_eq!((second, total, next), (vec![false], json!(3), None));
    let (one, _, next) = found(&format!("{search}&_count=1")).await;
    assert_eq!(one, [true]);
    assert_eq!(found(&next.expect("more")).await.0, [false]);
    for without in [
        "patient=1",
        "patient=1&type=http://loinc.org|34117-2",
        "patient=1&type=http://loinc.org|34133-9&date=ge2015-01-01T00:00:00Z",
    ] {
        let (made, ..) = found(&format!("{base}/DocumentReference?{without}")).await;
        assert!(!made.contains(&true), "{without}");
    }
    let standard =
        app.get("/writer/DocumentReference?patient=1&type=http://loinc.org|34133-9", None).await.json();
    assert_eq!(standard["total"], 2, "other profiles find what is stored");
}

/// Of a record of megabytes. The server is started anew; searches and a small document take what is taken once, the
/// catalog's pages and the program's own. What grows then is the document.
#[tokio::test]
#[ignore = "measures memory, so it runs alone"]
async fn memory_stays_under_three_times_the_document() {
    const RESULTS: usize = 3000;
    let app = filled().await;
    Record::new("2").patient(&app, "/r4").await;
    let record = Record::new("1");
    let comment = "Haemolysed; drawn from the left arm. ".repeat(40);
    for part in 0..RESULTS / 500 {
        let entry = |number: usize| {
            let mut resource = record.observation(&format!("Sodium {part} {number}"), "2015-03-04");
            resource["note"] = json!([{"text": format!("{comment}{number}")}]);
            json!({"resource": resource, "request": {"method": "POST", "url": "Observation"}})
        };
        let entries: Vec<_> = (0..500).map(entry).collect();
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        let request = app.request(Method::POST, "/r4").header("Content-Type", FHIR_JSON);
        assert_eq!(Answer::of(request.body(bundle.to_string())).await.status, 200);
    }
    let app = TestApp::in_directory(app.stop(), "");
    let mut next = Some("/r4/Observation?patient=1&_count=500".to_owned());
    while let Some(path) = next {
        let bundle = app.get(&path, None).await.json();
        let links = bundle["link"].as_array().expect("links").iter();
        let url = links.filter(|link| link["relation"] == "next").find_map(|link| link["url"].as_str());
        next =
            url.map(|url| url.split_once("/r4/").map_or_else(String::new, |(_, rest)| format!("/r4/{rest}")));
    }
    assert_eq!(app.get(&format!("/r4/{MAKE}?patient=2"), None).await.status, 200);
    let (_, idle_bytes) = app.memory_bytes();
    let answer = app.get(&format!("/r4/{MAKE}?patient=1"), None).await;
    assert_eq!(answer.header("content-length"), "", "its length is not known at its begin");
    let (peak_bytes, _) = app.memory_bytes();
    let document_bytes = answer.body.len() as u64;
    assert!(document_bytes > 5_000_000, "{document_bytes}");
    let grown = peak_bytes.saturating_sub(idle_bytes);
    assert!(grown < 3 * document_bytes, "{grown} bytes for a document of {document_bytes}");
}
