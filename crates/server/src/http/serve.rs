//! One connection: TLS if it is configured, then HTTP/1.1 or, where both sides know it, HTTP/2.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use http::Request;
use hyper::{
    body::Incoming,
    rt::{Read, Write},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    App,
    connection::{Connection, Outbox},
    http2,
    patience::PatientStream,
    pipeline,
    request_body::Unread,
    smart::LastToken,
    tls,
};

/// Headers of a request at most.
pub const HEADERS_MAX: usize = 100;

/// What a request's connection is.
pub struct Link {
    /// Where file content leaves.
    pub outbox: Outbox,
    /// Who connected: a client, or a proxy.
    pub peer: IpAddr,
    /// The same as text.
    pub peer_text: Box<str>,
    /// Whether TLS protects it.
    pub secure: bool,
    /// Where its requests note that they were answered before they were read to their end.
    pub unread: Unread,
    /// What it showed to say who calls.
    pub last_token: LastToken,
}

impl Link {
    fn new(outbox: Outbox, peer: IpAddr, secure: bool, unread: Unread) -> Self {
        let peer_text = peer.to_string().into();
        Self { outbox, peer, peer_text, secure, unread, last_token: LastToken::default() }
    }
}

/// Serves a connection to its end; no longer than the limits of time allow.
pub async fn connection(
    app: Arc<App>,
    acceptor: Option<TlsAcceptor>,
    stream: TcpStream,
    peer: IpAddr,
    mut stopped: watch::Receiver<bool>,
) {
    let write_idle = Duration::from_secs(app.config.limits.write_idle_seconds);
    let unread = Unread::default();
    let metrics = app.metrics.clone();
    metrics.connections.inc();
    let result = match acceptor {
        None => {
            let outbox = Outbox::to_kernel();
            let io = Connection::new(stream, outbox.clone(), write_idle, unread.clone());
            let link = Link::new(outbox, peer, false, unread);
            http1(&app, io, &link, stopped).await
        }
        Some(acceptor) => {
            let at_most = Duration::from_secs(app.config.limits.header_seconds);
            let stream = PatientStream::new(stream, write_idle, unread.clone());
            tokio::select! {
                opened = handshake(&acceptor, stream, at_most) => match opened {
                    Ok(stream) => encrypted(app, stream, peer, unread, stopped).await,
                    Err(error) => Err(error.to_string()),
                },
                _ = stopped.changed() => Ok(()),
            }
        }
    };
    metrics.connections.dec();
    if let Err(cause) = result {
        // Clients that leave or send what is not HTTP are everyday; whoever looks for them turns this on.
        tracing::debug!(cause, "connection ended");
    }
}

async fn handshake(
    acceptor: &TlsAcceptor,
    stream: PatientStream,
    at_most: Duration,
) -> io::Result<TlsStream<PatientStream>> {
    timeout(at_most, acceptor.accept(stream)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn encrypted(
    app: Arc<App>,
    stream: TlsStream<PatientStream>,
    peer: IpAddr,
    unread: Unread,
    stopped: watch::Receiver<bool>,
) -> Result<(), String> {
    let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(tls::H2);
    // With HTTP/2 something of the client's is always under way, if only that it has taken note of the end.
    let unread = if speaks_http2 { unread.kept() } else { unread };
    // The kernel could only send a file as it is.
    let link = Link::new(Outbox::none(), peer, true, unread);
    let io = TokioIo::new(stream);
    match speaks_http2 {
        true => http2::serve(app, io, link, stopped).await.map_err(|error| error.to_string()),
        false => http1(&app, io, &link, stopped).await,
    }
}

async fn http1(
    app: &App,
    io: impl Read + Write + Unpin,
    link: &Link,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), String> {
    let limits = &app.config.limits;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.header_seconds))
        .max_headers(HEADERS_MAX)
        .max_buf_size(limits.header_bytes);
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, io::Error>(pipeline::handle(app, request, link).await)
    });
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    result.map_err(|error| error.to_string())
}
