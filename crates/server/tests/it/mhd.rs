//! IHE MHD 4.2 on R4: documents are provided (ITI-65), published (ITI-105), found (ITI-66, ITI-67) and retrieved
//! (ITI-68).

use charta_fhir::{Format, Piece, Version, represent, resource};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

const JSON: &str = "application/fhir+json";
const XML: &str = "application/fhir+xml";
const PROFILES: &str = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/";
const LIST_TYPES: &str = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes";
const MINIMAL: &str = "IHE.MHD.Minimal.ProvideBundle";
const UNCONTAINED: &str = "IHE.MHD.UnContained.Comprehensive.ProvideBundle";
const COMPREHENSIVE: &str = "IHE.MHD.Comprehensive.ProvideBundle";

/// `hello`
const SHA1: &str = "qvTGHdzF6KLavt4PO0gs2a6pQ00=";

fn urn(n: u32) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{n:012}")
}

fn entry(n: u32, resource: Value) -> Value {
    let url = resource["resourceType"].clone();
    json!({"fullUrl":urn(n),"resource":resource,"request":{"method":"POST","url":url}})
}

fn list(code: &str, items: &[u32]) -> Value {
    let items: Vec<_> = items.iter().map(|n| json!({"item":{"reference":urn(*n)}})).collect();
    json!({"resourceType":"List","status":"current","mode":"working","date":"2024-05-01T10:00:00Z",
        "subject":{"reference":"Patient/p"},"identifier":[{"system":"http://sets","value":format!("{code}-1")}],
        "source":{"reference":"Practitioner/d"},
        "code":{"coding":[{"system":LIST_TYPES,"code":code}]},"entry":items})
}

fn binary() -> Value {
    json!({"resourceType":"Binary","contentType":"text/plain","data":"aGVsbG8="})
}

fn minimal() -> Value {
    json!({"resourceType":"DocumentReference","status":"current",
        "masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3.4"},
        "subject":{"reference":"Patient/p"},
        "content":[{"attachment":{"contentType":"text/plain","url":urn(3),"size":5,"hash":SHA1}}]})
}

/// With everything that the Comprehensive profiles ask for; parties are elsewhere.
fn uncontained() -> Value {
    let mut document = minimal();
    let coded = |code: &str| json!({"coding":[{"system":"http://codes","code":code}]});
    document["type"] = coded("type");
    document["category"] = json!([coded("class")]);
    document["date"] = json!("2024-05-01T09:00:00Z");
    document["securityLabel"] = json!([coded("N")]);
    document["author"] = json!([{"reference":"Practitioner/d"}]);
    document["content"][0]["format"] = json!({"system":"http://codes","code":"format"});
    document["content"][0]["attachment"]["language"] = json!("en");
    document["content"][0]["attachment"]["creation"] = json!("2024-04-30T08:00:00Z");
    document["context"] = json!({"facilityType":coded("facility"),"practiceSetting":coded("setting"),
        "event":[coded("event")],"period":{"start":"2024-04-01","end":"2024-04-30"},
        "related":[{"reference":"ServiceRequest/s"}],"sourcePatientInfo":{"reference":"Patient/p"}});
    document
}

fn comprehensive() -> Value {
    let mut document = uncontained();
    document["contained"] = json!([
        {"resourceType":"Practitioner","id":"a","name":[{"family":"Grün","given":["Eva"]}]},
        {"resourceType":"Patient","id":"s","name":[{"family":"Source"}]}]);
    document["author"] = json!([{"reference":"#a"}]);
    document["context"]["sourcePatientInfo"] = json!({"reference":"#s"});
    document
}

fn provide(profile: &str, document: Value) -> Value {
    json!({"resourceType":"Bundle","type":"transaction","meta":{"profile":[format!("{PROFILES}{profile}")]},
        "entry":[entry(1, list("submissionset", &[2])), entry(2, document), entry(3, binary())]})
}

/// With its patient and its practitioner.
async fn app() -> TestApp {
    let app = TestApp::start();
    for resource in [
        json!({"resourceType":"Patient","id":"p","identifier":[{"system":"http://mrn","value":"7"}]}),
        json!({"resourceType":"Practitioner","id":"d","name":[{"family":"House","given":["Greg"]}]}),
    ] {
        let path = format!(
            "/r4/{}/{}",
            resource["resourceType"].as_str().unwrap(),
            resource["id"].as_str().unwrap()
        );
        app.put(&path, JSON, resource.to_string()).await;
    }
    app
}

/// The same in XML.
fn in_xml(bundle: &Value) -> Vec<u8> {
    let node =
        resource::read_unchecked(bundle.to_string().as_bytes(), Format::Json, Version::R4).expect("JSON");
    let pieces = represent::write(node, Version::R4, Format::Xml, false);
    let text = pieces.into_iter().map(|piece| match piece {
        Piece::Text(bytes) => bytes,
        Piece::Base64(_) => panic!("all content is in the tree"),
    });
    text.collect::<Vec<_>>().concat()
}

async fn send(app: &TestApp, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let request = app.request(Method::POST, path).header("Content-Type", content_type);
    Answer::of(request.header("Accept", JSON).body(body)).await
}

async fn post(app: &TestApp, bundle: &Value) -> Answer {
    send(app, "/r4", JSON, bundle.to_string().into_bytes()).await
}

async fn provided(app: &TestApp, bundle: &Value) -> Vec<String> {
    let answer = post(app, bundle).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    places(&answer)
}

/// `Type/id` of each entry of a response.
fn places(answer: &Answer) -> Vec<String> {
    let bundle = answer.json();
    assert_eq!(bundle["type"], "transaction-response");
    let entries = bundle["entry"].as_array().expect("entries").iter();
    let place = |entry: &Value| entry["response"]["location"].as_str().expect("a place").to_owned();
    entries.map(|entry| place(entry).split("/_history").next().expect("a part").to_owned()).collect()
}

async fn total(app: &TestApp, path: &str) -> u64 {
    let answer = app.get(path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()["total"].as_u64().expect("a total")
}

#[tokio::test]
async fn each_profile_is_taken_in_both_formats() {
    let app = app().await;
    for (profile, document) in
        [(MINIMAL, minimal()), (UNCONTAINED, uncontained()), (COMPREHENSIVE, comprehensive())]
    {
        let bundle = provide(profile, document);
        for (content_type, body) in [(JSON, bundle.to_string().into_bytes()), (XML, in_xml(&bundle))] {
            let answer = send(&app, "/r4", content_type, body).await;
            assert_eq!(answer.status, 200, "{profile} {content_type}: {}", answer.text());
            let response = answer.json();
            for entry in response["entry"].as_array().expect("entries") {
                assert_eq!(entry["response"]["status"], "201 Created", "{profile} {content_type}");
            }
            let [set, document, binary] = &places(&answer)[..] else { panic!("{}", answer.text()) };
            let set = app.get(&format!("/r4/{set}"), None).await.json();
            assert_eq!(set["entry"][0]["item"]["reference"], **document);
            let document = app.get(&format!("/r4/{document}"), None).await.json();
            let attachment = &document["content"][0]["attachment"];
            assert_eq!(attachment["url"], format!("{}/r4/{binary}", app.url), "a full URL");
            assert_eq!((&attachment["size"], &attachment["hash"]), (&json!(5), &json!(SHA1)));
            // ITI-68
            let url =
                attachment["url"].as_str().expect("a URL").strip_prefix(&app.url).expect("ours").to_owned();
            let retrieved = app.get(&url, None).await;
            assert_eq!(
                (retrieved.text().as_str(), retrieved.header("content-type")),
                ("hello", "text/plain")
            );
            assert_eq!(app.get(&url, "application/pdf, text/plain").await.text(), "hello");
        }
    }
    assert_eq!(total(&app, "/r4/DocumentReference").await, 6);
    let in_xml_too = send(&app, "/r4", XML, in_xml(&provide(MINIMAL, minimal()))).await;
    assert_eq!(in_xml_too.status, 200);
}

/// The document without what `path` names, or with this in its place.
fn with(mut document: Value, path: &str, value: Option<Value>) -> Value {
    let (parent, name) = path.rsplit_once('/').expect("a pointer");
    let parent = document.pointer_mut(parent).expect("a parent").as_object_mut().expect("an object");
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    document
}

#[tokio::test]
async fn what_a_profile_asks_for_must_be_there_and_nothing_else() {
    let app = app().await;
    let at = "/content/0/attachment";
    let cases: Vec<(&str, Value, &str, Option<Value>, &str)> = vec![
        (MINIMAL, minimal(), "/masterIdentifier", None, "masterIdentifier"),
        (MINIMAL, minimal(), "/docStatus", Some(json!("final")), "docStatus"),
        (
            MINIMAL,
            minimal(),
            "/modifierExtension",
            Some(json!([{"url":"urn:m","valueString":"x"}])),
            "modifierExtension",
        ),
        (MINIMAL, minimal(), "/status", Some(json!("entered-in-error")), "status"),
        (MINIMAL, minimal(), "/category", Some(json!([{"text":"a"},{"text":"b"}])), "category"),
        (MINIMAL, minimal(), "/content/1", None, "content"),
        (MINIMAL, minimal(), "/content/0/attachment/contentType", None, "content[0].attachment.contentType"),
        (MINIMAL, minimal(), "/content/0/attachment/url", None, "content[0].attachment.url"),
        (
            MINIMAL,
            minimal(),
            "/content/0/attachment/data",
            Some(json!("aGVsbG8=")),
            "content[0].attachment.data",
        ),
        (MINIMAL, minimal(), "/content/0/attachment/url", Some(json!(urn(9))), "content[0].attachment.url"),
        (
            MINIMAL,
            minimal(),
            "/content/0/attachment/url",
            Some(json!("Binary/nowhere")),
            "content[0].attachment.url",
        ),
        (MINIMAL, minimal(), "/subject", Some(json!({"reference":"Patient/q"})), "subject"),
        (UNCONTAINED, uncontained(), "/type", None, "type"),
        (UNCONTAINED, uncontained(), "/category", None, "category"),
        (UNCONTAINED, uncontained(), "/subject", None, "subject"),
        (UNCONTAINED, uncontained(), "/securityLabel", None, "securityLabel"),
        (UNCONTAINED, uncontained(), "/content/0/format", None, "content[0].format"),
        (
            UNCONTAINED,
            uncontained(),
            "/content/0/attachment/language",
            None,
            "content[0].attachment.language",
        ),
        (
            UNCONTAINED,
            uncontained(),
            "/content/0/attachment/creation",
            None,
            "content[0].attachment.creation",
        ),
        (UNCONTAINED, uncontained(), "/context/facilityType", None, "context.facilityType"),
        (UNCONTAINED, uncontained(), "/context/practiceSetting", None, "context.practiceSetting"),
        (UNCONTAINED, uncontained(), "/context/sourcePatientInfo", None, "context.sourcePatientInfo"),
        (COMPREHENSIVE, comprehensive(), "/author", Some(json!([{"reference":"Practitioner/d"}])), "author"),
        (COMPREHENSIVE, comprehensive(), "/authenticator", Some(json!({"display":"A"})), "authenticator"),
        (
            COMPREHENSIVE,
            comprehensive(),
            "/context/sourcePatientInfo",
            Some(json!({"reference":"Patient/p"})),
            "context.sourcePatientInfo",
        ),
    ];
    for (profile, document, path, value, place) in cases {
        let changed = match path {
            "/content/1" => {
                let mut twice = document;
                let first = twice["content"][0].clone();
                twice["content"].as_array_mut().expect("an array").push(first);
                twice
            }
            path => with(document, path, value),
        };
        let answer = post(&app, &provide(profile, changed)).await;
        assert_eq!(answer.status, 422, "{profile} {path}: {}", answer.text());
        let expected = format!("Bundle.entry[1].resource.{place}");
        assert_eq!(answer.json()["issue"][0]["expression"][0], expected, "{path}: {}", answer.text());
    }
    for (path, value) in [("size", json!(6)), ("hash", json!("AAAA"))] {
        let wrong = with(minimal(), &format!("{at}/{path}"), Some(value));
        let answer = post(&app, &provide(MINIMAL, wrong)).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text());
        assert!(answer.text().contains("entry[1]"), "{}", answer.text());
    }
    assert_eq!(total(&app, "/r4/DocumentReference").await, 0, "nothing of what is refused is kept");
    assert_eq!(total(&app, "/r4/List").await, 0);
    assert_eq!(total(&app, "/stu3/Binary").await, 0);
}

#[tokio::test]
async fn a_bundle_has_the_entries_of_its_profile() {
    let app = app().await;
    let right = provide(MINIMAL, minimal());
    let with_entries = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut bundle = right.clone();
        change(bundle["entry"].as_array_mut().expect("an array"));
        bundle
    };
    let patient = |n| entry(n, json!({"resourceType":"Patient"}));
    for (what, bundle) in [
        ("no SubmissionSet", with_entries(&|entries| drop(entries.remove(0)))),
        ("two", with_entries(&|entries| entries.push(entry(8, list("submissionset", &[2]))))),
        ("a folder is none", with_entries(&|entries| entries[0] = entry(1, list("folder", &[2])))),
        ("two patients", with_entries(&|entries| entries.extend([patient(8), patient(9)]))),
        (
            "a document Bundle",
            with_entries(&|entries| {
                entries[2] = entry(3, json!({"resourceType":"Bundle","type":"collection"}))
            }),
        ),
        ("the Binary is missing", with_entries(&|entries| drop(entries.pop()))),
        ("an unknown profile", provide("IHE.MHD.Unheard.ProvideBundle", minimal())),
    ] {
        let answer = post(&app, &bundle).await;
        assert_eq!(answer.status, 422, "{what}: {}", answer.text());
        assert_eq!(answer.json()["resourceType"], "OperationOutcome", "{what}");
    }
    let mut batch = right.clone();
    batch["type"] = json!("batch");
    assert_eq!(post(&app, &batch).await.status, 422, "documents are provided in a transaction");
    assert_eq!(total(&app, "/r4/List").await, 0);
    let mut versioned = right.clone();
    versioned["meta"]["profile"] = json!([format!("{PROFILES}{MINIMAL}|4.2.2")]);
    provided(&app, &versioned).await;
    let mut plain = with_entries(&|entries| drop(entries.remove(0)));
    plain.as_object_mut().expect("an object").remove("meta");
    provided(&app, &plain).await;
}

/// A document that relates to another.
fn relating(code: &str, to: &str) -> Value {
    with(minimal(), "/relatesTo", Some(json!([{"code":code,"target":{"reference":to}}])))
}

#[tokio::test]
async fn what_is_replaced_is_superseded_in_the_same_step() {
    let app = app().await;
    let old = provided(&app, &provide(MINIMAL, minimal())).await[1].clone();
    for other in ["transforms", "signs", "appends"] {
        let place = provided(&app, &provide(MINIMAL, relating(other, &old))).await[1].clone();
        let found =
            app.get(&format!("/r4/DocumentReference?relation={other}&relatesto={old}"), None).await.json();
        assert_eq!(found["entry"][0]["resource"]["id"], place["DocumentReference/".len()..], "{other}");
    }
    let status = async |place: &str| app.get(&format!("/r4/{place}"), None).await.json()["status"].clone();
    assert_eq!(status(&old).await, "current", "others leave it as it is");
    // A bundle that fails changes nothing.
    let mut failing = provide(MINIMAL, relating("replaces", &old));
    failing["entry"][2]["request"] = json!({"method":"PUT","url":"Binary/b","ifMatch":"W/\"7\""});
    failing["entry"][2]["resource"]["id"] = json!("b");
    let refused = post(&app, &failing).await;
    assert_eq!(refused.status, 412, "{}", refused.text());
    assert_eq!(status(&old).await, "current");
    let answer = post(&app, &provide(MINIMAL, relating("replaces", &old))).await;
    let new = places(&answer)[1].clone();
    assert_eq!(answer.json()["entry"].as_array().expect("entries").len(), 3, "as many as were sent");
    assert_eq!((status(&old).await, status(&new).await), (json!("superseded"), json!("current")));
    let (old_version, new_version) = (
        app.get(&format!("/r4/{old}"), None).await.json()["meta"].clone(),
        app.get(&format!("/r4/{new}"), None).await.json()["meta"].clone(),
    );
    assert_eq!(old_version["versionId"], "2");
    assert_eq!(old_version["lastUpdated"], new_version["lastUpdated"], "one step");
    // By an absolute URL of another version's endpoint it is the same document.
    let newest = relating("replaces", &format!("{}/r5/{new}", app.url));
    provided(&app, &provide(MINIMAL, newest)).await;
    assert_eq!(status(&new).await, "superseded");
    assert_eq!(app.get(&format!("/stu3/{new}"), None).await.json()["status"], "superseded");
    // What is superseded already stays as it is.
    provided(&app, &provide(MINIMAL, relating("replaces", &old))).await;
    assert_eq!(app.get(&format!("/r4/{old}"), None).await.json()["meta"]["versionId"], "2");
    let nowhere = post(&app, &provide(MINIMAL, relating("replaces", "DocumentReference/nowhere"))).await;
    assert_eq!(nowhere.status, 422, "{}", nowhere.text());
    assert_eq!(nowhere.json()["issue"][0]["expression"][0], "Bundle.entry[1].resource.relatesTo");
}

#[tokio::test]
async fn a_bundle_may_say_itself_what_becomes_of_what_it_replaces() {
    let app = app().await;
    let patch = json!({"resourceType":"Parameters","meta":{"profile":[format!("{PROFILES}IHE.MHD.Patch.Parameters")]},
        "parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},
            {"name":"path","valueString":"DocumentReference.status"},{"name":"value","valueCode":"superseded"}]}]});
    let update = |place: &str| {
        let mut document = minimal();
        document["id"] = json!(place["DocumentReference/".len()..]);
        document["status"] = json!("superseded");
        document["description"] = json!("said by the client");
        document["content"][0]["attachment"]["url"] = json!(urn(3));
        json!({"resource":document,"request":{"method":"PUT","url":place}})
    };
    for by_patch in [true, false] {
        let old = provided(&app, &provide(MINIMAL, minimal())).await[1].clone();
        let mut bundle = provide(MINIMAL, relating("replaces", &old));
        let said = match by_patch {
            true => json!({"fullUrl":urn(4),"resource":patch,"request":{"method":"PATCH","url":old}}),
            false => update(&old),
        };
        bundle["entry"].as_array_mut().expect("an array").push(said);
        let answer = post(&app, &bundle).await;
        assert_eq!(answer.status, 200, "by patch {by_patch}: {}", answer.text());
        assert_eq!(places(&answer)[3], old);
        let read = app.get(&format!("/r4/{old}"), None).await.json();
        assert_eq!((&read["status"], &read["meta"]["versionId"]), (&json!("superseded"), &json!("2")));
        assert_eq!(read["description"].is_string(), !by_patch, "once, and as the client has it");
    }
}

#[tokio::test]
async fn of_racing_replacements_each_supersedes() {
    let app = app().await;
    let old = provided(&app, &provide(MINIMAL, minimal())).await[1].clone();
    let url = format!("{}/r4", app.url);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let sent: Vec<_> = (0..6)
        .map(|_| {
            let body = provide(MINIMAL, relating("replaces", &old)).to_string();
            tokio::spawn(Answer::of(client.post(&url).header("Content-Type", JSON).body(body)))
        })
        .collect();
    for answer in sent {
        let answer = answer.await.expect("sent");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let read = app.get(&format!("/r4/{old}"), None).await.json();
    assert_eq!((&read["status"], &read["meta"]["versionId"]), (&json!("superseded"), &json!("2")));
}

#[tokio::test]
async fn folders_are_made_and_filled_later() {
    let app = app().await;
    let mut bundle = provide(MINIMAL, minimal());
    let mut folder = list("folder", &[2]);
    folder["id"] = json!("f");
    let put = |folder: &Value| json!({"fullUrl":urn(5),"resource":folder,"request":{"method":"PUT","url":"List/f"}});
    bundle["entry"].as_array_mut().expect("an array").push(put(&folder));
    let first = provided(&app, &bundle).await;
    assert_eq!(first[3], "List/f");
    let mut filled = app.get("/r4/List/f", None).await.json();
    assert_eq!(filled["entry"][0]["item"]["reference"], first[1]);
    filled["entry"].as_array_mut().expect("an array").push(json!({"item":{"reference":urn(2)}}));
    let mut later = provide(MINIMAL, minimal());
    later["entry"].as_array_mut().expect("an array").push(put(&filled));
    let second = provided(&app, &later).await;
    let items = app.get("/r4/List/f", None).await.json()["entry"].clone();
    let items: Vec<_> =
        items.as_array().expect("items").iter().map(|item| item["item"]["reference"].clone()).collect();
    assert_eq!(items, [json!(first[1]), json!(second[1])]);
    // ITI-66
    for (query, expected) in [
        ("patient=Patient/p&code=folder", 1),
        ("patient=p&code=submissionset", 2),
        (&format!("patient.identifier=http://mrn|7&status=current&code={LIST_TYPES}|submissionset"), 2),
        ("patient.identifier=http://mrn|8&status=current", 0),
        ("identifier=http://sets|folder-1&patient=p", 1),
        ("date=2024-05-01&patient=p", 3),
        ("date=gt2024-05-01&patient=p", 0),
        ("source.family=house&source.given=greg&patient=p", 3),
        ("source.family=cuddy&patient=p", 0),
        (&format!("item={}&patient=p", first[1]), 2),
    ] {
        assert_eq!(total(&app, &format!("/r4/List?{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn documents_are_found_by_every_parameter() {
    let app = app().await;
    let by_role = |document: Value| {
        let document = with(document, "/author", Some(json!([{"reference":"#r"}])));
        with(
            document,
            "/contained",
            Some(json!([
            {"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"#a"}},
            {"resourceType":"Practitioner","id":"a","name":[{"family":"Inner"}]},
            {"resourceType":"Patient","id":"s"}])),
        )
    };
    provided(&app, &provide(UNCONTAINED, uncontained())).await;
    let contained = provided(&app, &provide(COMPREHENSIVE, comprehensive())).await[1].clone();
    provided(&app, &provide(COMPREHENSIVE, by_role(comprehensive()))).await;
    let logical = json!({"identifier":{"system":"http://mrn","value":"8"}});
    let logical = with(minimal(), "/subject", Some(logical));
    provided(&app, &provide(MINIMAL, logical)).await;
    for (query, expected) in [
        ("patient=p&status=current", 3),
        ("patient=Patient/p&status=superseded", 0),
        ("patient=p&status=current,superseded", 3),
        ("patient.identifier=http://mrn|7&status=current", 3),
        ("patient.identifier=http://mrn|8&status=current", 1),
        ("patient.identifier=http://mrn|9&status=current", 0),
        ("patient=p&author.family=house", 1),
        ("patient=p&author.given=greg", 1),
        ("patient=p&author.family=gru&author.given=eva", 1),
        ("patient=p&author:Practitioner.family=Grün", 1),
        ("patient=p&author:Patient.family=Grün", 0),
        ("patient=p&author.family=grun,house", 2),
        ("patient=p&author.family=source", 0),
        ("patient=p&author:PractitionerRole.practitioner.family=inner", 1),
        ("patient=p&author:missing=false", 3),
        ("patient=p&category=http://codes|class", 3),
        ("patient=p&category=other", 0),
        ("patient=p&type=http://codes|type", 3),
        ("patient=p&creation=2024-04-30", 3),
        ("patient=p&creation=gt2024-04-30", 0),
        ("patient=p&date=ge2024-05-01&date=lt2024-05-02", 3),
        ("patient=p&date=lt2024-05-01", 0),
        ("patient=p&event=http://codes|event", 3),
        ("patient=p&facility=facility", 3),
        ("patient=p&format=http://codes|format", 3),
        ("patient=p&format=other", 0),
        ("patient=p&identifier=urn:ietf:rfc:3986|urn:oid:1.2.3.4", 3),
        ("patient=p&period=ge2024-04-10&period=le2024-04-12", 3),
        ("patient=p&period=lt2024-03-01", 0),
        ("patient=p&related=ServiceRequest/s", 3),
        ("patient=p&security-label=http://codes|N", 3),
        ("patient=p&security-label=R", 0),
        ("patient=p&setting=setting", 3),
        ("patient=p&targetCommunityIdList=urn:oid:1.2", 3),
    ] {
        assert_eq!(total(&app, &format!("/r4/DocumentReference?{query}")).await, expected, "{query}");
        let form = send(
            &app,
            "/r4/DocumentReference/_search",
            "application/x-www-form-urlencoded",
            query.replace('|', "%7C").into_bytes(),
        );
        let form = form.await;
        assert_eq!((form.status, form.json()["total"].as_u64()), (200, Some(expected)), "form: {query}");
        let xml = app.get(&format!("/r4/DocumentReference?{query}"), XML).await.text();
        assert!(xml.contains(&format!("<total value=\"{expected}\"/>")), "{query}: {xml}");
    }
    let found = app.get("/r4/DocumentReference?patient=p&author.given=eva", None).await.json();
    assert_eq!(found["entry"][0]["fullUrl"], format!("{}/r4/{contained}", app.url));
    // What a contained author does not have, only a document with a contained author can lack.
    let without = "patient=p&author:Practitioner.given:missing=true";
    assert_eq!(total(&app, &format!("/r4/DocumentReference?{without}")).await, 0);
    let not = "patient=p&author:Practitioner.gender:not=male";
    assert_eq!(total(&app, &format!("/r4/DocumentReference?{not}")).await, 2, "House and Grün");
}

fn published() -> Value {
    json!({"resourceType":"DocumentReference","status":"current",
        "meta":{"profile":[format!("{PROFILES}IHE.MHD.SimplifiedPublish.DocumentReference")]},
        "masterIdentifier":{"value":"urn:oid:1.2.3.4"},"subject":{"reference":"Patient/p"},
        "author":[{"reference":"Practitioner/d"}],
        "content":[{"attachment":{"contentType":"text/plain","data":"aGVsbG8="}}]})
}

#[tokio::test]
async fn a_published_document_gets_its_binary_and_its_submission_set() {
    let app = app().await;
    for (content_type, body) in [(JSON, published().to_string().into_bytes()), (XML, in_xml(&published()))] {
        let answer = send(&app, "/r4/DocumentReference", content_type, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let place = answer.header("location").strip_prefix(&app.url).expect("ours").to_owned();
        let place = place.split("/_history").next().expect("a path").to_owned();
        let attachment = app.get(&place, None).await.json()["content"][0]["attachment"].clone();
        assert_eq!((&attachment["data"], &attachment["size"]), (&Value::Null, &json!(5)));
        let url = attachment["url"].as_str().expect("a URL").strip_prefix(&app.url).expect("ours");
        assert_eq!(app.get(url, None).await.text(), "hello");
        let item = place.strip_prefix("/r4/").expect("R4");
        let sets = app.get(&format!("/r4/List?code=submissionset&patient=p&item={item}"), None).await.json();
        assert_eq!(sets["total"], 1, "{sets}");
        let set = &sets["entry"][0]["resource"];
        assert_eq!((&set["status"], &set["mode"]), (&json!("current"), &json!("working")));
        assert_eq!(set["source"]["reference"], "Practitioner/d");
        assert_eq!(set["entry"][0]["item"]["reference"], item);
    }
    let again = app.request(Method::POST, "/r4/DocumentReference").header("Content-Type", JSON);
    let again =
        again.header("If-None-Exist", "identifier=urn:oid:1.2.3.4&_id=none").body(published().to_string());
    assert_eq!(Answer::of(again).await.status, 201, "no such document is there");
    let replacing = with(
        published(),
        "/relatesTo",
        Some(json!([{"code":"replaces","target":{"reference":"DocumentReference/x"}}])),
    );
    assert_eq!(
        send(&app, "/r4/DocumentReference", JSON, replacing.to_string().into_bytes()).await.status,
        422
    );
    assert_eq!(total(&app, "/r4/List").await, 3);
}

#[tokio::test]
async fn a_condition_on_publishing_holds_for_the_set_too() {
    let app = app().await;
    let publish = || {
        let request = app.request(Method::POST, "/r4/DocumentReference").header("Content-Type", JSON);
        Answer::of(
            request.header("If-None-Exist", "identifier=urn:oid:1.2.3.4").body(published().to_string()),
        )
    };
    let first = publish().await;
    let second = publish().await;
    assert_eq!((first.status, second.status), (201, 200), "{}", second.text());
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(total(&app, "/r4/List").await, 1);
    let old = first.json()["id"].as_str().expect("an id").to_owned();
    let relates = json!([{"code":"replaces","target":{"reference":format!("DocumentReference/{old}")}}]);
    let replacing = with(published(), "/relatesTo", Some(relates)).to_string();
    assert_eq!(send(&app, "/r4/DocumentReference", JSON, replacing.into_bytes()).await.status, 201);
    let read = app.get(&format!("/r4/DocumentReference/{old}"), None).await.json();
    assert_eq!(read["status"], "superseded");
}

#[tokio::test]
async fn what_is_published_keeps_its_profile() {
    let app = app().await;
    for (path, value, place) in [
        ("/status", Some(json!("superseded")), "status"),
        ("/subject", None, "subject"),
        ("/docStatus", Some(json!("final")), "docStatus"),
        ("/content/0/attachment/data", None, "content[0].attachment.data"),
        ("/content/0/attachment/contentType", None, "content[0].attachment.contentType"),
        ("/content/0/attachment/url", Some(json!("http://else/doc")), "content[0].attachment.url"),
        ("/content/0/attachment/hash", Some(json!("AAAA")), "content[0].attachment"),
    ] {
        let body = with(published(), path, value).to_string().into_bytes();
        let answer = send(&app, "/r4/DocumentReference", JSON, body).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text());
        let expected = format!("DocumentReference.{place}");
        assert_eq!(answer.json()["issue"][0]["expression"][0], expected, "{path}");
    }
    assert_eq!(total(&app, "/r4/DocumentReference").await, 0);
    assert_eq!(total(&app, "/r4/List").await, 0);
    let plain = with(published(), "/meta", None).to_string().into_bytes();
    assert_eq!(send(&app, "/r4/DocumentReference", JSON, plain).await.status, 201);
    assert_eq!(total(&app, "/r4/List").await, 0, "who claims nothing gets no set");
}
