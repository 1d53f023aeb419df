//! Connections: accepted, bounded in number, and let finish when the server stops.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use super::{
    App,
    client::{Client, Place},
    ops, serve,
    tls::{Tls, TlsError},
};

/// Pending connections that the kernel keeps.
const BACKLOG: i32 = 1024;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
}

/// A server that listens.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    ops: Option<TcpListener>,
    tls: Option<Tls>,
}

impl Server {
    /// Takes the addresses of the configuration, and reads its certificate.
    ///
    /// # Errors
    /// [`ServerError`].
    pub fn bind(mut app: App) -> Result<Self, ServerError> {
        let tls = app.config.tls.clone().map(Tls::new).transpose()?;
        let ops = app.config.ops_listen.map(listener).transpose()?;
        let listener = listener(app.config.listen)?;
        // Port 0 leaves the choice to the system; URLs in answers must name what it chose.
        if let Ok(address) = listener.local_addr() {
            app.config.set_listen(address);
        }
        Ok(Self { app: Arc::new(app), listener, ops, tls })
    }

    /// Where it answers, such as `http://127.0.0.1:8080`; tells the port when the configuration left it
    /// open.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.listener.local_addr()?))
    }

    /// Serves until `stop` ends, then lets what is running finish, at most `shutdown_seconds`.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let connections = Arc::new(Semaphore::new(self.app.config.limits.connections));
        let mut tasks = JoinSet::new();
        if let Some(ops) = self.ops {
            tasks.spawn(serve_ops(self.app.clone(), ops, stopped.clone()));
        }
        let acceptor = self.tls.as_ref().map(|tls| tls.acceptor.clone());
        let renewing = self.tls.map(|tls| tokio::spawn(tls.keep_current()));
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&self.listener, &connections) => accepted,
            };
            let Some((stream, peer, place)) = accepted else { continue };
            let Some(clients_place) = clients_place(&self.app, peer) else { continue };
            let (app, acceptor, stopped) = (self.app.clone(), acceptor.clone(), stopped.clone());
            tasks.spawn(async move {
                serve::connection(app, acceptor, stream, peer, stopped).await;
                drop((place, clients_place));
            });
            while tasks.try_join_next().is_some() {}
        }
        drop(self.listener);
        if let Some(renewing) = renewing {
            renewing.abort();
        }
        let _ = stopping.send(true); // nobody listens if no connection is open
        let at_most = Duration::from_secs(self.app.config.shutdown_seconds);
        if timeout(at_most, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!("connections were cut off at the end of shutdown_seconds");
            tasks.shutdown().await;
        }
    }
}

fn listener(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let bound = || -> io::Result<TcpListener> {
        let kind = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(kind, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    bound().map_err(|source| ServerError::Address { address, source })
}

/// The next connection and who made it, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let place = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are written whole; waiting to fill packets would only delay them.
            let _ = stream.set_nodelay(true);
            Some((stream, peer.ip().to_canonical(), place))
        }
        Err(error) => {
            // Out of file descriptors, or a client that left: waiting a moment lets others finish.
            tracing::warn!(cause = %error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// One of the connections that `peer` may have; `None` if it has them all. A trusted proxy may have any
/// number, as it calls for many.
fn clients_place(app: &App, peer: IpAddr) -> Option<Option<Place>> {
    if app.config.trusted_proxies.iter().any(|network| network.contains(peer)) {
        return Some(None);
    }
    let place = app.clients.connect(Client::at(peer));
    if place.is_err() {
        app.metrics.connections_refused.inc();
    }
    place.ok()
}

/// Health and metrics on their own address.
async fn serve_ops(app: Arc<App>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stopped.changed() => return,
        };
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let app = &app;
                async move { Ok::<_, io::Error>(ops::operations(app, request.uri().path()).await) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10)).keep_alive(false);
            let served = http.serve_connection(TokioIo::new(stream), service);
            let _ = timeout(Duration::from_secs(30), served).await;
        });
    }
}
