//! Real git servers for the tests of sources: smart HTTP by `git http-backend`, `git://` by `git daemon`, and ssh's
//! protocol by a command that runs `git-upload-pack` here in place of there.
//!
//! The HTTP server is a few lines around git's own CGI program: it counts requests, writes down their headers, and can be
//! told to ask for a password, to send elsewhere, to be slow, or to answer nonsense.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How the server answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// Only to who sends this, as `Authorization` has it.
    pub(crate) authorization: Option<String>,
    /// To others as if there were nothing.
    pub(crate) hides: bool,
    /// With this status, whatever is asked.
    pub(crate) status: Option<u16>,
    /// By sending to another server: this, and what was asked.
    pub(crate) redirect: Option<String>,
    /// After this long.
    pub(crate) delay: Duration,
    /// With what is no pack, when one is asked for, as long as gix asks.
    pub(crate) garbage_for_gix: bool,
    /// Without protocol version 2.
    pub(crate) old_protocol: bool,
    /// Over TLS.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
}

/// A request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Method, path and query.
    pub(crate) line: String,
    /// All headers.
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Smart HTTP for all repositories below a folder.
#[derive(Debug)]
pub(crate) struct HttpServer {
    scheme: &'static str,
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

impl HttpServer {
    /// Serves what is below `root`.
    pub(crate) fn start(root: &Path, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let scheme = if manners.tls.is_some() { "https" } else { "http" };
        let served = Served { root: root.to_owned(), manners, requests: requests.clone() };
        let stopping = stop.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let served = served.clone();
                std::thread::spawn(move || served.meet(stream));
            }
        });
        Self { scheme, port, requests, stop }
    }

    /// The URL of a repository: its folder below the root.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("{}://127.0.0.1:{}/{repository}", self.scheme, self.port)
    }

    /// The same, by the other name of this machine: another host, as HTTP sees it.
    pub(crate) fn url_by_name(&self, repository: &str) -> String {
        format!("http://localhost:{}/{repository}", self.port)
    }

    /// Everything that was asked, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test fails while it holds this").clone()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

#[derive(Clone)]
struct Served {
    root: PathBuf,
    manners: Manners,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Served {
    fn meet(&self, stream: TcpStream) -> std::io::Result<()> {
        let Some(config) = &self.manners.tls else { return self.answer(stream) };
        let connection = rustls::ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
        let mut stream = rustls::StreamOwned::new(connection, stream);
        self.answer(&mut stream)?;
        stream.conn.send_close_notify();
        stream.flush()
    }

    fn answer(&self, mut stream: impl Read + Write) -> std::io::Result<()> {
        let (request, body) = read_request(&mut BufReader::new(&mut stream))?;
        self.requests.lock().expect("no test fails while it holds this").push(request.clone());
        std::thread::sleep(self.manners.delay);
        let target = request.line.split(' ').nth(1).unwrap_or("/");
        // A proxy is asked for a whole URL.
        let target =
            target.strip_prefix("http://").and_then(|url| url.find('/').map(|at| &url[at..])).unwrap_or(target);
        let target = target.to_owned();
        if let Some(elsewhere) = &self.manners.redirect {
            return respond(stream, 302, &[("Location", &format!("{elsewhere}{target}"))], b"");
        }
        if let Some(expected) = &self.manners.authorization
            && request.header("authorization") != Some(expected)
        {
            if self.manners.hides {
                return respond(stream, 404, &[], b"");
            }
            return respond(stream, 401, &[("WWW-Authenticate", "Basic realm=\"git\"")], b"");
        }
        if let Some(status) = self.manners.status {
            return respond(stream, status, &[], b"no");
        }
        let by_gix = request.header("user-agent").is_some_and(|agent| agent.contains("oxide"));
        let asks_for_pack = body.windows(14).any(|window| window == b"command=fetch\n" || window == b"0011command=fe");
        if self.manners.garbage_for_gix && by_gix && asks_for_pack {
            let kind = [("Content-Type", "application/x-git-upload-pack-result")];
            return respond(stream, 200, &kind, b"000dpackfile\n0015\x01PACK is garbage\n0000");
        }
        self.backend(stream, &request, &target, &body)
    }

    /// Lets git's own CGI program answer.
    fn backend(&self, mut stream: impl Write, request: &Request, target: &str, body: &[u8]) -> std::io::Result<()> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut command = Command::new("git");
        command.arg("http-backend").env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("GIT_PROJECT_ROOT", &self.root).env("GIT_HTTP_EXPORT_ALL", "1").env("PATH_INFO", path);
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
        command.env("QUERY_STRING", query).env("REQUEST_METHOD", request.line.split(' ').next().unwrap_or("GET"));
        command.env("CONTENT_TYPE", request.header("content-type").unwrap_or_default());
        command.env("HTTP_CONTENT_ENCODING", request.header("content-encoding").unwrap_or_default());
        if let Some(protocol) = request.header("git-protocol").filter(|_| !self.manners.old_protocol) {
            command.env("GIT_PROTOCOL", protocol).env("HTTP_GIT_PROTOCOL", protocol);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(body)?;
        }
        let output = child.wait_with_output()?.stdout;
        let split = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0);
        let headers = String::from_utf8_lossy(&output[..split]).into_owned();
        let status = headers.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        let content = &output[(split + 4).min(output.len())..];
        write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", content.len())?;
        for line in headers.lines().filter(|line| !line.starts_with("Status: ")) {
            write!(stream, "{line}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        stream.write_all(content)
    }
}

fn respond(mut stream: impl Write, status: u16, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n", body.len())?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(body)
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<(Request, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let request = Request { line: line.trim_end().to_owned(), headers };
    let mut body = Vec::new();
    if let Some(length) = request.header("content-length").and_then(|length| length.parse().ok()) {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    } else if request.header("transfer-encoding").is_some_and(|encoding| encoding.contains("chunked")) {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    Ok((request, body))
}

/// `git://` for all repositories below a folder, ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    port: u16,
}

impl Daemon {
    /// Serves what is below `root`.
    pub(crate) fn start(root: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").port();
        let mut command = Command::new("git");
        command.args(["-c", "safe.directory=*", "daemon", "--listen=127.0.0.1", "--export-all", "--reuseaddr"]);
        command.arg(format!("--port={port}")).arg(format!("--base-path={}", root.display()));
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("git is installed");
        let this = Self { child, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return this;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("git daemon did not answer on port {port}");
    }

    /// The URL of a repository: its folder below the root.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("git://127.0.0.1:{}/{repository}", self.port)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // `git` runs `git-daemon` as its child: the whole group goes.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
