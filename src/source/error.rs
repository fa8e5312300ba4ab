//! The errors of fetching a source.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error as ThisError;

use crate::secret::mask_credentials_in_text;

/// A library's or program's words, credentials masked: only ever the cause of an error of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCause {
    text: String,
    below: Option<Box<SourceCause>>,
}

impl SourceCause {
    /// Takes an error and everything below it; of a connection that failed, only what the system said: the layers above it
    /// say nothing more.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        if let Some(refused) = connection_error(error) {
            return Self { text: refused.to_string(), below: None };
        }
        if layers(error).any(is_about_connecting) {
            let innermost = layers(error).last().map(ToString::to_string).unwrap_or_default();
            return Self { text: mask_credentials_in_text(&innermost), below: None };
        }
        let below = error.source().map(|below| Box::new(Self::of(below)));
        Self { text: mask_credentials_in_text(&error.to_string()), below }
    }

    /// Takes what a program wrote: its last lines, which say what ended it.
    pub(super) fn of_output(output: &[u8]) -> Self {
        let text = mask_credentials_in_text(&String::from_utf8_lossy(output));
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(4)..];
        Self { text: last.join("; "), below: None }
    }

    /// Takes a sentence of ours.
    pub(super) fn saying(text: impl Into<String>) -> Self {
        Self { text: mask_credentials_in_text(&text.into()), below: None }
    }

    /// Everything it says, to classify a fault.
    pub(super) fn whole_text(&self) -> String {
        match &self.below {
            Some(below) => format!("{}: {}", self.text, below.whole_text()),
            None => self.text.clone(),
        }
    }
}

/// The system's own error of a connection, however deep it lies.
fn connection_error<'error>(error: &'error (dyn Error + 'static)) -> Option<&'error io::Error> {
    layers(error).find_map(|error| error.downcast_ref::<io::Error>()).filter(|error| {
        matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::TimedOut
        )
    })
}

/// Whether a layer says that no connection came about: an unknown name of a host, an invalid certificate.
fn is_about_connecting(error: &(dyn Error + 'static)) -> bool {
    // An error of the system's type hides what it was made of from the chain.
    let hidden = error.downcast_ref::<io::Error>().and_then(|error| error.get_ref()?.downcast_ref::<reqwest::Error>());
    error.downcast_ref::<reqwest::Error>().or(hidden).is_some_and(reqwest::Error::is_connect)
}

/// An error and everything below it.
fn layers<'error>(error: &'error (dyn Error + 'static)) -> impl Iterator<Item = &'error (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

impl fmt::Display for SourceCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Error for SourceCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.below.as_deref().map(|below| below as &(dyn Error + 'static))
    }
}

/// The alternative to a server that cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// A checkout of the git repository.
    Checkout,
    /// A folder with the chart of a Helm repository or a registry.
    Chart,
}

impl Instead {
    fn in_words(self) -> &'static str {
        match self {
            Self::Checkout => "`--repo URL=PATH` uses a checkout instead",
            Self::Chart => "`--repo URL=DIR` uses a chart that was pulled into a folder, as with `helm pull --untar`",
        }
    }
}

/// A source that could not be fetched.
#[derive(Debug, ThisError, Diagnostic)]
pub enum SourceError {
    /// The URL cannot be followed.
    #[error("repository `{url}` cannot be fetched: {reason}")]
    #[diagnostic(code("trueup::source::url"), help("correct the source's `repoURL`"))]
    UrlRefused {
        /// The repository.
        url: String,
        /// Why not.
        reason: &'static str,
    },
    /// There is no repository.
    #[error("no repository at {url}")]
    #[diagnostic(
        code("trueup::source::repository"),
        help("check the source's `repoURL`; a server can also hide a private repository from users without access")
    )]
    RepositoryGone {
        /// The repository.
        url: String,
        /// The server's error.
        #[source]
        cause: Option<SourceCause>,
    },
    /// The server does not let us in.
    #[error("{url} refuses access")]
    #[diagnostic(code("trueup::source::access"), help("{help}"))]
    AccessRefused {
        /// The repository.
        url: String,
        /// Credentials for a repository of this kind.
        help: String,
        /// The server's error.
        #[source]
        cause: Option<SourceCause>,
    },
    /// A GitHub App gets no token.
    #[error("{url} cannot be opened as the GitHub App of Secret `{secret}`: {reason}")]
    #[diagnostic(code("trueup::source::github_app"), help("{help}"))]
    NoAppToken {
        /// The repository.
        url: String,
        /// The Secret that has the App's key.
        secret: String,
        /// Why not.
        reason: String,
        /// The advice.
        help: String,
        /// GitHub's answer.
        #[source]
        cause: Option<SourceCause>,
    },
    /// No connection.
    #[error("{url} cannot be reached")]
    #[diagnostic(code("trueup::source::network"), help("check the host's name and the network; {}", instead.in_words()))]
    Unreachable {
        /// The repository.
        url: String,
        /// The alternatives.
        instead: Instead,
        /// The network's error.
        #[source]
        cause: SourceCause,
    },
    /// Too slow.
    #[error("{url} was not fetched within {after:?}")]
    #[diagnostic(code("trueup::source::timeout"), help("give it more time with `--fetch-timeout`"))]
    TimedOut {
        /// The repository.
        url: String,
        /// How long it had.
        after: Duration,
    },
    /// The run was stopped.
    #[error("{url} was not fetched: the run was stopped")]
    #[diagnostic(code("trueup::source::cancelled"), help("run the command again"))]
    Cancelled {
        /// The repository.
        url: String,
    },
    /// Neither gix nor git understands the server.
    #[error("{url} could not be fetched")]
    #[diagnostic(code("trueup::source::fetch"), help("{help}"))]
    FetchFailed {
        /// The repository.
        url: String,
        /// A workaround.
        help: String,
        /// The message.
        #[source]
        cause: SourceCause,
    },
    /// The server is there, and does not do its work.
    #[error("{url} answers {answer}")]
    #[diagnostic(code("trueup::source::server"), help("it was asked several times; try again later"))]
    ServerFailed {
        /// The request.
        url: String,
        /// The status.
        answer: String,
    },
    /// More than is read.
    #[error("{url} sends more than {limit} bytes")]
    #[diagnostic(code("trueup::source::too_large"), help("check what the server sends"))]
    AnswerTooLarge {
        /// The request.
        url: String,
        /// How much is read, in bytes.
        limit: u64,
    },
    /// The index of a Helm repository is invalid.
    #[error("the index of {url} cannot be read")]
    #[diagnostic(
        code("trueup::source::index"),
        help("a Helm repository has an `index.yaml`, as `helm repo index` writes it")
    )]
    IndexUnreadable {
        /// The repository.
        url: String,
        /// The fault.
        #[source]
        cause: SourceCause,
    },
    /// No such chart.
    #[error("no chart `{chart}` in {url}")]
    #[diagnostic(code("trueup::source::chart"), help("{}", nearest_chart_help(nearest)))]
    ChartGone {
        /// The repository.
        url: String,
        /// The request.
        chart: String,
        /// Charts that are called like it.
        nearest: Vec<String>,
    },
    /// No such version of a chart.
    #[error("chart `{chart}` in {url} has no version `{version}`")]
    #[diagnostic(code("trueup::source::chart_version"), help("{}", nearest_version_help(nearest)))]
    VersionGone {
        /// The repository.
        url: String,
        /// The chart.
        chart: String,
        /// The request.
        version: String,
        /// Versions that there are.
        nearest: Vec<String>,
    },
    /// The index has it, and the server has not.
    #[error("{what} is not at {url}, where the index has it")]
    #[diagnostic(code("trueup::source::archive"), help("ask its publisher, or use another version"))]
    ArchiveGone {
        /// The archive.
        what: String,
        /// Where it should be.
        url: String,
    },
    /// No such tag in a registry.
    #[error("{url} has no version `{version}`")]
    #[diagnostic(code("trueup::source::chart_version"), help("{}", nearest_version_help(nearest)))]
    TagGone {
        /// The registry's repository.
        url: String,
        /// The request.
        version: String,
        /// Versions that there are.
        nearest: Vec<String>,
    },
    /// Not what was promised.
    #[error("{what} has the SHA-256 {found}, and not {expected}")]
    #[diagnostic(
        code("trueup::source::digest"),
        help("it was changed after it was published, or on its way; nothing of it is used")
    )]
    DigestMismatch {
        /// The archive.
        what: String,
        /// The expected digest.
        expected: String,
        /// The digest that was found.
        found: String,
    },
    /// An artifact of a registry that cannot be rendered.
    #[error("{url} cannot be used: {reason}")]
    #[diagnostic(code("trueup::source::artifact"), help("push charts with `helm push`, manifests as one tar layer"))]
    ArtifactRefused {
        /// The registry's repository.
        url: String,
        /// Why.
        reason: String,
    },
    /// An archive that does what none may do.
    #[error("{what} is refused: {reason}")]
    #[diagnostic(code("trueup::source::archive"), help("nothing of it is used; ask its publisher"))]
    ArchiveRefused {
        /// The archive.
        what: String,
        /// Why.
        reason: String,
    },
    /// An invalid archive.
    #[error("{what} cannot be unpacked")]
    #[diagnostic(code("trueup::source::archive"), help("it has to be a tar, packed with gzip; ask its publisher"))]
    ArchiveDamaged {
        /// The archive.
        what: String,
        /// The fault.
        #[source]
        cause: SourceCause,
    },
    /// No such revision.
    #[error("no branch, tag or commit `{revision}` in {url}")]
    #[diagnostic(code("trueup::source::revision"), help("{}", nearest_help(nearest, there)))]
    RevisionGone {
        /// The repository.
        url: String,
        /// The request.
        revision: String,
        /// Names that are like it.
        nearest: Vec<String>,
        /// The names that there are, in words.
        there: String,
    },
    /// Tags there are, but none that will do.
    #[error("no tag satisfies `{constraint}` in {url}")]
    #[diagnostic(code("trueup::source::constraint"), help("{}", nearest_help(nearest, there)))]
    ConstraintUnmet {
        /// The repository.
        url: String,
        /// The constraint, with its prefix.
        constraint: String,
        /// The highest tags that there are.
        nearest: Vec<String>,
        /// The names that there are, in words.
        there: String,
    },
    /// A prefix for tags, and a revision that is no version.
    #[error("revision `{revision}` is not a version or constraint, and `tagPrefix` is set to `{prefix}`")]
    #[diagnostic(code("trueup::source::tag_prefix"), help("remove `tagPrefix`, or ask for a range such as `1.x`"))]
    PrefixWithoutConstraint {
        /// The request.
        revision: String,
        /// The prefix.
        prefix: String,
    },
    /// A short hash that more than one commit begins with.
    #[error("hash `{revision}` is ambiguous in {url}: {count} commits begin with it")]
    #[diagnostic(code("trueup::source::short_hash"), help("write more of the hash"))]
    ShortHashUnclear {
        /// The repository.
        url: String,
        /// The request.
        revision: String,
        /// How many commits.
        count: usize,
    },
    /// A hash of something that has no files.
    #[error("`{revision}` in {url} is a {kind}, not a commit")]
    #[diagnostic(code("trueup::source::no_commit"), help("ask for a branch, a tag or a commit"))]
    NotACommit {
        /// The repository.
        url: String,
        /// The request.
        revision: String,
        /// The description.
        kind: String,
    },
    /// A path that leads out.
    #[error("path `{path}` leaves the repository")]
    #[diagnostic(
        code("trueup::source::path_leaves"),
        help("a source's path is relative to the root of its repository")
    )]
    PathLeaves {
        /// The path as written.
        path: String,
    },
    /// A path that is not there.
    #[error("no folder or file `{path}` at {revision}")]
    #[diagnostic(code("trueup::source::path"), help("{nearest}"))]
    PathGone {
        /// The path as written.
        path: String,
        /// Where it was looked for.
        revision: String,
        /// The alternatives.
        nearest: NearestPath,
    },
    /// A path that cannot be read.
    #[error("path `{path}` cannot be read")]
    #[diagnostic(code("trueup::source::path_unreadable"), help("check the permissions of the checkout"))]
    PathUnreadable {
        /// The path as written.
        path: String,
        /// The system's error.
        #[source]
        cause: SourceCause,
    },
    /// A file where a folder belongs.
    #[error("path `{path}` at {revision} is not a folder")]
    #[diagnostic(code("trueup::source::not_a_folder"), help("name the folder that it is in"))]
    NotAFolder {
        /// The path as written.
        path: String,
        /// Where it was looked for.
        revision: String,
    },
    /// A folder where a file belongs.
    #[error("path `{path}` at {revision} is not a file")]
    #[diagnostic(code("trueup::source::not_a_file"), help("name a file in it"))]
    NotAFile {
        /// The path as written.
        path: String,
        /// Where it was looked for.
        revision: String,
    },
    /// A link that leads out.
    #[error("link `{path}` points outside the repository")]
    #[diagnostic(
        code("trueup::source::link_leaves"),
        help("make it relative and keep it inside; Argo CD refuses the whole repository for one such link")
    )]
    LinkLeaves {
        /// The link, relative to the root.
        path: String,
    },
    /// A name that no file may have.
    #[error("name `{path}` in the repository is refused")]
    #[diagnostic(
        code("trueup::source::unsafe_name"),
        help("rename it: such names can overwrite a repository's own files")
    )]
    UnsafeName {
        /// The path, relative to the root.
        path: String,
        /// Which rule it breaks.
        #[source]
        cause: SourceCause,
    },
    /// A local repository that cannot be read.
    #[error("repository `{path}` cannot be read")]
    #[diagnostic(code("trueup::source::local"), help("check that it is a git repository and that you can read it"))]
    LocalUnreadable {
        /// The folder.
        path: PathBuf,
        /// The message.
        #[source]
        cause: SourceCause,
    },
    /// A folder of this machine that no manifest may have read.
    #[error("`{path}` is not read")]
    #[diagnostic(code("trueup::source::outside"), help("{help}"))]
    Outside {
        /// The folder.
        path: PathBuf,
        /// Why not, and what would let it be read.
        help: &'static str,
    },
    /// A working tree that cannot be used.
    #[error("`{flag}`: `{path}` {reason}")]
    #[diagnostic(code("trueup::source::working_tree"), help("name the root of a checkout"))]
    WorkingTree {
        /// The flag that names it.
        flag: &'static str,
        /// The folder.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The cache cannot be written.
    #[error("cache `{folder}` cannot be written; nothing in it was changed")]
    #[diagnostic(code("trueup::source::cache"), help("{}", cache_help(*full, folder)))]
    CacheUnusable {
        /// The folder.
        folder: PathBuf,
        /// Whether it is full.
        full: bool,
        /// The system's error.
        #[source]
        cause: SourceCause,
    },
    /// Damaged, and damaged again after a fresh fetch.
    #[error("{url} has damaged objects")]
    #[diagnostic(code("trueup::source::damaged"), help("it was fetched again once; run `git fsck` on the server"))]
    Damaged {
        /// The repository.
        url: String,
        /// The damaged part.
        #[source]
        cause: SourceCause,
    },
    /// A submodule that is not fetched.
    #[error("submodule `{path}` of {url} is refused: {reason}")]
    #[diagnostic(
        code("trueup::source::submodule_refused"),
        help("correct `.gitmodules`, or skip submodules with `--no-submodules`")
    )]
    SubmoduleRefused {
        /// The repository.
        url: String,
        /// The submodule's path.
        path: String,
        /// Why.
        reason: String,
    },
    /// A submodule that cannot be fetched.
    #[error("submodule `{path}` of {url} could not be fetched")]
    #[diagnostic(code("trueup::source::submodule"), help("skip submodules with `--no-submodules`"))]
    Submodule {
        /// The repository.
        url: String,
        /// The submodule's path.
        path: String,
        /// Its own error.
        #[source]
        cause: Box<SourceError>,
    },
}

fn nearest_help(nearest: &[String], there: &str) -> String {
    nearest_of(nearest, "; ").unwrap_or_else(|| format!("{there}; ")) + "`--revision` tries another"
}

/// The alternatives to a path that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NearestPath {
    /// A path that is like it.
    Like(String),
    /// The deepest folder of it that there is, and the folders in that one.
    In {
        /// That folder; `.` for the root.
        folder: String,
        /// The folders in it.
        folders: Vec<String>,
    },
}

impl fmt::Display for NearestPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Like(path) => write!(formatter, "the nearest is `{path}`"),
            Self::In { folder, folders } => {
                let place = if folder == "." { "the root of the repository".to_owned() } else { format!("`{folder}`") };
                match folders.as_slice() {
                    [] => write!(formatter, "{place} exists, and has no folders"),
                    folders => write!(formatter, "{place} has {}", named("the folder", folders)),
                }
            }
        }
    }
}

/// So many names are written out; of the others there is a number.
const SHOWN: usize = 8;

/// `the folder a`, `the folders a and b`, `the folders a, b and 3 more`.
pub(super) fn named(noun: &str, names: &[String]) -> String {
    let nouns = if noun.ends_with("ch") { format!("{noun}es") } else { format!("{noun}s") };
    let quoted: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match (quoted.as_slice(), names.len() - quoted.len()) {
        ([one], 0) => format!("{noun} {one}"),
        ([first @ .., last], 0) if !first.is_empty() => format!("{nouns} {} and {last}", first.join(", ")),
        (quoted, more) => format!("{nouns} {} and {more} more", quoted.join(", ")),
    }
}

fn nearest_chart_help(nearest: &[String]) -> String {
    nearest_of(nearest, "").unwrap_or_else(|| "correct the source's `chart`".to_owned())
}

fn nearest_version_help(nearest: &[String]) -> String {
    nearest_of(nearest, "").unwrap_or_else(|| "correct the source's `targetRevision`".to_owned())
}

fn nearest_of(nearest: &[String], end: &str) -> Option<String> {
    match nearest {
        [] => None,
        [one] => Some(format!("the nearest is {one}{end}")),
        [first @ .., last] => Some(format!("the nearest are {} and {last}{end}", first.join(", "))),
    }
}

fn cache_help(full: bool, folder: &Path) -> &'static str {
    if full {
        "make room on that disk, or name another folder with `--cache-dir`"
    } else if folder == std::env::temp_dir() {
        "set `TMPDIR` to a writable folder, or choose one with `--cache-dir`"
    } else {
        "name another folder with `--cache-dir`"
    }
}
