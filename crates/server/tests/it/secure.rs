//! A server with TLS, and callers that speak HTTP/1.1 or HTTP/2 to it.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
        version::{TLS12, TLS13},
    },
};

use crate::app::{Answer, TestApp};

/// The version of HTTP that a caller speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    One,
    Two,
}

/// Both.
pub const BOTH: [Http; 2] = [Http::One, Http::Two];

/// Keys of the configuration that make a server speak TLS; sections of its own follow.
pub const TLS: &str = "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";

const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS12, &TLS13];

/// A server with TLS and a certificate of its own.
pub struct Secure {
    pub app: TestApp,
    /// The one that it began with.
    pub certificate: CertificateDer<'static>,
}

/// Writes a fresh certificate for `localhost` and its key; gives the certificate.
pub fn certify(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("a file");
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("a file");
    made.cert.into()
}

impl Secure {
    /// With these further keys and sections.
    pub fn start(configuration: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let certificate = certify(directory.path());
        let app = TestApp::in_directory(directory, &format!("{configuration}\n{TLS}"));
        Self { app, certificate }
    }

    /// A connection in TCP alone.
    pub async fn tcp(&self) -> TcpStream {
        let address = self.app.url.strip_prefix("https://").expect("it speaks TLS");
        TcpStream::connect(address).await.expect("it listens")
    }

    /// A connection that trusts the first certificate.
    pub async fn tls(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        self.tls_as(alpn, VERSIONS, &self.certificate).await.expect("a handshake")
    }

    /// Whether the server shows this certificate now.
    pub async fn shows(&self, certificate: &CertificateDer<'static>) -> bool {
        self.tls_as(b"", VERSIONS, certificate).await.is_ok()
    }

    /// A connection with these versions that trusts one certificate alone.
    pub async fn tls_as(
        &self,
        alpn: &[u8],
        versions: &[&'static SupportedProtocolVersion],
        trusted: &CertificateDer<'static>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions that the library has")
            .with_root_certificates(roots)
            .with_no_client_auth();
        if !alpn.is_empty() {
            config.alpn_protocols = vec![alpn.to_vec()];
        }
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await
    }

    /// A caller with a connection of its own.
    pub async fn caller(&self, http: Http) -> Caller {
        self.caller_trusting(http, &self.certificate).await
    }

    /// The same after the certificate has changed.
    pub async fn caller_trusting(&self, http: Http, certificate: &CertificateDer<'static>) -> Caller {
        let alpn: &[u8] = if http == Http::One { b"http/1.1" } else { b"h2" };
        let stream = self.tls_as(alpn, VERSIONS, certificate).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn), "the server speaks it");
        let io = TokioIo::new(stream);
        match http {
            Http::One => {
                let (sender, connection) = hyper::client::conn::http1::handshake(io).await.expect("HTTP/1.1");
                tokio::spawn(connection);
                Caller::One(sender)
            }
            Http::Two => {
                let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
                let (sender, connection) = handshake.await.expect("HTTP/2");
                tokio::spawn(connection);
                Caller::Two(sender)
            }
        }
    }
}

/// A client with one connection.
pub enum Caller {
    One(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Two(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Caller {
    /// Sends a request and gives the answer when its head is there.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> hyper::Result<http::Response<Incoming>> {
        let uri = match self {
            Self::One(_) => path.to_owned(),
            Self::Two(_) => format!("https://localhost{path}"),
        };
        let mut request = Request::builder().method(method).uri(uri);
        if let Self::One(_) = self {
            request = request.header("host", "localhost");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// The same, read to its end.
    pub async fn ask(&mut self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        read(self.send(method, path, headers, Bytes::new()).await.expect("an answer")).await
    }

    /// PUT; asserts that it was stored.
    pub async fn put(&mut self, path: &str, bytes: impl Into<Bytes>) -> Answer {
        let headers = [("content-type", "application/octet-stream")];
        let answer = read(self.send(Method::PUT, path, &headers, bytes).await.expect("an answer")).await;
        assert!(matches!(answer.status, 200 | 201), "PUT {path}: {} {}", answer.status, answer.text());
        answer
    }
}

/// Reads an answer to its end.
pub async fn read(response: http::Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("the body arrives whole").to_bytes().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}
