//! nginx, as `deploy/cluster/nginx.conf` sets it up.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::PoisonError,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::load::Addresses;

const CONFIGURATION: &str = include_str!("../../../../../deploy/cluster/nginx.conf");

/// A port for a balancer, which is known before the nodes are.
pub struct Balancer {
    port: u16,
}

/// One that runs. It ends with the value.
pub struct Running {
    child: Child,
    _directory: TempDir,
}

impl Balancer {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self { port: listener.local_addr().expect("it is bound").port() }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Before these nodes.
    pub fn before(self, nodes: &Addresses) -> Running {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let path = directory.path().display();
        let nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let servers = nodes
            .iter()
            .map(|url| format!("server {} max_fails=1 fail_timeout=5s;", url.trim_start_matches("http://")));
        let mut servers = Some(servers.collect::<Vec<_>>().join("\n"));
        let lines = CONFIGURATION.lines().filter_map(|line| match line.trim_start() {
            text if text.starts_with("server node") => servers.take(),
            text if text.starts_with("listen ") => Some(format!("listen 127.0.0.1:{};", self.port)),
            text if text.starts_with("http {") => Some(format!(
                "http {{ access_log off; client_body_temp_path {path}/body; proxy_temp_path {path}/proxy; fastcgi_temp_path {path}/f; \
                 uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;"
            )),
            _ => Some(line.to_owned()),
        });
        let text = format!(
            "daemon off; pid {path}/pid; error_log {path}/error;\n{}",
            lines.collect::<Vec<_>>().join("\n")
        );
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, text).expect("the test's directory is writable");
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists());
        let mut child = Command::new(program.unwrap_or("nginx"))
            .args(["-e", "stderr", "-c"])
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .expect("nginx is installed");
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                child.try_wait().expect("it is our child").is_none()
                    && begun.elapsed() < Duration::from_secs(10),
                "nginx listens"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Running { child, _directory: directory }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its workers end with it only if it is asked.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
