//! A Helm repository: an `index.yaml` over HTTP, or in a folder of this machine, and archives beside it or elsewhere.
//!
//! In: a repository's URL, what is wanted of it. Out: the release that is meant, and its archive in a file. The index is
//! asked for once a run; where the cache has it and the server says that it holds, it is not sent again. What opens the
//! repository is shown to no other server, unless `passCredentials` says so.
//!
//! Rules: Argo CD util/helm/client.go `GetIndex`; Helm pkg/getter/httpgetter.go, `pkg/downloader/chart_downloader.go`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use reqwest::Url;
use reqwest::header::{ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use serde::{Deserialize, Serialize};

use super::super::access::{self, BasicAuth, Pass, Saved, Web, headers, is_this_machine};
use super::super::error::{SourceCause, SourceError};
use super::super::task::Task;
use super::archive::ARCHIVE_LIMIT;
use super::index::{self, Index, Release};
use super::shelf::Shelf;

/// The size limit of an index: the largest public ones have some 30 MiB.
const INDEX_LIMIT: u64 = 256 << 20;

/// Credentials for a Helm repository.
const ACCESS_HELP: &str = "set TRUEUP_HELM_USERNAME and TRUEUP_HELM_PASSWORD, or give the repository's Secret with \
                           `--repositories`";

/// A Helm repository, with its index.
pub(super) struct HelmRepository<'task> {
    shelf: &'task Shelf<'task>,
    base: Url,
    shown: String,
    pass: Pass,
    /// Nothing for a folder of this machine.
    web: Option<Web>,
    index: Index,
}

/// An index as the cache keeps it.
#[derive(Serialize, Deserialize)]
struct CachedIndex {
    etag: Option<String>,
    modified: Option<String>,
    index: Index,
}

impl<'task> HelmRepository<'task> {
    /// Fetches the index.
    pub(super) fn open(task: &Task, shelf: &'task Shelf<'task>) -> Result<Self, SourceError> {
        let shown = task.url.to_string();
        let refused = |reason| SourceError::UrlRefused { url: shown.clone(), reason };
        let written = task.url.with_credentials();
        let base = if written.starts_with('/') {
            Url::from_directory_path(written).map_err(|()| refused("it is no folder's"))?
        } else {
            Url::parse(written).map_err(|_error| refused("a Helm repository has an http or https URL"))?
        };
        let base = as_folder(base);
        let pass = task.shared.settings.keyring.helm_repository(&base, written, &task.project);
        let mut this = Self { shelf, shown, pass, web: None, index: Index::default(), base };
        match this.base.scheme() {
            "http" | "https" => {
                this.web = Some(Web::new(&this.pass, &this.shown, &task.limits, &task.runtime)?);
                this.index = this.fetched_index()?;
            }
            "file" => this.index = this.index_of_folder()?,
            _ => {
                return Err(SourceError::UrlRefused {
                    url: this.shown,
                    reason: "a Helm repository has an http or https URL",
                });
            }
        }
        Ok(this)
    }

    /// Whether what opens the repository can be read on the way to it.
    pub(super) fn speaks_in_clear_text(&self) -> bool {
        let is_http = self.base.scheme() == "http";
        self.pass.identity.is_some() && is_http && !is_this_machine(self.base.host_str().unwrap_or_default())
    }

    /// The release that is meant.
    pub(super) fn release(&self, chart: &str, version: &str) -> Result<&Release, SourceError> {
        let Some(releases) = self.index.chart(chart).filter(|releases| !releases.is_empty()) else {
            return Err(SourceError::ChartGone {
                url: self.shown.clone(),
                chart: chart.to_owned(),
                nearest: index::alike(chart, self.index.names()),
            });
        };
        let versions = releases.iter().map(|release| release.version.as_str());
        let chosen = index::chosen(version, versions.clone());
        chosen.and_then(|chosen| releases.iter().find(|release| release.version == chosen)).ok_or_else(|| {
            SourceError::VersionGone {
                url: self.shown.clone(),
                chart: chart.to_owned(),
                version: version.to_owned(),
                nearest: index::nearest(version, versions),
            }
        })
    }

    /// The archive's own URL; the registry's repository and tag where it is in one.
    pub(super) fn archive_url(&self, release: &Release) -> Result<Url, SourceError> {
        let said = |words| SourceError::IndexUnreadable { url: self.shown.clone(), cause: SourceCause::saying(words) };
        if release.url.is_empty() {
            return Err(said(format!("it does not say where version {} is", release.version)));
        }
        let wrong = || said(format!("`{}` in it is not a URL", release.url));
        let mut url = self.base.join(&release.url).map_err(|_error| wrong())?;
        if Url::parse(&release.url).is_err() {
            // Helm: what the repository's own URL has there, such as a signature, opens what is below it, too.
            url.set_query(self.base.query());
        }
        // What comes over the network names no file of ours.
        let is_ours = url.scheme() == "file" && self.base.scheme() != "file";
        if is_ours || !matches!(url.scheme(), "http" | "https" | "oci" | "file") { Err(wrong()) } else { Ok(url) }
    }

    /// Writes an archive to a file.
    /// `what` is what an error calls it.
    pub(super) fn download(
        &self,
        url: &Url,
        what: &str,
        pass_credentials: bool,
        file: &mut File,
    ) -> Result<Saved, SourceError> {
        let Some(web) = &self.web else { return self.copied(url, file) };
        let is_same = (url.scheme(), url.host_str(), url.port_or_known_default())
            == (self.base.scheme(), self.base.host_str(), self.base.port_or_known_default());
        let own = BasicAuth::of_url(url);
        let identity = self.pass.identity.as_ref().filter(|_| is_same || pass_credentials).or(own.as_ref());
        let answer = web.get(url, &headers(identity))?;
        if answer.status().as_u16() == 404 {
            return Err(SourceError::ArchiveGone { what: what.to_owned(), url: access::shown(url) });
        }
        if !answer.status().is_success() {
            return Err(answer.failed(ACCESS_HELP));
        }
        answer.save(file, ARCHIVE_LIMIT, &|error| self.shelf.unusable(error))
    }

    fn copied(&self, url: &Url, file: &mut File) -> Result<Saved, SourceError> {
        let path = url.to_file_path().map_err(|()| self.gone(None))?;
        let real = path.canonicalize().map_err(|error| self.unreadable(&path, &error))?;
        let folder = self.base.to_file_path().ok().and_then(|folder| folder.canonicalize().ok());
        // Nor does an index of a folder name a file outside of it.
        if !folder.is_some_and(|folder| real.starts_with(folder)) {
            let cause = SourceCause::saying(format!("`{url}` in it points outside its folder"));
            return Err(SourceError::IndexUnreadable { url: self.shown.clone(), cause });
        }
        let bytes = fs::read(&real).map_err(|error| self.unreadable(&path, &error))?;
        file.write_all(&bytes).map_err(|error| self.shelf.unusable(&error))?;
        Ok(Saved::of(&bytes))
    }

    fn index_of_folder(&self) -> Result<Index, SourceError> {
        let path: PathBuf = self.base.to_file_path().map_err(|()| self.gone(None))?.join("index.yaml");
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        if path.canonicalize().ok().is_some_and(|real| !folder.is_some_and(|folder| real.starts_with(folder))) {
            return Err(self.gone(Some(SourceCause::saying("its `index.yaml` is a link that points outside"))));
        }
        let bytes = fs::read(&path).map_err(|error| self.unreadable(&path, &error))?;
        self.read(&bytes)
    }

    fn unreadable(&self, path: &Path, error: &io::Error) -> SourceError {
        if error.kind() == io::ErrorKind::NotFound {
            return self.gone(Some(SourceCause::saying(format!("there is no `{}`", path.display()))));
        }
        SourceError::LocalUnreadable { path: path.to_owned(), cause: SourceCause::of(error) }
    }

    fn gone(&self, cause: Option<SourceCause>) -> SourceError {
        SourceError::RepositoryGone { url: self.shown.clone(), cause }
    }

    fn read(&self, bytes: &[u8]) -> Result<Index, SourceError> {
        Index::read(bytes).map_err(|cause| SourceError::IndexUnreadable { url: self.shown.clone(), cause })
    }

    /// The index, from the cache where the server says that it holds.
    fn fetched_index(&self) -> Result<Index, SourceError> {
        let Some(web) = &self.web else { return Ok(Index::default()) };
        let mut url = self.base.join("index.yaml").map_err(|_error| self.gone(None))?;
        url.set_query(self.base.query());
        let name = access::without_identity(&url);
        let kept = self.shelf.index(name.as_str())?.and_then(|text| serde_json::from_slice::<CachedIndex>(&text).ok());
        let mut headers = headers(self.pass.identity.as_ref());
        if let Some(kept) = &kept {
            let conditions = [(IF_NONE_MATCH, &kept.etag), (IF_MODIFIED_SINCE, &kept.modified)];
            for (name, value) in conditions {
                if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                    headers.insert(name, value);
                }
            }
        }
        let answer = web.get(&url, &headers)?;
        if let (304, Some(kept)) = (answer.status().as_u16(), kept) {
            return Ok(kept.index);
        }
        if !answer.status().is_success() {
            return Err(answer.failed(ACCESS_HELP));
        }
        let header = |name: reqwest::header::HeaderName| answer.header(name.as_str()).map(str::to_owned);
        let (etag, modified) = (header(ETAG), header(LAST_MODIFIED));
        let index = self.read(&answer.bytes(INDEX_LIMIT)?)?;
        if etag.is_some() || modified.is_some() {
            let kept = CachedIndex { etag, modified, index };
            self.shelf.keep_index(name.as_str(), &serde_json::to_vec(&kept).unwrap_or_default());
            return Ok(kept.index);
        }
        Ok(index)
    }
}

/// With a slash at its end, so that relative URLs are below it.
fn as_folder(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}
