//! Transactions beside others: nothing of one that fails is ever seen, all or nothing of one that a kill cuts off, and
//! a condition holds once however many ask at the same time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    app::{Answer, TestApp},
    command::{charta, show, text},
};

const JSON: &str = "application/fhir+json";

fn patient(id: &str, family: &str, tag: &str) -> Value {
    json!({"resourceType":"Patient","id":id,"name":[{"family":family}],
        "meta":{"tag":[{"system":"http://race","code":tag}]},
        "identifier":[{"system":"http://race","value":family}]})
}

fn put(resource: Value) -> Value {
    let url = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    json!({"resource":resource,"request":{"method":"PUT","url":url}})
}

fn transaction(entries: Vec<Value>) -> Value {
    json!({"resourceType":"Bundle","type":"transaction","entry":entries})
}

/// A client that can outlive the server.
#[derive(Clone)]
struct Caller {
    client: Client,
    url: String,
}

impl Caller {
    fn of(app: &TestApp) -> Self {
        let client = Client::builder().no_proxy().build().expect("a client without TLS needs nothing");
        Self { client, url: app.url.clone() }
    }

    async fn post(&self, bundle: &Value) -> Answer {
        let request = self.client.post(format!("{}/r4", self.url)).header("Content-Type", JSON);
        Answer::of(request.body(bundle.to_string())).await
    }

    /// The status, if the server lived to tell it.
    async fn post_to_the_end(&self, bundle: &Value) -> Option<u16> {
        let request = self.client.post(format!("{}/r4", self.url)).header("Content-Type", JSON);
        let answer = request.body(bundle.to_string()).send().await.ok()?;
        let status = answer.status().as_u16();
        answer.bytes().await.ok()?;
        Some(status)
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}/r4/{path}", self.url))).await
    }

    async fn total(&self, path: &str) -> u64 {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()["total"].as_u64().expect("a total")
    }
}

/// Everything that a transaction can do, and at its end a condition that does not hold.
fn failing(writer: usize, round: usize) -> Value {
    let document = json!({"resourceType":"DocumentReference","status":"current","description":"failed",
        "meta":{"tag":[{"system":"http://race","code":"failed"}]},
        "content":[{"attachment":{"contentType":"text/plain","url":"urn:uuid:00000000-0000-4000-8000-000000000001"}}]});
    let binary = json!({"resourceType":"Binary","contentType":"text/race","data":"ZmFpbGVk",
        "meta":{"tag":[{"system":"http://race","code":"failed"}]}});
    transaction(vec![
        json!({"resource":patient("x", "Failed", "failed"),"request":{"method":"POST","url":"Patient"}}),
        put(patient(&format!("f-{writer}-{round}"), "Failed", "failed")),
        put(patient("base", "Failed", "failed")),
        json!({"request":{"method":"DELETE","url":"Patient/kept"}}),
        json!({"resource":document,"request":{"method":"POST","url":"DocumentReference"}}),
        json!({"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":binary,
            "request":{"method":"POST","url":"Binary"}}),
        json!({"resource":patient("other", "Failed", "failed"),
            "request":{"method":"PUT","url":"Patient/other","ifMatch":"W/\"99\""}}),
    ])
}

/// One of the ways in which something could be seen.
async fn look(caller: &Caller, way: usize, writer: usize, round: usize) {
    match way % 8 {
        0 => {
            let base = caller.get("Patient/base").await.json();
            assert_eq!(
                (&base["name"][0]["family"], &base["meta"]["versionId"]),
                (&json!("Base"), &json!("1"))
            );
        }
        1 => assert_eq!(caller.get("Patient/kept").await.status, 200),
        2 => assert_eq!(caller.total("Patient?family=failed&_summary=count").await, 0),
        3 => assert_eq!(caller.total("?_tag=http://race%7Cfailed").await, 0),
        4 => assert_eq!(caller.get(&format!("Patient/f-{writer}-{round}")).await.status, 404),
        5 => assert_eq!(caller.get(&format!("Patient/f-{writer}-{round}/_history")).await.status, 404),
        6 => {
            let history = caller.get("_history?_count=100").await.text();
            assert!(!history.contains("ailed") && !history.contains("DELETE"), "{history}");
        }
        _ => {
            let found = caller.total("Patient?_tag=http://race%7Cpair&_summary=count").await;
            assert_eq!(found % 2, 0, "pairs are stored together");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_failed_transaction_is_ever_seen() {
    const WRITERS: usize = 3;
    const ROUNDS: usize = 40;
    let app = TestApp::start();
    let caller = Caller::of(&app);
    for resource in
        [patient("base", "Base", "own"), patient("kept", "Kept", "own"), patient("other", "Other", "own")]
    {
        assert_eq!(caller.post(&transaction(vec![put(resource)])).await.status, 200);
    }
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for reader in 0..4 {
        let (caller, done) = (caller.clone(), Arc::clone(&done));
        readers.spawn(async move {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                look(&caller, looks + reader, looks % WRITERS, looks % ROUNDS).await;
                looks += 1;
            }
            looks
        });
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let caller = caller.clone();
        writers.spawn(async move {
            for round in 0..ROUNDS {
                let failed = caller.post(&failing(writer, round)).await;
                assert_eq!(failed.status, 412, "{}", failed.text());
                assert!(failed.text().contains("entry[6]"), "{}", failed.text());
                let pair =
                    ["a", "b"].map(|half| put(patient(&format!("{half}-{writer}-{round}"), "Pair", "pair")));
                assert_eq!(caller.post(&transaction(pair.to_vec())).await.status, 200);
            }
        });
    }
    writers.join_all().await;
    done.store(true, Ordering::Relaxed);
    let looks: usize = readers.join_all().await.into_iter().sum();
    assert!(looks > 100, "it was looked at {looks} times");
    for way in 0..8 {
        look(&caller, way, 0, 0).await;
    }
    assert_eq!(caller.total("Patient?_summary=count").await, (3 + 2 * WRITERS * ROUNDS) as u64);
    assert_eq!(charta(&["check", "--config", text(&app.configuration())]).ok(), "clean\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_of_a_transaction_survives_a_kill() {
    const KILLS: u64 = 8;
    const ENTRIES: usize = 25;
    let id = |kill: u64, writer: usize, n: usize, part: usize| format!("k{kill}-{writer}-{n}-{part}");
    let mut app = TestApp::start();
    let (mut whole, mut unanswered) = (0, 0);
    for kill in 0..KILLS {
        let mut writers = JoinSet::new();
        let (answers, mut answer) = tokio::sync::mpsc::unbounded_channel();
        for writer in 0..3 {
            let (caller, answers) = (Caller::of(&app), answers.clone());
            writers.spawn(async move {
                let mut answered = 0;
                loop {
                    let part = |part| put(patient(&id(kill, writer, answered, part), "Whole", "whole"));
                    let mut entries: Vec<_> = (0..ENTRIES).map(part).collect();
                    let binary = json!({"resourceType":"Binary","id":id(kill, writer, answered, 0),
                        "contentType":"text/plain","data":base64_simd::STANDARD.encode_to_string(vec![b'x'; 20_000 + answered])});
                    entries.push(put(binary));
                    match caller.post_to_the_end(&transaction(entries)).await {
                        Some(200) => {
                            answered += 1;
                            answers.send(()).expect("it is waited for");
                        }
                        Some(status) => panic!("{status}"),
                        None => return answered,
                    }
                }
            });
        }
        // Each kill comes at another moment of the work, which is under way.
        answer.recv().await.expect("there is load");
        tokio::time::sleep(Duration::from_millis(7 * kill)).await;
        let directory = std::mem::replace(&mut app.directory, tempfile::tempdir().expect("a directory"));
        drop(app); // kills without notice
        let answered = writers.join_all().await;
        app = TestApp::in_directory(directory, "");
        let caller = Caller::of(&app);
        let acknowledged: usize = answered.iter().sum();
        let mut found = 0;
        for writer in 0..3 {
            for n in 0..=answered.iter().max().copied().unwrap_or_default() {
                let ids: Vec<_> = (0..ENTRIES).map(|part| id(kill, writer, n, part)).collect();
                let there = caller.total(&format!("Patient?_summary=count&_id={}", ids.join(","))).await;
                assert!(there == 0 || there == ENTRIES as u64, "kill {kill}: {there} of {ENTRIES}");
                let binary = caller.get(&format!("Binary/{}", id(kill, writer, n, 0))).await;
                assert_eq!(binary.status == 200, there > 0, "kill {kill}");
                assert!(binary.status != 200 || binary.body.len() == 20_000 + n, "kill {kill}");
                found += usize::from(there > 0);
            }
        }
        assert!(found >= acknowledged, "kill {kill}: {acknowledged} were acknowledged, {found} are there");
        whole += found;
        unanswered += found - acknowledged;
        assert_eq!(charta(&["check", "--config", text(&app.configuration())]).ok(), "clean\n", "kill {kill}");
    }
    show(&format!("{KILLS} kills, {whole} transactions are there, {unanswered} of them unanswered"));
    assert!(whole >= KILLS as usize, "there was load");
}

/// A patient unless there is one, and an observation of that patient.
fn with_its_patient(system: &str, n: usize) -> Value {
    let urn = "urn:uuid:00000000-0000-4000-8000-000000000001";
    let patient = json!({"resourceType":"Patient","identifier":[{"system":system,"value":"1"}]});
    let observation = json!({"resourceType":"Observation","status":"final","code":{"text":format!("{n}")},
        "subject":{"reference":urn}});
    transaction(vec![
        json!({"resource":observation,"request":{"method":"POST","url":"Observation"}}),
        json!({"fullUrl":urn,"resource":patient,
            "request":{"method":"POST","url":"Patient","ifNoneExist":format!("identifier={system}|1")}}),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_conditional_creates_in_transactions_one_stores() {
    const CALLERS: usize = 12;
    let app = TestApp::start();
    for round in 0..5 {
        let system = format!("http://round/{round}");
        let mut callers = JoinSet::new();
        for n in 0..CALLERS {
            let (caller, system) = (Caller::of(&app), system.clone());
            callers.spawn(async move {
                if n % 4 == 3 {
                    // Alone, beside the transactions.
                    let patient =
                        json!({"resourceType":"Patient","identifier":[{"system":system,"value":"1"}]});
                    let request =
                        caller.client.post(format!("{}/r4/Patient", caller.url)).header("Content-Type", JSON);
                    let request = request.header("If-None-Exist", format!("identifier={system}|1"));
                    let answer = Answer::of(request.body(patient.to_string())).await;
                    return (answer.status, answer.json()["id"].as_str().unwrap().to_owned());
                }
                let answer = caller.post(&with_its_patient(&system, n)).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                let response = answer.json()["entry"][1]["response"].clone();
                let status: u16 = response["status"].as_str().unwrap()[..3].parse().unwrap();
                let id = response["location"].as_str().unwrap().split('/').nth(1).unwrap().to_owned();
                (status, id)
            });
        }
        let answers = callers.join_all().await;
        let created = answers.iter().filter(|(status, _)| *status == 201).count();
        assert_eq!(created, 1, "{answers:?}");
        assert!(
            answers.iter().all(|(status, id)| matches!(status, 200 | 201) && *id == answers[0].1),
            "{answers:?}"
        );
        let caller = Caller::of(&app);
        assert_eq!(caller.total(&format!("Patient?identifier={system}%7C1")).await, 1);
        let of_it = caller.total(&format!("Observation?subject=Patient/{}", answers[0].1)).await;
        assert_eq!(of_it, (CALLERS - CALLERS / 4) as u64, "every observation is of that patient");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_conditional_updates_each_is_a_version_of_one_resource() {
    const CALLERS: usize = 8;
    let app = TestApp::start();
    let mut callers = JoinSet::new();
    for n in 0..CALLERS {
        let caller = Caller::of(&app);
        callers.spawn(async move {
            let patient = json!({"resourceType":"Patient","name":[{"family":format!("N{n}")}],
                "identifier":[{"system":"http://one","value":"1"}]});
            let entry = json!({"resource":patient,"request":{"method":"PUT","url":"Patient?identifier=http://one|1"}});
            caller.post(&transaction(vec![entry])).await.status
        });
    }
    assert!(callers.join_all().await.into_iter().all(|status| status == 200));
    let caller = Caller::of(&app);
    let found = caller.get("Patient?identifier=http://one%7C1").await.json();
    assert_eq!(found["total"], 1);
    let id = found["entry"][0]["resource"]["id"].as_str().unwrap();
    assert_eq!(caller.total(&format!("Patient/{id}/_history")).await, CALLERS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_transaction_wrote_is_seen_together() {
    let app = TestApp::start();
    let caller = Caller::of(&app);
    let both = |family: &str, turned: bool| {
        let mut entries = vec![put(patient("a", family, "own")), put(patient("b", family, "own"))];
        if turned {
            entries.reverse();
        }
        transaction(entries)
    };
    assert_eq!(caller.post(&both("Start", false)).await.status, 200);
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let caller = caller.clone();
        writers.spawn(async move {
            for n in 0..25 {
                let answer = caller.post(&both(&format!("W{writer}-{n}"), writer % 2 == 0)).await;
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
        });
    }
    while !writers.is_empty() {
        let found = caller.get("Patient?_id=a,b").await.json();
        let seen = |n: usize, member: &str| found["entry"][n]["resource"].pointer(member).cloned();
        for member in ["/name/0/family", "/meta/versionId", "/meta/lastUpdated"] {
            assert_eq!(seen(0, member), seen(1, member), "{found}");
        }
        while let Some(ended) = writers.try_join_next() {
            ended.expect("all were stored");
        }
    }
    assert_eq!(caller.get("Patient/a").await.header("etag"), "W/\"101\"");
}

#[tokio::test]
async fn a_transaction_that_waits_for_its_body_is_nothing() {
    let app = TestApp::start();
    let request = app.request(Method::POST, "/r4").header("Content-Type", JSON);
    let whole = transaction(vec![put(patient("a", "A", "own")), put(patient("b", "B", "own"))]).to_string();
    let cut = whole[..whole.len() - 5].to_owned();
    assert_eq!(Answer::of(request.body(cut)).await.status, 400);
    assert_eq!(app.get("/r4/Patient", None).await.json()["total"], 0);
}
