//! A repository on a server: what it has, and the objects that are wanted of it.
//!
//! In: where to, and a bare repository to receive into. Out: references and objects. gix speaks first; where it does not
//! understand the server, the `git` program takes over for the rest of the run's work on this repository.

mod depth;
mod fault;
mod program;
mod session;
mod transport;

use std::path::Path;

use gix::ObjectId;

use super::access::ServerAccess;
use super::checkout::FetchedBy;
use super::limits::FetchLimits;
use super::revision::GitReferences;

pub(super) use depth::{Depth, KEPT};
pub(super) use fault::RemoteFault;
use program::GitProgram;
use session::RemoteSession;

/// A repository on a server.
pub(super) struct Remote<'a> {
    repository: &'a gix::Repository,
    access: ServerAccess,
    limits: FetchLimits,
    runtime: tokio::runtime::Handle,
    git: Option<&'a Path>,
    speaker: Speaker<'a>,
    hides_objects: bool,
}

enum Speaker<'a> {
    Nobody,
    Gix(Box<RemoteSession<'a>>),
    Git(Box<GitProgram>),
}

/// The one place that decides it: whether the `git` program may do better than gix did.
fn is_worth_another_try(fault: &RemoteFault) -> bool {
    matches!(fault, RemoteFault::Odd(_))
}

impl<'a> Remote<'a> {
    pub(super) fn new(
        repository: &'a gix::Repository,
        access: ServerAccess,
        limits: &FetchLimits,
        runtime: &tokio::runtime::Handle,
        git: Option<&'a Path>,
    ) -> Self {
        let (limits, runtime) = (limits.clone(), runtime.clone());
        Self { repository, access, limits, runtime, git, speaker: Speaker::Nobody, hides_objects: true }
    }

    /// Who speaks with the server.
    pub(super) fn by(&self) -> FetchedBy {
        match self.speaker {
            Speaker::Git(_) => FetchedBy::GitProgram,
            _ => FetchedBy::Gix,
        }
    }

    pub(super) fn references(&mut self) -> Result<GitReferences, RemoteFault> {
        self.speak(RemoteSession::references, GitProgram::references)
    }

    pub(super) fn fetch(&mut self, wanted: &[ObjectId], depth: Depth) -> Result<(), RemoteFault> {
        self.speak(|session| session.fetch(wanted, depth), |program| program.fetch(wanted, depth))
    }

    /// Whether a server that says "not our object" may still have it behind a reference.
    pub(super) fn hides_objects(&self) -> bool {
        self.hides_objects
    }

    fn speak<T>(
        &mut self,
        in_session: impl FnOnce(&mut RemoteSession<'a>) -> Result<T, RemoteFault>,
        by_program: impl FnOnce(&GitProgram) -> Result<T, RemoteFault>,
    ) -> Result<T, RemoteFault> {
        if let Speaker::Git(program) = &self.speaker {
            return by_program(program);
        }
        let fault = match self.session().and_then(in_session) {
            Err(fault) if is_worth_another_try(&fault) => fault,
            Err(fault) => {
                // After a fault the conversation is over; the next word begins a new one.
                self.speaker = Speaker::Nobody;
                return Err(fault);
            }
            done => return done,
        };
        let program = GitProgram::new(self.git, self.repository, &self.access, &self.limits, &self.runtime);
        match by_program(&program) {
            Ok(done) => {
                self.speaker = Speaker::Git(Box::new(program));
                Ok(done)
            }
            // Without the program, what gix said is all that there is to say.
            Err(RemoteFault::Odd(cause)) if cause.whole_text().contains("is not installed") => Err(fault),
            Err(other) => Err(other),
        }
    }

    fn session(&mut self) -> Result<&mut RemoteSession<'a>, RemoteFault> {
        if !matches!(self.speaker, Speaker::Gix(_)) {
            let session = RemoteSession::open(self.repository, &self.access, &self.limits)?;
            let theirs = session.object_hash();
            if theirs != self.repository.object_hash() {
                return Err(RemoteFault::OtherHash(theirs));
            }
            self.hides_objects = !session.hands_out_any_object();
            self.speaker = Speaker::Gix(Box::new(session));
        }
        match &mut self.speaker {
            Speaker::Gix(session) => Ok(session),
            _ => Err(RemoteFault::Stopped),
        }
    }
}
