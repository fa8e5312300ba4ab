//! A small HTTP server in front of an API server (through `kubectl proxy`), or in place of one.
//!
//! In: what to answer to which request. Out: an address; everything that is not answered here is passed on.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Missing, TestCluster, program};

/// What to answer to a request; its first argument is the first line, as `GET /api HTTP/1.1`.
pub(crate) type Answers = dyn Fn(&str) -> Option<Reply> + Send + Sync;

/// One answer of our own.
pub(crate) enum Reply {
    /// A status, more headers, and a body.
    Now(u16, &'static str, String),
    /// A success whose body goes on, up to here: then the connection breaks.
    Broken(String),
    /// The connection is closed without a word.
    Hangup,
    /// Nothing, for longer than any test waits.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Now(status, "", body.to_string())
    }
}

/// The server; ends with the test.
pub(crate) struct Front {
    folder: TempDir,
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
    _behind: Option<KubectlProxy>,
}

impl Front {
    /// In place of an API server: what is not answered is not found.
    pub(crate) fn alone(answers: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self::start(Box::new(answers), None)
    }

    /// In front of the test's API server.
    pub(crate) fn before(
        cluster: &TestCluster,
        answers: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Result<Self, Missing> {
        Ok(Self::start(Box::new(answers), Some(KubectlProxy::start(cluster)?)))
    }

    fn start(answers: Box<Answers>, behind: Option<KubectlProxy>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answers, upstream, log) =
            (Arc::new(answers), behind.as_ref().map(|proxy| proxy.address.clone()), Arc::clone(&seen));
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (answers, upstream, log) = (Arc::clone(&answers), upstream.clone(), Arc::clone(&log));
                // A client that goes away in the middle is part of the test.
                std::thread::spawn(move || {
                    serve(connection, answers.as_ref().as_ref(), upstream.as_deref(), &log).ok()
                });
            }
        });
        Self { folder: tempfile::tempdir().unwrap(), address, seen, _behind: behind }
    }

    /// A kubeconfig with this server as its only context, `front`.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let kubeconfig = json!({
            "current-context": "front",
            "clusters": [{ "name": "front", "cluster": { "server": format!("http://{}", self.address) } }],
            "users": [{ "name": "front", "user": { "token": "s3cret-token" } }],
            "contexts": [{ "name": "front", "context": { "cluster": "front", "user": "front" } }],
        });
        let path = self.folder.path().join("kubeconfig");
        std::fs::write(&path, kubeconfig.to_string()).unwrap();
        path
    }

    /// The first line of every request until now.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    mut client: TcpStream,
    answers: &Answers,
    upstream: Option<&str>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (head, body) = read_request(&mut client)?;
    let first_line = head.lines().next().unwrap_or_default().to_owned();
    log.lock().unwrap().push(first_line.clone());
    match (answers(&first_line), upstream) {
        (Some(Reply::Now(status, headers, body)), _) => write!(
            client,
            "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n{body}",
            body.len()
        ),
        (Some(Reply::Broken(body)), _) => write!(
            client,
            "HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nContent-Length: 999999\r\nConnection: close\r\n\r\n{body}"
        ),
        (Some(Reply::Hangup), _) => Ok(()),
        (Some(Reply::Silence), _) => {
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        }
        (None, None) => write!(client, "HTTP/1.1 404 Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        (None, Some(upstream)) => {
            let mut server = TcpStream::connect(upstream)?;
            let head: Vec<&str> =
                head.lines().filter(|line| !line.is_empty() && !line.starts_with("authorization")).collect();
            write!(server, "{}\r\nConnection: close\r\n\r\n", head.join("\r\n"))?;
            server.write_all(&body)?;
            std::io::copy(&mut server, &mut client).map(|_| ())
        }
    }
}

fn read_request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = client.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0_usize);
            let mut body = bytes.split_off(end + 4);
            while body.len() < length {
                let read = client.read(&mut buffer)?;
                body.extend_from_slice(&buffer[..read]);
            }
            return Ok((head, body));
        }
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// `kubectl proxy`: the API server without TLS, as the administrator.
struct KubectlProxy {
    child: Child,
    address: String,
}

impl KubectlProxy {
    fn start(cluster: &TestCluster) -> Result<Self, Missing> {
        let mut child = Command::new(program("kubectl")?)
            .arg("--kubeconfig")
            .arg(cluster.kubeconfig())
            .args(["proxy", "--port=0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        Ok(Self { child, address })
    }
}

impl Drop for KubectlProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
