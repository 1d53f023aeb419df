//! Clients that write and read documents of their own through any node, try again what was refused or cut off, and
//! know to the byte what must be there.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;

use crate::{app::client, command::noise};

/// Where the nodes are now; a node that was started again has another port.
pub type Addresses = Arc<Mutex<Vec<String>>>;

/// What clients saw.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// Requests that were sent, those that were tried again included.
    pub requests: u64,
    /// Writes and reads that came to an end.
    pub done: u64,
    /// 503.
    pub refused: u64,
    /// 503 without Retry-After, and any other status that nobody expects.
    pub unexpected: Vec<String>,
    /// Connections that could not be made, and answers that broke off.
    pub broken: u64,
    /// 500: what is stored seemed damaged, as it came wrong again and again.
    pub damaged: u64,
    /// Acknowledged writes that were not there.
    pub lost: Vec<String>,
    /// Bytes that were not those of the document.
    pub wrong: Vec<String>,
    /// The longest that a refusal took.
    pub slowest_refusal: Duration,
    /// When something was last refused or cut off.
    pub last_failure: Option<Instant>,
}

impl Seen {
    fn join(&mut self, other: Self) {
        self.requests += other.requests;
        self.done += other.done;
        self.refused += other.refused;
        self.unexpected.extend(other.unexpected);
        self.broken += other.broken;
        self.damaged += other.damaged;
        self.lost.extend(other.lost);
        self.wrong.extend(other.wrong);
        self.slowest_refusal = self.slowest_refusal.max(other.slowest_refusal);
        self.last_failure = self.last_failure.max(other.last_failure);
    }

    /// Seconds from `healed` to the last that still went wrong.
    pub fn recovery(&self, healed: Instant) -> f64 {
        self.last_failure.map_or(0.0, |last| last.saturating_duration_since(healed).as_secs_f64())
    }

    /// Nothing was lost and nothing wrong was served, and what was refused was refused in the right words.
    pub fn assert_right(&self) {
        assert!(self.lost.is_empty(), "lost: {:?}", self.lost);
        assert!(self.wrong.is_empty(), "wrong: {:?}", self.wrong);
        assert!(self.unexpected.is_empty(), "unexpected: {:?}", self.unexpected);
    }
}

/// Clients that go on until they are told to stop.
pub struct Load {
    clients: JoinSet<Client>,
    stop: Arc<AtomicBool>,
    addresses: Addresses,
}

impl Load {
    /// So many clients, each with `documents` documents of up to `bytes_max` bytes.
    pub fn start(addresses: &Addresses, clients: usize, documents: u64, bytes_max: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut set = JoinSet::new();
        for number in 0..clients {
            let client = Client::new(number, documents, bytes_max, addresses);
            set.spawn(client.run(Arc::clone(&stop)));
        }
        Self { clients: set, stop, addresses: Arc::clone(addresses) }
    }

    /// Lets every client end what it has begun, then reads everything back through every node.
    pub async fn end(self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        let mut seen = Seen::default();
        for client in self.clients.join_all().await {
            let nodes = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
            seen.join(client.seen.clone());
            seen.join(client.all_there(&nodes).await);
        }
        seen
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Never,
    Deleted,
    There { seed: u64, length: usize, version: u64 },
}

struct Client {
    number: usize,
    random: u64,
    documents: u64,
    bytes_max: usize,
    states: BTreeMap<u64, State>,
    created: u64,
    http: reqwest::Client,
    addresses: Addresses,
    turn: AtomicUsize,
    seen: Seen,
}

impl Client {
    fn new(number: usize, documents: u64, bytes_max: usize, addresses: &Addresses) -> Self {
        Self {
            number,
            random: number as u64 + 1,
            documents,
            bytes_max,
            states: BTreeMap::new(),
            created: 0,
            http: client(),
            addresses: Arc::clone(addresses),
            turn: AtomicUsize::new(number),
            seen: Seen::default(),
        }
    }

    async fn run(mut self, stop: Arc<AtomicBool>) -> Self {
        while !stop.load(Ordering::SeqCst) {
            let document = self.below(self.documents);
            match self.below(10) {
                0..4 => self.put(document).await,
                4 => self.delete(document).await,
                5 => self.create_once().await,
                _ => self.read(document).await,
            }
        }
        self
    }

    /// A new version, or the first.
    async fn put(&mut self, document: u64) {
        // Most from what the catalog keeps to what goes to the content store in one piece, some larger.
        let length = match self.below(8) {
            0..4 => 200 + self.below(6_000),
            4..7 => 9_000 + self.below(120_000),
            _ => 9_000 + self.below(self.bytes_max as u64),
        };
        let (seed, length) = (self.next(), usize::try_from(length).expect("64 bit"));
        let (status, version, _) = self.until_done(Method::PUT, document, Some((seed, length))).await;
        assert!(matches!(status, 200 | 201), "PUT: {status}");
        let before = match self.state(document) {
            State::There { version, .. } => version,
            _ => 0,
        };
        if version <= before {
            self.seen.lost.push(format!("{}: version {version} after {before}", self.name(document)));
        }
        self.states.insert(document, State::There { seed, length, version });
    }

    async fn delete(&mut self, document: u64) {
        let (status, ..) = self.until_done(Method::DELETE, document, None).await;
        assert!(matches!(status, 200 | 204), "DELETE: {status}");
        if self.state(document) != State::Never {
            self.states.insert(document, State::Deleted);
        }
    }

    /// A conditional create, tried again until it is done: by its identifier there is one afterwards, no more.
    async fn create_once(&mut self) {
        self.created += 1;
        let identifier = format!("c{}-{}", self.number, self.created);
        let body = format!(
            r#"{{"resourceType":"DocumentReference","status":"current","identifier":[{{"system":"urn:load","value":"{identifier}"}}],"content":[{{"attachment":{{"contentType":"text/plain","data":"SGVsbG8="}}}}]}}"#
        );
        loop {
            let url = format!("{}/r4/DocumentReference", self.node());
            let request = self.http.post(url).header("Content-Type", "application/fhir+json");
            let request = request
                .header("If-None-Exist", format!("identifier=urn:load|{identifier}"))
                .body(body.clone());
            match self.attempt(request).await {
                Some((200 | 201, ..)) => break,
                Some((status, ..)) => self.seen.unexpected.push(format!("conditional create: {status}")),
                None => {}
            }
        }
        self.seen.done += 1;
    }

    async fn read(&mut self, document: u64) {
        let (status, version, body) = self.until_done(Method::GET, document, None).await;
        self.compare(document, status, version, &body);
    }

    fn compare(&mut self, document: u64, status: u16, version: u64, body: &[u8]) {
        let state = self.state(document);
        let fits = match state {
            State::Never => status == 404,
            State::Deleted => status == 410,
            State::There { version: known, .. } => status == 200 && version == known,
        };
        if !fits {
            self.seen
                .lost
                .push(format!("{}: {state:?}, found {status} version {version}", self.name(document)));
        } else if let State::There { seed, length, .. } = state
            && body != noise(seed, length)
        {
            self.seen.wrong.push(format!("{}: {} bytes of {length}", self.name(document), body.len()));
        }
    }

    /// Asks one node after the other until one does it. Gives status, version and body.
    async fn until_done(
        &mut self,
        method: Method,
        document: u64,
        bytes: Option<(u64, usize)>,
    ) -> (u16, u64, Vec<u8>) {
        let begun = Instant::now();
        loop {
            let url = format!("{}/r4/Binary/{}", self.node(), self.name(document));
            let mut request = self.http.request(method.clone(), url);
            if let Some((seed, length)) = bytes {
                request = request.header("Content-Type", "text/x-noise").body(noise(seed, length));
            }
            if let Some(done) = self.attempt(request).await {
                self.seen.done += 1;
                return done;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "{method} of {} is never done",
                self.name(document)
            );
        }
    }

    /// `None` if it was refused or cut off, after a moment.
    async fn attempt(&mut self, request: reqwest::RequestBuilder) -> Option<(u16, u64, Vec<u8>)> {
        let begun = Instant::now();
        self.seen.requests += 1;
        let outcome = async {
            let response = request.timeout(Duration::from_secs(30)).send().await?;
            let (status, headers) = (response.status(), response.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, response.bytes().await?))
        }
        .await;
        let failed = match outcome {
            Err(_) => {
                self.seen.broken += 1;
                true
            }
            Ok((StatusCode::SERVICE_UNAVAILABLE, headers, _)) => {
                self.seen.refused += 1;
                if !headers.contains_key("retry-after") {
                    self.seen.unexpected.push("503 without Retry-After".into());
                }
                self.seen.slowest_refusal = self.seen.slowest_refusal.max(begun.elapsed());
                true
            }
            Ok((StatusCode::INTERNAL_SERVER_ERROR, ..)) => {
                self.seen.damaged += 1;
                true
            }
            Ok((status, ..)) if status.is_server_error() => {
                self.seen.unexpected.push(format!("{status}"));
                true
            }
            Ok((status, headers, body)) => {
                let tag = headers.get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default();
                let tag = tag.trim_start_matches("W/").trim_matches('"').trim_end_matches("-n");
                return Some((status.as_u16(), tag.parse().unwrap_or(0), body.to_vec()));
            }
        };
        if failed {
            self.seen.last_failure = Some(Instant::now());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// Reads everything through each of the nodes, and asks whether each conditional create made one document.
    async fn all_there(mut self, nodes: &[String]) -> Seen {
        self.seen = Seen::default();
        for node in nodes {
            self.addresses = Arc::new(Mutex::new(vec![node.clone()]));
            for document in self.states.keys().copied().collect::<Vec<_>>() {
                self.read(document).await;
            }
        }
        for created in 1..=self.created {
            let identifier = format!("urn:load|c{}-{created}", self.number);
            let url = format!("{}/r4/DocumentReference?identifier={identifier}&_summary=count", nodes[0]);
            let bundle: serde_json::Value =
                self.http.get(url).send().await.expect("it answers").json().await.expect("JSON");
            if bundle["total"] != 1 {
                self.seen.lost.push(format!("{identifier}: {} of it", bundle["total"]));
            }
        }
        self.seen.last_failure = None;
        self.seen
    }

    fn node(&self) -> String {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses[self.turn.fetch_add(1, Ordering::Relaxed) % addresses.len()].clone()
    }

    fn name(&self, document: u64) -> String {
        format!("n{}-{document}", self.number)
    }

    fn state(&self, document: u64) -> State {
        self.states.get(&document).copied().unwrap_or(State::Never)
    }

    fn next(&mut self) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 16
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
