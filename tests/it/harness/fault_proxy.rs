//! A small HTTP server in front of an API server (through `kubectl proxy`), or in place of one: it breaks what a test wants
//! broken, and counts what was asked.
//!
//! In: what to answer to which request. Out: an address; everything that is not answered here is passed on.
//!
//! ```ignore
//! let front = or_skip!(Front::before(&cluster, first(2, "/configmaps", || Reply::CutOff(100))));
//! trueup(["diff"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(2);
//! ```

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::cluster::TestCluster;
use super::require::{Missing, program};

/// What to answer to a request; its first argument is the first line, as `GET /api HTTP/1.1`.
pub(crate) type Answers = dyn Fn(&str) -> Option<Reply> + Send + Sync;

/// One answer of our own.
pub(crate) enum Reply {
    /// A status, more headers, and a body.
    Now(u16, &'static str, String),
    /// A success whose body goes on, up to here: then the connection breaks.
    Broken(String),
    /// The API server's own answer, so many bytes of its body: then the connection breaks.
    CutOff(usize),
    /// The API server's own answer, so much later.
    Late(Duration),
    /// The connection is closed without a word.
    Hangup,
    /// The request is done, and its answer is lost.
    Lost,
    /// Nothing, for longer than any test waits.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Now(status, "", body.to_string())
    }
}

/// An answer for the first so many requests whose first line has this in it; all others are passed on.
pub(crate) fn first(
    times: usize,
    part: impl Into<String>,
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> impl Fn(&str) -> Option<Reply> + Send + Sync + 'static {
    let (part, count) = (part.into(), AtomicUsize::new(0));
    move |line| (line.contains(&part) && count.fetch_add(1, Ordering::Relaxed) < times).then(&answer)
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
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
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
        Self { folder: tempfile::tempdir().expect("a folder"), address, seen, _behind: behind }
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
        std::fs::write(&path, kubeconfig.to_string()).expect("the folder is ours");
        path
    }

    /// The first line of every request until now.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("nobody panics with the lock").clone()
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
    log.lock().expect("nobody panics with the lock").push(first_line.clone());
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
        (Some(Reply::Hangup), _) | (Some(Reply::Lost), None) => Ok(()),
        (Some(Reply::Silence), _) => {
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        }
        (Some(Reply::CutOff(length)), Some(upstream)) => {
            let mut server = pass_on(upstream, &head, &body)?;
            let (head, body) = read_head(&mut server)?;
            write!(client, "{head}\r\n\r\n")?;
            let rest = length.saturating_sub(body.len());
            client.write_all(&body[..body.len().min(length)])?;
            std::io::copy(&mut server.take(u64::try_from(rest).unwrap_or(u64::MAX)), &mut client).map(|_| ())
        }
        (Some(Reply::Late(delay)), Some(upstream)) => {
            std::thread::sleep(delay);
            std::io::copy(&mut pass_on(upstream, &head, &body)?, &mut client).map(|_| ())
        }
        (Some(Reply::Lost), Some(upstream)) => {
            std::io::copy(&mut pass_on(upstream, &head, &body)?, &mut std::io::sink()).map(drop)
        }
        (None, Some(upstream)) => std::io::copy(&mut pass_on(upstream, &head, &body)?, &mut client).map(|_| ()),
        (Some(Reply::CutOff(_) | Reply::Late(_)) | None, None) => {
            write!(client, "HTTP/1.1 404 Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
    }
}

/// The request, sent to the API server; its answer is to be read.
fn pass_on(upstream: &str, head: &str, body: &[u8]) -> std::io::Result<TcpStream> {
    let mut server = TcpStream::connect(upstream)?;
    let head: Vec<&str> = head.lines().filter(|line| !line.is_empty() && !line.starts_with("authorization")).collect();
    write!(server, "{}\r\nConnection: close\r\n\r\n", head.join("\r\n"))?;
    server.write_all(body)?;
    Ok(server)
}

fn read_request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let (head, mut body) = read_head(client)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0_usize);
    let mut buffer = [0; 4096];
    while body.len() < length {
        let read = client.read(&mut buffer)?;
        body.extend_from_slice(&buffer[..read]);
    }
    Ok((head, body))
}

/// The head of a message, and what came with it of the body.
fn read_head(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            return Ok((head, bytes.split_off(end + 4)));
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
            .expect("kubectl can be started");
        let mut line = String::new();
        let output = child.stdout.take().expect("stdout is piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).expect("it says its address");
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { child, address })
    }
}

impl Drop for KubectlProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
