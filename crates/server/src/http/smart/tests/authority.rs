//! An issuer on loopback, and the verifier that trusts it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use charta_auth::{Claims, SigningKey};
use charta_model::{TenantId, Timestamp};
use http::{HeaderMap, HeaderValue, header};
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    config::Config,
    http::smart::{LastToken, TokenError, Verifier},
};

pub const BASE: &str = "http://127.0.0.1:8080/r4";
pub const NOW: i64 = 1_800_000_000;

/// What the authority answers: status and headers, and a body.
pub type Reply = (String, Vec<u8>);

/// A server that answers everything alike, unless told otherwise for a path, and remembers what it was asked.
pub struct Authority {
    pub url: String,
    reply: Arc<Mutex<Reply>>,
    paths: Arc<Mutex<Vec<(String, Reply)>>>,
    asked: Arc<AtomicUsize>,
    last: Arc<Mutex<String>>,
}

impl Authority {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/answer", listener.local_addr().unwrap());
        let (reply, paths) = (Arc::<Mutex<Reply>>::default(), Arc::<Mutex<Vec<(String, Reply)>>>::default());
        let authority = Self { url, reply, paths, asked: Arc::default(), last: Arc::default() };
        let (reply, asked, last) = (authority.reply.clone(), authority.asked.clone(), authority.last.clone());
        let paths = authority.paths.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (reply, asked, last) = (reply.clone(), asked.clone(), last.clone());
                let paths = paths.clone();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !is_whole(&request) && stream.read_buf(&mut request).await.is_ok_and(|n| n > 0) {}
                    asked.fetch_add(1, Ordering::SeqCst);
                    let request = String::from_utf8(request).unwrap();
                    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                    *last.lock().unwrap() = request;
                    let of_path = paths.lock().unwrap().iter().find(|(known, _)| *known == path).cloned();
                    let (head, body) =
                        of_path.map_or_else(|| reply.lock().unwrap().clone(), |(_, reply)| reply);
                    if head.is_empty() {
                        return std::future::pending().await; // never answers
                    }
                    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
                    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
                });
            }
        });
        authority
    }

    /// Answers this from now on; an empty head is silence.
    pub fn reply(&self, head: &str, body: impl Into<Vec<u8>>) {
        *self.reply.lock().unwrap() = (head.to_owned(), body.into());
    }

    /// Answers this JSON at a path.
    pub fn reply_at(&self, path: &str, body: &Value) {
        let reply = ("200 OK".to_owned(), body.to_string().into_bytes());
        let mut paths = self.paths.lock().unwrap();
        paths.retain(|(known, _)| known != path);
        paths.push((path.to_owned(), reply));
    }

    pub fn reply_json(&self, body: &Value) {
        self.reply("200 OK", body.to_string());
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The last request.
    pub fn last(&self) -> String {
        self.last.lock().unwrap().clone()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// A key to sign with.
pub struct Key(SigningKey);

impl Key {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        Self(SigningKey::read(&SigningKey::generate(&random).unwrap(), &random).unwrap())
    }

    pub fn jwks(&self) -> Value {
        self.0.public()
    }

    /// An access token for [`BASE`] that ends in an hour, with these claims besides.
    pub fn token(&self, more: &Value) -> String {
        let mut claims = json!({
            "iss": "https://issuer.example.org", "aud": BASE, "exp": NOW + 3600, "scope": "user/*.rs",
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.0.sign("at+jwt", &claims, &SystemRandom::new()).unwrap()
    }
}

/// A verifier that knows of one issuer nothing but its URL.
pub fn verifier_of(issuer: &str) -> Verifier {
    Verifier::new(&Config::parse(&format!("[[issuer]]\nurl = \"{issuer}\""), "test").unwrap()).unwrap()
}

/// A verifier with one issuer, whose keys or answers come as `rest` says.
pub fn verifier(rest: &str) -> Verifier {
    let text = format!("[[issuer]]\nurl = \"https://issuer.example.org\"\n{rest}");
    Verifier::new(&Config::parse(&text, "test").unwrap()).unwrap()
}

/// Asks about a token, so many seconds after [`NOW`].
pub async fn verify(verifier: &Verifier, token: &str, seconds: i64) -> Result<Claims, TokenError> {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
    let tenant = TenantId::new("default").unwrap();
    let now = Timestamp::from_second(NOW + seconds).unwrap();
    verifier
        .verify(&headers, &LastToken::default(), BASE, &tenant, now)
        .await
        .map(|known| known.claims.clone())
}
