//! Charts of Helm repositories and registries, and `oci://` sources: archives that are fetched and unpacked.
//!
//! In: a repository's URL, charts and versions, tags, digests or constraints. Out: checkouts whose root is the unpacked
//! chart, as the renderers take any folder. An archive is kept by its digest, and held against it when it arrives.
//!
//! Rules: Argo CD reposerver/repository `newHelmClientResolveRevision`, `newOCIClientResolveRevision`.

mod archive;
mod challenge;
mod helm_repo;
mod index;
mod oci;
mod shelf;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use self::archive::Packing;
use self::helm_repo::HelmRepository;
use self::oci::{Content, Registry, RegistryClient};
use self::shelf::Shelf;
use super::access::Web;
use super::access::{Asking, Keyring};
use super::checkout::FetchResult;
use super::checkout::{Checkout, FetchedBy, Wanted};
use super::error::{SourceCause, SourceError};
use super::task::{Task, When, crashed};
use super::working_tree;
use crate::finding::{Code, Finding};
use crate::secret::RepoUrl;

/// How many charts of one repository are fetched at a time.
const AT_A_TIME: usize = 8;

/// Where a source comes from, as far as that decides how it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SourceOrigin {
    /// A git repository.
    Git,
    /// A Helm repository: an index and archives.
    HelmRepository,
    /// A registry.
    Registry,
}

impl SourceOrigin {
    /// Rule: Argo CD `repository_types.go`, util/helm/client.go `IsHelmOciRepo`: a registry of charts is a URL without a
    /// scheme, or one whose Secret has `enableOCI`.
    pub(super) fn of(url: &RepoUrl, wanted: &Wanted, keyring: &Keyring) -> Self {
        let url = url.with_credentials();
        if url.starts_with("oci://") {
            return Self::Registry;
        }
        if wanted.chart.is_none() {
            return Self::Git;
        }
        let is_bare = !url.contains("://") && !url.starts_with('/');
        let enables_oci = || keyring.repositories().find(url, &wanted.project).is_some_and(|it| it.enable_oci);
        if is_bare || enables_oci() { Self::Registry } else { Self::HelmRepository }
    }
}

/// Fetches everything that a task wants of a Helm repository or a registry.
pub(super) fn all(task: &Task, kind: SourceOrigin) -> Result<Vec<FetchResult>, SourceError> {
    let shared = task.shared.clone();
    if let (Some(root), When::Now) = (shared.working_trees.find(&task.url), task.when) {
        let checkout = |wanted: &Wanted| working_tree::chart(root, wanted.chart.as_deref());
        return Ok(task.wanted.iter().map(|wanted| checkout(wanted).map(Arc::new).map_err(Arc::new)).collect());
    }
    let cache = shared.cache()?;
    let shelf = Shelf::of(cache, task);
    let answers = match kind {
        SourceOrigin::HelmRepository => {
            let repository = HelmRepository::open(task, &shelf)?;
            let warning = repository.speaks_in_clear_text().then(|| clear_text(&task.url));
            side_by_side(task, |wanted| from_repository(task, &shelf, &repository, wanted, warning.as_ref()))
        }
        SourceOrigin::Registry | SourceOrigin::Git => {
            let written = task.url.with_credentials();
            let door = door(task, written)?;
            side_by_side(task, |wanted| from_registry(task, &shelf, &door, wanted))
        }
    };
    cache.shrink();
    Ok(answers)
}

/// Asks a Helm repository for its index, or a registry for its tags.
pub(super) fn check(task: &Task, kind: SourceOrigin) -> Result<(), SourceError> {
    match kind {
        SourceOrigin::HelmRepository => {
            let shared = task.shared.clone();
            let shelf = Shelf::of(shared.cache()?, task);
            HelmRepository::open(task, &shelf).map(|_| ())
        }
        SourceOrigin::Registry | SourceOrigin::Git => {
            let written = task.url.with_credentials();
            let door = door(task, written)?;
            Registry::new(written.trim_start_matches("oci://"), &door)?.answers()
        }
    }
}

/// Fetches each of what is wanted; some at a time, for each is a few small questions and a wait for the answers.
fn side_by_side(task: &Task, fetch: impl Fn(&Wanted) -> Result<Checkout, SourceError> + Sync) -> Vec<FetchResult> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut fetched = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(wanted) = task.wanted.get(position) else { return fetched };
            fetched.push((position, fetch(wanted).map(Arc::new).map_err(Arc::new)));
        }
    };
    let workers = task.shared.settings.concurrency.clamp(1, AT_A_TIME).min(task.wanted.len());
    let mut fetched: Vec<(usize, FetchResult)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    fetched.sort_by_key(|(position, _)| *position);
    let mut answers = fetched.into_iter().peekable();
    // A worker that died answers nothing, which is a fault of ours.
    let answer = |position| answers.next_if(|(found, _)| *found == position).map(|(_, fetched)| fetched);
    (0..task.wanted.len())
        .map(answer)
        .map(|answer| answer.unwrap_or_else(|| Err(Arc::new(crashed(&task.url)))))
        .collect()
}

/// The way to a registry; a Secret is for the URL that is written, of which a chart's name is no part.
fn door(task: &Task, written: &str) -> Result<RegistryClient, SourceError> {
    let asking = Asking { timeout: task.limits.left(), cancel: &task.limits.stop, runtime: &task.runtime };
    let pass = task.shared.settings.keyring.registry(written, &task.project, &asking);
    let web = Web::new(&pass, &task.url.to_string(), &task.limits, &task.runtime)?;
    Ok(RegistryClient::new(pass, web))
}

fn clear_text(url: &RepoUrl) -> Finding {
    Finding::warning(Code::SourceClearText, format!("credentials for {url} travel in clear text"))
        .with_help("use https")
}

/// One chart of a Helm repository.
fn from_repository(
    task: &Task,
    shelf: &Shelf<'_>,
    repository: &HelmRepository<'_>,
    wanted: &Wanted,
    warning: Option<&Finding>,
) -> Result<Checkout, SourceError> {
    let chart = wanted.chart.as_deref().unwrap_or_default();
    let release = repository.release(chart, &wanted.revision)?;
    let what = format!("chart `{chart}` {} of {}", release.version, task.url);
    let warnings: Vec<Finding> = warning.cloned().into_iter().collect();
    let finished = |folder: &Path, by| {
        let root = chart_folder(folder, chart, &what)?;
        Ok(Checkout { root, revision: release.version.clone(), by, dirty: false, warnings: warnings.clone() })
    };
    let turn = shelf.turn(&release.url);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    if !release.digest.is_empty()
        && let Some(folder) = shelf.find(&release.digest)?
    {
        return finished(&folder, FetchedBy::Cache);
    }
    let url = repository.archive_url(release)?;
    if url.scheme() == "oci" {
        // An index may lead to a registry, as that of Bitnami does.
        let place = url.as_str().trim_start_matches("oci://");
        let (place, tag) = place.rsplit_once(':').unwrap_or((place, &release.version));
        let mut checkout = artifact(task, shelf, &door(task, place)?, (place, tag), Some(chart))?;
        checkout.revision.clone_from(&release.version);
        return Ok(checkout);
    }
    let mut archive = shelf.new_file()?;
    let saved = repository.download(&url, &what, wanted.pass_credentials, archive.as_file_mut())?;
    if !release.digest.is_empty() && release.digest != saved.sha256 {
        return Err(SourceError::DigestMismatch { what, expected: release.digest.clone(), found: saved.sha256 });
    }
    let (folder, by) = match shelf.find(&saved.sha256)? {
        Some(folder) => (folder, FetchedBy::Cache),
        None => (shelf.keep(&archive, Packing::TarGzip, &saved.sha256, &what)?, FetchedBy::HelmRepository),
    };
    finished(&folder, by)
}

/// One chart, or one artifact, of a registry.
fn from_registry(
    task: &Task,
    shelf: &Shelf<'_>,
    door: &RegistryClient,
    wanted: &Wanted,
) -> Result<Checkout, SourceError> {
    let place = task.url.with_credentials().trim_start_matches("oci://").trim_end_matches('/').to_owned();
    let chart = wanted.chart.as_deref();
    let place = chart.map_or_else(|| place.clone(), |chart| format!("{place}/{}", chart.trim_matches('/')));
    artifact(task, shelf, door, (&place, &wanted.revision), chart)
}

/// `place` is `host/repository`.
fn artifact(
    task: &Task,
    shelf: &Shelf<'_>,
    door: &RegistryClient,
    (place, asked): (&str, &str),
    chart: Option<&str>,
) -> Result<Checkout, SourceError> {
    let mut registry = Registry::new(place, door)?;
    let content = if chart.is_some() { Content::Chart } else { Content::Anything };
    let found = registry.artifact(asked, content)?;
    let what = format!("the archive of oci://{place} at `{asked}`");
    let sha256 = found.layer.digest.trim_start_matches("sha256:");
    let turn = shelf.turn(sha256);
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let (folder, by) = if let Some(folder) = shelf.find(sha256)? {
        (folder, FetchedBy::Cache)
    } else {
        let mut archive = shelf.new_file()?;
        let saved = registry.download(&found.layer, archive.as_file_mut(), shelf)?;
        if saved.sha256 != sha256 {
            return Err(SourceError::DigestMismatch { what, expected: sha256.to_owned(), found: saved.sha256 });
        }
        (shelf.keep(&archive, found.layer.packing, sha256, &what)?, FetchedBy::Registry)
    };
    let root = match chart {
        Some(chart) => chart_folder(&folder, chart, &what)?,
        None if found.layer.is_chart => chart_folder(&folder, "", &what)?,
        None => folder,
    };
    let is_version = chart.is_some() && !found.version.is_empty();
    let revision = if is_version { found.version } else { found.digest };
    let warnings = registry.speaks_in_clear_text().then(|| clear_text(&task.url)).into_iter().collect();
    Ok(Checkout { root, revision, by, dirty: false, warnings })
}

/// The folder of a chart in its archive: by the chart's name, or the only one that there is.
///
/// Rule: Argo CD util/helm/client.go `normalizeChartName`, util/oci/client.go `Push`.
fn chart_folder(unpacked: &Path, chart: &str, what: &str) -> Result<PathBuf, SourceError> {
    let is_chart = |folder: &Path| folder.join("Chart.yaml").is_file();
    let name = chart.rsplit('/').next().unwrap_or(chart);
    let named = unpacked.join(name);
    if !name.is_empty() && !matches!(name, "." | "..") && is_chart(&named) {
        return Ok(named);
    }
    let unreadable =
        |error: std::io::Error| SourceError::ArchiveDamaged { what: what.to_owned(), cause: SourceCause::of(&error) };
    let mut folders = Vec::new();
    for entry in fs::read_dir(unpacked).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        folders.extend(is_chart(&path).then_some(path));
    }
    match folders.pop() {
        Some(folder) if folders.is_empty() => Ok(folder),
        _ => Err(SourceError::ArchiveRefused {
            what: what.to_owned(),
            reason: "it has no folder with a `Chart.yaml`, or several".to_owned(),
        }),
    }
}
