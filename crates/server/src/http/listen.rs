//! Connections: accepted, bounded in number and time, and let finish when the server stops.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use super::{
    App,
    connection::{Connection, Outbox},
    ops, pipeline,
};

/// Headers of a request at most.
const HEADERS_MAX: usize = 100;
/// Pending connections that the kernel keeps.
const BACKLOG: i32 = 1024;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ServerError {
    address: SocketAddr,
    source: io::Error,
}

/// A server that listens.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    ops: Option<TcpListener>,
}

impl Server {
    /// Takes the addresses of the configuration.
    ///
    /// # Errors
    /// If one of them cannot be had.
    pub fn bind(mut app: App) -> Result<Self, ServerError> {
        let ops = app.config.ops_listen.map(listener).transpose()?;
        let listener = listener(app.config.listen)?;
        // Port 0 leaves the choice to the system; URLs in answers must name what it chose.
        if let Ok(address) = listener.local_addr() {
            app.config.set_listen(address);
        }
        Ok(Self { app: Arc::new(app), listener, ops })
    }

    /// The address that clients reach; tells the port when the configuration left it open.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` ends, then lets what is running finish, at most `shutdown_seconds`.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let connections = Arc::new(Semaphore::new(self.app.config.limits.connections));
        let mut tasks = JoinSet::new();
        if let Some(ops) = self.ops {
            tasks.spawn(serve_ops(self.app.clone(), ops, stopped.clone()));
        }
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&self.listener, &connections) => accepted,
            };
            let Some((stream, place)) = accepted else { continue };
            let (app, stopped) = (self.app.clone(), stopped.clone());
            tasks.spawn(async move {
                serve_connection(app, stream, stopped).await;
                drop(place);
            });
            while tasks.try_join_next().is_some() {}
        }
        drop(self.listener);
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
    bound().map_err(|source| ServerError { address, source })
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> Option<(TcpStream, Place)> {
    let place = connections.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are written whole; waiting to fill packets would only delay them.
            let _ = stream.set_nodelay(true);
            Some((stream, place))
        }
        Err(error) => {
            // Out of file descriptors, or a client that left: waiting a moment lets others finish.
            tracing::warn!(cause = %error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn serve_connection(app: Arc<App>, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
    let limits = &app.config.limits;
    let outbox = Outbox::default();
    let io = Connection::new(stream, outbox.clone(), Duration::from_secs(limits.write_idle_seconds));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.header_seconds))
        .max_headers(HEADERS_MAX)
        .max_buf_size(limits.header_bytes);
    app.metrics.connections.inc();
    let service = service_fn(|request: Request<Incoming>| {
        let (app, outbox) = (&app, &outbox);
        async move { Ok::<_, io::Error>(pipeline::handle(app, request, outbox).await) }
    });
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    app.metrics.connections.dec();
    if let Err(error) = result {
        // Clients that leave or send what is not HTTP are everyday; whoever looks for them turns this on.
        tracing::debug!(cause = %error, "connection ended");
    }
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
