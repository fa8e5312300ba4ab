//! Only what a change can affect: `--changed-since`, `--event`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::events::{PushEvent, read_event};
use crate::cli::session::environment;
use crate::finding::{Code, Finding};
use crate::fleet::stages::affected::Changes;
use crate::source::changes::{ChangedFiles, ChangesError, changed_between, changed_since, checkout_of};
use crate::source::is_same_repository;

/// What changed, and whether the verdicts are printed.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct ChangedArguments {
    /// Keep the applications that can be affected by what changed since this revision, in the checkout of `--checkout` or of the
    /// current folder
    #[arg(long, value_name = "REVISION", conflicts_with = "event")]
    pub(crate) changed_since: Option<String>,
    /// Keep the applications that can be affected by a push: its event as GitHub, GitLab, Gitea and Bitbucket send it, or
    /// `github` for that of the running job
    #[arg(long, value_name = "FILE|github")]
    pub(crate) event: Option<OsString>,
    /// Print why each application is kept or left out
    #[arg(long)]
    pub(crate) explain: bool,
}

/// What changed, where that limits the run, and why it is not known.
pub(crate) type KnownChanges = (Option<Arc<Changes>>, Vec<Finding>);

impl ChangedArguments {
    /// What changed; nothing where every application is wanted. Where that is not known, a warning says so, and every
    /// application is kept.
    pub(crate) fn changes(&self, folder: &Path) -> Result<KnownChanges, Vec<Finding>> {
        let found = match (&self.changed_since, &self.event) {
            (Some(revision), _) => changed_since(folder, revision).map_err(|error| error.to_string()),
            (None, Some(event)) => {
                let event = read(event).map_err(|finding| vec![finding])?;
                pushed(&event, folder).map_err(|error| error.to_string())
            }
            (None, None) => return Ok((None, Vec::new())),
        };
        match found {
            Ok(ChangedFiles { root, urls, files }) => {
                let root = Some(root).filter(|root| !root.as_os_str().is_empty());
                Ok((Some(Arc::new(Changes { urls, root, files, explains: self.explain })), Vec::new()))
            }
            Err(why) => Ok((None, vec![unknown(&why)])),
        }
    }
}

fn unknown(why: &str) -> Finding {
    Finding::warning(Code::FleetChangesUnknown, format!("what changed is not known: {why}"))
        .with_help("every application is kept; fetch the history (`git fetch --unshallow`), or pass `--checkout DIR`")
}

/// The files of a push: as its event lists them, else as the checkout has its commits.
fn pushed(event: &PushEvent, folder: &Path) -> Result<ChangedFiles, ChangesError> {
    let here = checkout_of(folder);
    if let Some(files) = &event.files {
        let is_it = |checkout: &ChangedFiles| {
            let urls = checkout.urls.iter();
            urls.flat_map(|own| event.urls.iter().map(move |url| (own, url)))
                .any(|(own, url)| is_same_repository(own, url))
        };
        let here = here.filter(is_it).unwrap_or_default();
        let urls = here.urls.into_iter().chain(event.urls.iter().cloned()).collect();
        return Ok(ChangedFiles { root: here.root, urls, files: files.clone() });
    }
    let found = changed_between(folder, &event.ranges)?;
    let urls = found.urls.into_iter().chain(event.urls.iter().cloned()).collect();
    Ok(ChangedFiles { urls, ..found })
}

fn read(event: &OsString) -> Result<PushEvent, Finding> {
    let path = match event.to_str() {
        Some("github") => environment("GITHUB_EVENT_PATH").filter(|path| !path.is_empty()).ok_or_else(|| {
            Finding::error(Code::CliEvent, "`--event github` needs the variable GITHUB_EVENT_PATH, which is not set")
                .with_help("jobs of GitHub Actions have it; elsewhere, name the file with the event")
        })?,
        _ => event.clone(),
    };
    let path = PathBuf::from(path);
    let refused = |cause: String| {
        Finding::error(Code::CliEvent, format!("{}: the event cannot be read", path.display())).with_cause(cause)
    };
    let bytes = std::fs::read(&path).map_err(|error| refused(error.to_string()))?;
    read_event(&bytes).map_err(refused)
}
