//! A store that speaks S3, in this process.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use charta_store::S3Place;
use hyper::service::{Service, service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};

const ACCESS_KEY: &str = "AKTEST";
const SECRET_KEY: &str = "SKTESTSECRET";

/// A bucket on a port of its own. It ends with the value.
pub struct Bucket {
    pub address: SocketAddr,
    directory: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    _end: oneshot::Sender<()>,
}

impl Bucket {
    pub fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    /// With its objects in this directory.
    pub fn at(directory: TempDir) -> Self {
        std::fs::create_dir(directory.path().join("bucket")).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(directory.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (_end, ended) = oneshot::channel::<()>();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let asked_here = Arc::clone(&asked);
        // A runtime of its own, so that a test that keeps its thread busy does not stop the store.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let serving = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        let _ = stream.set_nodelay(true); // or each answer waits 40 ms for its second half
                        let (service, asked) = (service.clone(), Arc::clone(&asked_here));
                        tokio::spawn(async move {
                            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                                asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
                                Service::call(&service, request)
                            });
                            let builder = Builder::new(TokioExecutor::new());
                            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                        });
                    }
                };
                tokio::select! { () = serving => {}, _ = ended => {} }
            });
        });
        Self { address, directory, asked, _end }
    }

    /// The requests since the last time, each as `GET /bucket/key`.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Where a store finds it.
    pub fn place(&self) -> S3Place {
        place(self.address, SECRET_KEY)
    }

    /// The files of all objects.
    pub fn objects(&self) -> Vec<PathBuf> {
        let Ok(shelves) = std::fs::read_dir(self.directory.path().join("bucket/charta")) else {
            return Vec::new();
        };
        let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().path()).collect()
    }
}

/// What the environment of a program says that uses a bucket at this address.
pub fn environment(address: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
    ]
}

/// The bucket at this address, for whoever has this secret.
pub fn place(address: SocketAddr, secret: &str) -> S3Place {
    let mut environment = environment(address);
    environment[2].1 = secret.to_owned();
    let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value));
    S3Place::new("s3://bucket/charta", environment).unwrap()
}
