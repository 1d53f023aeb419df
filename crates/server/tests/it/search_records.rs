//! What searches of records can say: references, lists, order, parts of resources, pages, and what is refused.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

const JSON: &str = "application/fhir+json";

async fn put(app: &TestApp, base: &str, resource: Value) {
    let path =
        format!("{base}/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    app.put(&path, JSON, resource.to_string()).await;
}

/// A ward: a practitioner and patients who link to each other, observations in groups, documents, lists.
async fn ward() -> TestApp {
    let app = TestApp::start();
    let observation = |id: &str, patient: &str, date: &str, value: f64| {
        json!({"resourceType":"Observation","id":id,"status":"final","effectiveDateTime":date,
            "subject":{"reference":format!("Patient/{patient}")},"performer":[{"reference":"Practitioner/d"}],
            "code":{"coding":[{"system":"http://loinc.org","code":"15074-8","display":"Glucose"}]},
            "component":[{"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":value,"unit":"mmHg"}},
                {"code":{"coding":[{"code":"dia"}]},"valueQuantity":{"value":value - 40.0,"unit":"mmHg"}}]})
    };
    for resource in [
        json!({"resourceType":"Organization","id":"top","name":"Top"}),
        json!({"resourceType":"Organization","id":"mid","name":"Mid","partOf":{"reference":"Organization/top"}}),
        json!({"resourceType":"Organization","id":"low","name":"Low","partOf":{"reference":"Organization/mid"}}),
        json!({"resourceType":"Practitioner","id":"d","name":[{"family":"House"}]}),
        json!({"resourceType":"Patient","id":"p","managingOrganization":{"reference":"Organization/low"},
            "meta":{"source":"http://feed/a#1"},"gender":"male","birthDate":"1970-01-01","name":[{"family":"Same"}],
            "generalPractitioner":[{"reference":"Practitioner/d"}]}),
        json!({"resourceType":"Patient","id":"q","gender":"female","name":[{"family":"Same"}],
            "generalPractitioner":[{"identifier":{"system":"http://npi","value":"9"}},{"reference":"Organization/top"}]}),
        json!({"resourceType":"Patient","id":"r","name":[{"family":"Same"}]}),
        observation("o1", "p", "2020-01-01", 120.0),
        observation("o2", "p", "2020-02-01", 140.0),
        observation("o3", "q", "2020-02-01", 100.0),
        json!({"resourceType":"Observation","id":"o4","status":"final","code":{"text":"panel"},
            "subject":{"reference":"Patient/p"},"hasMember":[{"reference":"Observation/o1"},{"reference":"Observation/o2"}]}),
        json!({"resourceType":"DocumentReference","id":"n","status":"current","subject":{"reference":"Patient/p"},
            "type":{"coding":[{"system":"http://loinc.org","code":"34133-9"}]},"description":"d",
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">n</div>"},
            "content":[{"attachment":{"contentType":"text/xml; charset=utf-8","url":"http://else/n"}},
                {"attachment":{"contentType":"application/pdf","url":"http://else/n.pdf"}}]}),
        json!({"resourceType":"DocumentReference","id":"m","status":"superseded","subject":{"reference":"Patient/q"},
            "content":[{"attachment":{"contentType":"text/plain","url":"http://else/m"}}]}),
        json!({"resourceType":"List","id":"l","status":"current","mode":"working",
            "entry":[{"item":{"reference":"Patient/p"}},{"item":{"reference":"DocumentReference/n"}}]}),
        json!({"resourceType":"List","id":"k","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/r"}}]}),
    ] {
        put(&app, "/r4", resource).await;
    }
    app
}

/// The ids of a searchset in its order; of those that come along with a `+`.
fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let id = |entry: &Value| {
        let mark = if entry["search"]["mode"] == "include" { "+" } else { "" };
        format!("{mark}{}", entry["resource"]["id"].as_str().unwrap())
    };
    entries.iter().map(id).collect()
}

async fn found(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// Each search finds these, whatever their order.
async fn check(app: &TestApp, cases: &[(&str, &[&str])]) {
    for (path, expected) in cases {
        let found: BTreeSet<_> = ids(&found(app, &format!("/r4/{path}")).await).into_iter().collect();
        let expected: BTreeSet<_> = expected.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(found, expected, "{path}");
    }
}

#[tokio::test]
async fn references_are_found_by_type_by_identifier_and_by_their_absence() {
    let app = ward().await;
    check(
        &app,
        &[
            ("Patient?general-practitioner=Practitioner/d", &["p"]),
            ("Patient?general-practitioner:Practitioner=d", &["p"]),
            ("Patient?general-practitioner:Organization=d", &[]),
            ("Patient?general-practitioner:Organization=top", &["q"]),
            ("Patient?general-practitioner:identifier=http://npi|9", &["q"]),
            ("Patient?general-practitioner:identifier=9", &["q"]),
            ("Patient?general-practitioner:identifier=http://other|9", &[]),
            ("Patient?general-practitioner:missing=true", &["r"]),
            ("Patient?general-practitioner:missing=false", &["p", "q"]),
            ("Patient?general-practitioner:Practitioner.family=house", &["p"]),
            ("Patient?general-practitioner:Organization.name=top", &["q"]),
            ("Patient?birthdate:missing=true", &["q", "r"]),
            ("Patient?gender:missing=false", &["p", "q"]),
            ("Patient?gender:not=male", &["q", "r"]),
            ("Patient?gender:not=male,female", &["r"]),
            ("Patient?_id:not=p", &["q", "r"]),
            ("Patient?organization.partof.name=mid", &["p"]),
            ("Observation?subject:Patient.organization=low", &["o1", "o2", "o4"]),
            ("Observation?patient.general-practitioner=Practitioner/d&date=2020-02-01", &["o2"]),
        ],
    )
    .await;
    for (refused, code) in [
        ("Patient?gender:missing=perhaps", "value"),
        ("Patient?general-practitioner:Patient=p", "not-supported"),
        ("Observation?patient.organization.partof.name=x", "too-costly"),
        ("Observation?code.family=x", "not-supported"),
    ] {
        let answer = app.get(&format!("/r4/{refused}"), None).await;
        assert_eq!(
            (answer.status, answer.issue_code().as_str()),
            (400, code),
            "{refused}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn composites_compare_within_one_value() {
    let app = ward().await;
    check(
        &app,
        &[
            ("Observation?component-code-value-quantity=sys$gt110", &["o1", "o2"]),
            ("Observation?component-code-value-quantity=dia$gt90", &["o2"]),
            ("Observation?component-code-value-quantity=dia$120", &[]),
            ("Observation?component-code-value-quantity=sys$120,dia$60", &["o1", "o3"]),
            ("Observation?component-code-value-quantity=sys$140||mmHg", &["o2"]),
        ],
    )
    .await;
    let relation = json!({"resourceType":"DocumentReference","id":"v","status":"current",
        "relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/n"}},
            {"code":"signs","target":{"reference":"DocumentReference/m"}}],
        "content":[{"attachment":{"url":"http://else/v"}}]});
    put(&app, "/r4", relation).await;
    for (base, kinds) in [
        ("/r4", "DocumentReference"),
        ("/r5", "DocumentReference"),
        ("/stu3", "DocumentReference"),
        ("/dstu2", "DocumentReference"),
    ] {
        for (value, expected) in [
            ("DocumentReference/n$replaces", 1),
            ("DocumentReference/m$signs", 1),
            ("DocumentReference/n$signs", 0),
        ] {
            let path = format!("{base}/{kinds}?relationship={value}");
            assert_eq!(found(&app, &path).await["total"], expected, "{path}");
        }
    }
    assert_eq!(app.get("/r4/Observation?component-code-value-quantity=sys", None).await.status, 400);
}

#[tokio::test]
async fn what_refers_to_a_resource_chooses_it() {
    let app = ward().await;
    check(
        &app,
        &[
            ("Patient?_has:Observation:patient:date=2020-02-01", &["p", "q"]),
            ("Patient?_has:Observation:patient:date=2020-01-01", &["p"]),
            ("Patient?_has:Observation:patient:_id=o3", &["q"]),
            ("Patient?_has:DocumentReference:subject:contenttype=application/pdf", &["p"]),
            ("Practitioner?_has:Patient:general-practitioner:_has:Observation:patient:code=15074-8", &["d"]),
            ("Practitioner?_has:Patient:general-practitioner:gender=female", &[]),
            ("Organization?_has:Organization:partof:name=low", &["mid"]),
            ("Patient?_list=l", &["p"]),
            ("Patient?_list=l,k", &["p", "r"]),
            ("DocumentReference?_list=l&status=current", &["n"]),
            ("Patient?_list=none", &[]),
            ("?_list=l", &["p", "n"]),
            ("Patient?_source=http://feed/a%231", &["p"]),
            ("Patient?_source:below=http://feed", &["p"]),
            ("Patient?_source:missing=true", &["q", "r"]),
        ],
    )
    .await;
    for refused in [
        "Patient?_has:Observation:code:date=2020",
        "Patient?_has:Observation:patient=x",
        "Patient?_has:Observation:patient:colour=red",
        "Patient?_has=x",
        "Patient?_list=$current-problems",
        "Patient?_list:not=l",
    ] {
        assert_eq!(app.get(&format!("/r4/{refused}"), None).await.status, 400, "{refused}");
    }
}

#[tokio::test]
async fn media_types_cover_what_is_below_them() {
    let app = ward().await;
    check(
        &app,
        &[
            ("DocumentReference?contenttype:below=text/xml", &["n"]),
            ("DocumentReference?contenttype:below=text/plain", &["m"]),
            ("DocumentReference?contenttype=application/pdf", &["n"]),
            ("DocumentReference?contenttype=text/xml", &[]),
            ("DocumentReference?contenttype:not=application/pdf", &["m"]),
            ("DocumentReference?location:below=http://else", &["n", "m"]),
            ("DocumentReference?location=http://else/n.pdf", &["n"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_comes_along_brings_along_more_if_asked() {
    let app = ward().await;
    check(
        &app,
        &[
            ("Patient?_id=p&_include=Patient:organization", &["p", "+low"]),
            (
                "Patient?_id=p&_include=Patient:organization&_include:iterate=Organization:partof",
                &["p", "+low", "+mid", "+top"],
            ),
            ("Organization?_id=low&_include=Organization:partof", &["low", "+mid"]),
            ("Organization?_id=low&_include:iterate=Organization:partof", &["low", "+mid", "+top"]),
            ("Organization?_id=top&_revinclude:iterate=Organization:partof", &["top", "+mid", "+low"]),
            ("Observation?_id=o4&_include=Observation:has-member", &["o4", "+o1", "+o2"]),
            ("Observation?_id=o4,o1&_include=Observation:has-member", &["o4", "o1", "+o2"]),
            ("Patient?_id=p&_include=*", &["p", "+low", "+d"]),
            ("Patient?_id=p,q&_include=Patient:general-practitioner:Practitioner", &["p", "q", "+d"]),
            ("Patient?_id=p,q&_include=Patient:general-practitioner", &["p", "q", "+d", "+top"]),
            ("Practitioner?_id=d&_revinclude=Patient:general-practitioner&_revinclude:iterate=DocumentReference:patient", &["d", "+p", "+n"]),
            ("Patient?_id=r&_include=Patient:nowhere", &["r"]),
        ],
    )
    .await;
    for refused in [
        "Patient?_include:recurse=Patient:organization",
        "Patient?_include=Patient",
        "Patient?_summary=text&_include=Patient:organization",
    ] {
        assert_eq!(app.get(&format!("/r4/{refused}"), None).await.status, 400, "{refused}");
    }
    let page = found(&app, "/r4/Observation?_count=1&_include=Observation:patient&_sort=_id").await;
    assert_eq!(
        (ids(&page), &page["total"]),
        (vec!["o1".to_owned(), "+p".to_owned()], &json!(4)),
        "matches alone count"
    );
}

#[tokio::test]
async fn parts_are_given_as_they_were_asked_for() {
    let app = ward().await;
    let of = async |query: &str| {
        let bundle = found(&app, &format!("/r4/DocumentReference?_id=n&{query}")).await;
        bundle["entry"][0]["resource"].as_object().cloned()
    };
    let names = |resource: Option<serde_json::Map<String, Value>>| -> BTreeSet<String> {
        resource
            .expect("a match")
            .keys()
            .filter(|name| !matches!(name.as_str(), "resourceType" | "id" | "meta"))
            .cloned()
            .collect()
    };
    let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    for (query, expected) in [
        ("_summary=false", set(&["text", "status", "type", "subject", "description", "content"])),
        ("_summary=data", set(&["status", "type", "subject", "description", "content"])),
        ("_summary=text", set(&["text", "status", "content"])),
        ("_summary=true", set(&["status", "type", "subject", "description", "content"])),
        ("_elements=type", set(&["type", "status", "content"])),
        ("_elements=type,subject", set(&["type", "subject", "status", "content"])),
        ("_elements=DocumentReference.description", set(&["description", "status", "content"])),
    ] {
        let resource = of(query).await;
        let tag = resource
            .as_ref()
            .and_then(|resource| resource["meta"]["tag"][0]["code"].as_str().map(str::to_owned));
        assert_eq!(names(resource), expected, "{query}");
        assert_eq!(tag.as_deref() == Some("SUBSETTED"), query != "_summary=false", "{query}");
        let read = found(&app, &format!("/r4/DocumentReference/n?{query}")).await;
        assert_eq!(names(read.as_object().cloned()), expected, "a read with {query}");
        let history = found(&app, &format!("/r4/DocumentReference/n/_history?{query}")).await;
        assert_eq!(
            names(history["entry"][0]["resource"].as_object().cloned()),
            expected,
            "a history with {query}"
        );
        let bundle = json!({"resourceType":"Bundle","type":"batch",
            "entry":[{"request":{"method":"GET","url":format!("DocumentReference/n?{query}")}}]});
        let request = app.request(Method::POST, "/r4").header("Content-Type", JSON).body(bundle.to_string());
        let batch = Answer::of(request).await.json();
        assert_eq!(
            names(batch["entry"][0]["resource"].as_object().cloned()),
            expected,
            "a batch with {query}"
        );
    }
    for query in ["_summary=count", "_count=0"] {
        let counted = found(&app, &format!("/r4/DocumentReference?{query}")).await;
        assert_eq!((&counted["total"], ids(&counted).len()), (&json!(2), 0), "{query}");
    }
    for query in ["_total=none", "_total=estimate", "_total=accurate"] {
        let bundle = found(&app, &format!("/r4/DocumentReference?{query}")).await;
        assert_eq!(ids(&bundle).len(), 2, "{query}");
        assert!(bundle["link"][0]["url"].as_str().unwrap().contains(query), "{query}");
    }
    for refused in ["_summary=most", "_total=about", "_count=-1", "_count=x", "_contained=both"] {
        assert_eq!(app.get(&format!("/r4/DocumentReference?{refused}"), None).await.status, 400, "{refused}");
    }
    let total = found(&app, "/stu3/DocumentReference?_total=none").await;
    assert!(!total["link"][0]["url"].as_str().unwrap().contains("_total"), "STU3 does not know it");
}

fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array().expect("a searchset has links");
    Some(links.iter().find(|link| link["relation"] == "next")?["url"].as_str().expect("a URL").to_owned())
}

#[tokio::test]
async fn order_is_stable_and_pages_survive_a_restart() {
    let mut app = ward().await;
    for n in 0..9 {
        put(
            &app,
            "/r4",
            json!({"resourceType":"Patient","id":format!("s{n}"),"name":[{"family":"Same"}],
            "birthDate":if n < 5 { "1980-01-01" } else { "1990-01-01" }}),
        )
        .await;
    }
    for (query, expected) in [
        ("_sort=family", vec!["p", "q", "r", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"]),
        ("_sort=-birthdate", vec!["s5", "s6", "s7", "s8", "s0", "s1", "s2", "s3", "s4", "p", "q", "r"]),
        ("_sort=birthdate,-_id", vec!["p", "s4", "s3", "s2", "s1", "s0", "s8", "s7", "s6", "s5", "r", "q"]),
        (
            "_sort=gender,_lastUpdated",
            vec!["q", "p", "r", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"],
        ),
        ("", vec!["p", "q", "r", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"]),
    ] {
        assert_eq!(ids(&found(&app, &format!("/r4/Patient?{query}")).await), expected, "{query}");
        let mut path = Some(format!("/r4/Patient?{query}&_count=5"));
        let mut seen = Vec::new();
        while let Some(at) = path {
            let page = found(&app, &at).await;
            assert_eq!(page["total"], 12, "{at}");
            seen.extend(ids(&page));
            path = next(&page).map(|link| link.strip_prefix(&app.url).expect("ours").to_owned());
        }
        assert_eq!(seen, expected, "{query}, by pages");
    }
    let link = next(&found(&app, "/r4/Patient?_sort=family&_count=5").await).expect("a second page");
    let token = link.split("_page=").nth(1).expect("opaque").to_owned();
    assert!(!token.contains("=5") && token.len() > 20, "{token}");
    let (signed, last) = token.split_at(token.len() - 1);
    let forged = format!("{signed}{}", if last == "A" { "B" } else { "A" });
    let path = link.strip_prefix(&app.url).expect("ours").to_owned();
    app = TestApp::in_directory(app.stop(), "");
    assert_eq!(ids(&found(&app, &path).await), ["s2", "s3", "s4", "s5", "s6"]);
    for foreign in [
        format!("/r4/Patient?_sort=family&_count=6&_page={token}"),
        format!("/r4/Patient?_sort=-family&_count=5&_page={token}"),
        format!("/r4/Observation?_sort=family&_count=5&_page={token}"),
        format!("/r4b/Patient?_sort=family&_count=5&_page={token}"),
        format!("/writer/Patient?_sort=family&_count=5&_page={token}"),
        format!("/r4/Patient?_sort=family&_count=5&_page={forged}"),
        "/r4/Patient?_sort=family&_count=5&_page=5".to_owned(),
    ] {
        let answer = app.get(&foreign, None).await;
        assert_eq!(answer.status, 404, "{foreign}: {}", answer.text());
    }
    let dstu2 = found(&app, "/dstu2/Patient?_sort:desc=birthdate&_count=1").await;
    assert_eq!(ids(&dstu2), ["s5"]);
    let unknown = found(&app, "/r4/Patient?_sort=colour").await;
    assert!(!unknown["link"][0]["url"].as_str().unwrap().contains("colour"));
}

#[tokio::test]
async fn what_is_not_known_is_left_out_or_refused_as_the_client_prefers() {
    let app = ward().await;
    let ask = |query: &str, prefer: Option<&'static str>| {
        let mut request = app.request(Method::GET, &format!("/r4/Patient?{query}"));
        if let Some(prefer) = prefer {
            request = request.header("Prefer", prefer);
        }
        Answer::of(request)
    };
    for query in [
        "_text=fever",
        "_content=fever",
        "_filter=x",
        "_query=x",
        "colour=red",
        "_sort=colour",
        "_include=Patient:colour",
    ] {
        for prefer in [None, Some("handling=lenient")] {
            let answer = ask(query, prefer).await;
            assert_eq!(answer.status, 200, "{query} {prefer:?}");
            let bundle = answer.json();
            assert_eq!(bundle["total"], 3, "{query}");
            let own = bundle["link"][0]["url"].as_str().unwrap().to_owned();
            assert!(!own.contains(query.split('=').next().unwrap()), "{query}: {own}");
        }
        let strict = ask(query, Some("handling=strict, return=minimal")).await;
        assert_eq!((strict.status, strict.issue_code().as_str()), (400, "not-supported"), "{query}");
    }
    for query in [
        "gender:text=m",
        "gender:in=http://vs",
        "identifier:of-type=a|b|c",
        "family:phonetic=x",
        "birthdate:exact=2020",
    ] {
        let refused = ask(query, None).await;
        assert_eq!(
            (refused.status, refused.issue_code().as_str()),
            (400, "not-supported"),
            "{query}: a result would be wider"
        );
    }
    assert_eq!(
        ask("family=&gender=male", Some("handling=strict")).await.json()["total"],
        1,
        "nothing is asked"
    );
    let many = vec!["_id=p"; 65].join("&");
    let costly = ask(&many, None).await;
    assert_eq!((costly.status, costly.issue_code().as_str()), (400, "too-costly"));
    let alternatives = ask(&format!("_id={}", vec!["p"; 300].join(",")), None).await;
    assert_eq!((alternatives.status, alternatives.issue_code().as_str()), (400, "too-costly"));
}

#[tokio::test]
async fn a_form_and_a_url_are_one_search() {
    let app = ward().await;
    for (path, body, expected) in [
        ("/r4/Patient/_search?gender=male", "family=same", vec!["p"]),
        ("/r4/Patient/_search", "family=same&gender=female", vec!["q"]),
        ("/r4/_search", "_type=Patient&_id=p", vec!["p"]),
        ("/r4/Patient/p/Observation/_search", "date=2020-01-01", vec!["o1"]),
    ] {
        let request =
            app.request(Method::POST, path).header("Content-Type", "application/x-www-form-urlencoded");
        let answer = Answer::of(request.body(body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(ids(&answer.json()), expected, "{path} {body}");
    }
}
