//! A store that speaks S3, in this process.

use std::{net::SocketAddr, path::PathBuf, thread};

use charta_store::S3Place;
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
    address: SocketAddr,
    directory: TempDir,
    _end: oneshot::Sender<()>,
}

impl Bucket {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("bucket")).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(directory.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (_end, ended) = oneshot::channel::<()>();
        // A runtime of its own, so that a test that keeps its thread busy does not stop the store.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let serving = async {
                    while let Ok((stream, _)) = listener.accept().await {
                        let service = service.clone();
                        tokio::spawn(async move {
                            let builder = Builder::new(TokioExecutor::new());
                            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                        });
                    }
                };
                tokio::select! { () = serving => {}, _ = ended => {} }
            });
        });
        Self { address, directory, _end }
    }

    /// Where a store finds it.
    pub fn place(&self) -> S3Place {
        let address = self.address;
        let settings = [
            ("AWS_ENDPOINT_URL", &*format!("http://{address}")),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        S3Place::new("s3://bucket/charta", settings).unwrap()
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
