//! A small HTTP server for what servers do wrong: each request is answered by a function of the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET`, and the like.
    pub(crate) method: String,
    /// The path and the query.
    pub(crate) target: String,
    /// What came after the headers.
    pub(crate) body: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The same for another path.
    pub(crate) fn at(&self, target: impl Into<String>) -> Self {
        Self { target: target.into(), ..self.clone() }
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A status, and nothing else.
    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A value, as JSON.
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, body: value.to_string().into_bytes(), ..Self::default() }
    }

    /// A file below a folder, with an `ETag`; 304 to who has it, 404 where there is none.
    pub(crate) fn file(folder: &Path, request: &Request) -> Self {
        let path = request.target.split('?').next().unwrap_or_default();
        let Ok(body) = std::fs::read(folder.join(path.trim_start_matches('/'))) else { return Self::status(404) };
        let tag = format!("\"{}\"", blake3::hash(&body).to_hex());
        if request.header("if-none-match") == Some(&tag) {
            return Self::status(304);
        }
        Self { status: 200, body, ..Self::default() }.with("ETag", &tag)
    }

    /// With a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server, until it is dropped.
pub(crate) struct HttpServer {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

impl HttpServer {
    /// Answers by a function.
    pub(crate) fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (requests, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, stopping, handler) = (Arc::clone(&requests), Arc::clone(&stop), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, handler): (_, Arc<Handler>) = (Arc::clone(&seen), handler.clone());
                std::thread::spawn(move || answer(stream, &seen, &*handler));
            }
        });
        Self { port, requests, stop }
    }

    /// Host and port.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.host())
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

fn answer(stream: TcpStream, seen: &Mutex<Vec<Request>>, handler: &Handler) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (method, rest) = line.split_once(' ')?;
    let (method, target) = (method.to_owned(), rest.split(' ').next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request { method, target, headers, body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_string(&mut request.body).ok()?;
    seen.lock().expect("no test fails while it holds this").push(request.clone());
    let answer = handler(&request);
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {} Status\r\nConnection: close\r\n", answer.status).ok()?;
    write!(stream, "Content-Length: {}\r\n", answer.body.len()).ok()?;
    for (name, value) in &answer.headers {
        write!(stream, "{name}: {value}\r\n").ok()?;
    }
    stream.write_all(b"\r\n").ok()?;
    stream.write_all(&answer.body).ok()
}
