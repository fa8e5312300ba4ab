//! Why there is no answer: sorts what the HTTP and TLS libraries say.
//!
//! In: an error of kube, hyper, rustls, the operating system. Out: a [`TransportFailure`] of a kind that we can act on.

use std::error::Error;
use std::io;

use http_body_util::LengthLimitError;

use crate::cluster::Cause;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TransportFailure {
    /// A connection that was there broke: trying again may help.
    Broken(Cause),
    /// The answer ended before its end: trying again may help.
    CutOff(Cause),
    /// No secure connection.
    Tls(Cause),
    /// No connection in time.
    TooLate,
    /// The answer is too long to be one.
    TooLong,
    /// The credentials cannot be used.
    Credentials(String),
    /// Anything else: no such host, nobody listens.
    Other(Cause),
}

/// Sorts an error by what lies behind it.
pub(super) fn failure_of(error: &(dyn Error + 'static)) -> TransportFailure {
    known_failure(error).unwrap_or_else(|| TransportFailure::Other(innermost(error)))
}

fn known_failure(error: &(dyn Error + 'static)) -> Option<TransportFailure> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(kube::Error::Auth(_)) = error.downcast_ref::<kube::Error>() {
            return Some(TransportFailure::Credentials("the user's `auth-provider` gives no token".to_owned()));
        }
        if error.is::<rustls::Error>() {
            return Some(TransportFailure::Tls(Cause::of(error)));
        }
        if error.is::<LengthLimitError>() {
            return Some(TransportFailure::TooLong);
        }
        if let Some(broken) = error.downcast_ref::<hyper::Error>()
            && (broken.is_incomplete_message() || broken.is_canceled() || broken.is_closed())
        {
            return Some(TransportFailure::Broken(Cause::of(broken)));
        }
        if let Some(failure) = error.downcast_ref::<io::Error>().and_then(failure_of_io) {
            return Some(failure);
        }
        current = error.source();
    }
    None
}

fn failure_of_io(error: &io::Error) -> Option<TransportFailure> {
    // What an io::Error was made of is not its source: it has to be asked for.
    if let Some(failure) = error.get_ref().and_then(|inner| known_failure(inner)) {
        return Some(failure);
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Some(TransportFailure::Broken(Cause::of(error))),
        io::ErrorKind::TimedOut => Some(TransportFailure::TooLate),
        _ => None,
    }
}

/// The last in the chain is the one that says something: `Connection refused`; those before are layers.
fn innermost(error: &(dyn Error + 'static)) -> Cause {
    let mut current = error;
    while let Some(next) = current.source() {
        current = next;
    }
    Cause::of(current)
}
