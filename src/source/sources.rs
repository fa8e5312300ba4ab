//! The front door: one value for a run, asked by many applications at once.
//!
//! In: a URL and what is wanted of it. Out: checkouts, in the order asked. Each repository is fetched by one task at a
//! time, on a thread of its own; what one application learned, the next one gets without asking the server.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, Semaphore};

use crate::process::Cancel;
use crate::progress::{Progress, Stage};
use crate::secret::RepoUrl;

use super::access::Trust;
use super::charts::SourceOrigin;
use super::check;
use super::checkout::{FetchResult, Wanted};
use super::error::SourceError;
use super::history::{self, History, HistoryWanted};
use super::limits::FetchLimits;
use super::revision::GitReferences;
use super::settings::SourceSettings;
use super::task::{self, SharedFetch, When};
use super::working_tree::WorkingTrees;

/// The repositories of a run; cheap to clone, every clone is the same.
#[derive(Debug, Clone)]
pub struct Sources {
    shared: Arc<SharedFetch>,
    repositories: Arc<std::sync::Mutex<HashMap<blake3::Hash, Arc<Mutex<Known>>>>>,
    permits: Arc<Semaphore>,
    progress: Progress,
}

/// The state of one repository in this run.
#[derive(Debug, Default)]
struct Known {
    /// By the project that has a Secret of its own for it: what opens it for one opens it for no other.
    references: HashMap<String, Arc<GitReferences>>,
    answers: HashMap<Wanted, FetchResult>,
}

impl Sources {
    /// Makes ready; fails where a flag names a folder that is not a working tree.
    pub fn new(settings: SourceSettings, progress: Progress) -> Result<Self, SourceError> {
        let working_trees = WorkingTrees::from_settings(&settings)?;
        let permits = Arc::new(Semaphore::new(settings.concurrency.max(1)));
        let shared = Arc::new(SharedFetch { settings, working_trees, cache: OnceLock::new() });
        Ok(Self { shared, repositories: Arc::default(), permits, progress })
    }

    /// The same repositories, of which nothing has been asked yet.
    #[must_use]
    pub fn asked_again(&self) -> Self {
        Self { repositories: Arc::default(), ..self.clone() }
    }

    /// Where repositories come from and what opens them.
    pub(super) fn settings(&self) -> &SourceSettings {
        &self.shared.settings
    }

    /// Fetches what is wanted of one repository; answers in the order asked.
    pub async fn fetch(&self, url: &RepoUrl, wanted: &[Wanted], cancel: &Cancel) -> Vec<FetchResult> {
        let wanted = wanted.iter().map(|wanted| self.overridden(url, self.scoped(url, wanted))).collect();
        self.fetch_settled(url, wanted, cancel).await
    }

    /// Fetches what the command line itself wants of a repository: `--revision` is about the sources of applications.
    pub async fn fetch_named(&self, url: &RepoUrl, wanted: &Wanted, cancel: &Cancel) -> FetchResult {
        let found = self.fetch_settled(url, vec![self.scoped(url, wanted)], cancel).await;
        found.into_iter().next().unwrap_or_else(|| Err(Arc::new(SourceError::Cancelled { url: url.to_string() })))
    }

    async fn fetch_settled(&self, url: &RepoUrl, wanted: Vec<Wanted>, cancel: &Cancel) -> Vec<FetchResult> {
        let known = self.known(url);
        let mut known = known.lock().await;
        let mut open: Vec<Wanted> = Vec::new();
        for wanted in &wanted {
            if !known.answers.contains_key(wanted) && !open.contains(wanted) {
                open.push(wanted.clone());
            }
        }
        if !open.is_empty() {
            self.progress.begin(Stage::Fetch, url.to_string());
            // One task is about one kind of source, opened by one set of credentials.
            let keyring = self.shared.settings.keyring.clone();
            let kind = |wanted: &Wanted| {
                (SourceOrigin::of(url, wanted, &keyring), wanted.project.clone(), wanted.holder.clone())
            };
            while let Some(first) = open.first().map(kind) {
                let (alike, others) = open.into_iter().partition(|wanted| kind(wanted) == first);
                open = others;
                let answers = self.fetch_repository(url, &alike, &mut known.references, cancel).await;
                known.answers.extend(alike.into_iter().zip(answers));
            }
            self.progress.done(Stage::Fetch, url.to_string());
        }
        wanted.iter().map(|wanted| known.answers[wanted].clone()).collect()
    }

    /// Asks whether a repository answers with the credentials of this project; nothing is checked out.
    pub async fn check(&self, url: &RepoUrl, wanted: &Wanted, cancel: &Cancel) -> Result<(), SourceError> {
        let wanted = self.scoped(url, wanted);
        let work = move |task: task::Task| {
            let project = wanted.project.clone();
            check::check(&mut task::Task { project, wanted: vec![wanted], ..task })
        };
        self.apart(url, cancel, work).await?
    }

    /// Fetches a revision of the past: a commit's full hash, a chart's version, a digest; no override counts for it.
    pub async fn fetch_past(&self, url: &RepoUrl, wanted: &Wanted, cancel: &Cancel) -> Vec<FetchResult> {
        let project =
            self.shared.settings.keyring.repositories().scope(url.with_credentials(), &wanted.project).to_owned();
        let wanted = vec![Wanted { project: project.clone(), ..wanted.clone() }];
        let known = self.known(url);
        let mut known = known.lock().await;
        let work = {
            let (wanted, references) = (wanted.clone(), known.references.get(&project).cloned());
            move |task: task::Task| task::Task { project, wanted, references, when: When::Past, ..task }.run()
        };
        match self.apart(url, cancel, work).await {
            Ok((answers, references)) => {
                known.references.extend(references.map(|references| (wanted[0].project.clone(), references)));
                answers
            }
            Err(error) => {
                let error = Arc::new(error);
                wanted.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    /// Which commits touched some paths between two revisions; deepens the history that is here where it has to.
    pub async fn history(&self, url: &RepoUrl, wanted: HistoryWanted, cancel: &Cancel) -> Result<History, SourceError> {
        let known = self.known(url);
        let _known = known.lock().await;
        self.apart(url, cancel, move |mut task| history::history(&mut task, &wanted)).await?
    }

    /// A project is named only where it makes a difference, so that the same is wanted once.
    fn scoped(&self, url: &RepoUrl, wanted: &Wanted) -> Wanted {
        let repositories = self.shared.settings.keyring.repositories();
        let project = repositories.scope(url.with_credentials(), &wanted.project).to_owned();
        Wanted { project, ..wanted.clone() }
    }

    /// At the revision that the user names, of a git repository.
    fn overridden(&self, url: &RepoUrl, wanted: Wanted) -> Wanted {
        let settings = &self.shared.settings;
        match &settings.revision_override {
            Some(revision) if SourceOrigin::of(url, &wanted, &settings.keyring) == SourceOrigin::Git => {
                wanted.at(revision)
            }
            _ => wanted,
        }
    }

    fn known(&self, url: &RepoUrl) -> Arc<Mutex<Known>> {
        let mut repositories = self.repositories.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // By its hash: the URL as written may hold a password, and this map can be shown.
        let key = blake3::hash(url.with_credentials().as_bytes());
        repositories.entry(key).or_default().clone()
    }

    /// Fetches what is wanted; the references are kept when they had to be listed.
    async fn fetch_repository(
        &self,
        url: &RepoUrl,
        wanted: &[Wanted],
        references: &mut HashMap<String, Arc<GitReferences>>,
        cancel: &Cancel,
    ) -> Vec<FetchResult> {
        let project = wanted.first().map(|first| first.project.clone()).unwrap_or_default();
        let work = {
            let (wanted, references) = (wanted.to_vec(), references.get(&project).cloned());
            let project = project.clone();
            move |task: task::Task| task::Task { project, wanted, references, ..task }.run()
        };
        match self.apart(url, cancel, work).await {
            Ok((answers, found)) => {
                references.extend(found.map(|found| (project, found)));
                answers
            }
            Err(error) => {
                let error = Arc::new(error);
                wanted.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    /// Works on a thread of its own, which is left to itself when time is up: a socket that is silent cannot be
    /// waited for, and a runtime would wait for its blocking threads at the end.
    async fn apart<T: Send + 'static>(
        &self,
        url: &RepoUrl,
        cancel: &Cancel,
        work: impl FnOnce(task::Task) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        let cancelled = || SourceError::Cancelled { url: url.to_string() };
        let permit = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(cancelled()),
            permit = self.permits.clone().acquire_owned() => permit,
        };
        let limits = FetchLimits::new(self.shared.settings.timeout);
        let stop = limits.stop.clone();
        let (send, receive) = tokio::sync::oneshot::channel();
        let task = task::Task {
            shared: self.shared.clone(),
            url: url.clone(),
            trust: Trust::Named,
            project: String::new(),
            files: None,
            wanted: Vec::new(),
            references: None,
            limits,
            runtime: tokio::runtime::Handle::current(),
            depth: 0,
            when: When::Now,
        };
        std::thread::spawn(move || {
            let _permit = permit;
            // Nobody receives any more when time is up.
            let _ = send.send(work(task));
        });
        let error = tokio::select! {
            biased;
            () = cancel.cancelled() => cancelled(),
            answer = receive => match answer {
                Ok(answer) => return Ok(answer),
                Err(_) => task::crashed(url),
            },
            () = tokio::time::sleep(self.shared.settings.timeout) => {
                SourceError::TimedOut { url: url.to_string(), after: self.shared.settings.timeout }
            }
        };
        stop.cancel();
        Err(error)
    }
}
