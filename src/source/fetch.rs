//! Fetches what is wanted of one repository on a server, in as few words as it takes.
//!
//! In: what is wanted. Out: checkouts, in the order asked. References are listed once a run and only if a name has to be
//! resolved; then everything that the cache does not have comes in one pack, without history. A cache that turns out to
//! be damaged is thrown away, and the repository fetched again, once.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use gix::ObjectId;

use crate::finding::{Code, Finding};

use super::access::Pass;
use super::cache::Cache;
use super::checkout::{FetchedBy, Wanted};
use super::error::{Instead, SourceCause, SourceError};
use super::remote::{Depth, KEPT, Remote, RemoteFault};
use super::revision::{self, GitReferences, Resolved};
use super::task::{Task, WrittenRevision};

/// How much history is fetched, at first and then once more.
const DEEPEN: [u32; 2] = [50, 500];

/// The files of one wanted revision, but for its submodules.
pub(super) type FetchAnswer = Result<WrittenRevision, SourceError>;

/// The commit of a wanted revision, and what was odd about it.
type Led = Result<(ObjectId, Vec<Finding>), SourceError>;

/// Fetches everything that a task wants.
pub(super) fn all(task: &mut Task) -> Result<Vec<FetchAnswer>, SourceError> {
    let shared = task.shared.clone();
    let cache = shared.cache()?;
    let _lock = cache.lock_repository(&task.url, &task.limits).map_err(|error| task.lock_error(cache, error))?;
    task.write_files(cache)?;
    let mut hash = gix::hash::Kind::Sha1;
    let mut repairs = Vec::new();
    loop {
        let last = repairs.len() > 1;
        match unless_it_dies(task, |task| once(task, cache, hash, &repairs)) {
            Err(Trouble::OtherHash(other)) if other != hash => {
                hash = other;
                cache.discard_repository(&task.url).map_err(|error| cache.unusable(&error))?;
            }
            Ok(answers) if !last && answers.iter().any(is_damaged) => repair(task, cache, &mut repairs)?,
            Err(Trouble::Source(SourceError::Damaged { .. })) if !last => repair(task, cache, &mut repairs)?,
            Ok(answers) => return Ok(answers),
            Err(trouble) => return Err(trouble.into_error(task)),
        }
    }
}

/// Asks a server for its references, and fetches nothing.
pub(super) fn ask_for_references(task: &mut Task) -> Result<(), SourceError> {
    let shared = task.shared.clone();
    let cache = shared.cache()?;
    let _lock = cache.lock_repository(&task.url, &task.limits).map_err(|error| task.lock_error(cache, error))?;
    task.write_files(cache)?;
    let repository = open(task, cache, gix::hash::Kind::Sha1)?;
    let access = task.access()?;
    let git = task.shared.settings.git_program.clone();
    let remote = Remote::new(&repository, access, &task.limits, &task.runtime, git.as_deref());
    let mut attempt = FetchAttempt { task, cache, repository: &repository, remote, fetched: HashSet::new() };
    let listed = attempt.remote.references().map_err(|fault| attempt.trouble(fault));
    match listed {
        // One that hashes otherwise has answered, too.
        Ok(_) | Err(Trouble::OtherHash(_)) => Ok(()),
        Err(Trouble::Source(error)) => Err(error),
    }
}

/// Damaged data may make a library panic: that counts as damage, too.
fn unless_it_dies(
    task: &mut Task,
    work: impl FnOnce(&mut Task) -> Result<Vec<FetchAnswer>, Trouble>,
) -> Result<Vec<FetchAnswer>, Trouble> {
    catch_unwind(AssertUnwindSafe(|| work(task)))
        .unwrap_or_else(|_panic| Err(damaged(task, SourceCause::saying("the thread that read it died")).into()))
}

/// Looks into the history of a commit, fetching more of it until the answer is complete, or the limit is reached.
pub(super) fn deepened<T>(
    task: &mut Task,
    until: ObjectId,
    look: impl Fn(&gix::Repository) -> Result<T, SourceError>,
    is_cut: impl Fn(&T) -> bool,
) -> Result<T, SourceError> {
    let shared = task.shared.clone();
    let cache = shared.cache()?;
    let _lock = cache.lock_repository(&task.url, &task.limits).map_err(|error| task.lock_error(cache, error))?;
    let hash = until.kind();
    task.write_files(cache)?;
    let mut history = look(&open(task, cache, hash)?)?;
    for commits in DEEPEN {
        if !is_cut(&history) {
            break;
        }
        let access = task.access()?;
        let repository = open(task, cache, hash)?;
        let git = shared.settings.git_program.as_deref();
        let mut remote = Remote::new(&repository, access, &task.limits, &task.runtime, git);
        if remote.fetch(&[until], Depth::Some(commits)).is_err() {
            // What happened is worth knowing, and no reason to fail: what is here has been looked at.
            break;
        }
        drop(remote);
        history = look(&open(task, cache, hash)?)?;
    }
    Ok(history)
}

fn is_damaged(answer: &FetchAnswer) -> bool {
    matches!(answer, Err(SourceError::Damaged { .. }))
}

fn repair(task: &Task, cache: &Cache, repairs: &mut Vec<Finding>) -> Result<(), SourceError> {
    let message = format!("the cache of {} was damaged; it was fetched again", task.url);
    repairs.push(Finding::warning(Code::SourceCacheRepaired, message));
    cache.discard_repository(&task.url).map_err(|error| cache.unusable(&error))
}

/// Why one attempt came to nothing.
enum Trouble {
    Source(SourceError),
    OtherHash(gix::hash::Kind),
}

impl Trouble {
    fn into_error(self, task: &Task) -> SourceError {
        match self {
            Self::Source(error) => error,
            Self::OtherHash(kind) => damaged(task, SourceCause::saying(format!("the server hashes with {kind}"))),
        }
    }
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

fn damaged(task: &Task, cause: SourceCause) -> SourceError {
    SourceError::Damaged { url: task.url.to_string(), cause }
}

fn once(
    task: &mut Task,
    cache: &Cache,
    hash: gix::hash::Kind,
    repairs: &[Finding],
) -> Result<Vec<FetchAnswer>, Trouble> {
    let repository = open(task, cache, hash)?;
    let access = task.access()?;
    let clear_text = (access.has_secret() && access.origin.is_clear_text()).then(|| {
        let message = format!("credentials for {} travel in clear text", task.url);
        Finding::warning(Code::SourceClearText, message).with_help("use https")
    });
    let git = task.shared.settings.git_program.clone();
    let remote = Remote::new(&repository, access, &task.limits, &task.runtime, git.as_deref());
    let mut attempt = FetchAttempt { task, cache, repository: &repository, remote, fetched: HashSet::new() };
    let resolved = attempt.resolve()?;
    attempt.fetch_missing(&resolved)?;
    let mut answers = attempt.answers(resolved);
    for written in answers.iter_mut().flatten() {
        written.checkout.warnings.extend(repairs.iter().chain(&clear_text).cloned());
    }
    Ok(answers)
}

/// Opens the repository of the cache, or begins a new one where there is none.
fn open(task: &Task, cache: &Cache, hash: gix::hash::Kind) -> Result<gix::Repository, SourceError> {
    let path = cache.repository(&task.url);
    let ssh = task.files.as_ref().and_then(|files| files.written.ssh_command.as_ref()).or(task
        .shared
        .settings
        .ssh_command
        .as_ref());
    let ssh = ssh.map(|command| format!("core.sshCommand={command}"));
    let options = || {
        gix::open::Options::default()
            .config_overrides(ssh.clone())
            .permissions(gix::open::Permissions::all())
            .with(gix::sec::Trust::Full)
            .open_path_as_is(true)
    };
    if path.exists() {
        return match gix::open_opts(&path, options()) {
            Ok(repository) if is_whole(&repository) => Ok(repository),
            Ok(_) => Err(damaged(task, SourceCause::saying("parts of the repository are missing"))),
            Err(error) => Err(damaged(task, SourceCause::of(&error))),
        };
    }
    begin(&path, hash, options()).map_err(|error| cache.unusable(&std::io::Error::other(SourceCause::of(&error))))
}

/// The files that git requires in a repository; gix is content with less.
fn is_whole(repository: &gix::Repository) -> bool {
    let folder = repository.git_dir();
    repository.head().is_ok() && folder.join("objects/pack").is_dir() && folder.join("refs").is_dir()
}

fn begin(path: &Path, hash: gix::hash::Kind, options: gix::open::Options) -> gix::Result<gix::Repository> {
    let create = gix::create::Options { object_hash: Some(hash), ..Default::default() };
    Ok(gix::ThreadSafeRepository::init_opts(path, gix::create::Kind::Bare, create, options)?.to_thread_local())
}

struct FetchAttempt<'t, 'r> {
    task: &'t mut Task,
    cache: &'t Cache,
    repository: &'r gix::Repository,
    remote: Remote<'r>,
    fetched: HashSet<ObjectId>,
}

impl FetchAttempt<'_, '_> {
    /// The commit of each wanted revision.
    fn resolve(&mut self) -> Result<Vec<Led>, Trouble> {
        let url = self.task.url.to_string();
        let names = self.task.wanted.iter().any(|wanted| revision::full_hash(&wanted.revision).is_none());
        if names && self.task.references.is_none() {
            let references = self.remote.references().map_err(|fault| self.trouble(fault))?;
            self.task.references = Some(Arc::new(references));
        }
        let references = self.task.references.clone().unwrap_or_default();
        let mut resolved = Vec::new();
        for wanted in self.task.wanted.clone() {
            resolved.push(match revision::resolve(&url, &wanted, &references) {
                Ok(Resolved::To(id, warnings)) => Ok((id, warnings)),
                Ok(Resolved::ShortHash(hash)) => self.short_hash(&hash, &references)?.map(|id| (id, Vec::new())),
                Err(error) => Err(error),
            });
        }
        Ok(resolved)
    }

    /// A short hash is looked for among the tips, then in all history, which has to be fetched for it.
    fn short_hash(&mut self, hash: &str, references: &GitReferences) -> Result<Result<ObjectId, SourceError>, Trouble> {
        let tips = references.tips();
        let mut at_tips = tips.iter().filter(|tip| tip.to_string().starts_with(hash));
        if let (Some(tip), None) = (at_tips.next(), at_tips.next()) {
            return Ok(Ok(*tip));
        }
        let whole_history = !self.repository.is_shallow().unwrap_or(true);
        if whole_history && let Ok(id) = self.task.long_hash(self.repository, hash, references) {
            return Ok(Ok(id));
        }
        self.fetch(&tips, Depth::All)?;
        Ok(self.task.long_hash(self.repository, hash, references))
    }

    /// Fetches every commit that is not here.
    fn fetch_missing(&mut self, resolved: &[Led]) -> Result<(), Trouble> {
        let mut missing: Vec<ObjectId> = resolved.iter().flatten().map(|(id, _)| *id).collect();
        missing.sort_unstable();
        missing.dedup();
        missing.retain(|id| !self.repository.has_object(*id));
        let lost = |id: &ObjectId| matches!(self.repository.try_find_reference(&format!("{KEPT}{id}")), Ok(Some(_)));
        if let Some(id) = missing.iter().find(|id| lost(id)) {
            return Err(
                damaged(self.task, SourceCause::saying(format!("{id} was cached, and can no longer be read"))).into()
            );
        }
        if missing.is_empty() {
            return Ok(());
        }
        match self.remote.fetch(&missing, Depth::One) {
            Ok(()) => self.received(&missing),
            Err(RemoteFault::NotOurs(_)) => self.fetch_one_by_one(&missing)?,
            Err(fault) => return Err(self.trouble(fault)),
        }
        Ok(())
    }

    /// The server lacks one of them: the others are still wanted. The answers show which one is missing.
    fn fetch_one_by_one(&mut self, missing: &[ObjectId]) -> Result<(), Trouble> {
        let mut hidden = Vec::new();
        for id in missing {
            match self.remote.fetch(&[*id], Depth::One) {
                Ok(()) => self.received(&[*id]),
                Err(RemoteFault::NotOurs(_)) => hidden.push(*id),
                Err(fault) => return Err(self.trouble(fault)),
            }
        }
        if !hidden.is_empty() && self.remote.hides_objects() {
            // Such a server hands out what its references lead to, and no single commits.
            if self.task.references.is_none() {
                let references = self.remote.references().map_err(|fault| self.trouble(fault))?;
                self.task.references = Some(Arc::new(references));
            }
            let tips = self.task.references.as_ref().map(|references| references.tips()).unwrap_or_default();
            self.fetch(&tips, Depth::All)?;
            self.fetched.extend(hidden);
        }
        Ok(())
    }

    fn fetch(&mut self, wanted: &[ObjectId], depth: Depth) -> Result<(), Trouble> {
        if wanted.is_empty() {
            return Ok(());
        }
        self.remote.fetch(wanted, depth).map_err(|fault| self.trouble(fault))?;
        self.received(wanted);
        Ok(())
    }

    /// Names what came, so that the next run can report it to the server as present.
    fn received(&mut self, ids: &[ObjectId]) {
        self.fetched.extend(ids);
        for id in ids {
            let name = format!("{KEPT}{id}");
            // Without the name, the next fetch is larger, no more.
            let _ = self.repository.reference(name, *id, gix::refs::transaction::PreviousValue::Any, "fetched");
        }
    }

    fn answers(&self, resolved: Vec<Led>) -> Vec<FetchAnswer> {
        let answer = |(resolved, wanted): (Led, &Wanted)| {
            let (id, warnings) = resolved?;
            if !self.repository.has_object(id) {
                let references = self.task.references.clone().unwrap_or_default();
                return Err(if self.fetched.contains(&id) && !self.remote.hides_objects() {
                    damaged(self.task, SourceCause::saying(format!("{id} was fetched, but is missing")))
                } else {
                    revision::revision_gone(&self.task.url.to_string(), &wanted.revision, &references)
                });
            }
            let by = if self.fetched.contains(&id) { self.remote.by() } else { FetchedBy::Cache };
            self.task.write(self.repository, id, by, warnings)
        };
        resolved.into_iter().zip(&self.task.wanted).map(answer).collect()
    }

    fn trouble(&self, fault: RemoteFault) -> Trouble {
        let url = self.task.url.to_string();
        Trouble::Source(match fault {
            RemoteFault::OtherHash(kind) => return Trouble::OtherHash(kind),
            RemoteFault::Refused(cause) => {
                let keyring = &self.task.shared.settings.keyring;
                let pass = keyring.git(self.task.url.with_credentials(), &self.task.project);
                SourceError::AccessRefused { help: access_help(&url, &pass, &cause), url, cause: Some(cause) }
            }
            RemoteFault::Gone(cause) => SourceError::RepositoryGone { url, cause: Some(cause) },
            RemoteFault::Unreachable(cause) | RemoteFault::Odd(cause) if is_about_a_certificate(&cause) => {
                let help = "give its authority's certificate in `argocd-tls-certs-cm` with `--repositories`, or in \
                            SSL_CERT_FILE; if the server asks for a client certificate, give the repository's Secret";
                SourceError::FetchFailed { url, help: help.to_owned(), cause }
            }
            RemoteFault::Unreachable(cause) => SourceError::Unreachable { url, instead: Instead::Checkout, cause },
            RemoteFault::Stopped => SourceError::TimedOut { url, after: self.task.limits.timeout },
            RemoteFault::Disk(error) => self.cache.unusable(&error),
            RemoteFault::NotOurs(cause) | RemoteFault::Odd(cause) => {
                let help = "try `git ls-remote` with this URL; `--repo URL=PATH` uses a checkout instead";
                SourceError::FetchFailed { url, help: help.to_owned(), cause }
            }
        })
    }
}

/// Whether somebody was not believed who they are: in rustls' words, or in those of git.
fn is_about_a_certificate(cause: &SourceCause) -> bool {
    cause.whole_text().to_lowercase().contains("certificate")
}

/// Credentials for a repository of this kind.
fn access_help(url: &str, pass: &Pass, cause: &SourceCause) -> String {
    let is_unknown = cause.whole_text().to_lowercase().contains("host key verification failed");
    let is_http = url.starts_with("http");
    let is_from_secret = if is_http {
        pass.identity.is_some() || pass.bearer.is_some() || pass.github_app.is_some()
    } else {
        pass.ssh_private_key.is_some() && !is_unknown
    };
    if is_from_secret {
        return format!("the credentials of Secret `{}` were used: check that they can read it", pass.secret);
    }
    if !is_http && pass.known_hosts.is_some() && !pass.insecure {
        return "load a key into the SSH agent, and the host's key into `argocd-ssh-known-hosts-cm`, which was given: no \
                other file is looked into"
            .to_owned();
    }
    if is_http {
        "set TRUEUP_GIT_TOKEN, or TRUEUP_GIT_USERNAME and TRUEUP_GIT_PASSWORD; git's credential helpers are asked too"
            .to_owned()
    } else {
        "load a key into the SSH agent, and the host's key into known_hosts: `ssh` with this host must work unasked"
            .to_owned()
    }
}
