//! What went wrong between us and a server, classified so that the message and the retry fit.
//!
//! In: gix's errors, programs' words. Out: a [`RemoteFault`]. Only a fault of understanding is worth another try by the `git`
//! program: who is refused, or looks for what is not there, is no better off with it.

use std::error::Error;
use std::io;

use gix::protocol::transport::client::AuthenticationRequired;

use super::super::error::SourceCause;

/// A fault between the client and a server.
#[derive(Debug)]
pub(in super::super) enum RemoteFault {
    /// The server does not let us in.
    Refused(SourceCause),
    /// There is no such repository.
    Gone(SourceCause),
    /// No connection, or none that lasts.
    Unreachable(SourceCause),
    /// The server has no such object, or does not hand it out.
    NotOurs(SourceCause),
    /// Our disk does not take it.
    Disk(io::Error),
    /// Time is up, or the run was stopped.
    Stopped,
    /// The server hashes in another way than our bare repository.
    OtherHash(gix::hash::Kind),
    /// We do not understand each other.
    Odd(SourceCause),
}

impl RemoteFault {
    /// Reads gix's error, with what a program beside it complained about.
    pub(super) fn of(error: &gix::Error, stderr_text: &[u8], stopped: bool) -> Self {
        if stopped {
            return Self::Stopped;
        }
        let cause = if stderr_text.is_empty() { SourceCause::of(error) } else { SourceCause::of_output(stderr_text) };
        let mut reading = ErrorReading::default();
        for error in error.iter_errors() {
            reading.visit(error, 0);
        }
        if reading.refused {
            return Self::Refused(cause);
        }
        match reading.status {
            Some(401 | 403 | 407) => return Self::Refused(cause),
            Some(404 | 410) => return Self::Gone(cause),
            Some(429 | 500..=599) => return Self::Unreachable(cause),
            _ => {}
        }
        if let Some(kind) = reading.disk {
            return Self::Disk(io::Error::new(kind, cause));
        }
        if reading.unreachable {
            return Self::Unreachable(cause);
        }
        let words = format!("{} {}", reading.words, String::from_utf8_lossy(stderr_text));
        Self::by_words(&words, cause)
    }

    /// Reads what a program wrote. Its language is set to English where it is started.
    pub(super) fn by_words(words: &str, cause: SourceCause) -> Self {
        let words = words.to_lowercase();
        let has = |list: &[&str]| list.iter().any(|word| words.contains(word));
        if has(REFUSED) {
            Self::Refused(cause)
        } else if has(NOT_OURS) {
            Self::NotOurs(cause)
        } else if has(UNREACHABLE) {
            Self::Unreachable(cause)
        } else if has(GONE) {
            Self::Gone(cause)
        } else if has(&["no space left on device", "disk quota exceeded"]) {
            Self::Disk(io::Error::new(io::ErrorKind::StorageFull, cause))
        } else {
            Self::Odd(cause)
        }
    }
}

const REFUSED: &[&str] = &[
    "permission denied",
    "authentication failed",
    "could not read username",
    "could not read password",
    "terminal prompts disabled",
    "host key verification failed",
    "credentials provided for",
    "no credentials were returned",
    "could not obtain identity",
    "failed to obtain credentials",
    "returned error: 401",
    "returned error: 403",
];
const NOT_OURS: &[&str] = &["not our ref", "unadvertised object", "couldn't find remote ref"];
const UNREACHABLE: &[&str] = &[
    "could not resolve",
    "connection refused",
    "connection timed out",
    "connection reset",
    "failed to connect",
    "network is unreachable",
    "no route to host",
    "could not connect",
    "dns error",
    "returned error: 429",
    "returned error: 5",
];
const GONE: &[&str] = &[
    "does not appear to be a git repository",
    "repository not found",
    "repository not exported",
    "does not exist",
    "no such file or directory",
    "not found",
];

/// The facts in a tree of errors.
#[derive(Default)]
struct ErrorReading {
    refused: bool,
    unreachable: bool,
    status: Option<u16>,
    disk: Option<io::ErrorKind>,
    words: String,
}

impl ErrorReading {
    /// An `io::Error` hides its inner error from `source`, and gix's errors branch: both are entered by hand.
    fn visit(&mut self, error: &(dyn Error + 'static), depth: usize) {
        if depth > 16 {
            return;
        }
        self.words.push_str(&error.to_string());
        self.words.push(' ');
        self.refused |= error.is::<AuthenticationRequired>();
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            self.status = self.status.or(error.status().map(|status| status.as_u16()));
            self.unreachable |= error.is_connect() || error.is_timeout();
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            self.io(error);
            if let Some(inner) = error.get_ref() {
                self.visit(inner, depth + 1);
            }
        }
        if let Some(error) = error.downcast_ref::<gix::Error>() {
            for error in error.iter_errors() {
                self.visit(error, depth + 1);
            }
        }
        if let Some(source) = error.source() {
            self.visit(source, depth + 1);
        }
    }

    fn io(&mut self, error: &io::Error) {
        use io::ErrorKind as Kind;
        match error.kind() {
            kind @ (Kind::StorageFull | Kind::QuotaExceeded | Kind::ReadOnlyFilesystem) => self.disk = Some(kind),
            Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::TimedOut => self.unreachable = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_programs_are_classified() {
        for (words, expected) in [
            ("git@host: Permission denied (publickey).", "refused"),
            ("Host key verification failed.", "refused"),
            ("fatal: Authentication failed for 'https://host/a/'", "refused"),
            ("fatal: could not read Username for 'https://host': terminal prompts disabled", "refused"),
            ("ssh: Could not resolve hostname nowhere.invalid: Name or service not known", "unreachable"),
            ("ssh: connect to host 127.0.0.1 port 1: Connection refused", "unreachable"),
            ("fatal: unable to access 'https://host/a/': The requested URL returned error: 503", "unreachable"),
            ("fatal: '/srv/a' does not appear to be a git repository", "gone"),
            ("fatal: remote error: access denied or repository not exported: /a", "gone"),
            ("remote: Repository not found.", "gone"),
            ("fatal: remote error: upload-pack: not our ref 0123", "not ours"),
            ("error: Server does not allow request for unadvertised object 0123", "not ours"),
            ("fatal: write error: No space left on device", "disk"),
            ("fatal: protocol error: bad line length character: <htm", "odd"),
            ("fatal: pack has bad object at offset 12: inflate returned -3", "odd"),
        ] {
            let found = match RemoteFault::by_words(words, SourceCause::saying("")) {
                RemoteFault::Refused(_) => "refused",
                RemoteFault::Gone(_) => "gone",
                RemoteFault::Unreachable(_) => "unreachable",
                RemoteFault::NotOurs(_) => "not ours",
                RemoteFault::Disk(_) => "disk",
                RemoteFault::Stopped => "stopped",
                RemoteFault::OtherHash(_) => "other hash",
                RemoteFault::Odd(_) => "odd",
            };
            assert_eq!(found, expected, "{words}");
        }
    }
}
