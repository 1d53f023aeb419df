//! A balancer in the process of the test: each connection goes to the next node in turn. The client of the tests makes one
//! for each request, so that none hits the node that the request before has hit.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// Where it will be, before its nodes are known: they are told so as `public_url`.
pub struct Turns {
    listener: std::net::TcpListener,
    /// What clients connect to.
    pub address: SocketAddr,
}

/// One that runs. It ends with the value.
pub struct Running {
    _end: oneshot::Sender<()>,
}

impl Turns {
    /// On a port of its own.
    pub fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("it is a socket");
        let address = listener.local_addr().expect("it is bound");
        Self { listener, address }
    }

    /// Before these nodes.
    pub fn before(self, nodes: Vec<SocketAddr>) -> Running {
        let (_end, ended) = oneshot::channel::<()>();
        // A thread of its own, so that a test that keeps its own busy does not stop it.
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(self.listener).expect("it does not block");
                tokio::select! { () = serve(listener, nodes) => {}, _ = ended => {} }
            });
        });
        Running { _end }
    }
}

async fn serve(listener: TcpListener, nodes: Vec<SocketAddr>) {
    let turn = AtomicUsize::new(0);
    while let Ok((mut client, _)) = listener.accept().await {
        let node = nodes[turn.fetch_add(1, Ordering::Relaxed) % nodes.len()];
        tokio::spawn(async move {
            let Ok(mut node) = TcpStream::connect(node).await else { return };
            let _ = (client.set_nodelay(true), node.set_nodelay(true));
            let _ = copy_bidirectional(&mut client, &mut node).await;
        });
    }
}
